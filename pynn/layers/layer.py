"""The base of all layers: names, weights, building, calling, config."""

from __future__ import annotations

import inspect
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np

from pynn import initializers
from pynn.errors import ArgumentError, DtypeError, NotBuiltError, ShapeError
from pynn.graph import symbolic, trace
from pynn.graph.ir import Value
from pynn.graph.symbolic import Call
from pynn.graph.variable import Variable
from pynn.layers.input_spec import InputSpec
from pynn.layers.seed_generator import SeedGenerator
from pynn.utils.arrays import to_array
from pynn.utils.naming import auto_name, snake_case
from pynn.utils.structure import flatten, map_structure

Shape = Sequence[int | None]


class _CallContext(threading.local):
    """``training`` of the call in progress: layers called inside another layer's ``call`` inherit it."""

    def __init__(self) -> None:
        self.training = False


_context = _CallContext()

#: How often any layer was frozen or unfrozen: programs compiled before may use the wrong mode (BatchNormalization).
_freezes = 0


def freezes() -> int:
    """A number that changes whenever any layer is frozen or unfrozen."""
    return _freezes


class Layer:
    """Base of layers.  A subclass defines ``build(input_shape)``, if it has weights, and ``call(x)``.

    ``call`` is written in ``pynn.ops`` and nothing else; it may take an argument ``training``.  Layers and variables
    that are stored as attributes (also inside lists and dictionaries) are found by themselves.

    Args:
        name: ``dense``, ``dense_1`` ... if not given.
        trainable: whether training changes the weights.
        dtype: ``"float32"``.

    Example:
        >>> class Scale(Layer):
        ...     def build(self, input_shape):
        ...         self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="scale")
        ...     def call(self, x):
        ...         return x * self.scale
        >>> Scale()(np.ones((2, 3))).shape
        (2, 3)
    """

    #: Layers without weights have nothing to build.
    _stateless = False

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        name: str | None = None,
        trainable: bool = True,
        dtype: Any = None,
        **legacy: Any,
    ):
        class_name = type(self).__name__
        if name is not None and not isinstance(name, str):
            raise ArgumentError(f"{class_name}: name must be a string, received {name!r}")
        self.name = name or auto_name(snake_case(class_name))
        refuse_unsupported(f"layer '{self.name}'", activity_regularizer=activity_regularizer)
        self.dtype = _checked_dtype(self.name, dtype)
        self.built = self._stateless
        self.input_spec: InputSpec | None = None
        #: Shape of the last output, batch axis None (several outputs: a structure of shapes): what summary() prints.
        self.output_shape: Any = None
        self._weights: list[Variable] = []
        #: Its uses on symbolic tensors.
        self._calls: list[Call] = []
        self._trainable = bool(trainable)
        self._legacy_input_shape = self._read_legacy(legacy)

    def _read_legacy(self, legacy: dict[str, Any]) -> tuple[int | None, ...] | None:
        """The input shape from an argument of older Keras versions, batch axis first."""
        shape: Any = None
        if "input_dim" in legacy:
            argument, dim = "input_dim", legacy.pop("input_dim")
            shape = (None, dim)
        if "input_shape" in legacy:
            argument, dims = "input_shape", legacy.pop("input_shape")
            shape = (None, *((dims,) if isinstance(dims, int) else dims))
        for argument_name in ("batch_input_shape", "batch_shape"):
            if argument_name in legacy:
                argument = argument_name
                shape = tuple(legacy.pop(argument_name))
        legacy.pop("autocast", None)
        if legacy:
            unknown = ", ".join(f"{k}={v!r}" for k, v in legacy.items())
            raise ArgumentError(
                f"{type(self).__name__}: unknown argument {unknown}; "
                f"it takes {', '.join(_constructor_arguments(type(self)))}"
            )
        if shape is not None:
            warnings.warn(
                f"{type(self).__name__}({argument}=...) is the way of older Keras versions; "
                f"write Input({tuple(shape[1:])}) as the model's first item instead",
                DeprecationWarning,
                stacklevel=4,
            )
        return shape

    # Building

    def build(self, input_shape: Shape) -> None:
        """Make the weights for inputs of this shape (batch axis None)."""
        self.built = True

    def add_weight(
        self,
        shape: Sequence[int] | None = None,
        initializer: Any = None,
        dtype: str | None = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """Make a variable that belongs to this layer.

        Args:
            shape: of the weight; a scalar by default.
            initializer: name, Initializer or function of (shape, dtype); ``"glorot_uniform"`` by default.
            trainable: whether training may change it.
            name: the last part of its path, ``dense/kernel``.
        """
        where = f"layer '{self.name}'"
        refuse_unsupported(f"{where}: weight '{name}'", regularizer=regularizer, constraint=constraint)
        dims: tuple[Any, ...] = () if shape is None else tuple(shape)
        if any(not isinstance(d, int | np.integer) or d < 0 for d in dims):
            raise ShapeError(
                f"{where}: cannot make the weight '{name}' of shape {dims}: every length must be known; "
                "give the model an Input with a full shape"
            )
        dtype = dtype or self.dtype
        if initializer is None:
            initializer = "glorot_uniform" if dtype.startswith("float") else "zeros"
        value = np.asarray(initializers.get(initializer)(dims, dtype))
        if value.shape != dims:
            raise ShapeError(f"{where}: the initializer of '{name}' gave shape {value.shape}, expected {dims}")
        variable = Variable(value, trainable=trainable, name=name or "variable", dtype=dtype)
        variable.path = f"{self.name}/{variable.name}"
        variable.trainable = _may_train(variable) and self._trainable
        self._weights.append(variable)
        return variable

    def build_from_shape(self, shape: Any) -> None:
        """Build if needed, and check that inputs of this shape (or structure of shapes) fit."""
        single = symbolic.is_shape(shape)
        if single:
            self._check_input(shape)
        if not self.built:
            with trace.suspended():  # what build computes are initial numbers, not steps of a program
                self.build(symbolic.map_shapes(_any_batch, shape))
            self.built = True
            if single:
                self._check_input(shape)  # build() may have made the demands stricter

    def _check_input(self, shape: Shape) -> None:
        if self.input_spec is not None:
            self.input_spec.check(self.name, shape)

    # Calling

    def call(self, x: Any) -> Any:
        """The layer's formula, in ``pynn.ops``."""
        raise NotImplementedError(f"layer '{self.name}': class {type(self).__name__} must define call()")

    def __call__(self, x: Any, *args: Any, training: bool | None = None, **kwargs: Any) -> Any:
        """Apply the layer to a symbolic tensor, a traced value, or an array (compiled on first use for its shape).

        ``x`` may be a list, a tuple or a dictionary, and further arguments may be tensors, too, if ``call`` takes them.
        """
        if symbolic.is_symbolic(x, args, kwargs):
            return self._call_on_symbols(x, args, kwargs if training is None else {**kwargs, "training": training})
        if training is None:
            training = _context.training
        if not trace.is_tracing():
            return self._call_on_arrays(x, args, kwargs, bool(training))
        trace.current().looked_at[id(self)] = self
        x = map_structure(trace.as_value, x)
        self.build_from_shape(map_structure(lambda v: v.shape, x))
        if _takes_training(type(self).call):
            kwargs["training"] = bool(training)
        outer, _context.training = _context.training, bool(training)
        try:
            with trace.scope(self.name):
                y = self.call(x, *args, **kwargs)
        finally:
            _context.training = outer
        if isinstance(y, Value) and y.shape and self.output_shape is None:
            self.output_shape = (None, *y.shape[1:])
        return y

    def _call_on_symbols(self, x: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Build for these shapes, and record the call."""
        self.build_from_shape(map_structure(lambda t: t.shape, x))
        return symbolic.record(self, (x, *args), kwargs)

    def _call_on_arrays(self, x: Any, args: tuple[Any, ...], kwargs: dict[str, Any], training: bool) -> Any:
        from pynn.executor.eager import run_traced_with

        def array(leaf: Any) -> np.ndarray:
            return to_array(leaf, f"layer '{self.name}'")

        # A list of arrays is several inputs, a list of numbers is one.
        several = isinstance(x, dict) or any(isinstance(leaf, np.ndarray | Variable) for leaf in flatten(x))
        x = map_structure(array, x) if several else array(x)
        return run_traced_with(self.__call__, (x, *args), {**kwargs, "training": training}, freezes=_freezes)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Shape of the output for an input of ``input_shape``, whose batch axis may be None.

        For several inputs a list of shapes; for several outputs the result is a structure of shapes.
        """
        self.build_from_shape(input_shape)
        return symbolic.output_shape(self, input_shape)

    @property
    def input(self) -> Any:
        """The symbolic tensor that the layer was first called on, or a list of them."""
        inputs = self._first_call("input").inputs
        return inputs[0] if len(inputs) == 1 else inputs

    @property
    def output(self) -> Any:
        """What the layer's first call on a symbolic tensor gave: a new model may start or end there.

        Example:
            >>> import pynn
            >>> model = pynn.Sequential([pynn.Input((4,)), pynn.layers.Dense(3, name="hidden"), pynn.layers.Dense(2)])
            >>> pynn.Model(model.inputs, model.get_layer("hidden").output).output_shape
            (None, 3)
        """
        return self._first_call("output").outputs

    def _first_call(self, what: str) -> Call:
        if not self._calls:
            raise NotBuiltError(
                f"layer '{self.name}' has no {what}: it was never called on a symbolic tensor; "
                "call it on Input(...) or on another layer's output, or put it into a model that starts with Input"
            )
        return self._calls[0]

    # Weights

    def _parts(self) -> Iterator[Any]:
        """Variables, layers and seed generators among the attributes, at any depth of lists and dictionaries."""
        yield from self._weights
        stack = list(reversed([v for v in vars(self).values() if v is not self._weights]))
        while stack:
            item = stack.pop()
            if isinstance(item, Variable | Layer | SeedGenerator):
                yield item
            elif isinstance(item, list | tuple):
                stack.extend(reversed(item))
            elif isinstance(item, dict):
                stack.extend(reversed(list(item.values())))

    def _sublayers(self) -> list[Layer]:
        """The layers directly inside this one, each once."""
        return list({id(p): p for p in self._parts() if isinstance(p, Layer) and p is not self}.values())

    def _flatten_layers(self) -> list[Layer]:
        """This layer and all layers inside it, each once, outer before inner."""
        found: dict[int, Layer] = {}
        stack: list[Layer] = [self]
        while stack:
            layer = stack.pop()
            if id(layer) not in found:
                found[id(layer)] = layer
                stack.extend(reversed(layer._sublayers()))
        return list(found.values())

    def _own_variables(self) -> list[Variable]:
        """Trainable ones first, as in Keras."""
        own = list({id(p): p for p in self._parts() if isinstance(p, Variable)}.values())
        return sorted(own, key=lambda v: not _may_train(v))

    @property
    def weights(self) -> list[Variable]:
        """All weights of the layer and of the layers inside it."""
        found = {id(v): v for layer in self._flatten_layers() for v in layer._own_variables()}
        return list(found.values())

    @property
    def variables(self) -> list[Variable]:
        """The weights and the random states."""
        found: dict[int, Variable] = {}
        for layer in self._flatten_layers():
            seeds = [p.state for p in layer._parts() if isinstance(p, SeedGenerator)]
            found.update((id(v), v) for v in (*layer._own_variables(), *seeds))
        return list(found.values())

    @property
    def trainable_weights(self) -> list[Variable]:
        """What an optimizer changes."""
        return [v for v in self.weights if v.trainable] if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """What it does not change: frozen weights, moving averages."""
        return [v for v in self.weights if not v.trainable] if self.trainable else self.weights

    @property
    def trainable_variables(self) -> list[Variable]:
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """``non_trainable_weights`` and the random states."""
        trained = {id(v) for v in self.trainable_weights}
        return [v for v in self.variables if id(v) not in trained]

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; setting it also sets the layers inside."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        global _freezes
        _freezes += 1
        Variable.freezes += 1
        for layer in self._flatten_layers():
            layer._trainable = bool(value)
            for v in layer._own_variables():
                v.trainable = bool(value) and _may_train(v)

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all weights, in the order of ``weights``."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Overwrite all weights; nothing is changed if one does not fit."""
        own = self.weights
        if not isinstance(weights, list | tuple):
            raise ArgumentError(
                f"layer '{self.name}': set_weights() takes a list of arrays, received {type(weights).__name__}"
            )
        arrays = [np.asarray(w) for w in weights]
        if len(arrays) != len(own):
            expected = ", ".join(f"{v.path} {v.shape}" for v in own) or "none: call build() or the layer first"
            raise ShapeError(
                f"layer '{self.name}': set_weights() received {len(arrays)} arrays, expected {len(own)} ({expected})"
            )
        for v, a in zip(own, arrays, strict=True):
            if a.shape != v.shape:
                raise ShapeError(
                    f"layer '{self.name}': set_weights() received shape {a.shape} for '{v.path}', expected {v.shape}"
                )
            if a.dtype.kind not in "fiub":
                raise DtypeError(
                    f"layer '{self.name}': set_weights() received dtype {a.dtype} for '{v.path}', expected numbers"
                )
        for v, a in zip(own, arrays, strict=True):
            v.assign(a)

    def count_params(self) -> int:
        """Number of weights.

        Raises:
            NotBuiltError: the layer has no weights yet.
        """
        if not self.built:
            raise NotBuiltError(
                f"layer '{self.name}' is not built, so its weights cannot be counted: "
                f"call it on data or call {self.name}.build(input_shape) first"
            )
        return sum(v.size for v in self.weights)

    # Config

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as plain Python objects."""
        # Keras's way to write "float32", so that config files can be exchanged.
        dtype = {
            "module": "keras",
            "class_name": "DTypePolicy",
            "config": {"name": self.dtype},
            "registered_name": None,
        }
        return {"name": self.name, "trainable": self.trainable, "dtype": dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A layer with the same arguments and new weights."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _any_batch(shape: Shape) -> tuple[int | None, ...]:
    return (None, *shape[1:])


def _may_train(variable: Variable) -> bool:
    """Whether a variable trains as long as its layer does; ``variable.trainable`` says whether it does now.

    Noted on the variable before its layer is frozen for the first time, so that unfreezing can bring it back.
    """
    if not hasattr(variable, "_trains_with_its_layer"):
        variable._trains_with_its_layer = variable.trainable  # type: ignore[attr-defined]
    return variable._trains_with_its_layer  # type: ignore[attr-defined]


@cache
def _takes_training(call: Callable[..., Any]) -> bool:
    return "training" in inspect.signature(call).parameters


def _constructor_arguments(cls: type[Layer]) -> list[str]:
    """Names that the constructor takes, the class's own first."""
    names: list[str] = []
    for c in cls.__mro__:
        if issubclass(c, Layer) and "__init__" in vars(c):
            for p in list(inspect.signature(c.__init__).parameters.values())[1:]:
                if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and p.name not in names:
                    names.append(p.name)
    return names


def _checked_dtype(name: str, dtype: Any) -> str:
    if isinstance(dtype, dict):  # Keras writes dtype policies into configs
        dtype = dtype.get("config", {}).get("name")
    if dtype is None or str(dtype) == "float32":
        return "float32"
    raise DtypeError(f"layer '{name}': dtype must be 'float32', received {dtype!r}")


def refuse_unsupported(where: str, **arguments: Any) -> None:
    """An error for arguments Keras has and pynn does not (yet); None is always fine."""
    for argument, value in arguments.items():
        if value is not None:
            raise ArgumentError(f"{where}: {argument}={value!r} is not supported yet; leave it out")
