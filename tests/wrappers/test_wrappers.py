"""Models as scikit-learn estimators."""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest

import pynn
from pynn.errors import ArgumentError
from pynn.models.compiling import NotCompiledError

sklearn = pytest.importorskip("sklearn")

from sklearn.base import clone  # noqa: E402
from sklearn.datasets import make_classification, make_regression  # noqa: E402
from sklearn.model_selection import GridSearchCV, cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402

from pynn.wrappers import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer  # noqa: E402


class Network:
    """Makes a small network, always with the same weights at first.

    No function: its address would be in the names of scikit-learn's checks, which must be the same in all processes.
    """

    def __repr__(self):
        return "network"

    def __call__(self, X, y, loss, units=(16,), activation=None, learning_rate=0.01, outputs=None):
        pynn.utils.set_random_seed(0)
        hidden = [pynn.layers.Dense(n, activation="relu") for n in units]
        last = pynn.layers.Dense(outputs or y.shape[1], activation=activation)
        model = pynn.Sequential([pynn.Input(X.shape[1:]), *hidden, last])
        model.compile(pynn.optimizers.Adam(learning_rate), loss)
        return model


network = Network()


def classifier(**options):
    options.setdefault("model_kwargs", {"loss": "categorical_crossentropy", "activation": "softmax"})
    return SKLearnClassifier(network, **{"fit_kwargs": {"verbose": 0, "epochs": 5}, **options})


def regressor(**options):
    return SKLearnRegressor(network, model_kwargs={"loss": "mse"}, fit_kwargs={"verbose": 0, "epochs": 5}, **options)


def transformer(**options):
    return SKLearnTransformer(network, model_kwargs={"loss": "mse"}, fit_kwargs={"verbose": 0}, **options)


WEIGHTS = "a sample twice and a sample of weight 2 meet in different batches, and the loss is divided by another number"
FAILING = {
    "check_regressor_multioutput": "predictions are float32, like the model's, where the check wants float64",
    "check_sample_weight_equivalence_on_dense_data": WEIGHTS,
    "check_sample_weight_equivalence_on_sparse_data": WEIGHTS,
}


@pytest.mark.filterwarnings("ignore")  # the checks provoke warnings of their own
@parametrize_with_checks([classifier(), regressor(), transformer()], expected_failed_checks=lambda estimator: FAILING)
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def flowers():
    X, y = make_classification(200, 6, n_informative=4, n_classes=3, random_state=0)
    return X.astype("float32"), np.array(["ash", "birch", "cedar"])[y]


def test_labels_of_any_kind(flowers):
    X, y = flowers
    estimator = classifier().fit(X, y, epochs=60)
    assert estimator.epoch_ == 60
    assert estimator.classes_.tolist() == ["ash", "birch", "cedar"]
    assert estimator.score(X, y) > 0.9
    probabilities = estimator.predict_proba(X)
    assert probabilities.shape == (200, 3)
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)
    np.testing.assert_array_equal(estimator.classes_[probabilities.argmax(1)], estimator.predict(X))


@pytest.mark.parametrize(
    ("loss", "activation", "outputs"),
    [
        ("sparse_categorical_crossentropy", "softmax", 2),
        (pynn.losses.SparseCategoricalCrossentropy(from_logits=True), None, 2),
        (pynn.losses.CategoricalCrossentropy(from_logits=True), None, 2),
        ("binary_crossentropy", "sigmoid", 1),
        (pynn.losses.BinaryCrossentropy(from_logits=True), None, 1),
    ],
)
def test_losses_that_take_other_targets(loss, activation, outputs):
    X, y = make_classification(100, 4, random_state=1)
    kwargs = {"loss": loss, "activation": activation, "outputs": outputs}
    estimator = classifier(model_kwargs=kwargs).fit(X, y == 1, epochs=60)
    assert estimator.score(X, y == 1) > 0.9
    np.testing.assert_allclose(estimator.predict_proba(X).sum(1), 1, rtol=1e-5)
    np.testing.assert_array_equal(estimator.decision_function(X) > 0, estimator.predict(X))


def test_a_model_is_copied_unless_it_starts_warm(flowers):
    X, y = flowers
    model = network(X, np.zeros((1, 3)), "categorical_crossentropy", activation="softmax")
    before = model.get_weights()
    estimator = SKLearnClassifier(model, fit_kwargs={"verbose": 0}).fit(X, y)
    assert estimator.model_ is not model
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    warm = SKLearnClassifier(model, warm_start=True, fit_kwargs={"verbose": 0}).fit(X, y)
    assert warm.model_ is model
    first = warm.history_.history["loss"][0]
    assert warm.fit(X, y).history_.history["loss"][0] < first


def test_warm_start_of_a_function_goes_on(flowers):
    X, y = flowers
    estimator = classifier(warm_start=True).fit(X, y)
    model = estimator.model_
    assert estimator.fit(X, y).model_ is model
    cold = classifier().fit(X, y)
    model = cold.model_
    assert cold.fit(X, y).model_ is not model


def test_sample_weights_and_class_weights(flowers):
    X, y = flowers
    weights = np.where(y == "ash", 1.0, 0.0)
    only = classifier().fit(X, y, sample_weight=weights, epochs=40)
    assert set(only.predict(X)) == {"ash"}
    by_class = classifier().fit(X, y, class_weight={"ash": 1.0, "birch": 0.0, "cedar": 0.0}, epochs=40)
    np.testing.assert_array_equal(by_class.predict_proba(X), only.predict_proba(X))
    by_index = classifier().fit(X, y, class_weight={1: 0.0, 2: 0.0}, epochs=40)
    np.testing.assert_array_equal(by_index.predict_proba(X), only.predict_proba(X))
    both = classifier().fit(X, y, sample_weight=np.ones(200), class_weight={1: 0.0, 2: 0.0}, epochs=40)
    np.testing.assert_array_equal(both.predict_proba(X), only.predict_proba(X))
    balanced = classifier().fit(X, y, class_weight="balanced")
    assert not np.array_equal(balanced.predict_proba(X), classifier().fit(X, y).predict_proba(X))


def test_partial_fit_learns_batch_by_batch(flowers):
    X, y = flowers
    estimator = classifier()
    for _ in range(60):
        estimator.partial_fit(X[:100], y[:100], classes=np.unique(y))
        estimator.partial_fit(X[100:], y[100:])
    assert estimator.score(X, y) > 0.8
    with pytest.raises(ArgumentError, match="first call of partial_fit needs classes"):
        classifier().partial_fit(X, y)
    with pytest.raises(ArgumentError, match=r"labels \['dogwood'\] are none of the classes"):
        estimator.partial_fit(X[:1], ["dogwood"])


def test_regression():
    X, y = make_regression(100, 4, random_state=0)
    y = y / y.std()
    estimator = regressor().fit(X, y, epochs=200)
    assert estimator.score(X, y) > 0.9
    assert estimator.predict(X).shape == (100,)
    two = regressor().fit(X, np.stack([y, -y], 1))
    assert two.predict(X).shape == (100, 2)
    assert regressor().partial_fit(X, y).epoch_ == 1


def test_transformer_in_a_pipeline_with_names(flowers):
    X, y = flowers
    step = transformer().fit(X, X[:, :2])
    assert step.transform(X).shape == (200, 2)
    assert step.get_feature_names_out().tolist() == ["sklearntransformer0", "sklearntransformer1"]
    pipe = make_pipeline(StandardScaler(), classifier())
    assert pipe.fit(X, y).predict(X).shape == (200,)
    assert cross_val_score(pipe, X, y, cv=3).shape == (3,)


def test_grid_search(flowers):
    X, y = flowers
    base = {"loss": "categorical_crossentropy", "activation": "softmax"}
    grid = {"model_kwargs": [{**base, "learning_rate": rate} for rate in (1e-6, 0.05)]}
    search = GridSearchCV(classifier(), grid, cv=2).fit(X, y)
    assert search.best_params_["model_kwargs"]["learning_rate"] == 0.05


def test_clone_copy_and_pickle(flowers):
    X, y = flowers
    estimator = classifier().fit(X, y)
    expected = estimator.predict_proba(X)
    assert not hasattr(clone(estimator), "model_")
    for copied in (copy.deepcopy(estimator), pickle.loads(pickle.dumps(estimator))):
        np.testing.assert_array_equal(copied.predict_proba(X), expected)
        np.testing.assert_array_equal(copied.classes_, estimator.classes_)


@pytest.mark.parametrize("model", [None, 3, lambda X, y: None])
def test_no_model(flowers, model):
    with pytest.raises(ArgumentError, match=r"SKLearnClassifier: .*model"):
        SKLearnClassifier(model).fit(*flowers)


def test_a_model_that_is_not_compiled(flowers):
    model = pynn.Sequential([pynn.Input((6,)), pynn.layers.Dense(3)])
    with pytest.raises(NotCompiledError, match="is not compiled"):
        SKLearnClassifier(model).fit(*flowers)


def test_bad_class_weights_and_outputs(flowers):
    with pytest.raises(ArgumentError, match="the labels are"):
        classifier().fit(*flowers, class_weight={"oak": 1.0})
    with pytest.raises(ArgumentError, match="'balanced' or a dictionary"):
        classifier().fit(*flowers, class_weight="even")
    X, y = flowers
    kwargs = {"loss": "sparse_categorical_crossentropy", "activation": "softmax", "outputs": 4}
    with pytest.raises(ValueError, match="4 outputs for 3 classes"):
        classifier(model_kwargs=kwargs).fit(X, y).predict(X)


def test_without_scikit_learn_the_error_says_what_to_install():
    code = "import sys; sys.modules['sklearn'] = None; import pynn; pynn.wrappers; pynn.wrappers.SKLearnRegressor"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "needs scikit-learn 1.6 or later: pip install 'pynn-engine[sklearn]'" in process.stderr


def test_importing_the_module_does_not_import_scikit_learn():
    code = "import sys, pynn; pynn.wrappers; print('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
