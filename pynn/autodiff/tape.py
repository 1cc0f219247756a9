"""Gradients of what was computed inside a ``with`` block."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from pynn.errors import ArgumentError, DtypeError, ShapeError, TapeError
from pynn.executor.eager_trace import EagerTrace
from pynn.graph import trace
from pynn.graph.autodiff import backward
from pynn.graph.ir import Node, Value
from pynn.graph.symbolic import KerasTensor
from pynn.graph.tensor import Tensor
from pynn.graph.trace import Trace
from pynn.graph.variable import Variable
from pynn.utils.structure import flatten, map_structure, pack


class GradientTape:
    """Records what is computed inside its ``with`` block, and gives gradients of it: ``tf.GradientTape``.

    Inside the block ops, layers, losses and metrics run one by one, so results have numbers at once: they can be
    printed, compared and used in Python's ``if``.  Inside a function that is compiled anyway (``pynn.jit``,
    ``train_step``) a tape costs nothing and values have no numbers, as everywhere in such a function.

    Trainable variables are watched by themselves, tensors when :meth:`watch` says so; Python's operators on a watched
    tensor are recorded, NumPy's functions are not.  Tapes nest, for derivatives of derivatives.  A tape keeps what it
    recorded until the first :meth:`gradient` (a persistent one as long as it lives).

    Args:
        persistent: whether gradients can be asked for more than once.
        watch_accessed_variables: whether trainable variables are watched when they are read.

    Example:
        >>> import pynn
        >>> x = pynn.Variable(3.0)
        >>> with pynn.GradientTape() as tape:
        ...     y = x**2
        >>> tape.gradient(y, x).numpy()
        array(6., dtype=float32)
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True):
        self._persistent, self._watch_variables = bool(persistent), bool(watch_accessed_variables)
        self._trace: Trace | None = None
        self._own_trace: EagerTrace | None = None
        self._used = False
        self._forget()

    def _forget(self) -> None:
        #: What was recorded, in order, and the ids of all values that depend on watched ones.
        self._nodes: list[Node] = []
        self._tracked: set[int] = set()
        #: Watched values are kept, so that their ids stay theirs.
        self._watched: list[Value] = []
        #: Watched variables with the values that were read from them, and arrays with theirs, by id.
        self._variables: dict[int, tuple[Variable, list[Value]]] = {}
        self._arrays: dict[int, tuple[Any, Value]] = {}

    # Recording

    def __enter__(self) -> GradientTape:
        if self._trace is not None and self in self._trace.tapes:
            raise TapeError("GradientTape: this tape is recording already; make a second one for a block inside")
        if not trace.is_tracing():
            self._own_trace = EagerTrace()
            self._own_trace.__enter__()
        before, self._trace = self._trace, trace.current()
        if self._used or not (isinstance(before, EagerTrace) and isinstance(self._trace, EagerTrace)):
            self.reset()
        self._used = False
        self._trace.watched.update(self._arrays)  # a second block of the same tape
        self._trace.tapes.append(self)
        return self

    def __exit__(self, *exc: object) -> None:
        assert self._trace is not None
        if self in self._trace.tapes:
            self._trace.tapes.remove(self)
        if self._own_trace is not None:
            own, self._own_trace = self._own_trace, None
            own.__exit__(*exc)

    def record(self, node: Node) -> None:
        """A node was recorded: remember it if it depends on something watched."""
        if any(id(v) in self._tracked for v in node.inputs):
            assert self._trace is not None
            self._trace.hold(node)
            self._nodes.append(node)
            self._tracked.update(map(id, node.outputs))

    def saw(self, variable: Variable, value: Value) -> None:
        """``value`` was read from ``variable``."""
        if id(variable) not in self._variables:
            if not (self._watch_variables and variable.trainable):
                return
            self._variables[id(variable)] = (variable, [])
        _, values = self._variables[id(variable)]
        if all(v is not value for v in values):
            values.append(value)
            self._watched.append(value)
            self._tracked.add(id(value))

    def watch(self, tensor: Any) -> None:
        """Record what is computed from ``tensor``, a tensor or a variable, or several in lists and dictionaries.

        Raises:
            DtypeError: something that operators cannot be recorded on.
            TapeError: the tape is not recording.
        """
        recording = self._recording("watch")
        for item in flatten(tensor):
            if isinstance(item, Variable):
                self._variables.setdefault(id(item), (item, []))
                recording.read(item)
            elif isinstance(item, Value):
                self._watched.append(item)
                self._tracked.add(id(item))
            elif isinstance(item, Tensor):
                if item.dtype.kind != "f":
                    raise DtypeError(f"watch: only floating-point tensors have gradients, received {item.dtype}")
                value = recording.watch(item)
                self._arrays[id(item)] = (item, value)
                self._watched.append(value)
                self._tracked.add(id(value))
            else:
                raise DtypeError(
                    f"GradientTape.watch: expected a tensor or a Variable, received {type(item).__name__}, whose "
                    "arithmetic cannot be recorded; write x = ops.convert_to_tensor(x) before, or make it a Variable"
                )

    def _recording(self, what: str) -> Trace:
        if self._trace is None or self not in self._trace.tapes:
            raise TapeError(f"GradientTape.{what}: the tape is not recording; call it inside 'with ... as tape:'")
        return self._trace

    @contextmanager
    def stop_recording(self) -> Iterator[None]:
        """What is computed inside this block (in the tape's own) is not recorded.

        Example:
            >>> import pynn
            >>> x = pynn.Variable(3.0)
            >>> with pynn.GradientTape() as tape:
            ...     y = x * x
            ...     with tape.stop_recording():
            ...         print(f"{x * 100:.0f}")
            300
            >>> float(tape.gradient(y, x))
            6.0
        """
        recording = self._recording("stop_recording")
        recording.tapes.remove(self)
        try:
            yield
        finally:
            recording.tapes.append(self)

    def reset(self) -> None:
        """Forget everything recorded so far."""
        if self._trace is not None:
            for node in self._nodes:
                self._trace.release(node)
        self._forget()

    def __del__(self) -> None:
        if hasattr(self, "_nodes"):  # __init__ may have failed
            self.reset()

    def watched_variables(self) -> tuple[Variable, ...]:
        """The variables watched so far, in the order they were read."""
        return tuple(variable for variable, _ in self._variables.values())

    # Gradients

    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: Any = "none",
    ) -> Any:
        """Gradients of ``target`` with respect to each of ``sources``, in the structure of ``sources``.

        Args:
            target: what was computed inside the block; several, or one with axes, count as their sum.
            sources: variables, watched tensors and values in between; one, or lists, tuples and dictionaries.
            output_gradients: what arrives at each target, in its structure and shapes; ones by default.
            unconnected_gradients: ``"none"`` gives None for a source that the target does not depend on, ``"zero"``
                zeros.

        Returns:
            Tensors; inside another tape or a compiled function values that are recorded in turn.

        Raises:
            TapeError: a second call, and the tape is not persistent.
        """
        zero = _wants_zeros(unconnected_gradients)
        with self._using("gradient") as finish:
            targets = [t for t in flatten(target) if t is not None]
            given = [None] * len(targets) if output_gradients is None else flatten(output_gradients)
            if len(given) != len(targets):
                raise ShapeError(
                    f"GradientTape.gradient: received {len(given)} output_gradients for {len(targets)} targets"
                )
            values = [(self._target(t), g) for t, g in zip(targets, given, strict=True)]
            pairs = [(y, _arriving(y, g)) for y, g in values if y is not None]
            found = self._backward(pairs, flatten(sources))
            return finish(pack(sources, _or_zeros(found, flatten(sources)) if zero else found))

    def jacobian(
        self,
        target: Any,
        sources: Any,
        unconnected_gradients: Any = "none",
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """The derivative of each element of ``target``: shape of the target, then the source's, for each source.

        It takes one gradient per element; ``parallel_iterations`` and ``experimental_use_pfor`` change nothing here.

        Example:
            >>> import pynn
            >>> x = pynn.Variable([1.0, 2.0])
            >>> with pynn.GradientTape() as tape:
            ...     y = x * x
            >>> tape.jacobian(y, x)
            array([[2., 0.],
                   [0., 4.]], dtype=float32)
        """
        zero = _wants_zeros(unconnected_gradients)
        with self._using("jacobian") as finish:
            y, wanted = self._target(target), flatten(sources)
            units = [] if y is None else [(y, _pattern(y, (y.size,), i)) for i in range(y.size)]
            rows = [self._backward([unit], wanted) for unit in units]
            results: list[Any] = []
            for i, source in enumerate(wanted):
                if rows and rows[0][i] is not None:  # all rows are connected, or none is
                    results.append(_stack([row[i] for row in rows], (*target.shape, *source.shape)))
                else:
                    results.append(trace.as_value(np.zeros((*target.shape, *source.shape))) if zero else None)
            return finish(pack(sources, results))

    def batch_jacobian(
        self,
        target: Any,
        source: Any,
        unconnected_gradients: Any = "none",
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """The jacobian of each sample, where row i of ``target`` depends on row i of ``source`` only.

        Shape: batch, the target's other axes, the source's other axes.  ``parallel_iterations`` and
        ``experimental_use_pfor`` change nothing here.
        """
        zero = _wants_zeros(unconnected_gradients)
        if not target.shape or not source.shape or target.shape[0] != source.shape[0]:
            raise ShapeError(
                f"GradientTape.batch_jacobian: target and source must have the same first axis, "
                f"received shapes {tuple(target.shape)} and {tuple(source.shape)}"
            )
        rows, shape = target.shape[0], (*target.shape, *source.shape[1:])
        with self._using("batch_jacobian") as finish:
            y = self._target(target)
            columns: list[Any] = []
            if y is not None:
                wide = (rows, y.size // rows)
                for i in range(wide[1]):
                    columns += self._backward([(y, _pattern(y, wide, i))], [source])
            if not columns or columns[0] is None:
                return finish(trace.as_value(np.zeros(shape)) if zero else None)
            return finish(_stack(columns, shape, axis=1))

    @contextmanager
    def _using(self, what: str) -> Iterator[Callable[[Any], Any]]:
        """Checks that the tape may be asked, and has ops computed meanwhile; gives what makes tensors of results."""
        if self._trace is None:
            raise TapeError(f"GradientTape.{what}: nothing was recorded; compute inside 'with ... as tape:'")
        if self._used:
            raise TapeError(
                f"GradientTape.{what}: this tape was used already and has forgotten what it recorded; "
                "ask for all gradients at once (sources may be a list), or make it GradientTape(persistent=True)"
            )
        recording = self in self._trace.tapes
        if recording and not self._persistent:
            self._trace.tapes.remove(self)
        own = None if trace.is_tracing() else EagerTrace()
        try:
            if own is None:
                yield lambda results: results
            else:
                with own:
                    yield _as_tensors
        finally:
            if not self._persistent:
                self.reset()
                self._used = True

    def _target(self, target: Any) -> Value | None:
        """The value to differentiate; None for numbers that the tape knows nothing of."""
        if isinstance(target, Value):
            if not target.spec.is_float:
                raise DtypeError(f"GradientTape: the target must hold floating-point numbers, received {target.spec}")
            return target
        if isinstance(target, Variable):
            values = self._variables.get(id(target), (target, []))[1]
            return values[-1] if values else None
        if isinstance(target, KerasTensor):
            raise DtypeError(f"GradientTape: {target!r} has no gradient: it holds no numbers; call the model on data")
        return self._arrays.get(id(target), (target, None))[1]

    def _values_of(self, source: Any) -> list[Value]:
        """The recorded values that stand for a source."""
        if isinstance(source, Variable):
            return self._variables.get(id(source), (source, []))[1]
        if isinstance(source, Value):
            return [source] if id(source) in self._tracked else []
        if isinstance(source, np.ndarray):
            return [self._arrays[id(source)][1]] if id(source) in self._arrays else []
        raise DtypeError(
            f"GradientTape: a source must be a Variable, a watched tensor or a value computed inside the block, "
            f"received {type(source).__name__}"
        )

    def _backward(self, pairs: Sequence[tuple[Value, Value]], sources: Sequence[Any]) -> list[Any]:
        """A gradient for each source; None where no target depends on it."""
        from pynn import ops

        groups = [self._values_of(source) for source in sources]
        # A variable that was assigned a computed value passes nothing on to what the value was computed from.
        reads = {id(v) for _, values in self._variables.values() for v in values if v.node is not None}
        found = iter(backward(self._nodes.copy(), pairs, [v for group in groups for v in group], reads))
        results: list[Any] = []
        for group in groups:
            parts = [g for g in (next(found) for _ in group) if g is not None]
            results.append(functools.reduce(ops.add, parts) if parts else None)
        return results


def _wants_zeros(unconnected_gradients: Any) -> bool:
    name = str(getattr(unconnected_gradients, "value", unconnected_gradients)).lower()
    if name not in ("none", "zero"):
        raise ArgumentError(
            f"GradientTape: unconnected_gradients must be 'none' or 'zero', received {unconnected_gradients!r}"
        )
    return name == "zero"


def _arriving(y: Value, given: Any) -> Value:
    from pynn import ops

    if given is None:
        return ops.ones_like(y)
    g = ops.cast(trace.as_value(given), y.dtype)
    if g.shape != y.shape:
        raise ShapeError(f"GradientTape.gradient: an output gradient has shape {g.shape}, its target {y.shape}")
    return g


def _pattern(y: Value, shape: tuple[int, ...], i: int) -> Value:
    """Zeros of ``shape`` with ones at ``i`` of the last axis, in the shape of ``y``."""
    array = np.zeros(shape, y.dtype)
    array[..., i] = 1
    return trace.current().constant(array.reshape(y.shape), y.dtype)


def _stack(parts: Sequence[Value], shape: Sequence[int], axis: int = 0) -> Value:
    """Arrays beside each other along a new axis, which is then divided as ``shape`` says."""
    from pynn import ops

    wide = [ops.expand_dims(part, axis) for part in parts]
    return ops.reshape(wide[0] if len(wide) == 1 else ops.concatenate(wide, axis=axis), shape)


def _or_zeros(found: Sequence[Value | None], sources: Sequence[Any]) -> list[Value]:
    from pynn import ops

    return [ops.zeros_like(source) if g is None else g for g, source in zip(found, sources, strict=True)]


def _as_tensors(results: Any) -> Any:
    return map_structure(lambda v: v.numpy().view(Tensor) if isinstance(v, Value) else v, results)
