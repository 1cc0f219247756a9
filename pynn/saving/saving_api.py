"""``save_model``, ``load_model``, ``save_weights`` and ``load_weights``: which format a file has, and who reads it.

The content decides when a file is read; its name, when one is written.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pynn.errors import ArgumentError
from pynn.saving.atomic import atomic_path
from pynn.saving.errors import WeightsFileError
from pynn.saving.registration import CustomObjectScope
from pynn.saving.safe_mode import SafeModeScope

if TYPE_CHECKING:
    from pynn.models.model import Model

_H5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_LEGACY = (".h5", ".hdf5")


def save_model(model: Model, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
    """Write the whole model; see :meth:`pynn.Model.save`.

    Example:
        >>> import pathlib, tempfile, pynn
        >>> model = pynn.Sequential([pynn.Input((4,)), pynn.layers.Dense(2)])
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "model.keras"
        >>> save_model(model, path)
        >>> load_model(path).count_params()
        10
    """
    include_optimizer = kwargs.pop("include_optimizer", True)
    save_format = kwargs.pop("save_format", None)
    if kwargs:
        raise ArgumentError(f"save: unknown argument {', '.join(kwargs)}")
    path = Path(filepath)
    if save_format == "h5" and path.suffix not in _LEGACY:
        raise ArgumentError(f"save: save_format is told from the name now; call it {path}.h5, or .keras")
    legacy = path.suffix in _LEGACY
    if legacy and zipped is not None:
        raise ArgumentError(f"save: zipped has no meaning for {path.name}; it is for .keras files and folders")
    if zipped is False and path.suffix == ".keras":
        raise ArgumentError(
            f"save: with zipped=False give the name of a folder, without .keras; received {path.name!r}"
        )
    if not legacy and zipped is not False and path.suffix != ".keras":
        raise ArgumentError(
            f"save: give a name that ends in .keras, or in .h5 for Keras's older format, or zipped=False for a folder; "
            f"received {str(filepath)!r}"
        )
    if _is_another_ranks(model):
        return
    _check_target(path, overwrite, "save")
    if not model.built:
        warnings.warn(
            f"model '{model.name}' is saved before it was built, so it has no weights yet; call it on data, or "
            "build(input_shape), first",
            stacklevel=2,
        )
    if legacy:
        from pynn.saving.legacy_h5 import write_legacy_model

        write_legacy_model(model, path, include_optimizer)
        return
    from pynn.saving import keras_file

    if zipped is False:
        if path.exists():
            keras_file.remove_folder(path)
        keras_file.write_keras_folder(model, path, include_optimizer)
    else:
        keras_file.write_keras_file(model, path, include_optimizer)


def load_model(
    filepath: Any, custom_objects: Mapping[str, Any] | None = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """The model that :func:`save_model`, or Keras, wrote.

    Args:
        filepath: a ``.keras`` file, a folder of one, or an ``.h5`` file; the content says which.
        custom_objects: name -> class or function, for those that are not pynn's own and not registered.
        compile: False leaves the model as if ``compile`` had not been called.
        safe_mode: False makes lambdas in the file again: code of whoever made it, run when the model is.

    Nothing in the file is executed, and nothing outside of it is read, whatever it says.

    Raises:
        WeightsFileError: no file, or one that cannot be read.
        DeserializationError: a class or function that is neither pynn's nor given.
        ShapeError: weights that do not fit the config.
    """
    path = Path(filepath)
    where = f"load_model: {path}"
    with CustomObjectScope(custom_objects), SafeModeScope(safe_mode):
        from pynn.saving import keras_file

        if path.is_dir():
            if not (path / keras_file.CONFIG).is_file():
                raise WeightsFileError(
                    f"{where} is a folder without {keras_file.CONFIG}; TensorFlow's SavedModel folders cannot be read: "
                    "load them where they were made, and save them as .keras"
                )
            return keras_file.read_keras_folder(path, compile, where)
        kind = sniff(path, "load_model")
        if kind == "zip":
            return keras_file.read_keras_file(path, compile, where)
        if kind == "h5":
            from pynn.saving.legacy_h5 import read_legacy_model

            return read_legacy_model(path, compile, where)
    raise WeightsFileError(f"{where} is neither a .keras nor an HDF5 file; weights alone are for model.load_weights()")


def save_weights(model: Model, filepath: Any, overwrite: bool = True, max_shard_size: float | None = None) -> None:
    """Write ``model``'s weights; see :meth:`pynn.Model.save_weights`."""
    if max_shard_size is not None:
        raise ArgumentError(
            f"save_weights: max_shard_size={max_shard_size!r}: pynn writes one file, of any size; leave it out"
        )
    from pynn.saving.state import folders_of, state_of

    path = Path(filepath)
    name = path.name
    known = name.endswith((".weights.h5", ".npz", ".safetensors", *_LEGACY))
    if not known:
        raise ArgumentError(
            f"weights files are named *.weights.h5 (Keras's layout), *.h5 (its older one), *.safetensors or *.npz, "
            f"received {str(filepath)!r}"
        )
    model._require_built("save_weights")
    if _is_another_ranks(model):
        return
    _check_target(path, overwrite, "save_weights")
    if name.endswith(_LEGACY):
        from pynn.saving.h5 import h5py, write_h5

        legacy = not name.endswith(".weights.h5")
        with atomic_path(path) as beside, h5py().File(beside, "w") as file:
            if legacy:
                from pynn.saving.legacy_h5 import write_legacy_weights

                write_legacy_weights(file, model)
            else:
                write_h5(file, state_of(model), folders_of(model))
        return
    from pynn.saving.npz import write_npz
    from pynn.saving.safetensors import write_safetensors

    write = write_npz if path.suffix == ".npz" else write_safetensors
    with atomic_path(path) as beside, open(beside, "wb") as file:
        write(file, state_of(model, with_optimizer=False))


def load_weights(model: Model, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Read ``model``'s weights; see :meth:`pynn.Model.load_weights`."""
    from pynn.saving.npz import NpzSource
    from pynn.saving.safetensors import SafetensorsSource
    from pynn.saving.state import load_state

    by_name = kwargs.pop("by_name", False)
    if kwargs:
        raise ArgumentError(f"load_weights: unknown argument {', '.join(kwargs)}")
    path = Path(filepath)
    where = f"load_weights: {path}"
    model._require_built("load_weights")
    kind = sniff(path, "load_weights")
    if kind == "h5":
        from pynn.saving.h5 import H5Source, open_h5
        from pynn.saving.legacy_h5 import is_legacy, load_legacy_weights

        with open_h5(path, where) as file:
            source = H5Source(file, where)
            if is_legacy(source):
                load_legacy_weights(model, source, bool(by_name), skip_mismatch)
                return
            _refuse_by_name(by_name, path)
            load_state(model, source, skip_mismatch)
        return
    _refuse_by_name(by_name, path)
    with open(path, "rb") as file:
        if kind != "zip":
            load_state(model, SafetensorsSource(file, where), skip_mismatch, with_optimizer=False)
            return
        npz = NpzSource(file, where)
        if "model.weights.h5" not in npz.names(""):
            load_state(model, npz, skip_mismatch, with_optimizer=False)
            return
    from pynn.saving.keras_file import load_weights_of_keras_file

    load_weights_of_keras_file(model, path, where, skip_mismatch)


def _refuse_by_name(by_name: Any, path: Path) -> None:
    if by_name:
        raise ArgumentError(f"load_weights: by_name is for .h5 files of the older format; {path.name} is none")


def sniff(path: Path, what: str) -> str:
    """``"zip"``, ``"h5"`` or ``"safetensors"``, by the file's first bytes.

    Raises:
        WeightsFileError: there is no such file, or it is of none of these kinds.
    """
    if not path.is_file():
        raise WeightsFileError(f"{what}: there is no file {path}")
    with open(path, "rb") as file:
        start = file.read(16)
    if start.startswith(b"PK\x03\x04") or start.startswith(b"PK\x05\x06"):
        return "zip"
    if start.startswith(_H5_SIGNATURE):
        return "h5"
    if start[8:9] == b"{":
        return "safetensors"
    raise WeightsFileError(
        f"{what}: {path} is not a readable file of weights or models (.keras, .h5, .safetensors or .npz)"
    )


def _is_another_ranks(model: Model) -> bool:
    """Whether another of the processes that train the model together is the one that writes files."""
    ranks = getattr(model, "_distribution", None)  # a FeatureSpace has none
    return ranks is not None and ranks.rank > 0


def _check_target(path: Path, overwrite: bool, what: str) -> None:
    if path.exists() and not overwrite:
        raise ArgumentError(f"{what}: {path} exists already; pass overwrite=True to replace it")
    if not path.parent.is_dir():
        raise ArgumentError(f"{what}: the folder {path.parent} does not exist; create it first")
