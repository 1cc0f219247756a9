"""The API reference shows every public name, and what it shows is documented, with examples that run."""

import doctest
import importlib
import inspect
import sys
from collections import Counter
from pathlib import Path

import pytest

SITE = Path(__file__).parents[2] / "docs" / "site"
pytestmark = pytest.mark.skipif(not SITE.exists(), reason="not run from the repository")

#: Families in which each name has an example, but for those that turn configs into objects, and parts of others.
WITH_EXAMPLES = {
    "pynn.activations", "pynn.autodiff", "pynn.callbacks", "pynn.constraints", "pynn.data", "pynn.initializers",
    "pynn.layers", "pynn.losses", "pynn.metrics", "pynn.optimizers", "pynn.optimizers.schedules", "pynn.regularizers",
    "pynn.wrappers",
}  # fmt: skip
CONFIGS = {"deserialize", "serialize", "get"}
PARTS = {
    "pynn.callbacks.CallbackList", "pynn.callbacks.ProgbarLogger", "pynn.initializers.RandomInitializer",
    "pynn.layers.Wrapper", "pynn.losses.LossFunctionWrapper", "pynn.losses.as_loss", "pynn.losses.ctc",
    "pynn.metrics.resolve_accuracy", "pynn.metrics.resolve_crossentropy",
}  # fmt: skip
#: Functions that only call a class, which has the example.
MADE = {f"pynn.layers.{name}" for name in ("add", "average", "maximum", "minimum", "multiply", "subtract")}


@pytest.fixture(scope="module")
def site():
    """The modules of docs/site that know the public names."""
    sys.path.insert(0, str(SITE))
    try:
        yield importlib.import_module("public"), importlib.import_module("api_pages")
    finally:
        sys.path.remove(str(SITE))


def docstring(found):
    own = vars(found.value).get("__doc__") if inspect.isclass(found.value) else found.value.__doc__
    return own or ""


def test_every_public_name_is_documented(site):
    objects = site[0].objects()
    assert len(objects) > 800
    assert [found.names[0] for found in objects if not docstring(found)] == []


def test_every_public_name_is_on_one_page(site):
    text = "\n".join(site[1].pages().values())
    shown = Counter(line.removeprefix("::: ") for line in text.splitlines() if line.startswith("::: "))
    assert shown == Counter(found.defined for found in site[0].objects())


def test_the_names_that_users_compose_have_examples(site):
    without = {
        found.names[0]
        for found in site[0].objects()
        if found.module in WITH_EXAMPLES and ">>>" not in docstring(found)
        if found.names[0].rpartition(".")[2] not in CONFIGS
    }
    assert without - PARTS - MADE == set()


def test_examples_are_those_that_doctest_finds(site):
    """What a decorator hides from doctest would be an example that nobody runs."""
    modules, hidden = {}, []
    for found in site[0].objects():
        name = found.value.__module__
        if name not in modules:
            module = importlib.import_module(name)
            modules[name] = {test.name for test in doctest.DocTestFinder().find(module) if test.examples}
        if ">>>" in docstring(found) and found.defined not in modules[name]:
            hidden.append(found.defined)
    assert hidden == []
