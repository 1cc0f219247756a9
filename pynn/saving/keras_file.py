"""``.keras`` files: an archive (or a folder) of ``metadata.json``, ``config.json`` and ``model.weights.h5``."""

from __future__ import annotations

import datetime
import io
import json
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pynn.errors import ArgumentError
from pynn.models.cloning import MAX_CONFIG_SIZE, parse_config
from pynn.saving.archive import Archive
from pynn.saving.atomic import atomic_path
from pynn.saving.errors import WeightsFileError
from pynn.saving.h5 import H5Source, h5py, open_h5, write_h5
from pynn.saving.npz import NpzSource
from pynn.saving.serialization import DeserializationError, deserialize_keras_object, follow, serialize_keras_object
from pynn.saving.state import folders_of, load_state, places, state_of
from pynn.utils.memory_budget import memory_budget

if TYPE_CHECKING:
    from pynn.models.model import Model

METADATA, CONFIG, WEIGHTS, WEIGHTS_NPZ = "metadata.json", "config.json", "model.weights.h5", "model.weights.npz"
_ASSETS = "assets"
#: Keras's version whose format this is.
KERAS_VERSION = "3.15.1"
#: Memory that the weights of a small file may take, and how much more than its size those of a packed one.
_FREE, _EXPANSION = 64 * 2**20, 16
_MOST_ASSETS = 2**30


def allowance(size: int) -> int:
    """Memory that the content of a file of this size may take."""
    return _FREE + _EXPANSION * size


def write_keras_file(model: Model, path: Path, include_optimizer: bool = True) -> None:
    """Write a ``.keras`` file; it appears whole or not at all."""
    parts = _parts(model, include_optimizer)
    with atomic_path(path) as beside, zipfile.ZipFile(beside, "w", zipfile.ZIP_STORED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def write_keras_folder(model: Model, path: Path, include_optimizer: bool = True) -> None:
    """The same as a folder; each file in it appears whole or not at all."""
    for name, content in _parts(model, include_optimizer).items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(target) as beside:
            beside.write_bytes(content)


def _parts(model: Model, include_optimizer: bool) -> dict[str, bytes]:
    """Name in the archive -> content."""
    config = serialize_keras_object(model)
    if not include_optimizer:
        config.pop("compile_config", None)
    made = datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    weights = io.BytesIO()
    with h5py().File(weights, "w") as file:
        state = state_of(model, include_optimizer, with_random=True)
        write_h5(file, state, folders_of(model, include_optimizer))
    return {
        METADATA: json.dumps({"keras_version": KERAS_VERSION, "date_saved": made}).encode(),
        CONFIG: json.dumps(config).encode(),
        WEIGHTS: weights.getvalue(),
        **_assets(model),
    }


def _assets(model: Model) -> dict[str, bytes]:
    """Files that layers such as those of vocabularies keep beside their weights."""
    found: dict[str, bytes] = {}
    for place in places(model, with_optimizer=False):
        if not hasattr(place.owner, "save_assets"):
            continue
        folder = f"{_ASSETS}/{place.folder.removesuffix('vars')}".rstrip("/")
        with tempfile.TemporaryDirectory() as temporary:
            place.owner.save_assets(temporary)
            for file in sorted(Path(temporary).rglob("*")):
                if file.is_file():
                    found[f"{folder}/{file.relative_to(temporary).as_posix()}"] = file.read_bytes()
    return found


def read_keras_file(path: Path, compile: bool, where: str) -> Any:
    """The model in a ``.keras`` file."""
    try:
        with open(path, "rb") as file:
            return _read(ZipParts(file, where), path.stat().st_size, compile, where)
    except zipfile.BadZipFile as error:
        raise WeightsFileError(f"{where} is not a readable .keras file ({error})") from error


def read_keras_folder(path: Path, compile: bool, where: str) -> Any:
    """The model in a folder that :func:`write_keras_folder` wrote."""
    parts = _FolderParts(path, where)
    size = sum(parts.size(name) for name in parts.names)
    return _read(parts, size, compile, where)


def _read(parts: Any, size: int, compile: bool, where: str) -> Any:
    from pynn.models.model import Model

    config = parse_config(parts.read(CONFIG, MAX_CONFIG_SIZE))
    if not isinstance(config, Mapping):
        raise DeserializationError(f"{where}: the config is no dictionary")
    compile_config = config.get("compile_config")
    config = {key: value for key, value in config.items() if key != "compile_config"}
    with memory_budget(allowance(size)):
        model = deserialize_keras_object(config)
        if not isinstance(model, Model) and not hasattr(model, "get_encoded_features"):  # a FeatureSpace
            raise DeserializationError(f"{where} holds a {type(model).__name__}, and no model")
        if compile and compile_config:
            follow(model, "compile_from_config", compile_config)
    if not hasattr(model, "_own_variables"):
        raise DeserializationError(f"{where} holds no model")
    _load_assets(model, parts)
    if WEIGHTS in parts.names:
        with parts.open_binary(WEIGHTS, most=_most_bytes(model)) as content, open_h5(content, where) as file:
            load_state(model, H5Source(file, where), with_random=True)
    elif WEIGHTS_NPZ in parts.names:
        with parts.open_binary(WEIGHTS_NPZ, most=_most_bytes(model)) as content:
            load_state(model, NpzSource(content, where))
    else:
        raise WeightsFileError(f"{where} has neither {WEIGHTS} nor {WEIGHTS_NPZ}")
    return model


def _most_bytes(model: Any) -> int:
    """What the weights' member may have: all of the model's arrays, those of an optimizer that keeps several for each,
    and HDF5's own."""
    return _FREE + 8 * sum(v.array.nbytes for place in places(model) for v in place.variables.values())


def _load_assets(model: Any, parts: Any) -> None:
    total = sum(parts.size(name) for name in parts.names if name.startswith(f"{_ASSETS}/"))
    if total > _MOST_ASSETS:
        raise WeightsFileError(f"{parts.where}: {_ASSETS} have {total} bytes, more than {_MOST_ASSETS}; refused")
    for place in places(model, with_optimizer=False):
        if not hasattr(place.owner, "load_assets"):
            continue
        folder = f"{_ASSETS}/{place.folder.removesuffix('vars')}".rstrip("/") + "/"
        with tempfile.TemporaryDirectory() as temporary:
            for name in parts.names:
                inside = name.removeprefix(folder)
                if name.startswith(folder) and inside and "/" not in inside:
                    Path(temporary, inside).write_bytes(parts.read(name, _MOST_ASSETS))
            follow(place.owner, "load_assets", temporary)


class ZipParts:
    """The files of an archive."""

    def __init__(self, file: Any, where: str):
        self.where = where
        self._archive = Archive(file, where)
        self.names = self._archive.names
        self.size, self.read = self._archive.size, self._archive.read

    def open_binary(self, name: str, most: int) -> Any:
        return io.BytesIO(self.read(name, most))


class _FolderParts:
    """The files of a folder; links are not followed."""

    def __init__(self, folder: Path, where: str):
        self.where, self._folder = where, folder
        files = [p for p in sorted(folder.rglob("*")) if p.is_file() and not p.is_symlink()]
        self.names = [p.relative_to(folder).as_posix() for p in files]

    def size(self, name: str) -> int:
        return (self._folder / name).stat().st_size

    def read(self, name: str, most: int) -> bytes:
        if name not in self.names:
            raise WeightsFileError(f"{self.where} has no file '{name}'")
        if self.size(name) > most:
            raise WeightsFileError(f"{self.where}: '{name}' has {self.size(name)} bytes, more than {most}; refused")
        return (self._folder / name).read_bytes()

    def open_binary(self, name: str, most: int) -> Any:
        return io.BytesIO(self.read(name, most))


def remove_folder(path: Path) -> None:
    """Make way for a new folder; anything that is none of ours is an error."""
    strangers = [p.name for p in path.iterdir() if p.name not in (METADATA, CONFIG, WEIGHTS, _ASSETS)]
    if strangers:
        raise ArgumentError(f"save: {path} holds other files ({', '.join(sorted(strangers)[:5])}); choose a new folder")
    shutil.rmtree(path / _ASSETS, ignore_errors=True)


def load_weights_of_keras_file(model: Any, path: Path, where: str, skip_mismatch: bool) -> None:
    """Only the weights of a ``.keras`` file, into a model that is there already."""
    with open(path, "rb") as file:
        parts = ZipParts(file, where)
        with parts.open_binary(WEIGHTS, _most_bytes(model)) as content, open_h5(content, where) as h5:
            load_state(model, H5Source(h5, where), skip_mismatch)
