"""Derivatives for people who write their own loops: a gradient tape."""

from pynn.autodiff.tape import GradientTape as GradientTape
