"""Kinds of arguments that several subcommands take."""

from __future__ import annotations

import argparse
import ast
from typing import Any


def positive(text: str) -> int:
    """A whole number from 1 up."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 up, received {text!r}")
    return number


def positive_number(text: str) -> float:
    """A number above 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number above 0, received {text!r}")
    return number


def shape(text: str) -> tuple[int, ...]:
    """``224,224,3`` or ``224x224x3``."""
    try:
        return tuple(positive(part) for part in text.replace("x", ",").split(","))
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(f"expected lengths such as 224,224,3, received {text!r}") from None


def setting(text: str) -> tuple[str, Any]:
    """``alpha=0.75``: an argument of the network; the value as Python writes it, or a text."""
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, such as alpha=0.75, received {text!r}")
    try:
        return name, ast.literal_eval(value)
    except (SyntaxError, ValueError):
        return name, value


def add_settings(parser: argparse.ArgumentParser) -> None:
    """``--set NAME=VALUE``, any number of times."""
    parser.add_argument(
        "--set",
        dest="settings",
        action="append",
        type=setting,
        default=[],
        metavar="NAME=VALUE",
        help="an argument of the network, such as alpha=0.75",
    )
