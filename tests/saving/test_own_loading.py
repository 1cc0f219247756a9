"""Layers that save and load variables and assets (files) by methods of their own."""

from pathlib import Path

import numpy as np
import pytest

import pynn
from pynn import layers

pytest.importorskip("h5py")


@pynn.saving.register_keras_serializable("own_loading")
class Doubled(layers.Dense):
    """Its kernel lies in files doubled."""

    fails = False

    def save_own_variables(self, store):
        store["twice"] = 2 * np.asarray(self.kernel)
        store["bias"] = np.asarray(self.bias)

    def load_own_variables(self, store):
        self.kernel.assign(store["twice"] / 2)
        if self.fails:
            raise RuntimeError("the bias is not to be had")
        self.bias.assign(store["bias"])


@pynn.saving.register_keras_serializable("own_loading")
class Words(layers.Layer):
    """Keeps a vocabulary in a file."""

    def __init__(self, words=(), **options):
        super().__init__(**options)
        self.words = list(words)

    def call(self, x):
        return x + float(len(self.words))

    def save_assets(self, folder):
        Path(folder, "words.txt").write_text("\n".join(self.words))

    def load_assets(self, folder):
        self.words = Path(folder, "words.txt").read_text().split("\n")


def network():
    return pynn.Sequential([pynn.Input((3,)), layers.Dense(4), Doubled(2), Doubled(2), layers.Dense(1)])


@pytest.mark.parametrize("name", ["w.weights.h5", "w.npz", "w.safetensors"])
def test_own_variables(tmp_path, name):
    a, b = network(), network()
    a.save_weights(tmp_path / name)
    assert any((v != w).any() for v, w in zip(a.get_weights(), b.get_weights(), strict=True))
    b.load_weights(tmp_path / name)
    for v, w in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_array_equal(v, w)


@pytest.mark.parametrize("name", ["w.weights.h5", "w.npz", "w.safetensors"])
def test_an_error_while_loading_changes_nothing(tmp_path, name):
    a, b = network(), network()
    a.save_weights(tmp_path / name)
    before = b.get_weights()
    b.layers[2].fails = True  # the one before has loaded by then
    with pytest.raises(RuntimeError, match="not to be had"):
        b.load_weights(tmp_path / name)
    for v, w in zip(before, b.get_weights(), strict=True):
        np.testing.assert_array_equal(v, w)
    x = np.ones((2, 3), "float32")
    expected = b.predict(x, verbose=0)
    b.layers[2].fails = False
    b.load_weights(tmp_path / name)
    assert (b.predict(x, verbose=0) != expected).all()
    np.testing.assert_array_equal(b.predict(x, verbose=0), a.predict(x, verbose=0))


def test_assets(tmp_path):
    """Two layers' files of one name do not meet."""
    model = pynn.Sequential([pynn.Input((2,)), Words(["a", "bc"]), Words(["é"])])
    for target in (tmp_path / "m.keras", tmp_path / "folder"):
        if target.suffix:
            model.save(target)
        else:
            pynn.saving.save_model(model, target, zipped=False)
        again = pynn.saving.load_model(target)
        assert [layer.words for layer in again.layers] == [["a", "bc"], ["é"]]
        np.testing.assert_array_equal(again.predict(np.zeros((1, 2)), verbose=0), [[3, 3]])
