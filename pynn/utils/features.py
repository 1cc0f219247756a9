"""What a :class:`~pynn.utils.feature_space.FeatureSpace` is told about one column of a table, or about several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pynn.errors import ArgumentError
from pynn.layers.category_encoding import encoded
from pynn.layers.discretization import Discretization
from pynn.layers.hashing import Hashing
from pynn.layers.host_layer import HostLayer, encode_indices
from pynn.layers.identity import Identity
from pynn.layers.lookup import IndexLookup, IntegerLookup, StringLookup
from pynn.layers.normalization import Normalization
from pynn.layers.rescaling import Rescaling
from pynn.layers.text_vectorization import TextVectorization
from pynn.saving.serialization import deserialize_keras_object, serialize_keras_object
from pynn.utils.naming import auto_name

#: Where Keras has the classes of this file, as its configs say.
_MODULE = "keras.src.layers.preprocessing.feature_space"


class Cross:
    """Columns that mean something together: their values, hashed as one.

    Args:
        feature_names: of two columns or more.
        crossing_dim: how many different hashes.
        output_mode: ``"one_hot"`` or ``"int"``.
    """

    def __init__(self, feature_names: Any, crossing_dim: int, output_mode: str = "one_hot"):
        if output_mode not in ("int", "one_hot"):
            raise ArgumentError(f"FeatureSpace.cross: output_mode must be 'int' or 'one_hot', received {output_mode!r}")
        if isinstance(feature_names, str) or len(feature_names) < 2:
            raise ArgumentError(
                f"FeatureSpace.cross: feature_names must be at least two names, received {feature_names!r}"
            )
        self.feature_names = tuple(feature_names)
        self.crossing_dim, self.output_mode = crossing_dim, output_mode

    @property
    def name(self) -> str:
        """``first_X_second``, the key of its values."""
        return "_X_".join(self.feature_names)

    @property
    def depth(self) -> int:
        """The length of one-hot rows."""
        return self.crossing_dim

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "feature_names": self.feature_names, "crossing_dim": self.crossing_dim, "output_mode": self.output_mode
        }  # fmt: skip


class Feature:
    """One column: the layer that prepares it, and how the result is shown.

    Args:
        dtype: of the values: ``"float32"``, ``"int32"`` or ``"string"``.
        preprocessor: the layer.
        output_mode: ``"float"``: as the layer gives it; ``"int"``: the same, whole numbers; ``"one_hot"``: the layer's
            numbers as rows of 0 and 1.
    """

    def __init__(self, dtype: str, preprocessor: Any, output_mode: str):
        if output_mode not in ("int", "one_hot", "float"):
            raise ArgumentError(
                f"FeatureSpace: output_mode of a feature must be 'int', 'one_hot' or 'float', received {output_mode!r}"
            )
        self.dtype, self.preprocessor, self.output_mode = dtype, preprocessor, output_mode

    @property
    def depth(self) -> int:
        """How many numbers the layer may give: the length of one-hot rows."""
        layer = self.preprocessor
        if isinstance(layer, IndexLookup | TextVectorization):
            return layer.vocabulary_size()
        if isinstance(layer, Discretization):
            return layer.num_bins or len(layer.bin_boundaries or ()) + 1
        if isinstance(layer, Hashing):
            return layer.num_bins
        raise ArgumentError(
            f"FeatureSpace: it is not known how many numbers the layer '{layer.name}' ({type(layer).__name__}) gives; "
            "use output_mode='float' or 'int', and let the layer make the rows"
        )

    @property
    def is_adaptable(self) -> bool:
        """Whether the layer looks at data before it can be used."""
        layer = self.preprocessor
        if isinstance(layer, Normalization):
            return layer.input_mean is None
        if isinstance(layer, Discretization):
            return layer.num_bins is not None
        lookup = layer._lookup_layer if isinstance(layer, TextVectorization) else layer
        return hasattr(layer, "adapt") and not getattr(lookup, "_static", False)

    def column(self, where: str, value: Any) -> np.ndarray:
        """Values as an array ``(n, 1)``, or ``(n, k)``; a single one is a column of one."""
        array = np.asarray(value.to_numpy() if hasattr(value, "to_numpy") else value)
        if self.dtype != "string":
            if array.dtype.kind not in "iufb":
                raise ArgumentError(f"{where}: expected numbers ({self.dtype}), received dtype {array.dtype}")
            array = array.astype(self.dtype)
        return array.reshape(-1, 1) if array.ndim < 2 else array

    def example(self) -> np.ndarray:
        """Two values that the layer takes."""
        known = self.preprocessor.get_vocabulary(False) if isinstance(self.preprocessor, IndexLookup) else None
        value = known[0] if known else "" if self.dtype == "string" else 0
        return np.full((2, 1), value, str if self.dtype == "string" else self.dtype)

    def prepared(self, x: np.ndarray) -> np.ndarray:
        """What the layer makes of a column."""
        return np.asarray(self.preprocessor(x, training=False))

    def prepared_in_model(self, x: Any) -> Any:
        """The same for a traced value; None if it takes Python."""
        layer = self.preprocessor
        if isinstance(layer, IntegerLookup) and layer.oov_method == "floormod" and not layer.invert:
            return looked_up(layer, x)
        return None if isinstance(layer, HostLayer) else layer(x, training=False)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "dtype": self.dtype,
            "preprocessor": serialize_keras_object(self.preprocessor),
            "output_mode": self.output_mode,
        }


def looked_up(layer: IntegerLookup, x: Any) -> Any:
    """The numbers that the layer gives for a traced value."""
    from pynn import ops

    tokens = np.array(layer.get_vocabulary(False), "int32")
    start = layer.vocabulary_size() - len(tokens)
    special = start - layer.num_oov_indices
    hits = ops.cast(ops.equal(ops.expand_dims(ops.cast(x, "int32"), -1), tokens), "float32")
    places = ops.sum(hits * (np.arange(len(tokens), dtype="float32") + start), axis=-1)
    unknown = ops.cast(ops.mod(ops.cast(x, "int32"), max(layer.num_oov_indices, 1)), "float32") + float(special)
    return ops.cast(ops.where(ops.sum(hits, axis=-1) > 0, places, unknown), "int32")


def rows(x: Any, depth: int) -> Any:
    """Numbers ``(n, k)`` as rows of 0 and 1, ``(n, depth)``."""
    return encode_indices(x, "multi_hot", depth) if isinstance(x, np.ndarray) else encoded(x, "multi_hot", depth)


# ---- features by kind ------------------------------------------------------------------------------------------------


def of_kind(kind: str, name: str | None = None, **options: Any) -> Feature:
    """A feature of one of the kinds that ``FeatureSpace`` has methods for.

    Args:
        options: of the method.
    """
    name = f"{name or auto_name(kind)}_preprocessor"
    mode = options.pop("output_mode", "one_hot")
    if kind == "float":
        return Feature("float32", Identity(name=name), "float")
    if kind == "float_rescaled":
        return Feature("float32", Rescaling(**options, name=name), "float")
    if kind == "float_normalized":
        return Feature("float32", Normalization(axis=-1, name=name), "float")
    if kind == "float_discretized":
        return Feature("float32", Discretization(**options, name=name), mode)
    if kind == "integer_categorical":
        return Feature("int32", IntegerLookup(**options, name=name), mode)
    if kind == "string_categorical":
        return Feature("string", StringLookup(**options, name=name), mode)
    return Feature("int32" if kind == "integer_hashed" else "string", Hashing(**options, name=name), mode)


KINDS = (
    "float", "float_rescaled", "float_normalized", "float_discretized", "integer_categorical", "string_categorical",
    "integer_hashed", "string_hashed",
)  # fmt: skip


def written(part: Feature | Cross) -> dict[str, Any]:
    """The config of a feature or a cross, with its class, as Keras writes it."""
    name = type(part).__name__
    return {"module": _MODULE, "class_name": name, "config": part.get_config(), "registered_name": name}


def read(config: Any) -> Any:
    """What :func:`written` wrote; anything else as it is."""
    if not isinstance(config, Mapping) or config.get("class_name") not in ("Feature", "Cross"):
        return config
    inner = dict(config["config"])
    if config["class_name"] == "Cross":
        return Cross(**inner)
    layer = inner["preprocessor"]
    if isinstance(layer, Mapping) and layer.get("class_name") == "TFDIdentity":  # Keras's own for this purpose
        layer = {**layer, "module": "keras.layers", "class_name": "Identity", "registered_name": None}
    return Feature(**{**inner, "preprocessor": deserialize_keras_object(layer)})
