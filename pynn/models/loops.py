"""The loops of ``fit``, ``evaluate`` and ``predict`` over the batches of one pass."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn.errors import ArgumentError
from pynn.graph.tensor import Tensor
from pynn.models.batches import Batches
from pynn.utils.structure import flatten, pack

if TYPE_CHECKING:
    from pynn.callbacks import CallbackList
    from pynn.models.step import Step
    from pynn.models.trainer import Trainer


def train_epoch(model: Trainer, batches: Batches, callbacks: CallbackList) -> dict[str, Any] | None:
    """All steps of one epoch; gives its logs, or None if there was no batch."""
    batches.begin_epoch()
    return _run_steps(model, batches, callbacks, "train", "stop_training")


def evaluate_batches(model: Trainer, batches: Batches, callbacks: CallbackList, what: str = "x") -> dict[str, Any]:
    """One pass in inference mode; gives the logs."""
    callbacks.on_test_begin()
    model.stop_evaluating = False
    model.reset_metrics()
    batches.begin_epoch(again=True)
    logs = _run_steps(model, batches, callbacks, "test", "stop_evaluating")
    if logs is None:
        raise nothing_came(what)
    callbacks.on_test_end(logs)
    return logs


def _run_steps(
    model: Trainer, batches: Batches, callbacks: CallbackList, kind: str, stop: str
) -> dict[str, Any] | None:
    """A step of ``kind`` for each batch, until the model's attribute ``stop`` is true; gives what they worked out.

    Callbacks are told about groups of ``steps_per_execution`` steps.
    """
    programs, group = model._programs, model.steps_per_execution
    on_begin = callbacks.listens_to(f"on_{kind}_batch_begin")
    on_end = callbacks.listens_to(f"on_{kind}_batch_end")
    tell_begin, tell_end = (getattr(callbacks, f"on_{kind}_batch_{when}") for when in ("begin", "end"))
    arrays = batches.next()
    step: Step | None = None
    outputs: Any = None
    done = 0
    while arrays is not None:
        if step is None or batches.changed:
            step = programs.get(kind, arrays, batches.layout, batches.share)
        if on_begin and done % group == 0:
            tell_begin(done)
        outputs = step.program(arrays, batches.ahead())
        done += 1
        if on_end and done % group == 0:
            tell_end(done - 1, partial(step.results, outputs))  # worked out if somebody reads it
            if getattr(model, stop):
                break
        arrays = batches.next()
    else:
        if on_end and step is not None and done % group:
            tell_end(done + group - done % group - 1, partial(step.results, outputs))
    batches.end_epoch()
    return None if step is None else step.results(outputs)


def predict_batches(model: Trainer, batches: Batches, callbacks: CallbackList | None) -> Any:
    """The outputs for all batches, in one array each."""
    programs = model._programs
    if callbacks is not None:
        callbacks.on_predict_begin()
        model.stop_predicting = False
    batches.begin_epoch()
    arrays = batches.next()
    step: Step | None = None
    structure: Any = None
    parts: list[list[np.ndarray]] = []
    done = 0
    while arrays is not None:
        if step is None or batches.changed:
            step = programs.get("predict", arrays, batches.layout, batches.share)
        if callbacks is not None:
            callbacks.on_predict_batch_begin(done)
        outputs = step.outputs(step.program(arrays, batches.ahead()))
        structure = outputs if structure is None else structure
        parts.append([rows[: batches.own_rows] for rows in flatten(outputs)])
        if callbacks is not None:
            callbacks.on_predict_batch_end(done, {"outputs": outputs})
            if model.stop_predicting:
                break
        done += 1
        arrays = batches.next()
    batches.end_epoch()
    if step is None:
        raise nothing_came("x")
    if batches.share is not None and model._distribution is not None:
        parts = model._distribution.gather_rows(parts)
    results = parts[0] if len(parts) == 1 else [np.concatenate(rows).view(Tensor) for rows in zip(*parts, strict=True)]
    if callbacks is not None:
        callbacks.on_predict_end()
    return pack(structure, results)


def nothing_came(argument: str) -> ArgumentError:
    """The error for a source without any batch."""
    return ArgumentError(
        f"{argument}: the generator or data set gave no batch; make a new generator for each run, "
        "since a used one is empty"
    )
