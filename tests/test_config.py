"""Settings with the names of keras.config."""

import numpy as np
import pytest

import pynn
from pynn import config, constraints, dtype_policies, layers, ops


def _loss_when_sure_and_wrong():
    """Of a model that is compiled now."""
    model = pynn.Sequential([pynn.Input((2,)), layers.Identity()])
    model.compile("sgd", "categorical_crossentropy")
    return model.evaluate(np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]]), verbose=0)


def test_epsilon():
    try:
        config.set_epsilon(0.5)
        assert config.epsilon() == 0.5
        np.testing.assert_allclose(constraints.UnitNorm()(np.array([[1.0]])), [[1 / 1.5]])
        config.set_epsilon(1e-3)
        for sure in (_loss_when_sure_and_wrong(), ops.categorical_crossentropy([1.0, 0.0], [0.0, 1.0])):
            assert sure == pytest.approx(-np.log(1e-3))
        config.set_epsilon(1e-2)  # the functions have programs for these shapes by now
        for sure in (_loss_when_sure_and_wrong(), ops.categorical_crossentropy([1.0, 0.0], [0.0, 1.0])):
            assert sure == pytest.approx(-np.log(1e-2))
    finally:
        config.set_epsilon(1e-7)
    with pytest.raises(ValueError, match="set_epsilon: value must be a number from 0, received 'a'"):
        config.set_epsilon("a")


def test_floatx_and_backend():
    config.set_floatx("float32")
    assert (config.floatx(), config.backend()) == ("float32", "pynn")
    with pytest.raises(ValueError, match="set_floatx: pynn computes in float32, received 'float16'"):
        config.set_floatx("float16")
    with pytest.raises(ValueError, match="set_backend: pynn is its own backend, received 'jax'"):
        config.set_backend("jax")


def test_image_data_format():
    try:
        config.set_image_data_format("channels_first")
        assert config.image_data_format() == "channels_first"
    finally:
        config.set_image_data_format("channels_last")
    with pytest.raises(ValueError, match="received 'channels_middle'"):
        config.set_image_data_format("channels_middle")


def test_functions_do_not_keep_the_image_data_format_of_their_first_call():
    x = np.arange(64, dtype="float32").reshape(1, 4, 4, 4)
    layer = layers.Rescaling([1.0, 2.0, 3.0, 4.0])
    calls = (lambda: ops.max_pool(x, 2), lambda: ops.image.resize(x, (2, 2)), lambda: layer(x))
    last = [np.asarray(call()) for call in calls]
    try:
        config.set_image_data_format("channels_first")
        first = [np.asarray(call()) for call in calls]
    finally:
        config.set_image_data_format("channels_last")
    assert [y.shape for y in last] == [(1, 2, 2, 4), (1, 2, 2, 4), (1, 4, 4, 4)]
    assert [y.shape for y in first] == [(1, 4, 2, 2), (1, 4, 2, 2), (1, 4, 4, 4)]
    np.testing.assert_array_equal(first[0], x.reshape(1, 4, 2, 2, 2, 2).max((3, 5)))
    np.testing.assert_array_equal(first[2], x * np.reshape([1, 2, 3, 4], (4, 1, 1)))
    for before, call in zip(last, calls, strict=True):
        np.testing.assert_array_equal(call(), before)


def test_switches():
    try:
        pynn.utils.disable_interactive_logging()
        assert not pynn.utils.is_interactive_logging_enabled()
        config.enable_interactive_logging()
        assert config.is_interactive_logging_enabled()
    finally:
        pynn.settings._interactive = None
    config.disable_traceback_filtering()
    assert not config.is_traceback_filtering_enabled()
    config.enable_traceback_filtering()
    assert config.is_traceback_filtering_enabled()


def test_mixed_precision_is_computed_in_float32():
    try:
        pynn.mixed_precision.set_global_policy("mixed_float16")
        layer = layers.Dense(2)
        assert config.dtype_policy().name == layer.dtype_policy.name == "mixed_float16"
        assert (layer.dtype, layer.variable_dtype, layer.compute_dtype) == ("float32", "float32", "float32")
        assert config.dtype_policy().compute_dtype == "float16"
        assert layer(np.ones((1, 3))).dtype == "float32"
        assert layer.get_config()["dtype"]["config"] == {"name": "mixed_float16"}
        again = layers.Dense.from_config(layer.get_config())
        assert again.dtype_policy == layer.dtype_policy
    finally:
        config.set_dtype_policy("float32")


def test_policy_maps():
    policies = dtype_policies.DTypePolicyMap("float32", {"head": "mixed_bfloat16"})
    assert layers.Dense(2, name="head", dtype=policies).dtype_policy.name == "mixed_bfloat16"
    assert layers.Dense(2, name="tail", dtype=policies).dtype_policy.name == "float32"
    again = dtype_policies.deserialize(dtype_policies.serialize(policies))
    assert dict(again) == dict(policies)


@pytest.mark.parametrize("name", ["float16", "bfloat16", "float64", "float33"])
def test_other_floats_are_refused(name):
    with pytest.raises(TypeError, match=f"layer 'x': dtype must be 'float32', .* received '{name}'"):
        layers.Dense(2, name="x", dtype=name)
