"""The base of all layers: names, weights, building, calling, config."""

from __future__ import annotations

import inspect
import math
import threading
import warnings
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from pynn import constraints, dtype_policies, initializers, regularizers
from pynn.errors import ArgumentError, NotInitializedError, ShapeError
from pynn.graph import symbolic, trace
from pynn.graph.ir import Value
from pynn.graph.name_scope import layer_scope, scoped
from pynn.graph.operation import Operation
from pynn.graph.refusals import blaming_the_constructor
from pynn.graph.symbolic import Call
from pynn.graph.tensor import Tensor
from pynn.graph.variable import Variable
from pynn.layers.call_signature import build_arguments, call_signature
from pynn.layers.constructor import automatic_config, constructor_arguments, takes_argument
from pynn.layers.input_spec import InputSpec
from pynn.layers.layer_state import LayerState, _may_train, freezes
from pynn.layers.masks import find_masks, has_mask, mask_of, set_masks
from pynn.utils.arrays import to_array
from pynn.utils.callers import users_line
from pynn.utils.memory import require_numbers
from pynn.utils.memory_budget import spend
from pynn.utils.naming import auto_name, snake_case
from pynn.utils.structure import flatten, map_structure

Shape = Sequence[int | None]


class _CallContext(threading.local):
    """The calls in progress: layers called inside another layer's ``call`` inherit its ``training``."""

    def __init__(self) -> None:
        self.training: Any = None
        #: How many calls are inside each other, and in which trace the outermost is.
        self.depth = 0


_context = _CallContext()


class Layer(LayerState, Operation):
    """Base of layers.  A subclass defines ``build(input_shape)``, if it has weights, and ``call(x)``.

    ``call`` is written in ``pynn.ops`` and nothing else; it may take arguments ``training`` and ``mask``.  Layers,
    variables and metrics that are stored as attributes (also inside lists and dictionaries) are found by themselves.

    Args:
        activity_regularizer: a penalty on the outputs (a name, a regularizer, a function), divided by the number of
            samples.
        name: ``dense``, ``dense_1`` ... if not given.
        trainable: whether training changes the weights.
        dtype: ``"float32"``, or a policy; with ``"mixed_float16"`` and ``"mixed_bfloat16"`` pynn computes in float32.
        autocast: accepted; there is nothing to cast, as everything is float32.

    Raises:
        ArgumentError: an argument that is unknown or of the wrong kind.
        NotInitializedError: a subclass forgot ``super().__init__()``.

    Example:
        >>> class Scale(Layer):
        ...     def build(self, input_shape):
        ...         self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="scale")
        ...     def call(self, x):
        ...         return x * self.scale
        >>> Scale()(np.ones((2, 3))).shape
        (2, 3)
    """

    _kind = "layer"
    #: Layers without weights have nothing to build.
    _stateless = False
    #: Whether the layer hands masks on; a class that defines ``compute_mask`` does.
    supports_masking = False
    supports_jit = True
    _path: str | None = None

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        if "compute_mask" in vars(cls) and "supports_masking" not in vars(cls):
            cls.supports_masking = True
        if "build" in vars(cls):
            cls.build = _noting_shapes(cls.build)  # type: ignore[method-assign]

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **legacy: Any,
    ):
        class_name = type(self).__name__
        if name is not None and not isinstance(name, str):
            raise ArgumentError(f"{class_name}: name must be a string, received {name!r}")
        if name is not None and "/" in name:
            raise ArgumentError(
                f"{class_name}: name must not contain '/', which separates the parts of a weight's path"
            )
        self.name = name or auto_name(snake_case(class_name))
        if not isinstance(trainable, bool | np.bool_):
            raise ArgumentError(f"layer '{self.name}': trainable must be True or False, received {trainable!r}")
        self._policy = dtype_policies.for_layer(self.name, dtype)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.autocast = bool(autocast)
        self.built = self._stateless
        self.input_spec: Any = None
        #: Shape of the last output, batch axis None (several outputs: a structure of shapes): what summary() prints.
        self.output_shape: Any = None
        self._weights: list[Variable] = []
        #: Its uses on symbolic tensors.
        self._calls: list[Call] = []
        #: What add_loss() was given in the last call on arrays.
        self._added_losses: list[Any] = []
        self._trainable = bool(trainable)
        self._build_shapes: dict[str, Any] | None = None
        self._legacy_input_shape = self._read_legacy(legacy)

    def __getattr__(self, name: str) -> Any:
        if name in _SET_BY_INIT and "_calls" not in vars(self):
            raise NotInitializedError(
                f"layer of class '{type(self).__name__}': you forgot to call super().__init__() in __init__(); "
                "make it the first statement there"
            )
        raise AttributeError(f"'{type(self).__name__}' object has no attribute {name!r}")

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
        if legacy:
            unknown = ", ".join(f"{k}={v!r}" for k, v in legacy.items())
            raise ArgumentError(
                f"{type(self).__name__}: unknown argument {unknown}; "
                f"it takes {', '.join(constructor_arguments(type(self)))}"
            )
        if shape is not None:
            warnings.warn(
                f"{type(self).__name__}({argument}=...) is the way of older Keras versions; "
                f"write Input({tuple(shape[1:])}) as the model's first item instead",
                DeprecationWarning,
                stacklevel=users_line(),
            )
        return shape

    # Numbers

    @property
    def dtype_policy(self) -> Any:
        """The policy given as ``dtype``."""
        return self._policy

    @dtype_policy.setter
    def dtype_policy(self, value: Any) -> None:
        self._policy = dtype_policies.for_layer(self.name, value)

    @property
    def dtype(self) -> str:
        """The weights' dtype."""
        return self.variable_dtype

    @property
    def variable_dtype(self) -> str:
        """The weights' dtype."""
        return self._policy.variable_dtype

    @property
    def compute_dtype(self) -> str:
        """What the layer really computes in: the weights' dtype, for mixed policies, too."""
        return self._policy.variable_dtype

    @property
    def input_dtype(self) -> str:
        """The same as :attr:`compute_dtype`."""
        return self.compute_dtype

    @property
    def path(self) -> str:
        """How its weights' paths begin: its name below those of the layers that built it, ``sequential/dense``."""
        return self._path or self.name

    #: Nothing is quantized.
    quantization_mode = None

    def quantize(self, mode: Any = None, **kwargs: Any) -> None:
        """Not supported: everything is float32."""
        raise ArgumentError(
            f"layer '{self.name}': quantize(mode={mode!r}) is not supported: pynn computes in float32; leave it out"
        )

    # Building

    def build(self, input_shape: Shape) -> None:
        """Make the weights for inputs of this shape (batch axis None)."""
        self.built = True

    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
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
            dtype: the layer's by default.
            trainable: whether training may change it.
            regularizer: a penalty on it that is added to the loss.
            constraint: what it must satisfy after each step of training.
            name: the last part of its path, ``dense/kernel``; ``variable``, ``variable_1`` ... if not given.
            autocast, aggregation, overwrite_with_gradient: accepted; they concern half precision and several machines.

        Raises:
            ShapeError: a length of ``shape`` is not known, or the initializer gives another shape.
        """
        where = f"layer '{self.name}'"
        if isinstance(shape, str):  # Keras 2: add_weight(name, shape, dtype, initializer)
            warnings.warn(
                f"{where}: add_weight(name, shape) is the way of older Keras versions; "
                f"write add_weight(shape=..., name={shape!r}) instead",
                DeprecationWarning,
                stacklevel=users_line(),
            )
            name, shape, initializer, dtype = shape, initializer, None, dtype
        if shape is not None and not isinstance(shape, list | tuple):
            raise ShapeError(f"{where}: the shape of the weight '{name}' must be a tuple, received {shape!r}")
        dims: tuple[Any, ...] = () if shape is None else tuple(shape)
        if any(not isinstance(d, int | np.integer) or d < 0 for d in dims):
            raise ShapeError(
                f"{where}: cannot make the weight '{name}' of shape {dims}: every length must be known; "
                "give the model an Input with a full shape"
            )
        dtype = dtype_policies.number_name(dtype) if dtype else self.variable_dtype
        spend(math.prod(dims) * np.dtype(dtype).itemsize, f"{where}: the weight '{name}' of shape {dims}")
        require_numbers(f"{where}: the weight '{name}'", dims, dtype)
        if initializer is None:
            initializer = "glorot_uniform" if dtype.startswith("float") else "zeros"
        value = np.asarray(initializers.get(initializer)(dims, dtype))
        if value.shape != dims:
            raise ShapeError(f"{where}: the initializer of '{name}' gave shape {value.shape}, expected {dims}")
        variable = Variable(value, trainable=trainable, name=name or auto_name("variable"), dtype=dtype)
        variable.path = scoped(variable.name, self)
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraints.get(constraint)
        variable.trainable = _may_train(variable) and self._trainable
        self._weights.append(variable)
        return variable

    def add_variable(self, shape: Any, initializer: Any = None, **kwargs: Any) -> Variable:
        """The older name of :meth:`add_weight`."""
        return self.add_weight(shape, initializer, **kwargs)

    def build_from_shape(self, shape: Any, others: dict[str, Any] | None = None) -> None:
        """Build if needed, and check that inputs of this shape (or structure of shapes) fit.

        ``others`` are the shapes of further tensors, for a ``build`` that takes ``query_shape``, ``value_shape`` ...
        """
        if shape is None:
            raise ArgumentError(f"layer '{self.name}': expected an input, received None")
        single = symbolic.is_shape(shape)
        if not isinstance(shape, dict):
            self._check_input(shape)
        if not self.built:
            shape = symbolic.map_shapes(_any_batch, shape)
            names = build_arguments(type(self).build)
            # What build computes are initial numbers, not steps of a program.
            with trace.suspended(), layer_scope(self):
                if len(names) < 2 or not all(name.endswith("_shape") for name in names):
                    self.build(*([shape] if names else []))
                else:
                    given = {name: symbolic.map_shapes(_any_batch, s) for name, s in (others or {}).items()}
                    rest = {n: given[n.removesuffix("_shape")] for n in names[1:] if n.removesuffix("_shape") in given}
                    self.build(shape, **rest)
            self.built = True
            if single:
                self._check_input(shape)  # build() may have made the demands stricter

    def _check_input(self, shape: Any) -> None:
        specs = self.input_spec
        if specs is None:
            return
        if isinstance(specs, InputSpec):
            if symbolic.is_shape(shape):
                specs.check(self.name, shape)
            return
        shapes = [shape] if symbolic.is_shape(shape) else list(shape)
        if len(shapes) != len(specs):
            raise ShapeError(f"layer '{self.name}': expected {len(specs)} inputs, received {len(shapes)}")
        for spec, one in zip(specs, shapes, strict=True):
            spec.check(self.name, one)

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes that ``build`` was given, for :meth:`build_from_config`."""
        shapes = self._build_shapes
        if shapes is None:
            return None
        return {"input_shape": next(iter(shapes.values()))} if len(shapes) == 1 else {"shapes_dict": shapes}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build for the shapes of :meth:`get_build_config`."""
        if not config or self.built:
            return
        if "input_shape" in config:
            self.build(symbolic.map_shapes(tuple, config["input_shape"]))
        elif "shapes_dict" in config:
            self.build(**{name: symbolic.map_shapes(tuple, s) for name, s in config["shapes_dict"].items()})
        self.built = True

    # Calling

    def call(self, x: Any) -> Any:
        """The layer's formula, in ``pynn.ops``."""
        raise NotImplementedError(f"layer '{self.name}': class {type(self).__name__} must define call()")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Apply the layer to a symbolic tensor, a traced value, or an array (compiled on first use for its shape).

        The first argument may be a list, a tuple or a dictionary of tensors, and further arguments may be tensors,
        too, if ``call`` takes them.  ``training`` and ``mask`` are found by themselves where they are not given.
        """
        x = args[0] if args else call_signature(type(self).call).first_by_keyword(self.name, kwargs)
        if x is None:
            raise ArgumentError(f"layer '{self.name}': expected an input, received None")
        args = args[1:]
        try:
            if symbolic.is_symbolic(x, args, kwargs):
                return self._call_on_symbols(x, args, kwargs)
            if trace.is_tracing():
                return self._call_traced(x, args, kwargs)
            training = kwargs.pop("training", None)
            return self._call_on_arrays(x, args, kwargs, training)
        except Exception as error:
            raise blaming_the_constructor(error, self)  # noqa: B904 - it has its cause

    def _call_on_symbols(self, x: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Record the call; tracing it for the shapes of its outputs builds the layer."""
        others = call_signature(type(self).call).by_name(self.name, args, kwargs)[1]
        tensors = {name: given for name, given in others.items() if symbolic.is_symbolic(given)}
        self.build_from_shape(_shapes(x), {name: _shapes(given) for name, given in tensors.items()})
        return symbolic.record(self, (x, *args), kwargs)

    def _call_on_arrays(self, x: Any, args: tuple[Any, ...], kwargs: dict[str, Any], training: Any) -> Any:
        from pynn.executor.eager import run_traced_with

        def array(leaf: Any) -> Any:
            if leaf is None:
                return None
            result = self._as_input(leaf)
            mask = mask_of(leaf) if isinstance(leaf, Tensor) else None
            return result if mask is None else _masked(result, mask)

        # A list of arrays is several inputs, a list of numbers is one.
        several = isinstance(x, dict) or any(isinstance(leaf, np.ndarray | Variable) for leaf in flatten(x))
        x = map_structure(array, x) if several else array(x)
        if self._holds_losses:
            self._clear_losses()
        if training is not None:
            kwargs["training"] = bool(training)
        return run_traced_with(self.__call__, (x, *args), kwargs, freezes=freezes())

    def _as_input(self, leaf: Any) -> np.ndarray:
        """An array of what the user gave: float32 or int32."""
        return to_array(leaf, f"layer '{self.name}'")

    def _call_traced(self, x: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        trace.current().looked_at[id(self)] = self
        signature = call_signature(type(self).call)
        args, kwargs = signature.by_name(self.name, args, kwargs)
        x = map_structure(_as_value, x)
        others = {name: _shapes(given) for name, given in kwargs.items() if any(map(_is_value, flatten(given)))}
        self.build_from_shape(_shapes(x), others)
        training = kwargs.pop("training", None)
        for default in (_context.training, signature.training, False):
            training = default if training is None else training
        if signature.takes_training:
            kwargs["training"] = bool(training)
        find_masks(x, kwargs, signature.names)
        mask = mask_of(x) if kwargs.get("mask") is None else kwargs["mask"]
        if not _context.depth:
            self._clear_losses()
        outer, _context.training = _context.training, bool(training)
        _context.depth += 1
        try:
            with trace.scope(self.name), layer_scope(self):
                y = map_structure(_read_variable, self.call(x, *args, **kwargs))
                self._after_call(x, y, mask)
        finally:
            _context.training = outer
            _context.depth -= 1
        if isinstance(y, Value) and y.shape and self.output_shape is None:
            self.output_shape = (None, *y.shape[1:])
        return y

    def _after_call(self, x: Any, y: Any, mask: Any) -> None:
        """The outputs' penalty and masks."""
        if self.activity_regularizer is not None:
            for output in flatten(y):
                self.add_loss(
                    self.activity_regularizer(output) * (1.0 / max(1, output.shape[0] if output.shape else 1))
                )
        if self.supports_masking:
            if any(m is None for m in flatten(mask_of(y))):
                set_masks(y, self.compute_mask(x, mask))
        elif has_mask(mask):
            warnings.warn(
                f"layer '{self.name}' ({type(self).__name__}) does not support masks, and its input has one: layers "
                "behind it will not see the mask; set supports_masking = True in the layer to hand it on",
                UserWarning,
                stacklevel=users_line(),
            )

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The outputs' masks, for inputs with ``previous_mask``: the same mask, unless a subclass says otherwise."""
        return previous_mask

    def compute_output_shape(self, input_shape: Any, *others: Any, **named: Any) -> Any:
        """Shape of the output for an input of ``input_shape``, whose batch axis may be None.

        For a list of inputs a list of shapes; for several outputs the result is a structure of shapes.

        Args:
            others, named: the shapes of further tensors that ``call`` takes, in their order or by their names, with or
                without ``_shape``.
        """
        _, shapes = call_signature(type(self).call).by_name(
            self.name, others, {name.removesuffix("_shape"): shape for name, shape in named.items()}
        )
        self.build_from_shape(input_shape, shapes)
        return symbolic.output_shape(self, input_shape, **shapes)

    @property
    def output(self) -> Any:
        """What the layer's first call on a symbolic tensor gave: a new model may start or end there.

        Example:
            >>> import pynn
            >>> model = pynn.Sequential([pynn.Input((4,)), pynn.layers.Dense(3, name="hidden"), pynn.layers.Dense(2)])
            >>> pynn.Model(model.inputs, model.get_layer("hidden").output).output_shape
            (None, 3)
        """
        return super().output

    # Config

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as plain Python objects.

        A class that does not define it gets it for free if it was made with such objects only.

        Raises:
            NotImplementedError: the class does not define it, and was given other objects.
        """
        config: dict[str, Any] = {
            "name": self.name,
            "trainable": self._trainable,
            "dtype": dtype_policies.serialize(self._policy),
        }
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        if type(self).get_config is Layer.get_config:
            config.update(automatic_config(self, Layer))
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A layer with the same arguments and new weights.

        ``name``, ``trainable`` and ``dtype`` of the config are set on layers whose constructor does not take them.
        """
        later = {k: config[k] for k in ("name", "trainable", "dtype") if k in config and not takes_argument(cls, k)}
        layer = cls(**{k: v for k, v in config.items() if k not in later})
        for argument, value in later.items():
            setattr(layer, "dtype_policy" if argument == "dtype" else argument, value)
        return layer

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


#: Attributes whose absence means that ``Layer.__init__`` was not called.
_SET_BY_INIT = frozenset(
    (
        "name",
        "built",
        "input_spec",
        "_weights",
        "_calls",
        "_added_losses",
        "_trainable",
        "_policy",
        "activity_regularizer",
    )
)


def _noting_shapes(build: Callable[..., Any]) -> Callable[..., Any]:
    """``build`` that also notes its arguments and that the layer is built."""

    @wraps(build)
    def noting(self: Layer, *args: Any, **kwargs: Any) -> None:
        made = len(self._weights)
        try:
            with layer_scope(self):
                build(self, *args, **kwargs)
        except BaseException:  # an interrupt, or too little memory: it will be built anew
            del self._weights[made:]
            raise
        self.built = True
        shapes = inspect.signature(build).bind(self, *args, **kwargs).arguments
        self._build_shapes = {k: v for k, v in list(shapes.items())[1:] if v is not None}

    return noting


def _any_batch(shape: Shape) -> tuple[int | None, ...]:
    return (None, *shape[1:])


def _shapes(x: Any) -> Any:
    return map_structure(lambda leaf: None if leaf is None else leaf.shape, x)


def _is_value(x: Any) -> bool:
    return isinstance(x, Value)


def _read_variable(leaf: Any) -> Any:
    """A ``call`` may return one of the layer's variables: its state at that moment."""
    return trace.as_value(leaf) if isinstance(leaf, Variable) else leaf


def _as_value(x: Any) -> Any:
    return None if x is None else trace.as_value(x)


def _masked(array: np.ndarray, mask: Any) -> Tensor:
    tensor = array.view(Tensor)
    tensor._keras_mask = mask
    return tensor


def refuse_unsupported(where: str, **arguments: Any) -> None:
    """An error for arguments Keras has and pynn does not (yet); None is always fine."""
    for argument, value in arguments.items():
        if value is not None:
            raise ArgumentError(f"{where}: {argument}={value!r} is not supported yet; leave it out")
