"""What happens to a traced graph before it becomes a program, in this order.

Each pass takes a graph and gives a graph that computes the same; each has a NumPy meaning at every stage.
"""

from collections.abc import Callable

from pynn.graph.ir import Graph
from pynn.graph.passes.choose_kernels import choose_kernels
from pynn.graph.passes.fuse_chains import fuse_chains
from pynn.graph.passes.fuse_epilogues import fuse_epilogues
from pynn.graph.passes.fuse_normalization import fuse_normalization
from pynn.graph.passes.simplify import simplify

PASSES: tuple[tuple[str, Callable[[Graph], Graph]], ...] = (
    ("simplify", simplify),
    ("fuse normalization", fuse_normalization),
    ("choose kernels", choose_kernels),
    ("fuse epilogues", fuse_epilogues),
    ("fuse chains", fuse_chains),
)
