"""Which module of pynn stands for which module of Keras and TensorFlow."""

from __future__ import annotations

#: Module paths of Keras 2, below ``keras``, and where their contents are in Keras 3 and in pynn.
MOVED = {
    **dict.fromkeys(
        (
            "layers.advanced_activations", "layers.convolutional", "layers.convolutional_recurrent", "layers.core",
            "layers.embeddings", "layers.experimental", "layers.experimental.preprocessing", "layers.local",
            "layers.merge", "layers.noise", "layers.normalization", "layers.pooling", "layers.preprocessing",
            "layers.recurrent", "layers.wrappers", "engine.base_layer", "engine.input_layer", "engine.topology",
        ),
        "pynn.layers",
    ),
    **dict.fromkeys(
        (
            "utils.conv_utils", "utils.data_utils", "utils.generic_utils", "utils.io_utils", "utils.layer_utils",
            "utils.np_utils", "utils.vis_utils",
        ),
        "pynn.utils",
    ),
    **dict.fromkeys(("engine", "engine.training", "engine.sequential", "engine.functional"), "pynn.models"),
    "callbacks.callbacks": "pynn.callbacks",
    "optimizers.experimental": "pynn.optimizers",
    "mixed_precision.experimental": "pynn.mixed_precision",
    "api": "pynn.compat.keras",
}  # fmt: skip

#: Modules that do not exist here, and what to do instead.
REFUSED = {
    "keras.src": "it is Keras's own inside; import the public name from keras instead",
    "keras.wrappers.scikit_learn": "use SKLearnClassifier and SKLearnRegressor of keras.wrappers",
    "tensorflow.compat.v1": "sessions and placeholders of TensorFlow 1 have no counterpart; write the model in Keras",
    "tensorflow.contrib": "it was removed in TensorFlow 2",
    "tensorflow.examples": "it was removed in TensorFlow 2; use keras.datasets",
}

#: Prefixes under which TensorFlow has Keras.
_KERAS_IN_TENSORFLOW = ("tensorflow.keras", "tensorflow.python.keras", "tensorflow.compat.v2.keras")
#: Packages of TensorFlow with nothing in them but what stands above.
_SHELLS = ("tensorflow.python", "tensorflow.compat", "tensorflow.compat.v2")


def keras_name(name: str) -> str:
    """``tensorflow.keras.layers`` -> ``keras.layers``; other names as they are."""
    for prefix in _KERAS_IN_TENSORFLOW:
        if name == prefix or name.startswith(prefix + "."):
            return "keras" + name[len(prefix) :]
    return name


def place_of(name: str) -> str | None:
    """The module of pynn that stands for ``name``, a module of Keras or TensorFlow; None if there is none."""
    name = keras_name(name)
    if name in _SHELLS:
        return "pynn.compat.tensorflow"
    root, _, rest = name.partition(".")
    if root == "keras":
        return MOVED.get(rest) or (f"pynn.{rest}" if rest else "pynn.compat.keras")
    return f"pynn.compat.tensorflow.{rest}" if rest else "pynn.compat.tensorflow"


def refusal(name: str) -> str | None:
    """Why there is no such module, where that is worth a word of its own."""
    name = keras_name(name)
    for prefix, reason in REFUSED.items():
        if name == prefix or name.startswith(prefix + "."):
            return reason
    return None
