"""Softmax, log-softmax and the cross-entropy losses, all over the last axis.

A cross-entropy computed from logits is faster and loses nothing to rounding: the gradient is ``p - t``, and no
logarithm of a number near zero is taken.  The two ``Softmax...Crossentropy`` ops do that; the loss functions below
use them even where a model ends in a softmax, by reading the softmax's input (see :func:`categorical_crossentropy`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from pynn.errors import ArgumentError, DtypeError, ShapeError
from pynn.graph.ir import Candidate, Node, Op, Spec, Value
from pynn.graph.trace import as_value
from pynn.settings import epsilon


class _RowOp(Op, abstract=True):
    """Base: works on rows of the last axis; all its kernels take the same two numbers.

    ``_rows_in`` is an input that has the rows' shape.
    """

    _rows_in: ClassVar[int] = 0

    def params(self, node: Node) -> dict[str, Any]:
        shape = node.inputs[self._rows_in].shape
        return {"rows": math.prod(shape[:-1]), "columns": shape[-1]}

    def flops(self, node: Node) -> int:
        """Maximum, exponential, sum and product of each number; its gradients about the same."""
        return 4 * node.inputs[self._rows_in].size

    def _require_rows(self, spec: Spec) -> None:
        self.require_float(spec)
        self.require(len(spec.shape) >= 1 and spec.shape[-1] >= 1, "an array [..., classes]", spec)


def _whole_lines(node: Node, source: int) -> dict[int, int]:
    """Overwrite that input only if rows are whole cache lines.

    Otherwise each row's store covers the beginning of the row that is loaded next, and the load waits for it: 128 rows
    of 10 took 5.3 us instead of 1.3.
    """
    return {0: source} if node.inputs[source].shape[-1] % 16 == 0 else {}


class Softmax(_RowOp):
    """``exp(x) / sum(exp(x))`` over the last axis."""

    def infer(self, *specs: Spec) -> Spec:
        self._require_rows(specs[0])
        return specs[0]

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (SoftmaxGrad()(g, y),)

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("softmax", self.params, inplace=lambda node: _whole_lines(node, 0)),)


class SoftmaxGrad(_RowOp):
    """Gradient of :class:`Softmax` from its result: ``y * (g - sum(g * y))``."""

    def infer(self, *specs: Spec) -> Spec:
        self._require_rows(specs[0])
        self.require(specs[0] == specs[1], "g and y of one shape and dtype", *specs)
        return specs[0]

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        from pynn import ops

        g0, p = inputs
        total = ops.sum(g0 * p, axis=-1, keepdims=True)
        weighted = ops.sum(g * p, axis=-1, keepdims=True)
        return SoftmaxGrad()(g, p), g * (g0 - total) - g0 * weighted

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("softmax_grad", self.params, inplace=lambda node: _whole_lines(node, 0)),)


class LogSoftmax(_RowOp):
    """``x - log(sum(exp(x)))`` over the last axis."""

    def infer(self, *specs: Spec) -> Spec:
        self._require_rows(specs[0])
        return specs[0]

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        return (LogSoftmaxGrad()(g, y),)

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("log_softmax", self.params, inplace=lambda node: _whole_lines(node, 0)),)


class LogSoftmaxGrad(_RowOp):
    """Gradient of :class:`LogSoftmax` from its result: ``g - exp(y) * sum(g)``."""

    def infer(self, *specs: Spec) -> Spec:
        self._require_rows(specs[0])
        self.require(specs[0] == specs[1], "g and y of one shape and dtype", *specs)
        return specs[0]

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        from pynn import ops

        g0, log_p = inputs
        p = ops.exp(log_p)
        total = ops.sum(g0, axis=-1, keepdims=True)
        return g - ops.sum(g * p, axis=-1, keepdims=True), -(g * p * total)

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("log_softmax_grad", self.params, inplace=lambda node: _whole_lines(node, 0)),)


def _last_axis(v: Value) -> Value:
    """``[...]`` to ``[..., 1]``: a number per row, to be multiplied with rows."""
    from pynn import ops

    return ops.reshape(v, (*v.shape, 1))


class SoftmaxCrossentropy(_RowOp):
    """``(-sum(t * log(p)), p)`` with ``p = softmax(logits)``: loss ``[...]`` and probabilities ``[..., classes]``."""

    def infer(self, *specs: Spec) -> tuple[Spec, ...]:
        logits, targets = specs
        self._require_rows(logits)
        self.require(logits == targets, "logits and targets of one shape and dtype", *specs)
        return logits.with_shape(logits.shape[:-1]), logits

    def vjp(self, g: Any, y: Any, *inputs: Value) -> Sequence[Value | None]:
        logits, targets = inputs
        (g_loss, g_p), (_, p) = g, y
        dx = None if g_loss is None else SoftmaxCrossentropyGrad()(g_loss, p, targets)
        dt = None if g_loss is None else -(LogSoftmax()(logits) * _last_axis(g_loss))
        return _plus(dx, None if g_p is None else SoftmaxGrad()(g_p, p)), dt

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("softmax_crossentropy", self.params),)


class SoftmaxCrossentropyGrad(_RowOp):
    """Gradient of the loss of :class:`SoftmaxCrossentropy`: ``(p * sum(t) - t) * g``, g one number per row."""

    _rows_in: ClassVar[int] = 1

    def infer(self, *specs: Spec) -> Spec:
        g, p, targets = specs
        self._require_rows(p)
        self.require(p == targets and g == p.with_shape(p.shape[:-1]), "g[...], p[..., n], targets[..., n]", *specs)
        return p

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        from pynn import ops

        g0, p, t = inputs
        rows, total = _last_axis(g0), ops.sum(t, axis=-1, keepdims=True)
        return (
            ops.sum((p * total - t) * g, axis=-1),
            g * rows * total,
            (ops.sum(g * p, axis=-1, keepdims=True) - g) * rows,
        )

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("softmax_crossentropy_grad", self.params, inplace=lambda node: _whole_lines(node, 1)),)


class SparseSoftmaxCrossentropy(_RowOp):
    """``(-log(p[label]), p)`` with ``p = softmax(logits)`` and int32 labels ``[...]``.

    A label outside ``[0, classes)`` gives the loss NaN, and a NaN row of gradients.
    """

    def infer(self, *specs: Spec) -> tuple[Spec, ...]:
        logits, labels = specs
        self._require_rows(logits)
        rows = logits.shape[:-1]
        self.require(labels == Spec(rows, "int32"), "logits[..., n] and int32 labels[...]", *specs)
        return logits.with_shape(rows), logits

    def vjp(self, g: Any, y: Any, *inputs: Value) -> Sequence[Value | None]:
        (g_loss, g_p), (_, p) = g, y
        dx = None if g_loss is None else SparseSoftmaxCrossentropyGrad()(g_loss, p, inputs[1])
        return _plus(dx, None if g_p is None else SoftmaxGrad()(g_p, p)), None

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("sparse_softmax_crossentropy", self.params),)


class SparseSoftmaxCrossentropyGrad(_RowOp):
    """Gradient of the loss of :class:`SparseSoftmaxCrossentropy`: ``(p - one_hot(label)) * g``, g one per row."""

    _rows_in: ClassVar[int] = 1

    def infer(self, *specs: Spec) -> Spec:
        g, p, labels = specs
        self._require_rows(p)
        rows = p.shape[:-1]
        fits = g == p.with_shape(rows) and labels == Spec(rows, "int32")
        self.require(fits, "g[...], p[..., n], int32 labels[...]", *specs)
        return p

    def vjp(self, g: Value, y: Value, *inputs: Value) -> Sequence[Value | None]:
        from pynn import ops

        g0, p, labels = inputs
        rows = _last_axis(g0)
        # With rows of ones the op itself gives p - one_hot.
        difference = SparseSoftmaxCrossentropyGrad()(ops.ones_like(g0), p, labels)
        return ops.sum(difference * g, axis=-1), g * rows, None

    def candidates(self) -> Sequence[Candidate]:
        return (Candidate("sparse_softmax_crossentropy_grad", self.params, inplace=lambda node: _whole_lines(node, 1)),)


def _plus(a: Value | None, b: Value | None) -> Value | None:
    return a + b if a is not None and b is not None else a if b is None else b


def _axis_of(x: Value, axis: int, function: str) -> int:
    if not isinstance(axis, int) or isinstance(axis, bool) or not -x.ndim <= axis < x.ndim:
        raise ArgumentError(f"{function}: axis must be an int in [{-x.ndim}, {x.ndim}) for {x.spec}, received {axis!r}")
    return axis % x.ndim


def _axis_last(x: Value, axis: int) -> Value:
    """``x`` with ``axis`` moved to the end, the other axes in their order."""
    if axis == x.ndim - 1:
        return x
    from pynn.ops.shape import transpose

    return transpose(x, [*(i for i in range(x.ndim) if i != axis), axis])


def _axis_back(x: Value, axis: int) -> Value:
    """Undo :func:`_axis_last`."""
    if axis == x.ndim - 1:
        return x
    from pynn.ops.shape import transpose

    order = list(range(x.ndim - 1))
    order.insert(axis, x.ndim - 1)
    return transpose(x, order)


def softmax(x: Any, axis: int = -1) -> Value:
    """``exp(x) / sum(exp(x))`` along ``axis``; safe for numbers of any size.

    Example:
        >>> from pynn import ops
        >>> ops.softmax([[1.0, 1.0, 2.0]]).round(4)
        array([[0.2119, 0.2119, 0.5761]], dtype=float32)
    """
    x = as_value(x)
    axis = _axis_of(x, axis, "softmax")
    return _axis_back(Softmax()(_axis_last(x, axis)), axis)


def log_softmax(x: Any, axis: int = -1) -> Value:
    """``log(softmax(x))`` along ``axis``, without taking the logarithm of a small number.

    Example:
        >>> from pynn import ops
        >>> ops.log_softmax([[0.0, 0.0]]).round(4)
        array([[-0.6931, -0.6931]], dtype=float32)
    """
    x = as_value(x)
    axis = _axis_of(x, axis, "log_softmax")
    return _axis_back(LogSoftmax()(_axis_last(x, axis)), axis)


def input_of(kind: str, output: Value) -> Value | None:
    """The input of the op called ``kind`` that made ``output``, looking through reshapes; None if another op did.

    A reshape that changes the last axis would change the rows, so only others are looked through.
    """
    from pynn import ops

    v = output
    while v.node is not None and v.node.op.name == "reshape" and v.node.inputs[0].shape[-1:] == v.shape[-1:]:
        v = v.node.inputs[0]
    if v.node is None or v.node.op.name != kind:
        return None
    found = v.node.inputs[0]
    return found if found.shape == output.shape else ops.reshape(found, output.shape)


def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Value:
    """``-sum(target * log(output))`` along ``axis``, one loss per row.

    Args:
        target: probabilities (one-hot rows, for instance), of ``output``'s shape.
        output: predicted probabilities, or logits if ``from_logits``.
        from_logits: whether a softmax is still to be applied.
        axis: the axis of the classes.

    Probabilities are divided by their sum and clipped to ``[1e-7, 1 - 1e-7]``.  But where ``output`` was made by a
    softmax in the same trace (the usual last layer of a classifier), the softmax's input is used as logits, as the
    TensorFlow backend of Keras does: faster, and exact for losses beyond ``-log(1e-7)``.

    Raises:
        ShapeError: the shapes differ, or are scalars.

    Example:
        >>> from pynn import ops
        >>> ops.categorical_crossentropy([[0.0, 1.0]], [[0.25, 0.75]]).round(4)
        array([0.2877], dtype=float32)
    """
    from pynn import ops

    t, y = as_value(target), as_value(output)
    if t.shape != y.shape or not y.shape:
        raise ShapeError(
            f"categorical_crossentropy: target and output must have one shape (..., classes), received {t.spec} and "
            f"{y.spec}; for integer labels use sparse_categorical_crossentropy"
        )
    axis = _axis_of(y, axis, "categorical_crossentropy")
    t, y = _axis_last(_as_float(t, y.dtype), axis), _axis_last(y, axis)
    logits = y if from_logits else input_of("softmax", y)
    if logits is not None:
        return SoftmaxCrossentropy()(logits, t)[0]
    p = ops.clip(y / ops.sum(y, axis=-1, keepdims=True), epsilon(), 1 - epsilon())
    return -ops.sum(t * ops.log(p), axis=-1)


def sparse_categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Value:
    """``-log(output[label])`` for integer labels, one loss per row.

    Args:
        target: labels in ``[0, classes)``, of ``output``'s shape without ``axis`` (or with a last axis of size 1).
            Another label gives the loss NaN.
        output: predicted probabilities, or logits if ``from_logits``.
        from_logits: whether a softmax is still to be applied.
        axis: the axis of the classes.

    As in :func:`categorical_crossentropy`, the input of a softmax that made ``output`` is used as logits; other
    probabilities are clipped to ``[1e-7, 1 - 1e-7]`` and divided by their sum.

    Raises:
        ShapeError: the shapes do not fit together.

    Example:
        >>> from pynn import ops
        >>> ops.sparse_categorical_crossentropy([1], [[0.25, 0.75]]).round(4)
        array([0.2877], dtype=float32)
    """
    from pynn import ops

    labels, y = as_value(target), as_value(output)
    if not y.shape:
        raise ShapeError(f"sparse_categorical_crossentropy: output must be (..., classes), received {y.spec}")
    axis = _axis_of(y, axis, "sparse_categorical_crossentropy")
    if labels.ndim == y.ndim and labels.shape[-1] == 1:
        labels = ops.reshape(labels, labels.shape[:-1])
    y = _axis_last(y, axis)
    if labels.shape != y.shape[:-1]:
        raise ShapeError(
            f"sparse_categorical_crossentropy: expected labels of shape {y.shape[:-1]} for output "
            f"{as_value(output).spec}, received {as_value(target).spec}; for one-hot rows use categorical_crossentropy"
        )
    if labels.dtype != "int32":
        labels = ops.cast(labels, "int32")
    logits = y if from_logits else input_of("softmax", y)
    if logits is None:
        # softmax(log(p)) == p / sum(p)
        logits = ops.log(ops.clip(y, epsilon(), 1 - epsilon()))
    return SparseSoftmaxCrossentropy()(logits, labels)[0]


def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Value:
    """``-(t * log(y) + (1 - t) * log(1 - y))``, element by element.

    Args:
        target: probabilities (0 or 1, for instance), of ``output``'s shape.
        output: predicted probabilities, or logits if ``from_logits``.
        from_logits: whether a sigmoid is still to be applied.

    Probabilities are clipped to ``[1e-7, 1 - 1e-7]``; where a sigmoid in the same trace made ``output``, its input is
    used as logits instead.

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> from pynn import ops
        >>> ops.binary_crossentropy([1.0, 0.0], [0.75, 0.25]).round(4)
        array([0.2877, 0.2877], dtype=float32)
    """
    from pynn import ops

    t, y = as_value(target), as_value(output)
    if t.shape != y.shape:
        raise ShapeError(f"binary_crossentropy: target and output must have one shape, received {t.spec} and {y.spec}")
    t = _as_float(t, y.dtype)
    z = y if from_logits else input_of("sigmoid", y)
    if z is not None:
        # max(z, 0) - z t + log1p(exp(-|z|)), written so that its gradient is sigmoid(z) - t at z = 0 too (where a
        # zero-initialised layer starts), and so that nothing cancels.
        return t * ops.softplus(-z) + (1 - t) * ops.softplus(z)
    p = ops.clip(y, epsilon(), 1 - epsilon())
    return -(t * ops.log(p) + (1 - t) * ops.log(1 - p))


def _as_float(v: Value, dtype: str) -> Value:
    """Integer targets (0 and 1, as labels come from files) in the outputs' dtype."""
    from pynn import ops

    if dtype not in ("float32", "float64"):
        raise DtypeError(f"a loss needs floating-point outputs, received dtype {dtype}")
    return v if v.dtype == dtype else ops.cast(v, dtype)
