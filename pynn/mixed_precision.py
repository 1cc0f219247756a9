"""``keras.mixed_precision``: other names of :mod:`pynn.dtype_policies`."""

from pynn.dtype_policies import DTypePolicy as DTypePolicy
from pynn.dtype_policies import DTypePolicy as Policy
from pynn.dtype_policies import dtype_policy as dtype_policy
from pynn.dtype_policies import dtype_policy as global_policy
from pynn.dtype_policies import set_dtype_policy as set_dtype_policy
from pynn.dtype_policies import set_dtype_policy as set_global_policy

__all__ = ["DTypePolicy", "Policy", "dtype_policy", "global_policy", "set_dtype_policy", "set_global_policy"]
