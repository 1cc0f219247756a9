"""What the tests of ONNX files share: exporting, running elsewhere, comparing."""

import numpy as np
import pytest

import pynn as keras

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

BATCH = 5


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=(BATCH, *shape)).astype("float32")


def exported(model, folder, **options):
    path = folder / "model.onnx"
    model.export(path, verbose=False, **options)
    return onnx.load(path)


def run(proto, *arrays):
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {i.name: a for i, a in zip(session.get_inputs(), arrays, strict=True)})


def predicted(model, *arrays):
    found = model.predict(list(arrays) if len(arrays) > 1 else arrays[0], verbose=0)
    return found if isinstance(found, list | tuple) else [found]


def close(found, expected, tolerance=1e-4):
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert a.shape == b.shape
        scale = max(1e-6, float(np.abs(np.asarray(b, "float32")).max()))
        np.testing.assert_allclose(np.asarray(a, "float32"), np.asarray(b, "float32"), rtol=0, atol=tolerance * scale)


def same_in_onnx_runtime_and_back(model, folder, *arrays):
    """Exported, run, read back and run again; gives the file's content."""
    expected = predicted(model, *arrays)
    proto = exported(model, folder)
    close(run(proto, *arrays), expected)
    close(predicted(keras.onnx.load(folder / "model.onnx"), *arrays), expected)
    return proto


def shake(model):
    """Weights as after some training: biases and averages are not what they begin as."""
    draw = np.random.default_rng(1)
    for v in model.weights:
        if v.dtype == "float32" and v.path.endswith(("moving_variance", "gamma")):
            v.assign(draw.uniform(0.5, 1.5, v.shape).astype("float32"))
        elif v.dtype == "float32" and v.path.endswith(("moving_mean", "beta", "bias")):
            v.assign(0.1 * draw.normal(size=v.shape).astype("float32"))
