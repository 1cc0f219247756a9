"""Keras scripts unmodified: ``python -m pynn.compat SCRIPT.py [arguments]``.

``import keras``, ``from tensorflow import keras``, ``from tensorflow.keras.models import Sequential`` and ``import
tensorflow as tf`` then give pynn, whether or not Keras or TensorFlow are installed.  Module paths of Keras 2
(``keras.layers.advanced_activations``, ``keras.utils.np_utils``) lead to where their contents are today.  Of TensorFlow
itself there is what Keras scripts use around their models (:mod:`pynn.compat.tensorflow`); all else is an error that
names it.

:func:`install` does the same inside a program of your own, before it imports Keras.
"""

from pynn.compat.importing import install as install
from pynn.compat.running import run_script as run_script

__all__ = ["install", "run_script"]
