"""Scripts that know nothing of pynn, run by ``python -m pynn.compat`` in a process of their own."""

import os
import subprocess
import sys

import pytest


@pytest.fixture
def run(tmp_path):
    """``run(source, *arguments, **environment)``: the finished process."""

    def run(source, *arguments, **environment):
        script = tmp_path / "script.py"
        script.write_text(source)
        environment = {**os.environ, "PYTHONWARNINGS": "default", **environment}
        command = [sys.executable, "-m", "pynn.compat", str(script), *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)

    return run


@pytest.fixture
def output(run):
    """``output(source)``: what a script that must succeed prints."""

    def output(source, *arguments, **environment):
        process = run(source, *arguments, **environment)
        assert process.returncode == 0, process.stderr
        return process.stdout

    return output


TRAINING = """
import os
os.environ["KERAS_BACKEND"] = "jax"
import numpy as np
{imports}
x = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
y = (x.sum(1) > 0).astype("int32")
model = Sequential([layers.Input((4,)), layers.Dense(8, activation="relu"), layers.Dense(2, activation="softmax")])
model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(x, y, epochs=3, verbose=0)
print(len(history.history["loss"]), type(model).__module__)
"""


@pytest.mark.parametrize(
    "imports",
    [
        "import keras; from keras import layers; Sequential = keras.Sequential",
        "from keras.models import Sequential\nfrom keras import layers",
        "from tensorflow import keras\nfrom tensorflow.keras import layers\nSequential = keras.Sequential",
        "import tensorflow as tf\nSequential, layers = tf.keras.models.Sequential, tf.keras.layers",
        "from tensorflow.keras.models import Sequential\nimport tensorflow.keras.layers as layers",
        "from tensorflow.python.keras.models import Sequential\nimport keras.layers.core as layers",
    ],
)
def test_every_way_to_import_keras(output, imports):
    assert output(TRAINING.format(imports=imports)) == "3 pynn.models.sequential\n"


def test_max_epochs_shorten_a_script(output):
    source = TRAINING.format(imports="from keras.models import Sequential\nfrom keras import layers")
    assert output(source, KERAS_MAX_EPOCHS="1").startswith("1 ")


def test_modules_are_those_of_pynn_and_stay_what_they_are(output):
    source = """
import keras, pynn, keras.layers, tensorflow.keras.layers, keras.utils.np_utils, keras.engine.topology
from keras.layers.advanced_activations import LeakyReLU
print(keras.layers is pynn.layers is tensorflow.keras.layers, keras.utils.np_utils is pynn.utils)
print(pynn.layers.__name__, pynn.layers.__spec__.name, LeakyReLU is pynn.layers.LeakyReLU)
print(keras.engine.topology.Layer is pynn.Layer, keras.__version__ >= "3.0", keras.version() == keras.__version__)
print(keras.config.backend())
"""
    expected = "True True\npynn.layers pynn.layers True\nTrue True True\ntensorflow\n"
    assert output(source) == expected


def test_a_script_is_main_with_its_arguments_and_its_folder(output, tmp_path):
    (tmp_path / "beside.py").write_text("import keras\nname = keras.layers.Dense.__name__\n")
    source = """
import sys, pickle, inspect, beside
class Thing:
    pass
print(__name__, sys.argv[1:], beside.name, __file__ == sys.argv[0])
print(type(pickle.loads(pickle.dumps(Thing()))) is Thing, inspect.getsource(Thing).split()[1])
"""
    assert output(source, "--epochs", "3") == "__main__ ['--epochs', '3'] Dense True\nTrue Thing:\n"


@pytest.mark.parametrize(("end", "code"), [("sys.exit(7)", 7), ("sys.exit()", 0), ("raise ValueError('no')", 1)])
def test_exit_codes(run, end, code):
    assert run(f"import sys\n{end}\n").returncode == code


def test_a_traceback_starts_in_the_script(run):
    process = run("def f():\n    raise ValueError('no')\nf()\n")
    lines = process.stderr.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1].endswith('script.py", line 3, in <module>')
    assert lines[-1] == "ValueError: no"
    assert "running.py" not in process.stderr


def test_a_syntax_error_is_shown_as_python_does(run):
    process = run("print(1\n")
    assert process.returncode == 1
    assert "SyntaxError" in process.stderr
    assert "running.py" not in process.stderr


def test_no_script_and_a_missing_script(tmp_path):
    command = [sys.executable, "-m", "pynn.compat"]
    process = subprocess.run(command, capture_output=True, text=True)
    assert process.returncode == 2
    assert "usage: python -m pynn.compat SCRIPT.py" in process.stderr
    process = subprocess.run([*command, str(tmp_path / "none.py")], capture_output=True, text=True)
    assert process.returncode == 2
    assert "there is no script" in process.stderr
    process = subprocess.run([*command, "--help"], capture_output=True, text=True)
    assert process.returncode == 0
    assert "KERAS_MAX_EPOCHS" in process.stdout


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("import keras.src.layers", "there is no module 'keras.src' in pynn: it is Keras's own inside"),
        ("import tensorflow.lite", "there is no module 'tensorflow.lite' in pynn"),
        ("import keras; keras.nonsense", "module 'keras' of pynn.compat has no 'nonsense'"),
        ("import tensorflow as tf; tf.raw_ops", "module 'tensorflow' of pynn.compat has no 'raw_ops'"),
        ("import tensorflow as tf; tf.math.bessel_i0(1.0)", "'tensorflow.math' of pynn.compat has no 'bessel_i0'"),
        ("import tensorflow as tf; tf.nn.ctc_greedy_decoder", "'tensorflow.nn' of pynn.compat has no"),
        ("from tensorflow import Session", "cannot import name 'Session'"),
    ],
)
def test_what_is_missing_is_named(run, line, message):
    process = run(line + "\n")
    assert process.returncode == 1
    assert message in process.stderr


def test_plots_need_no_window(output):
    pytest.importorskip("matplotlib")
    source = """
import keras, tensorflow as tf
import matplotlib.pyplot as plt
plt.plot(tf.constant([1.0, 2.0])); plt.show()
print(plt.get_backend().lower())
"""
    assert output(source, PYTHONWARNINGS="error") == "agg\n"


def test_the_tensorboard_callback_does_not_take_the_facade_for_tensorflow(output, tmp_path):
    pytest.importorskip("tensorboard")
    source = f"""
import numpy as np, keras, tensorflow
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
callback = keras.callbacks.TensorBoard({str(tmp_path / "logs")!r})
model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0, callbacks=[callback])
"""
    output(source)
    assert list((tmp_path / "logs").rglob("events*"))


def test_install_after_keras_was_imported_is_refused():
    code = "import sys, types; sys.modules['keras'] = types.ModuleType('keras'); import pynn.compat as c; c.install()"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "keras is imported already" in process.stderr
