"""``save_weights`` and ``load_weights``: Keras's ``.weights.h5`` layout, or a plain ``.npz``.

Both are read without executing anything a file says: numbers only, every shape compared with the model's before
the numbers are read, nothing assigned until all of them fit.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn.errors import ArgumentError, PynnError, ShapeError
from pynn.graph.variable import Variable
from pynn.saving.atomic import atomic_path
from pynn.utils.naming import snake_case

if TYPE_CHECKING:
    from pynn.layers.layer import Layer
    from pynn.models.model import Model


class WeightsFileError(PynnError, OSError):
    """A weights file that cannot be read, or that holds what no weights file may hold."""


def save_weights(model: Model, filepath: Any, overwrite: bool = True) -> None:
    """Write ``model``'s weights; see :meth:`pynn.Model.save_weights`."""
    path = _checked_path(filepath)
    if path.exists() and not overwrite:
        raise ArgumentError(f"save_weights: {path} exists already; pass overwrite=True to replace it")
    if not path.parent.is_dir():
        raise ArgumentError(f"save_weights: the folder {path.parent} does not exist; create it first")
    places = _places(model)
    with atomic_path(path) as beside:
        if path.suffix == ".npz":
            with open(beside, "wb") as file:
                np.savez(file, **{key: variable.array for key, variable in places.items()})  # type: ignore[arg-type]
        else:
            with _h5py().File(beside, "w") as file:
                for key, variable in places.items():
                    file[key] = variable.array


def load_weights(model: Model, filepath: Any) -> None:
    """Read ``model``'s weights; see :meth:`pynn.Model.load_weights`."""
    path = _checked_path(filepath)
    if not path.is_file():
        raise WeightsFileError(f"load_weights: there is no file {path}")
    places = _places(model)
    arrays = _read_npz(path, places) if path.suffix == ".npz" else _read_h5(path, places)
    for key, variable in places.items():
        variable.assign(arrays[key])


def _checked_path(filepath: Any) -> Path:
    path = Path(filepath)
    if not (path.name.endswith(".weights.h5") or path.suffix == ".npz"):
        raise ArgumentError(
            f"weights files are named *.weights.h5 (Keras's layout) or *.npz, received {str(filepath)!r}"
        )
    return path


def _places(model: Model) -> dict[str, Variable]:
    """Name in the file -> variable, as Keras names them.

    Layers are numbered by class: ``layers/dense_1/vars/0``; models inside the model are folders of the same kind, and
    layers that a layer or a model of one's own keeps as an attribute are found under its name:
    ``layers/my_block/first/vars/0``.
    """
    places: dict[str, Variable] = {}
    _place(model, "", places, set())
    return places


def _place_layers(layers: Iterable[Layer], folder: str, places: dict[str, Variable], seen: set[int]) -> None:
    """Places for ``layers``, each in a folder named by its class, with a number from the second one on."""
    counts: dict[str, int] = {}
    for layer in layers:
        kind = snake_case(type(layer).__name__)
        count = counts.get(kind, 0)
        counts[kind] = count + 1
        _place(layer, f"{folder}{kind}_{count}/" if count else f"{folder}{kind}/", places, seen)


def _place(layer: Layer, folder: str, places: dict[str, Variable], seen: set[int]) -> None:
    """Places for one layer's own variables and for the layers inside it; each layer has one place only."""
    if id(layer) in seen:
        return
    seen.add(id(layer))
    for i, variable in enumerate(layer._own_variables()):
        places[f"{folder}vars/{i}"] = variable
    for attribute, value in _attributes(layer):
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, list | tuple):
            inner = [item for item in value if hasattr(item, "_own_variables")]
            _place_layers(inner, f"{folder}{attribute}/", places, seen)
        elif hasattr(value, "_own_variables"):
            _place(value, f"{folder}{attribute}/", places, seen)


def _attributes(layer: Layer) -> list[tuple[str, Any]]:
    """Name and value of what may hold layers, in Keras's order, which decides under which name a layer is found first.

    That is the alphabet, private names last.  ``layers`` of a model is one of the names, and the very first where the
    model consists of its layers and not of its attributes.
    """
    found = dict(vars(layer))
    if hasattr(layer, "layers"):
        found["layers"] = layer.layers
    of_layers = getattr(layer, "_graph", None) is not None
    names = sorted(found, key=lambda name: (not (of_layers and name == "layers"), name.startswith("_"), name))
    return [(name, found[name]) for name in names]


def _check(path: Path, key: str, variable: Variable, shape: tuple[int, ...], dtype: np.dtype) -> None:
    if tuple(shape) != variable.shape:
        raise ShapeError(
            f"load_weights: {path} holds shape {tuple(shape)} for '{variable.path}' ({key}), the model expects "
            f"{variable.shape}; the file belongs to another model"
        )
    if dtype.kind not in "fiu":
        raise WeightsFileError(f"load_weights: {path} holds {dtype} for '{variable.path}' ({key}), expected numbers")


def _missing(path: Path, key: str, variable: Variable, there: list[str]) -> ShapeError:
    found = ", ".join(sorted(there)[:8]) + (" ..." if len(there) > 8 else "")
    return ShapeError(
        f"load_weights: {path} has nothing for '{variable.path}' (looked for {key}); it holds: {found or 'nothing'}"
    )


def _read_npz(path: Path, places: dict[str, Variable]) -> dict[str, np.ndarray]:
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {info.filename.removesuffix(".npy"): info.file_size for info in archive.infolist()}
        with np.load(path, allow_pickle=False) as data:
            arrays = {}
            for key, variable in places.items():
                if key not in data.files:
                    raise _missing(path, key, variable, data.files)
                # The header is small; a member much larger than the variable is refused before it is read.
                if sizes[key] > variable.array.nbytes * 2 + 4096:
                    raise ShapeError(
                        f"load_weights: {path} holds {sizes[key]} bytes for '{variable.path}' ({key}), the model "
                        f"expects {variable.array.nbytes}; the file belongs to another model"
                    )
                arrays[key] = data[key]
                _check(path, key, variable, arrays[key].shape, arrays[key].dtype)
            return arrays
    except (zipfile.BadZipFile, ValueError, OSError, EOFError) as error:
        if isinstance(error, PynnError):
            raise
        raise WeightsFileError(f"load_weights: {path} is not a readable .npz file ({error})") from error


def _read_h5(path: Path, places: dict[str, Variable]) -> dict[str, np.ndarray]:
    h5py = _h5py()
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise WeightsFileError(f"load_weights: {path} is not a readable HDF5 file ({error})") from error
    with file:
        datasets = {key: _dataset(h5py, file, path, key, variable) for key, variable in places.items()}
        for key, variable in places.items():
            _check(path, key, variable, datasets[key].shape, datasets[key].dtype)
        return {key: dataset[()] for key, dataset in datasets.items()}


def _dataset(h5py: Any, file: Any, path: Path, key: str, variable: Variable) -> Any:
    """The data set at ``key``, reached over hard links only and stored inside this file."""
    group = file
    parts = key.split("/")
    for depth, part in enumerate(parts):
        link = group.get(part, getlink=True) if isinstance(group, h5py.Group) else None
        if link is None:
            raise _missing(path, key, variable, [f"{'/'.join(parts[:depth])}/{n}" for n in group])
        if not isinstance(link, h5py.HardLink):
            raise WeightsFileError(
                f"load_weights: {path}: '{'/'.join(parts[: depth + 1])}' is a link to elsewhere; refused"
            )
        group = group[part]
    if not isinstance(group, h5py.Dataset) or group.is_virtual or group.external:
        raise WeightsFileError(f"load_weights: {path}: '{key}' is not a plain data set of this file; refused")
    return group


def _h5py() -> Any:
    try:
        import h5py
    except ImportError as error:
        raise ArgumentError(
            "*.weights.h5 files need the package h5py: pip install 'pynn-engine[h5]', or use a name that ends in .npz"
        ) from error
    return h5py
