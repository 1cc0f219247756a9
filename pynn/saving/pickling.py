"""Models in pickles and copies: as the content of a ``.keras`` file, like in Keras."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any


def copy_model(model: Any) -> Any:
    """What ``copy.deepcopy`` gives: a model of its own with the same functions and classes."""
    from pynn.saving.functions import shared_functions

    with shared_functions():
        make, parts = reduce_model(model)
        return make(*parts)


def reduce_model(model: Any) -> tuple[Any, ...]:
    """What ``pickle`` keeps of a model: its file, and the user's own classes in it."""
    from pynn.saving.keras_file import write_keras_file

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        write_keras_file(model, path, include_optimizer=True)
        content = path.read_bytes()
    classes = {type(layer) for layer in model._flatten_layers()}
    own = {cls.__name__: cls for cls in classes if cls.__module__.partition(".")[0] != "pynn"}
    return _restored, (content, own)


def _restored(content: bytes, own: dict[str, Any]) -> Any:
    from pynn.saving.saving_api import load_model

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        path.write_bytes(content)
        return load_model(path, custom_objects=own)
