"""Masks: which steps of a sequence count.

A mask belongs to a tensor, as its attribute ``_keras_mask``: layers read it from their inputs, hand it to a ``call``
that takes ``mask``, and give their outputs the one that ``compute_mask`` says.  Results of functions of ``pynn.ops``
have none.  Its numbers are true (or 1) where a step counts.
"""

from __future__ import annotations

from typing import Any

from pynn.graph.ir import Value
from pynn.utils.structure import flatten, map_structure


def mask_of(x: Any) -> Any:
    """The mask of a tensor, or the structure of masks of a structure of tensors; None where there is none."""
    return map_structure(lambda leaf: getattr(leaf, "_keras_mask", None), x)


def has_mask(masks: Any) -> bool:
    """Whether there is a mask in the structure."""
    return any(mask is not None for mask in flatten(masks))


def set_masks(outputs: Any, masks: Any) -> None:
    """Give the tensors these masks; those that have one keep it."""
    for value, mask in zip(flatten(outputs), flatten(masks), strict=False):
        if mask is not None and isinstance(value, Value) and mask_of(value) is None:
            value._keras_mask = mask


def find_masks(x: Any, arguments: dict[str, Any], names: tuple[str, ...]) -> None:
    """Fill in the masks that ``call`` takes and was not given.

    Args:
        x: the first argument of ``call``.
        arguments: the others by name; gets ``mask``, or ``query_mask`` ... if there are several tensors.
        names: of all parameters of ``call``.
    """
    tensors = {name: given for name, given in ((names[0], x), *arguments.items()) if _is_tensors(given)}
    tensors.pop("mask", None)
    if len(tensors) == 1:
        wanted = {"mask": next(iter(tensors.values()))}
    else:
        wanted = {f"{name}_mask": given for name, given in tensors.items()}
    for name, given in wanted.items():
        if name in names and arguments.get(name) is None:
            mask = mask_of(given)
            if has_mask(mask):
                arguments[name] = mask


def _is_tensors(given: Any) -> bool:
    leaves = flatten(given)
    return any(isinstance(leaf, Value) for leaf in leaves)
