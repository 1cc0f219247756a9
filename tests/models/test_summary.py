"""The summary table, character for character as Keras 3.15 prints it in a terminal of 80 columns."""

from types import SimpleNamespace

import numpy as np
import pytest

import pynn as keras
from pynn import layers
from pynn.errors import ArgumentError
from pynn.graph.variable import Variable
from pynn.models.summary import print_summary
from pynn.utils import clear_session

MLP = """\
Model: "sequential"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ dense (Dense)                   │ (None, 64)             │        50,240 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dense_1 (Dense)                 │ (None, 10)             │           650 │
└─────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 50,890 (198.79 KB)
 Trainable params: 50,890 (198.79 KB)
 Non-trainable params: 0 (0.00 B)
"""

NARROW = """\
Model: "lenet"
┏━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━┓
┃                 ┃ Output     ┃ Param ┃
┃ Layer (type)    ┃ Shape      ┃     # ┃
┡━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━┩
│ conv2d (Conv2D) │ (None, 28, │   156 │
│                 │ 28, 6)     │       │
├─────────────────┼────────────┼───────┤
│ average_poolin… │ (None, 14, │     0 │
│ (AveragePoolin… │ 14, 6)     │       │
├─────────────────┼────────────┼───────┤
│ dense_2 (Dense) │ (None,     │ 48,1… │
│                 │ 120)       │       │
└─────────────────┴────────────┴───────┘
 Total params: 48,276 (188.58 KB)
 Trainable params: 48,276 (188.58 KB)
 Non-trainable params: 0 (0.00 B)
"""

TRAINABLE = """\
Model: "frozen"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━┓
┃ Layer (type)                ┃ Output Shape          ┃    Param # ┃ Trai… ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━┩
│ dense (Dense)               │ (None, 64)            │     50,240 │   N   │
├─────────────────────────────┼───────────────────────┼────────────┼───────┤
│ dropout (Dropout)           │ ?                     │          0 │   -   │
└─────────────────────────────┴───────────────────────┴────────────┴───────┘
 Total params: 50,240 (196.25 KB)
 Trainable params: 0 (0.00 B)
 Non-trainable params: 50,240 (196.25 KB)
"""


@pytest.fixture(autouse=True)
def _plain_terminal(monkeypatch):
    clear_session(free_memory=False)  # a collection takes longer than a test
    monkeypatch.setenv("COLUMNS", "80")


def _model(name, *stack):
    weights = [v for layer in stack for v in layer.weights]
    return SimpleNamespace(
        name=name,
        layers=stack,
        trainable_weights=[v for v in weights if v.trainable],
        non_trainable_weights=[v for v in weights if not v.trainable],
    )


def _dense(units, features, **options):
    dense = layers.Dense(units, **options)
    dense.build((None, features))
    dense.output_shape = (None, units)
    return dense


def test_mlp(capsys):
    print_summary(_model("sequential", _dense(64, 784), _dense(10, 64)))
    assert capsys.readouterr().out == MLP


def test_print_fn_gets_the_whole_text_once():
    got = []
    print_summary(_model("sequential", _dense(64, 784), _dense(10, 64)), print_fn=got.append)
    assert got == [MLP]


def test_wrapping(capsys):
    conv = layers.Conv2D(6, 5)
    conv.build((None, 28, 28, 1))
    conv.output_shape = (None, 28, 28, 6)
    pool = layers.AveragePooling2D(2)
    pool.output_shape = (None, 14, 14, 6)
    print_summary(_model("lenet", conv, pool, _dense(120, 400, name="dense_2")), line_length=40)
    assert capsys.readouterr().out == NARROW


def test_trainable_column(capsys):
    dense = _dense(64, 784)
    dense.trainable = False
    print_summary(_model("frozen", dense, layers.Dropout(0.1)), show_trainable=True)
    assert capsys.readouterr().out == TRAINABLE


def test_unbuilt_nested_and_optimizer(capsys):
    inner = _dense(3, 4)
    inner.layers = [_dense(3, 4, name="inside")]
    model = _model("m", inner, layers.Dense(2, name="later"))
    model.compiled = True
    model.optimizer = SimpleNamespace(built=True, variables=[Variable(np.zeros(5, "float32"))])
    print_summary(model, expand_nested=True)
    out = capsys.readouterr().out
    assert "│    └ inside (Dense)             │" in out
    assert "│ later (Dense)                   │ ?                      │   0 (unbuilt) │" in out
    assert " Optimizer params: 5 (20.00 B)\n" in out
    assert " Total params: 35 (140.00 B)\n" in out


def test_layer_range(capsys):
    model = _model("m", _dense(3, 4), _dense(3, 3), _dense(3, 3))
    print_summary(model, layer_range=("dense_1", "dense_1"))
    out = capsys.readouterr().out
    assert "dense_1" in out
    assert "dense_2" not in out
    with pytest.raises(ValueError, match="no layer matches 'conv' of layer_range; there are dense, dense_1, dense_2"):
        print_summary(model, layer_range=("conv", "dense"))
    with pytest.raises(ValueError, match="line_length 10 is too small"):
        print_summary(model, line_length=10)


CLASSIC = """\
Model: "mlp"
_________________________________________________________________
 Layer (type)                Output Shape              Param #
=================================================================
 dense (Dense)               (None, 64)                50240

 dense_1 (Dense)             (None, 10)                650

=================================================================
Total params: 50890 (198.79 KB)
Trainable params: 50890 (198.79 KB)
Non-trainable params: 0 (0.00 Byte)
_________________________________________________________________
"""


def test_the_table_of_older_versions(capsys):
    model = keras.Sequential(
        [keras.Input((784,)), layers.Dense(64, name="dense"), layers.Dense(10, name="dense_1")], name="mlp"
    )
    model.summary(style="classic")
    out = capsys.readouterr().out
    assert [line.rstrip() for line in out.splitlines()] == CLASSIC.splitlines()
    model.summary(style="classic", show_trainable=True, line_length=80)
    lines = capsys.readouterr().out.splitlines()
    assert {len(line) for line in lines[1:-4]} == {91}
    assert lines[4].split()[-1] == "Y"
    with pytest.raises(ArgumentError, match="style must be 'keras3' or 'classic'"):
        model.summary(style="old")


def test_the_older_table_of_a_branched_model(capsys):
    x = keras.Input((4,), name="x")
    keras.Model(x, layers.Add(name="sum")([layers.Dense(4, name="a")(x), x]), name="m").summary(style="classic")
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split() == ["Layer", "(type)", "Output", "Shape", "Param", "#", "Connected", "to"]
    assert lines[8].split() == ["sum", "(Add)", "(None,", "4)", "0", "['a[0][0]',"]
    assert lines[9].split() == ["'x[0][0]']"]
    assert lines[-3] == "Trainable params: 20 (80.00 Byte)"
