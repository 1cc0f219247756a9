"""What the constructors of optimizers share: arguments that all of them take, and checks."""

from __future__ import annotations

import inspect
from typing import Any

from pynn.errors import ArgumentError

#: Arguments of every optimizer, in Keras's order, with their defaults; ``name`` comes last.
SHARED: dict[str, Any] = {
    "weight_decay": None,
    "clipnorm": None,
    "clipvalue": None,
    "global_clipnorm": None,
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}


def full_signature(cls: type) -> inspect.Signature | None:
    """The constructor's signature with the shared arguments where it says ``**kwargs``; None if it does not."""
    own = list(inspect.signature(cls.__init__).parameters.values())[1:]  # type: ignore[misc]
    if not own or own[-1].kind is not inspect.Parameter.VAR_KEYWORD:
        return None
    names = {p.name for p in own}
    kind = inspect.Parameter.KEYWORD_ONLY
    shared = [inspect.Parameter(n, kind, default=d) for n, d in {**SHARED, "name": None}.items() if n not in names]
    return inspect.Signature([*own[:-1], *shared, own[-1]])


def is_number(value: Any) -> bool:
    """Whether it is one of Python's numbers, not a truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def check_number(owner: object, name: str, value: Any, above: float | None = None) -> Any:
    """``value`` if it is a number from 0 (and below ``above``).

    Raises:
        ArgumentError: it is not; the message names the optimizer and the argument.
    """
    if not is_number(value) or not value >= 0 or (above is not None and value >= above):
        limits = "from 0" if above is None else f"from 0 to below {above:g}"
        raise ArgumentError(f"{type(owner).__name__}: {name} must be a number {limits}, received {value!r}")
    return value


def check_shared(owner: object, given: dict[str, Any]) -> None:
    """Check the shared arguments.

    Raises:
        ArgumentError: one is out of its range, or two exclude each other.
    """
    who = type(owner).__name__
    for name in ("weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "loss_scale_factor"):
        if given[name] is not None:
            check_number(owner, name, given[name])
    clips = [name for name in ("clipnorm", "clipvalue", "global_clipnorm") if given[name] is not None]
    if len(clips) > 1:
        received = ", ".join(f"{name}={given[name]}" for name in clips)
        raise ArgumentError(
            f"{who}: only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set, received {received}"
        )
    if given["loss_scale_factor"] == 0:
        raise ArgumentError(f"{who}: loss_scale_factor must be above 0: gradients are divided by it")
    if given["gradient_accumulation_steps"] is not None:
        check_count(owner, "gradient_accumulation_steps", given["gradient_accumulation_steps"], 2)
    if given["use_ema"]:
        momentum = given["ema_momentum"]
        if not is_number(momentum) or not 0 <= momentum <= 1:
            raise ArgumentError(f"{who}: ema_momentum must be a number from 0 to 1, received {momentum!r}")
        if given["ema_overwrite_frequency"] is not None:
            check_count(owner, "ema_overwrite_frequency", given["ema_overwrite_frequency"], 1)


def check_count(owner: object, name: str, value: Any, least: int) -> None:
    """Raise an error that names optimizer and argument unless ``value`` is a whole number from ``least`` up."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ArgumentError(
            f"{type(owner).__name__}: {name} must be a whole number from {least} up, received {value!r}"
        )
