"""``keras.ops.linalg``: linear algebra."""

from pynn.ops import cholesky as cholesky
from pynn.ops import det as det
from pynn.ops import eigh as eigh
from pynn.ops import inv as inv
from pynn.ops import lstsq as lstsq
from pynn.ops import norm as norm
from pynn.ops import qr as qr
from pynn.ops import solve as solve
from pynn.ops import solve_triangular as solve_triangular
from pynn.ops import svd as svd
