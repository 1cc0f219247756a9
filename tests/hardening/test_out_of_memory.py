"""Too little memory: a MemoryError that says what for, and everything works on."""

import re
import sys

import numpy as np
import pytest

import pynn as keras
from pynn import layers, ops
from pynn.utils import memory

LIMITED = """
import resource
from pathlib import Path
import numpy as np
import pynn as keras
from pynn import layers
model = keras.Sequential([
    keras.Input((64, 64, 3)), layers.Conv2D(32, 3, padding="same", name="first"),
    layers.Conv2D(32, 3, padding="same", name="second"), layers.GlobalAveragePooling2D(), layers.Dense(2),
])
model.compile("adam", "mse")
small, y = np.zeros((4, 64, 64, 3), "float32"), np.zeros((4, 2), "float32")
model.train_on_batch(small, y)
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (200 << 20), resource.RLIM_INFINITY))
big, big_y = np.zeros((600, 64, 64, 3), "float32"), np.zeros((600, 2), "float32")
for attempt in (1, 2):
    try:
        model.train_on_batch(big, big_y)
    except MemoryError as error:
        print(error)
    else:
        print("no error")
    before = int(model.optimizer.iterations)
    model.train_on_batch(small, y)
    assert int(model.optimizer.iterations) == before + 1
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(np.isfinite(model.predict(small, verbose=0)).all())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits on address space are Linux's")
def test_a_limit_on_the_process(run_script):
    """With the arena there and small, a batch that does not fit, twice; and then all is well again."""
    printed = run_script(LIMITED, PYNN_THREADS="2")
    assert printed.count("train step of 'sequential'") == 2, printed
    assert printed.count("float32[600, 64, 64, 32]") >= 2
    assert "(second)" in printed
    assert re.search(r"planned to take \d+\.\d MB", printed)
    assert "smaller batch_size" in printed
    assert printed.strip().endswith("True")


@pytest.mark.skipif(sys.platform != "linux", reason="limits on address space are Linux's")
def test_no_memory_for_threads_is_no_reason_to_stop(run_script):
    """OpenMP's own way is to end the process."""
    code = """
import resource
from pathlib import Path
import numpy as np
import pynn as keras
from pynn import layers
x = np.random.default_rng(0).random((512, 256), "float32")
model = keras.Sequential([keras.Input((256,)), layers.Dense(512, activation="tanh"), layers.Dense(1)])
resource.setrlimit(resource.RLIMIT_STACK, (512 << 20, resource.RLIM_INFINITY))  # what each thread takes
model.predict_on_batch(x[:1])
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (300 << 20), resource.RLIM_INFINITY))
keras.config.set_num_threads(64)
print(np.isfinite(model.predict(x, batch_size=512, verbose=0)).all())
"""
    assert run_script(code, PYNN_THREADS="1").strip() == "True"


def test_a_plan_that_is_larger_than_the_machine():
    """Refused when it is compiled: Linux would hand the memory out, and kill the process later."""
    rows = 50 * max(1, memory.available() // (64 * 64 * 32 * 4))
    model = keras.Sequential([keras.Input((64, 64, 3)), layers.Conv2D(32, 3, name="wide"), layers.Conv2D(32, 3)])
    x = np.broadcast_to(np.float32(0), (rows, 64, 64, 3))
    with pytest.raises(
        MemoryError, match=r"(?s)predict step of .*\(wide\).*smaller batch_size.*are needed; .* are there"
    ):
        model._programs.get("predict", [x])
    assert model.predict(np.zeros((2, 64, 64, 3)), verbose=0).shape == (2, 60, 60, 32)


def test_ops_on_arrays():
    n = int((2 * memory.available()) ** 0.5)
    with pytest.raises(MemoryError, match="planned to take"):
        ops.outer(np.zeros(n, "float32"), np.zeros(n, "float32"))


@pytest.mark.parametrize("shape", [(10**7, 10**7), (2**40, 2**40), (2**62,)])
def test_weights(shape):
    with pytest.raises(MemoryError, match=r"Variable 'giant' of shape .*are needed; .* are there"):
        keras.Variable("glorot_uniform", shape=shape, name="giant")


def test_a_layer_whose_weights_do_not_fit_can_be_changed_and_built():
    class Wide(layers.Layer):
        width = 10**13

        def build(self, shape):
            self.bias = self.add_weight(shape=(4,), name="bias")
            self.kernel = self.add_weight(shape=(shape[-1], self.width), name="kernel")

        def call(self, x):
            return ops.matmul(x, self.kernel)

    layer = Wide()
    with pytest.raises(MemoryError, match="kernel"):
        layer(np.zeros((2, 3)))
    assert not layer.built
    layer.width = 5
    assert layer(np.zeros((2, 3))).shape == (2, 5)
    assert [w.name for w in layer.weights] == ["bias", "kernel"]


def test_small_things_ask_nobody(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 0)
    assert ops.exp(np.zeros(5)).shape == (5,)
    with pytest.raises(MemoryError, match="0 bytes are there"):
        memory.require(1 << 30, lambda: "For nothing")
