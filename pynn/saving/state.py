"""Where each array of a model lies in a file, in Keras's layout, and putting arrays of a file in place.

Layers are numbered by class: ``layers/dense_1/vars/0``; models inside the model are folders of the same kind, and
layers that a layer or a model of one's own keeps as an attribute are found under its name:
``layers/my_block/first/vars/0``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from pynn.errors import ShapeError
from pynn.graph.variable import Variable
from pynn.layers.layer import Layer
from pynn.metrics.base import Metric
from pynn.optimizers.optimizer import Optimizer
from pynn.saving.errors import MissingArrayError, WeightsFileError
from pynn.utils.callers import users_line
from pynn.utils.naming import snake_case

if TYPE_CHECKING:
    from pynn.models.model import Model


class Source(Protocol):
    """A file's arrays by name.  Shapes are known before anything is read."""

    #: What errors call it.
    where: str

    def names(self, folder: str) -> list[str]:
        """The arrays directly in ``folder`` (all, for "")."""

    def spec(self, name: str) -> tuple[tuple[int, ...], np.dtype]:
        """Shape and dtype of an array."""

    def read(self, name: str) -> np.ndarray:
        """Its numbers."""


@dataclass
class Place:
    """One folder of the file: a layer's own variables, or the optimizer's."""

    folder: str
    #: Layer, metric or optimizer.
    owner: Any
    #: Key in the folder -> variable.
    variables: dict[str, Variable] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return getattr(self.owner, "name", "")


def places(model: Any, with_optimizer: bool = True) -> list[Place]:
    """All folders of the model's file, in the order in which Keras visits them."""
    found: list[Place] = []
    optimizer = getattr(model, "optimizer", None)
    seen = set() if with_optimizer or optimizer is None else {id(optimizer)}
    _visit(model, "", found, seen)
    return found


def _own_variables(item: Any) -> list[Variable]:
    """What a layer, a metric or an optimizer saves by itself."""
    if isinstance(item, Optimizer):
        return item.variables
    return list(item.variables) if isinstance(item, Metric) else item._own_variables()


def random_states(model: Model) -> dict[str, Variable]:
    """Name -> state of the random generators inside the model.  Keras does not save them; in files of pynn they make
    training go on with the numbers it would have drawn."""
    from pynn.layers.seed_generator import SeedGenerator

    found: dict[str, Variable] = {}
    seen: set[int] = set()
    for place in places(model, with_optimizer=False):
        for part in place.owner._parts() if isinstance(place.owner, Layer) else ():
            if isinstance(part, SeedGenerator) and id(part) not in seen:
                seen.add(id(part))
                base = f"{place.folder.removesuffix('vars')}seed_generator"
                folder, count = base, 0
                while f"{folder}/vars/0" in found:
                    count += 1
                    folder = f"{base}_{count}"
                found[f"{folder}/vars/0"] = part.state
    return found


#: What has variables of its own to save.
_KINDS = (Layer, Metric, Optimizer)


def _visit(layer: Any, folder: str, found: list[Place], seen: set[int]) -> None:
    """Places of one layer and of those inside it; each layer has one place only."""
    if id(layer) in seen:
        return
    seen.add(id(layer))
    own = {str(i): variable for i, variable in enumerate(_own_variables(layer))}
    found.append(Place(f"{folder}vars", layer, own))
    for attribute, value in _attributes(layer):
        if isinstance(value, _KINDS):
            _visit(value, f"{folder}{attribute}/", found, seen)
        elif isinstance(value, list | tuple | dict):
            _visit_all(value, f"{folder}{attribute}/", found, seen)


def _visit_all(items: Any, folder: str, found: list[Place], seen: set[int]) -> None:
    """Places for layers in a list or dictionary: folders named by class, with a number from the second one on."""
    counts: dict[str, int] = {}

    def numbered(kind: str) -> str:
        count = counts.get(kind, 0)
        counts[kind] = count + 1
        return f"{folder}{kind}_{count}/" if count else f"{folder}{kind}/"

    for item in items.values() if isinstance(items, dict) else items:
        if isinstance(item, _KINDS):
            _visit(item, numbered(snake_case(type(item).__name__)), found, seen)
        elif isinstance(item, list | tuple | dict) and _holds_layers(item):
            _visit_all(item, numbered("container"), found, seen)
        elif isinstance(item, list | tuple | dict):
            numbered("container")


def _holds_layers(items: Any) -> bool:
    values: Iterable[Any] = items.values() if isinstance(items, dict) else items
    return any(isinstance(v, _KINDS) or (isinstance(v, list | tuple | dict) and _holds_layers(v)) for v in values)


def _attributes(layer: Any) -> Iterator[tuple[str, Any]]:
    """Name and value of what may hold layers, in Keras's order, which decides under which name a layer is found first.

    That is the alphabet, private names last.  ``layers`` of a model is one of the names, and the very first where the
    model consists of its layers and not of its attributes.
    """
    from pynn.models.sequential import Sequential

    names = {*vars(layer), *_properties(layer.__class__)} - _UNSEEN
    of_layers = getattr(layer, "_graph", None) is not None or isinstance(layer, Sequential)
    if isinstance(layer, Optimizer | Metric):
        names -= {"variables", "_variables", "_slots", "_slots_of"}
    if hasattr(layer, "layers"):
        names.add("layers")
    for name in sorted(names, key=lambda name: (not (of_layers and name == "layers"), name.startswith("_"), name)):
        yield name, getattr(layer, name, None)


#: Not parts of a model, whatever their value: what it is trained with, and how it was made.
_UNSEEN = {
    "loss", "history", "metrics", "_loss_tracker", "_compile_metrics", "_compile_loss", "_compile_config",
    "_output_losses", "_calls", "_weights", "_given", "_added_losses",
}  # fmt: skip


@cache
def _properties(cls: type) -> frozenset[str]:
    """Properties that a class adds to pynn's base classes: Keras names layers by them, too."""
    from pynn.models.sequential import Sequential

    base = set(dir(Sequential))
    return frozenset(n for n in dir(cls) if n not in base and isinstance(getattr(cls, n, None), property))


def _own_method(owner: Any, name: str) -> Any:
    """A method for files that the class of ``owner`` brings; None where it is the layers' own."""
    method = getattr(type(owner), name, None)
    return None if method is getattr(Layer, name) else getattr(owner, name, None)


# ---- what is written -------------------------------------------------------------------------------------------


def state_of(model: Model, with_optimizer: bool = True, with_random: bool = False) -> dict[str, np.ndarray]:
    """Name in the file -> numbers."""
    state: dict[str, np.ndarray] = {}
    for place in places(model, with_optimizer):
        save = _own_method(place.owner, "save_own_variables")
        if save is not None:
            store: dict[str, Any] = {}
            save(store)
            state.update((f"{place.folder}/{key}", np.asarray(value)) for key, value in store.items())
        else:
            state.update((f"{place.folder}/{key}", v.array) for key, v in place.variables.items())
    if with_random:
        state.update((name, variable.array) for name, variable in random_states(model).items())
    return state


def folders_of(model: Model, with_optimizer: bool = True) -> dict[str, str]:
    """All folders, those without arrays, too, and the names of what they belong to."""
    return {place.folder: place.name for place in places(model, with_optimizer)}


# ---- what is read ----------------------------------------------------------------------------------------------


def load_state(
    model: Model,
    source: Source,
    skip_mismatch: bool = False,
    with_optimizer: bool = True,
    with_random: bool = False,
) -> None:
    """Put the source's arrays into the model's variables: all of them, or, after an error, none.

    Every shape is compared before anything is read.  Where the optimizer's arrays do not fit, as when the model was
    never trained, they are left out with a warning, as Keras does.
    """
    found: list[tuple[Variable, str]] = []
    later: list[Callable[[], Any]] = []
    skipped: list[str] = []
    for place in places(model, with_optimizer):
        load = _own_method(place.owner, "load_own_variables")
        if load is not None:
            later.append(partial(load, _Folder(source, place)))
            continue
        if not isinstance(place.owner, Layer) and not _is_there(source, place):
            continue
        try:
            found += _check(source, place)
        except ShapeError as error:
            if not skip_mismatch:
                raise
            skipped.append(f"'{place.name}' ({error})")
    if with_random:
        for name, variable in random_states(model).items():
            if name.rsplit("/", 1)[1] in source.names(name.rsplit("/", 1)[0]):
                found.append(_fitting(source, name, variable))
    arrays = [(variable, source.read(name)) for variable, name in found]
    with _restored_on_error(model if later else None, with_optimizer):
        for run in later:
            run()
        for variable, array in arrays:
            variable.assign(array)
    if skipped:
        warnings.warn(f"load_weights left out layers that do not fit: {'; '.join(skipped)}", stacklevel=users_line())


@contextmanager
def _restored_on_error(model: Any, with_optimizer: bool) -> Iterator[None]:
    """Variables have their old numbers again if a ``load_own_variables`` of the user's raises; None: there is none.

    What such a method does beside variables is its own affair.
    """
    before: dict[int, tuple[Variable, np.ndarray]] = {}
    for place in places(model, with_optimizer) if model is not None else ():
        for variable in (*place.variables.values(), *getattr(place.owner, "variables", ())):
            before.setdefault(id(variable), (variable, variable.array.copy()))
    try:
        yield
    except BaseException:
        for variable, array in before.values():
            variable.assign(array)
        raise


def _check(source: Source, place: Place) -> list[tuple[Variable, str]]:
    """The names of a place's variables in the source, each of the right shape."""
    pairs = [_fitting(source, f"{place.folder}/{key}", variable) for key, variable in place.variables.items()]
    there = len(source.names(place.folder)) if pairs else 0
    if there != len(pairs):
        raise ShapeError(
            f"{source.where} holds {there} arrays for '{place.name}' ({place.folder}), the model has {len(pairs)}; "
            "the file belongs to another model"
        )
    return pairs


def _fitting(source: Source, name: str, variable: Variable) -> tuple[Variable, str]:
    folder, key = name.rsplit("/", 1)
    if key not in source.names(folder):
        there = source.names("")
        shown = ", ".join(sorted(there)[:8]) + (" ..." if len(there) > 8 else "")
        raise ShapeError(
            f"{source.where} has nothing for '{variable.path}' (looked for {name}); it holds: {shown or 'nothing'}"
        )
    check_spec(source, name, variable)
    return variable, name


def check_spec(source: Source, name: str, variable: Variable) -> None:
    """Shape and kind of the array ``name`` are those of the variable."""
    shape, dtype = source.spec(name)
    if dtype.kind not in "fiub":
        raise WeightsFileError(f"{source.where} holds {dtype} for '{variable.path}' ({name}), expected numbers")
    if shape != variable.shape:
        raise ShapeError(
            f"{source.where} holds shape {shape} for '{variable.path}' ({name}), the model expects {variable.shape}; "
            "the file belongs to another model"
        )


def _is_there(source: Source, place: Place) -> bool:
    """Whether to read the state of an optimizer or a metric: files of weights have none, and those of a model that was
    not trained have less."""
    there = source.names(place.folder)
    if there and len(there) != len(place.variables):
        warnings.warn(
            f"{source.where}: the state of '{place.name}' was left out: the file holds {len(there)} arrays, it has "
            f"{len(place.variables)}",
            stacklevel=users_line(),
        )
        return False
    return bool(there)


class _Folder(Mapping[str, np.ndarray]):
    """What ``load_own_variables`` of a class is given: the arrays of its folder."""

    def __init__(self, source: Source, place: Place):
        self._source, self._folder = source, place.folder

    def __getitem__(self, key: str) -> np.ndarray:
        if key not in self._source.names(self._folder):
            raise MissingArrayError(f"{self._source.where} has no '{self._folder}/{key}'; it belongs to another model")
        return self._source.read(f"{self._folder}/{key}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._source.names(self._folder))

    def __len__(self) -> int:
        return len(self._source.names(self._folder))
