"""What the user gives to ``fit`` and its relatives, matched with a model and checked: :class:`Columns` come out.

A model whose step is pynn's own has known inputs, and a loss that says which targets it takes: both are checked in the
user's terms before anything runs.  A model with a ``train_step``, ``test_step``, ``predict_step`` or ``compute_loss``
of its own decides itself what its data mean: they reach it in the structure in which they came.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn.data.packing import weights_of_classes
from pynn.errors import ArgumentError, CallError
from pynn.executor.locks import compile_lock
from pynn.models import inputs
from pynn.models.columns import Columns, arrange
from pynn.utils.structure import flatten, map_structure, pack

if TYPE_CHECKING:
    from pynn.models.trainer import Trainer


def columns_of(
    model: Trainer,
    kind: str,
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    class_weight: Any = None,
    prefix: str = "",
) -> Columns:
    """The arrays of a run of ``kind`` (``"train"``, ``"test"`` or ``"predict"``).

    ``prefix`` begins the names of arguments in messages.
    """
    columns = Columns()
    own_step = model.has_own(f"{kind}_step")
    if own_step:
        columns.x = _add_freely(columns, x, "x", f"{prefix}x")
    else:
        _add_inputs(columns, model, x, f"{prefix}x")
    if kind != "predict":
        ends: Any = None
        if own_step or model._compile_loss is None or model.has_own("compute_loss"):
            columns.y = None if y is None else _add_freely(columns, y, "y", f"{prefix}y")
        elif y is None:
            raise ArgumentError(f"{prefix}y: targets are missing; a compiled loss needs them")
        else:
            ends = _add_targets(columns, model, y, prefix)
        if class_weight is not None:
            sample_weight = _weights_of_classes(columns, sample_weight, class_weight, prefix)
        if sample_weight is not None:
            _add_weights(columns, sample_weight, ends, f"{prefix}sample_weight")
    columns.check_lengths()
    if not own_step:
        _check_input_shapes(columns, model)  # the model may have learned its shapes just now
    columns.check_numbers(columns.arrays)
    return columns


def _add_inputs(columns: Columns, model: Trainer, x: Any, argument: str) -> None:
    """The inputs of a model with known ends; it is built for them if it has no shape yet."""
    was_built = model.built
    if not model.built or model._inputs is None:
        with compile_lock():  # threads may all come with their first batch
            _build(model, _as_arrays(x, argument))
    several = len(model.inputs) > 1
    numbers = []
    for (name, item), end in zip(arrange(x, model._inputs, argument), model.inputs, strict=True):
        if end.dtype == "string":
            raise CallError(
                f"{name}: '{end.name}' is an input of strings, which a compiled model cannot take; encode the data "
                "before, as in model.predict(feature_space(table)), and let the model start at "
                "feature_space.get_encoded_features()"
            )
        array = inputs.as_array(item, name)
        dtype = "float32" if end.dtype.startswith("float") else end.dtype
        numbers.append(columns.add(name, array, dtype, f"x.{end.name}" if several else "x"))
    columns.x = pack(model._inputs, numbers)
    if was_built:  # first: one sample without a batch axis also has a wrong "number of samples"
        _check_input_shapes(columns, model)
    columns.check_lengths()
    if model._graph is not None:
        for i, check_numbers in model._graph.number_checks():
            columns.check(i, check_numbers)


def _build(model: Trainer, arrays: Any) -> None:
    shapes = map_structure(lambda a: (None, *a.shape[1:]), arrays)
    if not model.built:
        model.build(shapes)
    if model._inputs is None:  # the build() of a class of one's own made weights only
        model._find_ends(shapes)


def _check_input_shapes(columns: Columns, model: Trainer) -> None:
    for name, array, end in zip(columns.names, columns.arrays, model.inputs, strict=False):
        inputs.check_input_shape(array, end.shape, model.name, name)


def _add_targets(columns: Columns, model: Trainer, y: Any, prefix: str) -> tuple[list[Any], list[str]]:
    """Targets of the outputs that have a loss; gives these outputs and their names."""
    assert model._compile_loss is not None
    chosen = model._compile_loss.of_outputs(model.output_names)
    trained = [(end, name, loss) for end, name, (loss, _) in
               zip(model.outputs, model.output_names, chosen, strict=True) if loss is not None]  # fmt: skip
    ends, names = [end for end, _, _ in trained], [name for _, name, _ in trained]
    if len(ends) < len(chosen):
        y = _without_untrained(y, model.output_names, chosen)
    numbers = []
    for (argument, item), (end, name, loss) in zip(arrange(y, ends, f"{prefix}y", names), trained, strict=True):
        array = inputs.as_array(item, argument)
        label = f"y.{name}" if len(ends) > 1 else "y"
        i = columns.add(argument, array, inputs.feed_dtype(array, keep_integers=True), label)
        columns.check(i, partial(_check_targets, loss, _known_shape(end, array), argument))
        numbers.append(i)
    columns.y = _like(y, numbers, names)
    return ends, names


def _check_targets(loss: Any, shape: Sequence[int | None], argument: str, y: np.ndarray) -> None:
    loss.check_targets(y, shape, argument=argument)


def _like(given: Any, numbers: list[int], names: Sequence[str]) -> Any:
    """One for each output: a dictionary if the user gave one, a list for several, else the only one."""
    if isinstance(given, dict):
        return dict(zip(names, numbers, strict=True))
    return numbers if len(numbers) > 1 else numbers[0]


def _weights_of_classes(columns: Columns, sample_weight: Any, class_weight: Any, prefix: str) -> np.ndarray:
    if sample_weight is not None:
        raise ArgumentError(
            f"{prefix}class_weight and {prefix}sample_weight were both given; multiply them into one sample_weight"
        )
    targets = flatten(columns.y)
    if len(targets) != 1 or targets[0] is None:
        raise ArgumentError(
            f"class_weight is for models with a single output and its targets, this run has {len(targets)} targets; "
            "give one sample_weight for each output instead"
        )
    return weights_of_classes(columns.arrays[targets[0]], class_weight)


def _add_weights(columns: Columns, given: Any, known: tuple[list[Any], list[str]] | None, argument: str) -> None:
    """Weights of samples: one array for all targets, or one for each."""
    if known is None:
        columns.sample_weight = _add_freely(columns, given, "sample_weight", argument)
        return
    ends, names = known
    rows = len(columns.arrays[0])
    if len(ends) > 1 and not isinstance(given, list | tuple | dict):
        ends, names = ends[:1], names[:1]  # one for all: a number per sample, whatever the outputs' shapes
    alone = len(ends) < len(known[0])
    numbers = []
    for (name, item), end, output in zip(arrange(given, ends, argument, names), ends, names, strict=True):
        weight = inputs.as_array(item, name)
        inputs.check_weights(weight, rows, name, () if alone else end.shape[1:-1])
        label = f"sample_weight.{output}" if len(ends) > 1 else "sample_weight"
        numbers.append(columns.add(name, weight, "float32", label))
    columns.sample_weight = _like(given, numbers, names)


def _add_freely(columns: Columns, data: Any, label: str, argument: str) -> Any:
    """Arrays in any structure, as they are; gives the structure with their numbers."""

    def add(data: Any, label: str, argument: str) -> Any:
        if data is None:
            return None
        if isinstance(data, dict):
            return {key: add(item, f"{label}.{key}", f"{argument}[{key!r}]") for key, item in data.items()}
        if _is_several(data):
            items = [add(item, f"{label}.{i}", f"{argument}[{i}]") for i, item in enumerate(data)]
            return items if isinstance(data, list) else tuple(items)
        array = inputs.as_array(data, argument)
        return columns.add(argument, array, inputs.feed_dtype(array, keep_integers=True), label)

    return add(data, label, argument)


def _as_arrays(x: Any, argument: str) -> Any:
    if isinstance(x, dict) or _is_several(x):
        return map_structure(lambda item: inputs.as_array(item, argument), x)
    return inputs.as_array(x, argument)


def _is_several(data: Any) -> bool:
    """A list of arrays, as opposed to a list of rows."""
    return isinstance(data, list | tuple) and any(
        hasattr(item, "shape") or hasattr(item, "to_numpy") or isinstance(item, dict) or _is_several(item)
        for item in data
    )


def _known_shape(end: Any, target: np.ndarray) -> list[int | None]:
    """An output's shape; where the model leaves a length open, that of the targets (the trace compares them)."""
    return [n if n is not None or not 0 < i < target.ndim else target.shape[i] for i, n in enumerate(end.shape)]


def _without_untrained(y: Any, names: Sequence[str], chosen: Sequence[tuple[Any, float]]) -> Any:
    """Targets of the outputs that have a loss; those of others may be given, too."""
    unused = [name for name, (loss, _) in zip(names, chosen, strict=True) if loss is None]
    if isinstance(y, dict):
        return {name: item for name, item in y.items() if name not in unused}
    if isinstance(y, list | tuple) and len(y) == len(names):
        return [item for name, item in zip(names, y, strict=True) if name not in unused]
    return y
