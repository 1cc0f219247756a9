"""Tables with columns of different kinds, made into numbers: :class:`FeatureSpace`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pynn.errors import ArgumentError, CallError, NotBuiltError
from pynn.graph import symbolic, trace
from pynn.graph.symbolic import Call, KerasTensor
from pynn.graph.tensor import Tensor
from pynn.layers.hashing import HashedCrossing
from pynn.layers.host_layer import HostLayer
from pynn.layers.input_layer import InputLayer
from pynn.layers.layer import Layer
from pynn.utils.features import KINDS, Cross, Feature, of_kind, read, rows, written

__all__ = ["FeatureSpace"]


class FeatureSpace(Layer):
    """Rows of a table as vectors: each column is prepared by a layer for its kind, and all are put together.

    Args:
        features: name of a column -> its kind, as a string such as ``"float_normalized"`` or as what the method of that
            name gives, for options: ``float``, ``float_rescaled``, ``float_normalized``, ``float_discretized``,
            ``integer_categorical``, ``string_categorical``, ``integer_hashed``, ``string_hashed``, or ``feature`` for a
            layer of one's own.
        output_mode: ``"concat"``: one vector, of the columns in the order of their names, then of the crosses;
            ``"dict"``: all of them by name.
        crosses: pairs (or more) of names, whose values are hashed together, or what :meth:`cross` gives.
        crossing_dim: different hashes of those.
        hashing_dim: different hashes of ``"integer_hashed"`` and ``"string_hashed"``.
        num_discretization_bins: bins of ``"float_discretized"``.

    Call it on a dictionary of arrays, lists or single values; columns that it does not know are left out.

    Shapes:
        ``(n,)`` or ``(n, 1)`` in each column -> ``(n, width)``; single values -> ``(width,)``.

    Example:
        >>> from pynn.data import Dataset
        >>> table = {"age": [20.0, 40.0], "pet": ["cat", "dog"]}
        >>> space = FeatureSpace({"age": FeatureSpace.float_rescaled(0.1), "pet": "string_categorical"})
        >>> space.adapt(Dataset.from_tensor_slices(table))
        >>> space(table)  # [UNK], dog, cat
        array([[2., 0., 0., 1.],
               [4., 0., 1., 0.]], dtype=float32)
        >>> space({"age": 50.0, "pet": "bird"})
        array([5., 1., 0., 0.], dtype=float32)
    """

    _stateless = True

    def __init__(
        self,
        features: Any,
        output_mode: str = "concat",
        crosses: Any = None,
        crossing_dim: int = 32,
        hashing_dim: int = 32,
        num_discretization_bins: int = 32,
        name: str | None = None,
    ):
        super().__init__(name=name)
        where = f"FeatureSpace '{self.name}'"
        if not features or not isinstance(features, Mapping):
            raise ArgumentError(f"{where}: features must be a dictionary that is not empty, received {features!r}")
        if output_mode not in ("concat", "dict"):
            raise ArgumentError(f"{where}: output_mode must be 'concat' or 'dict', received {output_mode!r}")
        self.crossing_dim, self.hashing_dim = crossing_dim, hashing_dim
        self.num_discretization_bins = num_discretization_bins
        self.output_mode = output_mode
        self.features = {key: self._standardized(where, key, value) for key, value in features.items()}
        given = [read(cross) for cross in crosses or ()]
        self.crosses = [c if isinstance(c, Cross) else Cross(c, crossing_dim) for c in given]
        for cross in self.crosses:
            unknown = [key for key in cross.feature_names if key not in self.features]
            if unknown:
                raise ArgumentError(f"{where}: crosses {cross.feature_names} name unknown features {unknown}")
        if output_mode == "concat":
            whole = [k for k, part in self._parts_by_name().items() if part.output_mode == "int"]
            if whole:
                raise ArgumentError(
                    f"{where}: {whole} give numbers of classes (output_mode='int'), which cannot be part of a vector; "
                    "use output_mode='one_hot' for them, or output_mode='dict' for the FeatureSpace"
                )
        #: Name -> layer.
        self.preprocessors = {key: feature.preprocessor for key, feature in self.features.items()}
        self.crossers = {c.name: HashedCrossing(c.crossing_dim, name=c.name) for c in self.crosses}
        self._is_adapted = not any(feature.is_adaptable for feature in self.features.values())
        #: Symbolic inputs and what is made of them, so that models of both fit together.
        self._symbols: tuple[Any, Any] | None = None

    def _standardized(self, where: str, name: str, given: Any) -> Feature:
        given = read(given)
        if isinstance(given, Feature):
            return given
        if given not in KINDS:
            raise ArgumentError(f"{where}: feature '{name}' must be one of {', '.join(KINDS)}, received {given!r}")
        options: dict[str, Any] = {}
        if given == "float_discretized":
            options = {"num_bins": self.num_discretization_bins}
        elif given.endswith("hashed"):
            options = {"num_bins": self.hashing_dim}
        return of_kind(given, name, **options)

    def _parts_by_name(self) -> dict[str, Feature | Cross]:
        """Features and crosses in the order of vectors: that of names, crosses behind."""
        crosses = {cross.name: cross for cross in self.crosses}
        return {**dict(sorted(self.features.items())), **dict(sorted(crosses.items()))}

    # ---- kinds of features ---------------------------------------------------------------------------------------

    @classmethod
    def cross(cls, feature_names: Any, crossing_dim: int, output_mode: str = "one_hot") -> Cross:
        """Columns whose values are hashed together; ``output_mode`` is ``"one_hot"`` or ``"int"``."""
        return Cross(feature_names, crossing_dim, output_mode)

    @classmethod
    def feature(cls, dtype: str, preprocessor: Any, output_mode: str) -> Feature:
        """A column with a layer of one's own; see :class:`~pynn.utils.features.Feature`."""
        return Feature(dtype, preprocessor, output_mode)

    @classmethod
    def float_rescaled(cls, scale: Any = 1.0, offset: Any = 0.0, name: str | None = None) -> Feature:
        """Numbers times ``scale`` plus ``offset``."""
        return of_kind("float_rescaled", name, scale=scale, offset=offset)

    @classmethod
    def float_normalized(cls, name: str | None = None) -> Feature:
        """Numbers with mean 0 and variance 1."""
        return of_kind("float_normalized", name)

    @classmethod
    def float_discretized(
        cls, num_bins: int | None, bin_boundaries: Any = None, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """Which bin a number lies in: of ``num_bins`` that :meth:`adapt` finds, or (with None) between boundaries."""
        options = {"num_bins": num_bins, "bin_boundaries": bin_boundaries, "output_mode": output_mode}
        return of_kind("float_discretized", name, **options)

    @classmethod
    def integer_categorical(
        cls, max_tokens: int | None = None, num_oov_indices: int = 1, output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:  # fmt: skip
        """Whole numbers that are names of classes."""
        options: dict[str, Any] = {"max_tokens": max_tokens, "num_oov_indices": num_oov_indices}
        return of_kind("integer_categorical", name, **options, output_mode=output_mode)

    @classmethod
    def string_categorical(
        cls, max_tokens: int | None = None, num_oov_indices: int = 1, output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:  # fmt: skip
        """Strings that are names of classes."""
        options: dict[str, Any] = {"max_tokens": max_tokens, "num_oov_indices": num_oov_indices}
        return of_kind("string_categorical", name, **options, output_mode=output_mode)

    @classmethod
    def string_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """Strings, by their hash."""
        return of_kind("string_hashed", name, num_bins=num_bins, output_mode=output_mode)

    @classmethod
    def integer_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """Whole numbers, by their hash."""
        return of_kind("integer_hashed", name, num_bins=num_bins, output_mode=output_mode)

    @classmethod
    def float(cls, name: str | None = None) -> Feature:
        """Numbers as they are."""
        return of_kind("float", name)

    # ---- data ----------------------------------------------------------------------------------------------------

    def adapt(self, dataset: Any) -> None:
        """Let the layers look at data: their means, vocabularies and bins.

        Args:
            dataset: a ``Dataset``, or another iterable, of dictionaries: rows or batches of them, without targets.
        """
        where = f"FeatureSpace '{self.name}': adapt()"
        if isinstance(dataset, Mapping) or not hasattr(dataset, "__iter__"):
            raise ArgumentError(
                f"{where}: expected a Dataset of dictionaries, received {type(dataset).__name__}; "
                "pynn.data.Dataset.from_tensor_slices(table) makes one"
            )
        adaptable = {key: feature for key, feature in self.features.items() if feature.is_adaptable}
        columns: dict[str, list[np.ndarray]] = {key: [] for key in adaptable}
        for row in dataset if adaptable else ():
            if not isinstance(row, Mapping):
                raise ArgumentError(
                    f"{where}: expected dictionaries, received {type(row).__name__}; leave targets out with "
                    "dataset.map(lambda x, y: x)"
                )
            self._check_keys(row, adaptable)
            for key, feature in adaptable.items():
                columns[key].append(feature.column(f"{where}: '{key}'", row[key]))
        for key, feature in adaptable.items():
            if not columns[key]:
                raise ArgumentError(f"{where}: there is no data")
            feature.preprocessor.adapt(np.concatenate(columns[key]))
        self._is_adapted, self._symbols = True, None

    def _check_keys(self, data: Mapping[str, Any], features: Mapping[str, Any]) -> None:
        missing = [key for key in features if key not in data]
        if missing:
            raise ArgumentError(f"FeatureSpace '{self.name}': the data lack {missing}; they have {sorted(data)}")

    def _check_adapted(self) -> None:
        if not self._is_adapted:
            raise NotBuiltError(f"FeatureSpace '{self.name}': call adapt(dataset) before you use it")

    def __call__(self, data: Any) -> Any:
        """The vectors of rows: a dictionary of columns, or of single values."""
        if not isinstance(data, Mapping):
            raise ArgumentError(
                f"FeatureSpace '{self.name}': can only be called with a dictionary, received {type(data).__name__}"
            )
        self._check_adapted()
        self._check_keys(data, self.features)
        if symbolic.is_symbolic(dict(data)):
            return self._record({key: data[key] for key in self.features})
        if trace.is_tracing():
            return self._in_model(data)
        single = all(np.ndim(data[key]) == 0 for key in self.features)
        where = f"FeatureSpace '{self.name}'"
        columns = {key: f.column(f"{where}: '{key}'", data[key]) for key, f in self.features.items()}
        return _mapped(lambda x: (x[0] if single else x).view(Tensor), self._encoded(columns))

    def _encoded(self, columns: Mapping[str, np.ndarray]) -> Any:
        """Arrays of columns as arrays."""
        prepared = {key: feature.prepared(columns[key]) for key, feature in self.features.items()}
        for cross in self.crosses:
            hashed = self.crossers[cross.name](tuple(prepared[key] for key in cross.feature_names))
            prepared[cross.name] = np.asarray(hashed)
        shown = self._shown(prepared)
        if self.output_mode == "dict":
            return shown
        return np.concatenate([np.asarray(x, "float32") for x in shown.values()], axis=-1)

    def _shown(self, prepared: Mapping[str, Any]) -> dict[str, Any]:
        return {
            key: rows(prepared[key], part.depth) if part.output_mode == "one_hot" else prepared[key]
            for key, part in self._parts_by_name().items()
        }

    # ---- models --------------------------------------------------------------------------------------------------

    def get_inputs(self) -> dict[str, KerasTensor]:
        """Symbolic inputs, one for each column."""
        return dict(self._symbolic()[0])

    def get_encoded_features(self) -> Any:
        """What is made of :meth:`get_inputs`: where a model of encoded data starts.

        ``Model(space.get_encoded_features(), outputs)`` is for ``dataset.map(lambda x, y: (space(x), y))``.  A model
        that starts at ``get_inputs()`` takes the table itself, if it has numbers only and no hashes.
        """
        return self._symbolic()[1]

    def _symbolic(self) -> tuple[Any, Any]:
        self._check_adapted()
        if self._symbols is None:
            inputs = {key: _input(key, feature.dtype) for key, feature in self.features.items()}
            self._symbols = inputs, self._record(inputs)
        return self._symbols

    def _record(self, tensors: dict[str, KerasTensor]) -> Any:
        """A call in a model; the shapes are those of an example, as strings cannot be traced."""
        example = self._encoded({key: feature.example() for key, feature in self.features.items()})
        call = Call(self, (tensors,), {})
        names = iter(range(len(example) if isinstance(example, dict) else 1))

        def tensor(x: np.ndarray) -> KerasTensor:
            dtype = "float32" if x.dtype.kind == "f" else "int32"
            return KerasTensor((None, *x.shape[1:]), dtype, name=self.name, call=call, index=next(names))

        call.outputs = _mapped(tensor, example)
        self.output_shape = _mapped(lambda t: t.shape, call.outputs)
        return call.outputs

    def _in_model(self, data: Mapping[str, Any]) -> Any:
        from pynn import ops

        host = [key for key, f in self.features.items() if f.dtype == "string" or _takes_python(f)]
        if host or self.crosses:
            raise CallError(
                f"FeatureSpace '{self.name}': {host + [c.name for c in self.crosses]} are strings or hashes, which a "
                "compiled model cannot hold; let the model start at get_encoded_features(), and give it encoded data: "
                "model.predict(feature_space(table)), model.fit(dataset.map(lambda x, y: (feature_space(x), y)))"
            )
        prepared = {key: feature.prepared_in_model(data[key]) for key, feature in self.features.items()}
        shown = self._shown(prepared)
        if self.output_mode == "dict":
            return shown
        return ops.concatenate([ops.cast(x, "float32") for x in shown.values()], axis=-1)

    # ---- configs and files ---------------------------------------------------------------------------------------

    def save(self, filepath: Any) -> None:
        """Write a ``.keras`` file, which ``pynn.models.load_model`` reads."""
        from pynn.saving.saving_api import save_model

        save_model(self, filepath)  # type: ignore[arg-type]

    def get_config(self) -> dict[str, Any]:
        return {
            "features": {key: written(feature) for key, feature in self.features.items()},
            "output_mode": self.output_mode,
            "crosses": [written(cross) for cross in self.crosses],
            "crossing_dim": self.crossing_dim,
            "hashing_dim": self.hashing_dim,
            "num_discretization_bins": self.num_discretization_bins,
        }

    def get_build_config(self) -> dict[str, Any]:
        """Of each column's layer."""
        return {key: layer.get_build_config() for key, layer in self.preprocessors.items()}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build the columns' layers."""
        for key, layer in self.preprocessors.items():
            if config.get(key):
                layer.build_from_config(config[key])

    def load_own_variables(self, store: Any) -> None:
        """It has none itself; a file holds one that was adapted."""
        self._is_adapted = True


def _mapped(function: Any, structure: Any) -> Any:
    return {k: function(v) for k, v in structure.items()} if isinstance(structure, dict) else function(structure)


def _takes_python(feature: Feature) -> bool:
    layer = feature.preprocessor
    return isinstance(layer, HostLayer) and getattr(layer, "oov_method", None) != "floormod"


def _input(name: str, dtype: str) -> KerasTensor:
    """A symbolic input ``(None, 1)``; one of strings is for looks only."""
    tensor = InputLayer((1,), dtype="int32" if dtype == "string" else dtype, name=name).output
    if dtype == "string":
        tensor.dtype = "string"
    return tensor
