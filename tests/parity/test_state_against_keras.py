"""Paths of variables, state trees, scopes and files of weights: the same in both libraries."""

import numpy as np
import pytest

import pynn

pytestmark = pytest.mark.filterwarnings("ignore")


def _stacked(lib):
    layers = lib.layers
    return lib.Sequential([lib.Input((4,)), layers.Dense(2, name="one"), layers.BatchNormalization()], name="net")


def _functional(lib):
    layers = lib.layers
    x = lib.Input((5, 4))
    inner = lib.Sequential([lib.Input((4,)), layers.Dense(2)], name="inner")
    both = layers.Bidirectional(layers.LSTM(2, return_sequences=True))(layers.TimeDistributed(inner)(x))
    cells = layers.RNN(layers.StackedRNNCells([layers.LSTMCell(2), layers.GRUCell(2)]))
    return lib.Model(x, cells(layers.MultiHeadAttention(1, 2)(both, both)))


def _subclass(lib):
    layers = lib.layers

    class Block(layers.Layer):
        def __init__(self):
            super().__init__()
            self.late, self.recurrent = layers.Dense(3), layers.GRU(2)

        def build(self, shape):
            self.w = self.add_weight(shape=(1,), name="w")
            self.late.build(shape)
            self.built = True

        def call(self, x):
            return self.recurrent(self.late(x) * self.w)

    class Net(lib.Model):
        def __init__(self):
            super().__init__(name="mine")
            self.block = Block()
            self.head = lib.Sequential([layers.Dense(2), layers.Dense(2)])

        def call(self, x):
            return self.head(self.block(x))

    model = Net()
    model(np.ones((1, 5, 4), "float32"))
    return model


@pytest.mark.parametrize("make", [_stacked, _functional, _subclass])
def test_paths(keras, make):
    found = []
    for lib in (keras, pynn):
        lib.utils.clear_session()
        # Of the weights: among the variables Keras has seeds of recurrent layers that drop nothing.
        found.append([v.path for v in make(lib).weights])
    assert found[0] == found[1]


def test_state_trees(keras):
    trees = []
    for lib in (keras, pynn):
        model = _stacked(lib)
        model.compile("adam", "mse", metrics=["mae"])
        model.fit(np.ones((4, 4)), np.ones((4, 2)), verbose=0)
        tree = model.get_state_tree("numpy_array")
        trees.append(lib.tree.map_structure(lambda leaf: leaf.shape, tree))
    assert trees[0] == trees[1]


def test_stateless_parts(keras):
    x, y = np.random.default_rng(0).random((6, 4), "float32"), np.ones((6, 2), "float32")
    weights = _stacked(keras).get_weights()
    losses, means = [], []
    for lib in (keras, pynn):
        model = _stacked(lib)
        model.set_weights(weights)
        model.compile("sgd", "mse")
        trainable = [v.value for v in model.trainable_variables]
        fixed = [v.value for v in model.non_trainable_variables]
        outputs, fixed = model.stateless_call(trainable, fixed, x, training=True)
        metrics = [v.value for v in model.metrics_variables]
        loss, states = model.stateless_compute_loss(trainable, fixed, metrics, y=y, y_pred=outputs)
        assert [len(group) for group in states] == [4, 2, 2]
        losses.append(float(loss))
        means.append(np.asarray(states[1][0]))
        np.testing.assert_array_equal(model.get_weights()[4], weights[4])
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    np.testing.assert_allclose(means[1], means[0], rtol=1e-5)


def test_files_that_were_edited(keras, tmp_path):
    model = _stacked(keras)
    model.save_weights(tmp_path / "theirs.weights.h5")
    editor = pynn.saving.KerasFileEditor(tmp_path / "theirs.weights.h5")
    assert editor.compare(_stacked(pynn))["status"] == "success"
    editor.add_weights("layers/dense", {"1": np.array([5.0, 6.0], "float32")})
    editor.save(tmp_path / "ours.weights.h5")
    model.load_weights(tmp_path / "ours.weights.h5")
    np.testing.assert_array_equal(model.get_layer("one").bias.numpy(), [5.0, 6.0])


def test_functions(keras):
    results = []
    for lib in (keras, pynn):
        a, b = lib.KerasTensor((None, 3)), lib.KerasTensor((None, 3))
        function = lib.Function([a, b], {"d": a - b, "p": lib.ops.matmul(a, lib.ops.transpose(b))})
        assert function.compute_output_shape([(4, 3), (4, 3)]) == {"d": (4, 3), "p": (4, 4)}
        results.append(function([np.arange(6.0).reshape(2, 3), np.ones((2, 3))]))
    for name in ("d", "p"):
        np.testing.assert_allclose(results[1][name], results[0][name])
