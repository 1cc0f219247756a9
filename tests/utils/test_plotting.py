"""Models as graphs, and questions about symbolic tensors."""

import shutil

import numpy as np
import pytest

import pynn
from pynn.errors import ArgumentError, NotBuiltError
from pynn.utils import Config, get_source_inputs, is_keras_tensor, model_to_dot, plot_model


@pytest.fixture
def model():
    inputs = pynn.Input((3,), name="start")
    x = pynn.layers.Dense(4, activation="relu", name="first")(inputs)
    inner = pynn.Sequential([pynn.Input((4,)), pynn.layers.Dense(4, name="inside")], name="nested")
    return pynn.Model(inputs, pynn.layers.Add(name="both")([x, inner(x)]))


def test_graphs_have_all_layers_and_lines(model, tmp_path):
    text = model_to_dot(model, show_shapes=True, show_layer_activations=True).to_string()
    for part in ("first (Dense)", "Activation: relu", "(None, 4)", "nested (Sequential)", "both (Add)"):
        assert part in text
    assert text.count("->") == 4
    assert "inside" not in text
    inside = model_to_dot(model, expand_nested=True).to_string()
    assert "inside (Dense)" in inside
    assert text.count("{") == text.count("}")
    plot_model(model, tmp_path / "model.dot", show_layer_names=True)
    assert "first (Dense)" in (tmp_path / "model.dot").read_text()
    with pytest.raises(NotBuiltError, match="build"):
        model_to_dot(pynn.Sequential([pynn.layers.Dense(1)]))
    with pytest.raises(ArgumentError, match="splines"):
        model_to_dot(model, splines="wild")


def test_pictures_need_graphviz(model, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda program: None)
    with pytest.raises(ImportError, match="Graphviz"):
        plot_model(model, tmp_path / "model.png")


def test_pictures_are_what_dot_draws(model, tmp_path, monkeypatch):
    program = tmp_path / "dot"
    program.write_text('#!/bin/sh\necho "$1"; cat\n')
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(program))
    plot_model(model, tmp_path / "model.svg")
    assert (tmp_path / "model.svg").read_text().startswith("-Tsvg\ndigraph model {")


def test_symbolic_tensors(model):
    assert is_keras_tensor(model.output)
    assert not is_keras_tensor(np.ones(3))
    assert [t.name for t in get_source_inputs(model.output)] == ["start"]


def test_configs():
    config = Config(a=1)
    config.b = 2
    config.freeze()
    with pytest.raises(ValueError, match="frozen"):
        config.a = 3
    config.unfreeze()
    del config.a
    assert config.to_json() == '{"b": 2}'
    with pytest.raises(AttributeError, match="no setting 'c'"):
        config.c  # noqa: B018
