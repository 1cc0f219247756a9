"""Networks by name: those of :mod:`pynn.applications`, small ones for small images, and files of models."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pynn.errors import ArgumentError


def dense(shape: tuple[int, ...], classes: int) -> Any:
    """One hidden layer."""
    import pynn

    layers = pynn.layers
    return pynn.Sequential(
        [
            pynn.Input(shape),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(classes, activation="softmax"),
        ],
        name="dense",
    )


def cnn(shape: tuple[int, ...], classes: int) -> Any:
    """Two blocks of convolutions with batch normalization, then a dense layer: 99 % on MNIST."""
    import pynn

    layers = pynn.layers
    model = pynn.Sequential([pynn.Input(shape)], name="cnn")
    for filters in (32, 64):
        for _ in range(2):
            model.add(layers.Conv2D(filters, 3, padding="same", use_bias=False))
            model.add(layers.BatchNormalization(momentum=0.9))
            model.add(layers.ReLU())
        model.add(layers.MaxPooling2D())
    for layer in (layers.Flatten(), layers.Dropout(0.3), layers.Dense(classes, activation="softmax")):
        model.add(layer)
    return model


SMALL: dict[str, Callable[[tuple[int, ...], int], Any]] = {"dense": dense, "cnn": cnn}


def application(name: str) -> Callable[..., Any]:
    """The function of ``pynn.applications`` of this name, in whatever case it is written.

    Raises:
        ArgumentError: there is none; suggests what was meant.
    """
    found = _applications().get(_plain(name))
    if found is None:
        raise unknown(name, list(_applications().values()))
    from pynn import applications

    return getattr(applications, found)


def application_names() -> list[str]:
    """In the spelling of ``pynn.applications``."""
    return sorted(_applications().values(), key=str.lower)


def unknown(name: str, known: list[str]) -> ArgumentError:
    """The error for a name that is not one of the known."""
    plain = {_plain(one): one for one in known}
    close = [plain[match] for match in difflib.get_close_matches(_plain(name), plain, 3, 0.6)]
    hint = f"; did you mean {' or '.join(close)}?" if close else ""
    return ArgumentError(
        f"there is no network {name!r}{hint}{' ' if close else '; '}known are {', '.join(sorted(known, key=str.lower))}"
    )


def load(name: str, **arguments: Any) -> Any:
    """A network by name, with random weights unless ``arguments`` say otherwise, or a model from a file.

    Arguments that are None are left out.

    Raises:
        ArgumentError: no such network, no such file, or arguments that it does not take.
    """
    from pynn.saving import load_model

    given = {key: value for key, value in arguments.items() if value is not None}
    if Path(name).suffix in (".keras", ".h5", ".hdf5"):
        if not Path(name).is_file():
            raise ArgumentError(f"there is no file {name}")
        if given:
            raise ArgumentError(f"{name} is a finished model: {', '.join(map(repr, given))} cannot be chosen")
        return load_model(name, compile=False)
    make = application(name)
    taken = inspect.signature(make).parameters
    for key in given:
        if key not in taken:
            raise ArgumentError(f"{make.__name__} has no argument {key!r}; it has {', '.join(taken)}")
    return make(**{"weights": None, **given})


def _applications() -> dict[str, str]:
    from pynn import applications

    return {_plain(name): name for name in applications.__all__ if name[0].isupper()}


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")
