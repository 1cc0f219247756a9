"""What happens to a traced graph before it becomes a program, in this order.

Each pass takes a graph and gives a graph that computes the same; each has a NumPy meaning at every stage.
"""

from collections.abc import Callable
from functools import partial

from pynn.graph.ir import Graph
from pynn.graph.passes.choose_kernels import choose_kernels
from pynn.graph.passes.fold_batch_norm import fold_batch_norm
from pynn.graph.passes.fold_padding import fold_padding
from pynn.graph.passes.fuse_chains import fuse_chains
from pynn.graph.passes.fuse_epilogues import fuse_epilogues
from pynn.graph.passes.fuse_normalization import fuse_normalization
from pynn.graph.passes.fuse_pooling import fuse_pooling
from pynn.graph.passes.prepack import prepack
from pynn.graph.passes.prepare import prepare
from pynn.graph.passes.simplify import simplify


def passes(isa: str = "") -> tuple[tuple[str, Callable[[Graph], Graph]], ...]:
    """``(name, pass)`` in order, for a program that will run on ``isa`` ("": the best there is)."""
    return (
        ("simplify", simplify),
        ("fold padding", fold_padding),
        ("fold batch norm", fold_batch_norm),
        ("fuse normalization", fuse_normalization),
        ("fuse pooling", fuse_pooling),
        ("choose kernels", choose_kernels),
        ("prepack", prepack),
        ("prepare", partial(prepare, isa=isa)),
        ("fuse epilogues", fuse_epilogues),
        ("fuse chains", fuse_chains),
    )
