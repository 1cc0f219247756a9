"""``keras.saving.KerasFileEditor``: look into files of weights, change them, and write them anew."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pynn.errors import ArgumentError
from pynn.models.cloning import MAX_CONFIG_SIZE, parse_config
from pynn.saving import keras_file
from pynn.saving.atomic import atomic_path
from pynn.saving.errors import WeightsFileError
from pynn.saving.h5 import H5Source, h5py, open_h5, write_h5
from pynn.saving.saving_api import sniff
from pynn.saving.state import state_of
from pynn.saving.weight_tree import VARS, checked_weights, is_inside, moved, object_at, objects, pairs, tree_lines
from pynn.utils.memory_budget import memory_budget, spend

#: Groups in a file; one that says it has more runs in circles.
_MOST_OBJECTS = 100_000
_DEEPEST = 100


class KerasFileEditor:
    """The weights of a ``.keras`` or ``.weights.h5`` file, to be looked at, changed and saved as ``.weights.h5``.

    An *object* is whatever has weights in the file: a layer, the optimizer.  Methods take its path,
    ``"layers/dense_1"``, or its last part, ``"dense_1"``, where only one object is called so.

    Args:
        filepath: of the file; it is read as a whole and never written to.

    Attributes:
        weights_dict: the weights: objects are dictionaries, weights are arrays.
        metadata: of ``.keras`` files: when and by which version it was written; else None.
        config: of ``.keras`` files: the model's config; else None.

    Raises:
        ArgumentError: a file of another name, or an object that is not there or not the only one of its name.
        WeightsFileError: the file is missing or is none of these kinds.

    Example:
        >>> import pathlib, tempfile, numpy as np, pynn
        >>> model = pynn.Sequential([pynn.Input((4,)), pynn.layers.Dense(2)])
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "model.weights.h5"
        >>> model.save_weights(path)
        >>> editor = KerasFileEditor(path)
        Keras weights file 'model.weights.h5'
        >>> editor.rename_object("dense", "first")
        >>> editor.add_object("layers/second", {"0": np.zeros((2, 3)), "1": np.zeros(3)})
        >>> editor.summary()
        Weights structure
          └─ layers
              ├─ first
              │   ├─ 0: shape=(4, 2), dtype=float32
              │   └─ 1: shape=(2,), dtype=float32
              └─ second
                  ├─ 0: shape=(2, 3), dtype=float64
                  └─ 1: shape=(3,), dtype=float64
        >>> editor.save(path)
    """

    def __init__(self, filepath: Any):
        self.filepath = str(filepath)
        self.metadata: Any = None
        self.config: Any = None
        self.weights_dict: OrderedDict[str, Any] = OrderedDict()
        #: Path of an object -> name of the layer it belongs to, which Keras notes in the file.
        self._names: dict[str, str] = {}
        path = Path(filepath)
        where = f"KerasFileEditor: {path}"
        if not path.name.endswith((".keras", ".weights.h5")):
            raise ArgumentError(f"{where}: expected a file whose name ends in .keras or .weights.h5")
        kind = sniff(path, "KerasFileEditor")
        with open(path, "rb") as file, memory_budget(keras_file.allowance(path.stat().st_size)):
            if kind == "zip":
                self._read_keras_file(file, where)
            elif kind == "h5":
                self._read_weights(file, where)
            else:
                raise WeightsFileError(f"{where} is neither a .keras nor a .weights.h5 file")
        print(f"Keras {'weights' if self.config is None else 'model'} file '{path.name}'")
        if self.metadata:
            print(f"Saved with Keras {self.metadata.get('keras_version')} - date: {self.metadata.get('date_saved')}")

    def _read_keras_file(self, file: Any, where: str) -> None:
        parts = keras_file.ZipParts(file, where)
        self.config = parse_config(parts.read(keras_file.CONFIG, MAX_CONFIG_SIZE))
        metadata = json.loads(parts.read(keras_file.METADATA, MAX_CONFIG_SIZE))
        self.metadata = metadata if isinstance(metadata, dict) else None
        size = parts.size(keras_file.WEIGHTS) if keras_file.WEIGHTS in parts.names else 0
        spend(size, f"{where}: {keras_file.WEIGHTS}")
        with parts.open_binary(keras_file.WEIGHTS, size) as content:
            self._read_weights(content, where)

    def _read_weights(self, file: Any, where: str) -> None:
        with open_h5(file, where) as opened:
            source = H5Source(opened, where)
            for folder in _folders(source):
                if folder.rpartition("/")[2] != VARS:
                    continue
                path = folder.removesuffix(VARS).rstrip("/")
                self._names[path] = source.text("name", source.group(folder)) or ""
                for key in source.names(folder):
                    shape, dtype = source.spec(f"{folder}/{key}")
                    spend(int(np.prod(shape, dtype=np.float64)) * dtype.itemsize, f"{where}: {folder}/{key} of {shape}")
                    object_at(self.weights_dict, path)[key] = source.read(f"{folder}/{key}")

    # ---- looking ---------------------------------------------------------------------------------------------

    def summary(self) -> None:
        """Print all objects and their weights' shapes as a tree."""
        print("Weights structure")
        for line in tree_lines(self.weights_dict, "  "):
            print(line)

    def compare(self, reference_model: Any) -> dict[str, Any]:
        """Print in what the file differs from what a model would save.

        Returns:
            ``status`` (``"success"`` or ``"error"``), ``error_count`` and ``match_count``, the number of weights that
            are alike.
        """
        expected: OrderedDict[str, Any] = OrderedDict()
        for name, array in state_of(reference_model).items():
            folder, key = name.rsplit("/", 1)
            object_at(expected, folder.removesuffix(VARS).rstrip("/"))[key] = array
        print("Running comparison")
        matches = 0
        errors: list[str] = []
        for path, wanted, found in pairs(expected, self.weights_dict):
            if found is None:
                errors.append(f"{path} is in the reference model, but not in the saved file")
            elif wanted is None:
                errors.append(f"{path} is in the saved file, but not in the reference model")
            elif isinstance(wanted, dict) or isinstance(found, dict):
                errors.append(f"{path} is a weight in one and an object in the other")
            elif wanted.shape != found.shape:
                errors.append(f"{path}: shape {wanted.shape} in the reference model, {found.shape} in the saved file")
            else:
                matches += 1
        for error in errors:
            print(f"...{error}")
        if errors:
            print(f"Found {len(errors)} errors: the saved file does not fit the reference model")
        else:
            print(f"The saved file fits the reference model: {matches} weights are alike")
        return {"status": "error" if errors else "success", "error_count": len(errors), "match_count": matches}

    # ---- changing --------------------------------------------------------------------------------------------

    def rename_object(self, object_name: str, new_name: str) -> None:
        """Give an object another name in the same place.

        Args:
            new_name: the last part of the path only.
        """
        if "/" in new_name or not new_name or new_name == VARS:
            raise ArgumentError(f"rename_object: new_name must be a name without '/', received {new_name!r}")
        path, parent, name = self._find(object_name)
        if new_name in parent and new_name != name:
            raise ArgumentError(f"rename_object: there is an object called {new_name!r} beside {path!r} already")
        items = [(new_name if key == name else key, value) for key, value in parent.items()]
        parent.clear()
        parent.update(items)
        to = f"{path.removesuffix(name)}{new_name}"
        self._names = {moved(key, path, to): value for key, value in self._names.items()}

    def delete_object(self, object_name: str) -> None:
        """Remove an object and everything inside it."""
        path, parent, name = self._find(object_name)
        del parent[name]
        self._names = {key: value for key, value in self._names.items() if not is_inside(key, path)}

    def add_object(self, object_path: str, weights: Mapping[str, Any]) -> None:
        """Add an object; one that is there already is replaced.

        Args:
            object_path: such as ``"layers/dense_2"``; what is before the last part must be there.
            weights: name -> array; layers number theirs, ``"0"``, ``"1"`` ...; dictionaries are objects inside.
        """
        head, _, name = object_path.strip("/").rpartition("/")
        if not name or name == VARS:
            raise ArgumentError(f"add_object: expected a path such as 'layers/dense_2', received {object_path!r}")
        checked = checked_weights(weights, f"add_object: {object_path}")
        parent = self.weights_dict if not head else self._at(head)
        if parent is None:
            raise ArgumentError(
                f"add_object: there is no object {head!r} to put {name!r} into; {self._what_there_is()}"
            )
        parent[name] = checked

    def add_weights(self, object_name: str, weights: Mapping[str, Any]) -> None:
        """Add weights to an object, or replace those of the same names.

        Args:
            weights: name -> array.
        """
        _, parent, name = self._find(object_name)
        parent[name].update(checked_weights(weights, f"add_weights: {object_name}"))

    def delete_weight(self, object_name: str, weight_name: str) -> None:
        """Remove one weight of an object."""
        path, parent, name = self._find(object_name)
        owner = parent[name]
        if isinstance(owner.get(weight_name), dict | None):
            there = ", ".join(key for key, value in owner.items() if not isinstance(value, dict)) or "none"
            raise ArgumentError(f"delete_weight: {path!r} has no weight {weight_name!r}; it has: {there}")
        del owner[weight_name]

    # ---- saving ----------------------------------------------------------------------------------------------

    def save(self, filepath: Any) -> None:
        """Write the weights to a ``.weights.h5`` file, which appears whole or not at all."""
        path = Path(filepath)
        if not path.name.endswith(".weights.h5"):
            raise ArgumentError(f"save: expected a name that ends in .weights.h5, received {str(filepath)!r}")
        state: dict[str, np.ndarray] = {}
        folders: dict[str, str] = {}
        for owner_path, owner in objects(self.weights_dict, ""):
            folder = f"{owner_path}/{VARS}".lstrip("/")
            own = {f"{folder}/{key}": value for key, value in owner.items() if not isinstance(value, dict)}
            state.update(own)
            if own:
                folders[folder] = self._names.get(owner_path, "")
        for owner_path, name in self._names.items():
            folders.setdefault(f"{owner_path}/{VARS}".lstrip("/"), name)
        with atomic_path(path) as beside, h5py().File(beside, "w") as file:
            write_h5(file, state, folders)

    def resave_weights(self, filepath: Any) -> None:
        """The same as :meth:`save`."""
        self.save(filepath)

    # ---- finding ---------------------------------------------------------------------------------------------

    def _find(self, name: str) -> tuple[str, dict[str, Any], str]:
        """Path of an object, the dictionary it is in, and its name there."""
        path = name.strip("/")
        if "/" not in path:
            found = [p for p, _ in objects(self.weights_dict, "") if p.rpartition("/")[2] == path and p]
            if len(found) > 1 and path not in found:
                raise ArgumentError(
                    f"{name!r} is the name of several objects ({', '.join(found)}): give the whole path"
                )
            path = path if path in found or not found else found[0]
        head, _, last = path.rpartition("/")
        parent = self.weights_dict if not head else self._at(head)
        if parent is None or not isinstance(parent.get(last), dict):
            raise ArgumentError(f"there is no object {name!r} in the file; {self._what_there_is()}")
        return path, parent, last

    def _at(self, path: str) -> dict[str, Any] | None:
        at: Any = self.weights_dict
        for part in path.split("/"):
            at = at.get(part) if isinstance(at, dict) else None
        return at if isinstance(at, dict) else None

    def _what_there_is(self) -> str:
        paths = [path for path, _ in objects(self.weights_dict, "") if path]
        return f"there are: {', '.join(paths[:12])}{' ...' if len(paths) > 12 else ''}"


def _folders(source: H5Source) -> Iterator[str]:
    """All groups of a file."""
    stack = [name for name in reversed(source.names("")) if source.group(name) is not None]
    count = 0
    while stack:
        folder = stack.pop()
        count += 1
        if count > _MOST_OBJECTS or folder.count("/") > _DEEPEST:
            raise WeightsFileError(f"{source.where}: groups are nested too deeply, or there are too many; refused")
        yield folder
        inside = (f"{folder}/{name}" for name in reversed(source.names(folder)))
        stack.extend(name for name in inside if source.group(name) is not None)
