"""Differential tests: the same configuration, weights and batch in Keras and in pynn.

Run where Keras is installed (``pip install ".[parity]"``): forward values, gradients through three optimizer steps,
and config dictionaries must agree.
"""

import numpy as np
import pytest

import pynn

# Keras's arrays, not ours, are behind NumPy 2 here.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


IMAGES = (6, 9, 8, 3)
ROWS = (6, 5)
STEPS = (6, 7, 5)

#: name, arguments, input shape.
LAYERS = [
    ("Dense", {"units": 4}, ROWS),
    ("Dense", {"units": 4, "activation": "tanh", "use_bias": False}, (6, 3, 5)),
    *(("Dense", {"units": 4, "activation": a}, ROWS)
      for a in ("relu", "sigmoid", "softmax", "elu", "selu", "gelu", "silu", "softplus", "softsign", "exponential",
                "hard_sigmoid", "leaky_relu", "linear")),
    ("EinsumDense", {"equation": "abc,cde->abde", "output_shape": (4, 2, 3), "bias_axes": "de"}, (6, 4, 5)),
    ("EinsumDense", {"equation": "...x,xy->...y", "output_shape": 3, "bias_axes": "y"}, (6, 4, 5)),
    ("EinsumDense", {"equation": "abc,bd->adc", "output_shape": (3, 5), "bias_axes": "d"}, (6, 4, 5)),
    ("Conv2D", {"filters": 4, "kernel_size": 3}, IMAGES),
    ("Conv2D", {"filters": 4, "kernel_size": (3, 2), "strides": (2, 1), "padding": "same"}, IMAGES),
    ("Conv2D", {"filters": 6, "kernel_size": 3, "groups": 3, "use_bias": False}, IMAGES),
    ("Conv2D", {"filters": 4, "kernel_size": 2, "dilation_rate": 2, "padding": "same"}, IMAGES),
    ("Conv2D", {"filters": 5, "kernel_size": 1}, IMAGES),
    ("MaxPooling2D", {}, IMAGES),
    ("MaxPooling2D", {"pool_size": 3, "strides": 2, "padding": "same"}, IMAGES),
    ("AveragePooling2D", {"pool_size": 2}, IMAGES),
    ("AveragePooling2D", {"pool_size": 3, "strides": 2, "padding": "same"}, IMAGES),
    ("GlobalAveragePooling2D", {}, IMAGES),
    ("Flatten", {}, IMAGES),
    ("Reshape", {"target_shape": (-1, 6)}, IMAGES),
    ("Dropout", {"rate": 0.0}, ROWS),
    ("BatchNormalization", {}, IMAGES),
    ("BatchNormalization", {"momentum": 0.7, "epsilon": 0.01, "scale": False}, ROWS),
    ("BatchNormalization", {"axis": 1, "center": False}, IMAGES),
    ("LayerNormalization", {}, IMAGES),
    ("LayerNormalization", {"axis": [1, 2, 3], "epsilon": 0.01}, IMAGES),
    ("LayerNormalization", {"axis": 1, "center": False}, IMAGES),
    ("LayerNormalization", {"axis": [1, 3], "scale": False}, IMAGES),
    ("RMSNormalization", {}, ROWS),
    ("RMSNormalization", {"axis": [2, 3], "epsilon": 0.01}, IMAGES),
    ("Activation", {"activation": "tanh"}, ROWS),
    ("ReLU", {"max_value": 1.0, "negative_slope": 0.1, "threshold": 0.2}, ROWS),
    ("LeakyReLU", {"negative_slope": 0.2}, ROWS),
    ("ELU", {"alpha": 0.5}, ROWS),
    ("Softmax", {}, ROWS),
    *((name, {"units": 4, **arguments}, STEPS)
      for name in ("LSTM", "GRU", "SimpleRNN")
      for arguments in ({}, {"return_sequences": True}, {"go_backwards": True, "use_bias": False},
                        {"return_sequences": True, "go_backwards": True}, {"activation": "relu"})),
    *((name, {"units": 18, "recurrent_activation": "hard_sigmoid", "return_sequences": True}, STEPS)
      for name in ("LSTM", "GRU")),
    ("LSTM", {"units": 17, "unit_forget_bias": False}, STEPS),
    ("GRU", {"units": 4, "reset_after": False, "return_sequences": True}, STEPS),
    ("GRU", {"units": 4, "reset_after": False, "use_bias": False, "go_backwards": True}, STEPS),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "shape"), LAYERS, ids=lambda v: str(v))
def test_layer(check_layer, name, arguments, shape):
    check_layer(name, arguments, shape)


OPTIMIZERS = [
    ("SGD", {}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    ("Adam", {}),
    ("Adam", {"learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-4}),
]


@pytest.mark.parametrize(("name", "arguments"), OPTIMIZERS, ids=lambda v: str(v))
def test_optimizer(keras, same_models, name, arguments):
    """Ten steps on one batch: the weights stay within 1e-6 of each other (times their size)."""
    theirs, ours = same_models("Dense", {"units": 4, "activation": "tanh"}, ROWS)
    for model, library in ((theirs, keras), (ours, pynn)):
        model.compile(getattr(library.optimizers, name)(**arguments), "mean_squared_error")
    rng = np.random.default_rng(4)
    x, y = rng.standard_normal(ROWS).astype("float32"), rng.standard_normal((6, 3)).astype("float32")
    for _ in range(10):
        theirs.train_on_batch(x, y)
        ours.train_on_batch(x, y)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=2e-6)
