"""Connectionist temporal classification: how likely a sequence of predictions spells a sequence of labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pynn.errors import GraphError, ShapeError
from pynn.graph.ir import Op, Spec, Value
from pynn.graph.trace import as_value


@dataclass(frozen=True)
class CtcLoss(Op):
    """``(-log(p(labels)), its gradient)`` for logits ``[batch, steps, classes]`` and int32 labels ``[batch, length]``.

    ``p`` sums over all paths of classes that give the labels once equal neighbours are merged and blanks are taken
    out.  The gradient is that of the loss with respect to the logits: softmax minus the expected paths.  Labels that
    need more steps than there are give the loss 1e5 and no gradient.

    Source: Graves et al., Connectionist Temporal Classification, 2006, equations 5 to 16, in logarithms.
    """

    mask_index: int = 0

    differentiable_outputs = (0,)

    def infer(self, *specs: Spec) -> tuple[Spec, ...]:
        logits, labels, label_lengths, steps = specs
        self.require_float(logits)
        batch = logits.shape[:1]
        fits = (
            len(logits.shape) == 3
            and len(labels.shape) == 2
            and labels.shape[:1] == label_lengths.shape == steps.shape == batch
            and {labels.dtype, label_lengths.dtype, steps.dtype} == {"int32"}
        )
        self.require(fits, "logits[b, steps, classes], int32 labels[b, length], lengths[b], steps[b]", *specs)
        return logits.with_shape(batch), logits

    def vjp(self, g: Any, y: Any, *inputs: Value) -> Sequence[Value | None]:
        from pynn import ops

        g_loss, g_gradient = g
        if g_gradient is not None:
            raise GraphError("op 'ctc_loss' has no second derivative: use stop_gradient before its gradient is used")
        return ops.reshape(g_loss, (*g_loss.shape, 1, 1)) * y[1], None, None, None


def ctc_loss(target: Any, output: Any, target_length: Any, output_length: Any, mask_index: int = 0) -> Value:
    """Negative log-likelihood of ``target`` under all alignments with ``output``, one number per sequence.

    Args:
        target: labels ``(batch, max_length)``; those from ``target_length`` on are not looked at.
        output: logits ``(batch, steps, classes)``.
        target_length: how many labels each sequence has, ``(batch,)``.
        output_length: how many steps each sequence has, ``(batch,)``.
        mask_index: the class of the blank.

    Raises:
        ShapeError: the shapes do not fit together.
    """
    from pynn.ops.shape import cast

    labels, logits = cast(as_value(target), "int32"), as_value(output)
    lengths, steps = cast(as_value(target_length), "int32"), cast(as_value(output_length), "int32")
    if labels.ndim != 2 or logits.ndim != 3 or not labels.shape[:1] == lengths.shape == steps.shape == logits.shape[:1]:
        raise ShapeError(
            "ctc_loss: expected target (batch, max_length), output (batch, steps, classes) and a length per sequence, "
            f"(batch,), for both; received {labels.shape}, {logits.shape}, {lengths.shape} and {steps.shape}"
        )
    return CtcLoss(mask_index)(logits, labels, lengths, steps)[0]
