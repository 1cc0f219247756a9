"""Learning rate schedules beside Keras's: values, also traced, and configs."""

import numpy as np
import pytest

import pynn
from pynn import ops
from pynn.optimizers import schedules

CASES = [
    ("ExponentialDecay", (0.1, 10, 0.9), {}),
    ("ExponentialDecay", (0.1, 7, 0.5), {"staircase": True}),
    ("InverseTimeDecay", (0.1, 10, 0.5), {}),
    ("InverseTimeDecay", (0.1, 7, 0.5), {"staircase": True}),
    ("PolynomialDecay", (0.1, 20), {}),
    ("PolynomialDecay", (0.1, 20, 0.01), {"power": 2.0}),
    ("PolynomialDecay", (0.1, 20, 0.01), {"power": 0.5, "cycle": True}),
    ("CosineDecay", (0.1, 20), {}),
    ("CosineDecay", (0.1, 20, 0.1), {"warmup_target": 0.5, "warmup_steps": 5}),
    ("CosineDecayRestarts", (0.1, 10), {}),
    ("CosineDecayRestarts", (0.1, 10, 1.0, 0.5, 0.1), {}),
    ("CosineDecayRestarts", (0.1, 4, 3.0, 0.9, 0.01), {}),
    ("PiecewiseConstantDecay", ([5, 10, 15], [0.1, 0.05, 0.02, 0.01]), {}),
]
STEPS = [0, 1, 2, 4, 5, 6, 7, 9, 10, 11, 14, 15, 16, 19, 20, 21, 25, 30, 33, 40, 41, 55, 70, 100, 1000]


@pytest.mark.parametrize(("name", "args", "kwargs"), CASES)
def test_values_and_configs(keras, name, args, kwargs):
    theirs = getattr(keras.optimizers.schedules, name)(*args, **kwargs)
    ours = getattr(schedules, name)(*args, **kwargs)
    expected = [float(theirs(step)) for step in STEPS]
    np.testing.assert_allclose([float(ours(step)) for step in STEPS], expected, rtol=2e-5, atol=1e-7)
    # Within a traced function, all steps at once in one program.
    traced = pynn.jit(lambda steps: ours(steps))
    np.testing.assert_allclose(np.asarray(traced(np.array(STEPS, "float32"))), expected, rtol=2e-4, atol=2e-6)
    assert ours.get_config() == theirs.get_config()
    assert schedules.serialize(ours) == keras.optimizers.schedules.serialize(theirs)
    again = schedules.deserialize(keras.optimizers.schedules.serialize(theirs))
    assert type(again) is type(ours)
    assert again.get_config() == ours.get_config()
    assert ours(np.int64(3)).numpy().dtype == np.float32
    assert ops.maximum(ours(3), 0.0).shape == ()
