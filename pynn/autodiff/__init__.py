"""Derivatives and compiled functions for people who write their own loops."""

from pynn.autodiff.functional import grad as grad
from pynn.autodiff.functional import value_and_grad as value_and_grad
from pynn.autodiff.higher import hessian as hessian
from pynn.autodiff.higher import hvp as hvp
from pynn.autodiff.higher import jacobian as jacobian
from pynn.autodiff.higher import vjp as vjp
from pynn.autodiff.jitted import jit as jit
from pynn.autodiff.tape import GradientTape as GradientTape
