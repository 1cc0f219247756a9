"""``pynn summary``: the layers of a network and the shapes and parameters of each."""

from __future__ import annotations

import argparse
from typing import Any

from pynn.cli import networks
from pynn.cli.options import add_settings, positive, shape


def add_to(parsers: Any) -> None:
    """Say the arguments."""
    parser = parsers.add_parser(
        "summary", help="print the layers of a network", description="Print the layers of a network."
    )
    parser.add_argument("model", help="a name from pynn.applications, such as VGG16, or a .keras or .h5 file")
    parser.add_argument("--no-top", action="store_true", help="without the classifier")
    parser.add_argument("--input-shape", type=shape, metavar="H,W,C", help="of one image")
    parser.add_argument("--classes", type=positive, help="number of classes")
    add_settings(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print it."""
    model = networks.load(
        options.model,
        include_top=False if options.no_top else None,
        input_shape=options.input_shape,
        classes=options.classes,
        **dict(options.settings),
    )
    model.summary()
    return 0
