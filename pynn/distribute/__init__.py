"""Training in several processes, on one machine or many: ``mpiexec -n 4 python script.py``.

See :class:`DataParallel`; or change nothing in a script and set ``PYNN_DISTRIBUTE=mpi``.
"""

from pynn.distribute.data_parallel import DataParallel
from pynn.distribute.ranks import barrier, rank, size

__all__ = ["DataParallel", "barrier", "rank", "size"]
