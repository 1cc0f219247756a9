"""Function, Operation and StatelessScope, and what is built on the scope: models without state of their own."""

import numpy as np
import pytest

import pynn as keras
from pynn import layers, ops
from pynn.errors import ArgumentError, GraphError, NotBuiltError, ShapeError


@pytest.fixture(autouse=True)
def _names_begin_anew():
    keras.utils.clear_session()


class Scale(keras.Operation):
    def __init__(self, factor, name=None):
        super().__init__(name=name)
        self.factor = factor

    def call(self, x):
        return ops.multiply(x, self.factor)


def test_a_function_repeats_its_calls_in_any_structure():
    a, b = keras.KerasTensor((None, 3), name="a"), keras.KerasTensor((None, 3), name="b")
    both = ops.add(a, b)
    function = keras.Function({"a": a, "b": b}, {"sum": both, "square": ops.square(both)}, name="f")
    x = np.arange(6, dtype="float32").reshape(2, 3)
    found = function({"a": x, "b": np.ones((2, 3))})
    np.testing.assert_array_equal(found["sum"], x + 1)
    np.testing.assert_array_equal(found["square"], (x + 1) ** 2)
    assert [operation.name for operation in function.operations] == ["add", "square"]
    assert [t.name for t in function.inputs] == ["a", "b"]
    assert function.compute_output_shape({"a": (4, 3), "b": (4, 3)}) == {"sum": (4, 3), "square": (4, 3)}
    assert function({"a": keras.KerasTensor((5, 3)), "b": keras.KerasTensor((5, 3))})["sum"].shape == (5, 3)


def test_a_function_uses_the_weights_of_its_layers():
    x = keras.Input((3,))
    dense = layers.Dense(2, kernel_initializer="ones")
    function = keras.Function(x, dense(x))
    np.testing.assert_array_equal(function(np.ones((1, 3))), [[3.0, 3.0]])
    dense.kernel.assign(2 * np.ones((3, 2)))
    np.testing.assert_array_equal(function(np.ones((1, 3))), [[6.0, 6.0]])
    with keras.GradientTape() as tape:
        loss = ops.sum(function(np.ones((1, 3))))
    np.testing.assert_array_equal(tape.gradient(loss, dense.kernel), np.ones((3, 2)))


def test_errors_of_functions():
    a, b = keras.KerasTensor((None, 3), name="a"), keras.KerasTensor((None, 3), name="b")
    function = keras.Function([a, b], a + b, name="f")
    with pytest.raises(ArgumentError, match=r"function 'f': expected inputs of the structure .* received \[\(2, 3\)\]"):
        function([np.ones((2, 3))])
    with pytest.raises(ShapeError, match=r"the input 'a' must have shape \(None, 3\), received \(2, 4\)"):
        function([np.ones((2, 4)), np.ones((2, 3))])
    with pytest.raises(GraphError, match=r"function 'g': the graph is not connected.*'b' \(None, 3\)"):
        keras.Function(a, a + b, name="g")
    with pytest.raises(NotImplementedError, match="function 'f' has no config: make a Model"):
        function.get_config()
    with pytest.raises(ArgumentError, match=r"the input 'a' was not made by Input.*pynn\.Function"):
        keras.Model(a, ops.square(a))


def test_an_operation_is_a_step_of_a_model_and_is_saved(tmp_path):
    x = keras.Input((3,), name="x")
    triple = Scale(3.0)
    model = keras.Model(x, layers.ReLU(name="relu")(triple(x)) + 1.0)
    np.testing.assert_array_equal(model.predict(np.ones((2, 3)), verbose=0), np.full((2, 3), 4.0))
    assert [operation.name for operation in model.operations][:3] == ["x", "scale", "relu"]
    assert triple.input is x
    assert triple.output.shape == (None, 3)
    assert triple.get_config() == {"name": "scale", "factor": 3.0}
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras", custom_objects={"Scale": Scale})
    np.testing.assert_array_equal(again.predict(np.ones((2, 3)), verbose=0), np.full((2, 3), 4.0))
    clone = keras.models.clone_model(model)
    np.testing.assert_array_equal(clone.predict(np.ones((2, 3)), verbose=0), np.full((2, 3), 4.0))


def test_layers_and_functions_of_ops_are_operations():
    x = keras.Input((3,))
    model = keras.Model(x, ops.relu(layers.Dense(2)(x)))
    assert all(isinstance(operation, keras.Operation) for operation in model.operations)
    assert layers.Dense(2).symbolic_call(x).shape == (None, 2)


def test_errors_of_operations():
    class Empty(keras.Operation):
        pass

    with pytest.raises(NotImplementedError, match="operation 'empty': class Empty must define call"):
        Empty()(np.ones(2))
    with pytest.raises(NotBuiltError, match="operation 'e' has no input: it was never called"):
        Empty(name="e").input  # noqa: B018
    for name in ("a/b", 3):
        with pytest.raises(ArgumentError, match="Empty: name must be a string without '/'"):
            Empty(name=name)


def test_a_scope_keeps_no_change():
    v, w, untouched = (keras.Variable([1.0, 2.0], name=name) for name in "vwu")
    with keras.StatelessScope([(v, [5.0, 5.0])]) as scope:
        assert (v.numpy() == 5).all()
        assert scope.get_current_value(w) is None
        v.assign_add([1.0, 1.0])
        w.assign([0.0, 0.0])
        np.testing.assert_array_equal(scope.get_current_value(v), [6.0, 6.0])
        with keras.StatelessScope([(v, [9.0, 9.0])]) as inner:
            v.assign_add([1.0, 1.0])
        np.testing.assert_array_equal(inner.get_current_value(v), [10.0, 10.0])
        np.testing.assert_array_equal(v, [6.0, 6.0])
        scope.add_update((w, [7.0, 7.0]))
    np.testing.assert_array_equal(v, [1.0, 2.0])
    np.testing.assert_array_equal(w, [1.0, 2.0])
    np.testing.assert_array_equal(scope.get_current_value(v), [6.0, 6.0])
    np.testing.assert_array_equal(scope.get_current_value(w), [7.0, 7.0])
    assert scope.get_current_value(untouched) is None
    assert keras.Variable.guards == ()


def test_a_scope_that_fails_to_open_leaves_nothing_behind():
    v = keras.Variable([1.0, 2.0], name="v")
    with pytest.raises(ShapeError, match=r"the value for 'v' has shape \(3,\), expected \(2,\)"):
        keras.StatelessScope([(v, np.ones(3))])
    with pytest.raises(ArgumentError, match="expected pairs"):
        keras.StatelessScope([(1, 2)])
    with pytest.raises(RuntimeError, match="inside"), keras.StatelessScope([(v, [3.0, 3.0])]):
        raise RuntimeError("inside")
    np.testing.assert_array_equal(v, [1.0, 2.0])
    assert keras.Variable.guards == ()


@pytest.mark.parametrize("executor", ["native", "reference"])
def test_a_whole_step_of_training_inside_a_scope(executor, monkeypatch):
    monkeypatch.setenv("PYNN_EXECUTOR", executor)
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), layers.BatchNormalization(), layers.Dense(3), layers.Dense(1)])
    model.compile("adam", "mse", metrics=["mae"])
    x, y = np.random.default_rng(0).random((8, 4), "float32"), np.ones((8, 1), "float32")
    untrained = model.predict(x, verbose=0)  # packed weights are kept from here on
    before = [v.numpy() for v in (*model.variables, *model.optimizer.variables)]
    with keras.StatelessScope() as scope:
        losses = [model.train_on_batch(x, y)[0] for _ in range(3)]
        trained = model.predict(x, verbose=0)
    assert losses[0] > losses[-1]
    assert np.abs(trained - untrained).max() > 1e-4
    known = {id(v) for v in (*model.variables, *model.optimizer.variables)}
    after = [v.numpy() for v in (*model.variables, *model.optimizer.variables) if id(v) in known]
    for a, b in zip(before, after, strict=False):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(model.predict(x, verbose=0), untrained)
    assert scope.get_current_value(model.trainable_variables[0]) is not None
    np.testing.assert_allclose([model.train_on_batch(x, y)[0] for _ in range(3)], losses, rtol=1e-6)


def test_a_scope_inside_a_traced_function_lets_gradients_through():
    v = keras.Variable([1.0, 2.0])

    def loss(value):
        with keras.StatelessScope([(v, value)]) as scope:
            v.assign_add(v)
            total = ops.sum(ops.square(scope.get_current_value(v)))
        return total + ops.sum(v)

    x = np.array([3.0, 4.0], "float32")
    found, gradient = keras.value_and_grad(loss)(x)
    assert float(found) == 100.0 + 3.0
    np.testing.assert_array_equal(gradient, 8 * x)
    np.testing.assert_array_equal(v, [1.0, 2.0])
    with keras.GradientTape() as tape:
        tape.watch(given := ops.convert_to_tensor(x))
        total = loss(given)
    found, of_variable = tape.gradient(total, [given, v])
    np.testing.assert_array_equal(found, 8 * x)
    np.testing.assert_array_equal(of_variable, [1.0, 1.0])


def test_weights_that_are_computed():
    dense = layers.Dense(1, use_bias=False)
    dense.build((None, 2))
    x = np.array([[1.0, 2.0]], "float32")

    def loss(z):
        outputs, _ = dense.stateless_call([ops.reshape(3.0 * z, (2, 1))], [], x)
        return ops.sum(outputs)

    np.testing.assert_array_equal(keras.grad(loss)(np.ones(2, "float32")), [3.0, 6.0])


def test_a_scope_collects_losses():
    layer = layers.ActivityRegularization(l2=0.5)
    with keras.StatelessScope(collect_losses=True) as scope:
        layer(np.ones((2, 3), "float32"))
    assert [float(loss) for loss in scope.losses] == [1.5]
    with keras.StatelessScope() as silent:
        layer(np.ones((2, 3), "float32"))
    assert silent.losses == []


def test_stateless_metrics_in_a_traced_function():
    metric = keras.metrics.Mean()

    @keras.jit
    def step(states, x):
        return metric.stateless_update_state(states, x)

    states = step([np.float32(4.0), np.float32(2.0)], np.ones(3, "float32"))
    assert [float(s) for s in states] == [7.0, 5.0]
    assert float(metric.stateless_result(states)) == pytest.approx(1.4)
    assert [float(v.numpy()) for v in metric.variables] == [0.0, 0.0]
    with pytest.raises(GraphError, match="stateless_result\\(\\) works on numbers"):
        keras.jit(lambda s: metric.stateless_result(s))([np.float32(4.0), np.float32(2.0)])
    with pytest.raises(ArgumentError, match="received 1 metric_variables, expected 2"):
        metric.stateless_update_state([np.float32(0)], [1.0])


def _model():
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(2, name="one"), layers.BatchNormalization(name="bn")], name="net"
    )
    model.compile("sgd", "mse")
    return model


def test_state_trees():
    model = _model()
    tree = model.get_state_tree("numpy_array")
    assert set(tree) == {"trainable_variables", "non_trainable_variables", "optimizer_variables", "metrics_variables"}
    assert set(tree["non_trainable_variables"]["net"]["bn"]) == {"moving_mean", "moving_variance"}
    tree["trainable_variables"]["net"]["one"]["bias"] += 7
    model.set_state_tree(tree)
    np.testing.assert_array_equal(model.get_layer("one").bias, [7.0, 7.0])
    model.set_state_tree({"trainable_variables": {"net": {"one": {"bias": np.zeros(2)}}}})
    np.testing.assert_array_equal(model.get_layer("one").bias, [0.0, 0.0])
    bad = {"trainable_variables": {"net": {"one": {"bias": np.ones(2)}, "two": {"bias": np.ones(2)}}}}
    with pytest.raises(ArgumentError, match="trainable_variables have no 'net/two/bias'; there are: net/one/kernel"):
        model.set_state_tree(bad)
    np.testing.assert_array_equal(model.get_layer("one").bias, [0.0, 0.0])
    with pytest.raises(ArgumentError, match="unknown name 'weights'"):
        model.set_state_tree({"weights": {}})
    with pytest.raises(ArgumentError, match="value_format"):
        model.get_state_tree("list")


def test_stateless_compute_loss():
    model = _model()
    states = ([v.numpy() for v in model.trainable_variables], [v.numpy() for v in model.non_trainable_variables],
              [v.numpy() for v in model.metrics_variables])  # fmt: skip
    y, y_pred = np.zeros((3, 2), "float32"), np.full((3, 2), 2.0, "float32")
    loss, (trainable, non_trainable, metrics) = model.stateless_compute_loss(*states, y=y, y_pred=y_pred)
    assert float(loss) == 4.0
    assert (len(trainable), len(non_trainable), len(metrics)) == tuple(map(len, states))
    with pytest.raises(ArgumentError, match="received 0 metrics_variables, expected 2"):
        model.stateless_compute_loss(states[0], states[1], [], y=y, y_pred=y_pred)


def test_functions_of_batches():
    model, other = _model(), _model()
    other.set_weights(model.get_weights())
    x, y = np.random.default_rng(0).random((8, 4), "float32"), np.ones((8, 2), "float32")
    batches = iter([(x[:4], y[:4]), (x[4:], y[4:])])
    train = model.make_train_function()
    for rows in (slice(4), slice(4, 8)):
        assert train(batches)["loss"] > 0
        other.train_on_batch(x[rows], y[rows])
    np.testing.assert_array_equal(model.get_weights()[0], other.get_weights()[0])
    np.testing.assert_array_equal(model.make_predict_function()(iter([(x,)])), other.predict(x, verbose=0))

    class Own(keras.Sequential):
        def make_train_function(self, force=False):
            return super().make_train_function(force)

    own = Own([keras.Input((4,)), layers.Dense(2)])
    own.compile("sgd", "mse")
    with pytest.raises(ArgumentError, match=r"Own has a make_train_function of its own.*override train_step"):
        own.fit(x, y, verbose=0)


def test_export_says_where_to_go():
    with pytest.raises(ArgumentError, match=r"save the model as \.keras.*export\('there', format='litert'\)"):
        _model().export("there", format="litert")


def test_output_shapes_of_several_inputs():
    class Both(layers.Layer):
        def build(self, a_shape, b_shape):
            self.w = self.add_weight(shape=(a_shape[-1], b_shape[-1]))

        def call(self, a, b):
            return ops.matmul(a, self.w) + b

    assert Both().compute_output_shape((None, 3), (None, 5)) == (None, 5)
    assert Both().compute_output_shape((None, 3), b_shape=(None, 5)) == (None, 5)
