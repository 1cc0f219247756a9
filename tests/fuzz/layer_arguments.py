"""What layers, losses, metrics, optimizers and their like are made with, before the fuzzer spoils it."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

from values import Draw

from pynn import constraints, initializers, layers, losses, metrics, optimizers, regularizers
from pynn.layers.constructor import constructor_arguments

#: What is public there and is no class to make objects of.
_NO_OBJECTS = {
    "Any", "Mapping", "Family", "ArgumentError", "Layer", "Wrapper", "Loss", "Metric", "Optimizer", "Initializer",
    "Regularizer", "Constraint", "InputSpec", "LossFunctionWrapper", "MeanMetricWrapper",
    "MultiOptimizer",
    "OptimizerMap", "RandomInitializer", "LearningRateSchedule",
}  # fmt: skip

FAMILIES = {
    "layers": layers, "losses": losses, "metrics": metrics, "optimizers": optimizers, "initializers": initializers,
    "regularizers": regularizers, "constraints": constraints, "schedules": optimizers.schedules,
}  # fmt: skip


@cache
def classes() -> dict[str, type]:
    """``"layers.Dense"`` -> the class, without second names."""
    found: dict[str, type] = {}
    for family, module in FAMILIES.items():
        for name in sorted(dir(module)):
            cls = getattr(module, name)
            if inspect.isclass(cls) and name not in _NO_OBJECTS and name == cls.__name__:
                found[f"{family}.{name}"] = cls
    return found


@cache
def argument_names(name: str) -> tuple[str, ...]:
    """All that the constructor takes."""
    cls = classes()[name]
    names = constructor_arguments(cls)
    if {"args", "kwargs"} & set(inspect.signature(cls).parameters):
        with contextlib.suppress(Exception):  # it needs arguments, whose names the signature has
            names += [n for n in cls().get_config() if n not in names]
    return tuple(n for n in names if n not in ("layer", "fn"))


def layer(class_name: str, **config: Any) -> dict[str, Any]:
    return {"object": f"layers.{class_name}", "arguments": config}


def inner_layer(d: Draw) -> Any:
    return d.choice((layer("Dense", units=3), layer("Dropout", rate=0.5), layer("LSTM", units=2), layer("Flatten")))


def recurrent_layer(d: Draw) -> Any:
    kind = d.choice(("LSTM", "GRU", "SimpleRNN"))
    return layer(kind, units=d.choice((2, 1, 5)), return_sequences=d.one_in(2), return_state=d.one_in(5))


def cell(d: Draw) -> Any:
    return layer(d.choice(("LSTMCell", "GRUCell", "SimpleRNNCell")), units=d.choice((2, 1, 5)))


def sizes(*options: int) -> Callable[[Draw], Any]:
    def draw(d: Draw) -> Any:
        return d.choice(options) if d.one_in(2) else [d.choice(options) for _ in range(d.integer(1, 3))]

    return draw


def numbers(d: Draw) -> float:
    return d.choice((0.5, 0.0, 1.0, 0.1, 2.0, -1.0))


def one_of(*options: Any) -> Callable[[Draw], Any]:
    return lambda d: d.choice(options)


ACTIVATIONS = ("relu", "linear", None, "softmax", "tanh", "gelu", "selu", "sparsemax", "glu", "log_softmax")
INITIALIZERS = ("zeros", "glorot_uniform", "orthogonal", "identity", "he_normal", None, 0.5)

#: Values by the argument's name, or by the end of it.
VALUES: dict[str, Callable[[Draw], Any]] = {
    "units": one_of(3, 1, 8, 17),
    "filters": one_of(2, 1, 4, 8, 6),
    "kernel_size": sizes(3, 1, 2, 5),
    "pool_size": sizes(2, 1, 3),
    "output_size": sizes(2, 1, 3),
    "strides": sizes(1, 2, 3),
    "dilation_rate": sizes(1, 2),
    "output_padding": sizes(0, 1),
    "groups": one_of(1, 2, 3, -1),
    "depth_multiplier": one_of(1, 2),
    "padding": one_of("valid", "same", "causal", 1, [1, 2], [[1, 2], [0, 1]]),
    "cropping": one_of(1, [1, 0], [[1, 0], [0, 1]], 5),
    "size": sizes(1, 2, 3),
    "data_format": one_of("channels_last", "channels_first", None),
    "activation": one_of(*ACTIVATIONS),
    "initializer": one_of(*INITIALIZERS),
    "regularizer": one_of(None, "l2", "l1", "orthogonal"),
    "constraint": one_of(None, "non_neg", "unit_norm", "max_norm"),
    "rate": one_of(0.5, 0.0, 1.0, 0.1),
    "dropout": one_of(0.0, 0.5),
    "axis": lambda d: d.axes(3) if d.one_in(2) else d.choice((-1, 1, 0, 2)),
    "axes": one_of(-1, 1, [1, 2], 2, [1, 1]),
    "dims": one_of([1], [2, 1], [1, 2], [3, 1, 2]),
    "epsilon": one_of(1e-3, 1e-7, 0.0, 1.0),
    "momentum": one_of(0.9, 0.0, 1.0),
    "target_shape": one_of([-1], [2, -1], [3], [1, 6]),
    "n": one_of(2, 1, 5),
    "seed": one_of(None, 1, 0),
    "factor": one_of(0.2, [0.1, 0.5], 0.0, 1.0, [-0.5, 0.5]),
    "height": one_of(4, 1, 7),
    "width": one_of(4, 1, 7),
    "input_dim": one_of(5, 1, 10),
    "output_dim": one_of(3, 1),
    "mask_zero": one_of(True, False),
    "num_heads": one_of(2, 1, 3),
    "head_dim": one_of(2, 1, 4),
    "num_query_heads": one_of(2, 4),
    "num_key_value_heads": one_of(1, 2),
    "key_dim": one_of(3, 1),
    "equation": one_of("ab,bc->ac", "abc,cd->abd", "...x,xy->...y", "a,b", "ab,bc->"),
    "output_shape": one_of(3, [None, 3], [3, 4], [None]),
    "interpolation": one_of("nearest", "bilinear", "bicubic"),
    "fill_mode": one_of("constant", "nearest", "reflect", "wrap"),
    "function": one_of({"function": "negative"}, {"function": "sum"}),
    "cell": cell,
    "cells": lambda d: [cell(d) for _ in range(d.integer(0, 3))],
    "merge_mode": one_of("concat", "sum", "mul", "ave", None),
    "mode": one_of("horizontal", "vertical", "horizontal_and_vertical"),
    "num_bins": one_of(3, 1, 100),
    "bin_boundaries": one_of([0.0, 1.0], [], [1.0, 0.0], None),
    "num_tokens": one_of(5, 1, None),
    "output_mode": one_of("int", "one_hot", "multi_hot", "count", "tf_idf"),
    "max_tokens": one_of(None, 5, 1),
    "vocabulary": one_of(None, ["a", "b"], [1, 2, 3], [], ["a", "a"]),
    "standardize": one_of(None, "lower", "lower_and_strip_punctuation"),
    "split": one_of("whitespace", "character", None),
    "ngrams": one_of(None, 2, [1, 2]),
    "output_sequence_length": one_of(None, 4),
    "mean": one_of(0.0, [0.5], None),
    "variance": one_of(1.0, [0.5], 0.0, None),
    "scale": one_of(True, 0.5, False, [1.0, 2.0]),
    "offset": one_of(0.0, 1.0),
    "alpha": numbers,
    "shape": one_of([3], [None, 2], []),
    "batch_size": one_of(None, 2),
    "dtype": one_of("float32", None, "mixed_float16", "float64", "int32", "bfloat16"),
    "name": one_of(None, "a", "a b", "é"),
    "reduction": one_of("sum_over_batch_size", "sum", "none", None, "mean"),
    "from_logits": one_of(True, False),
    "learning_rate": one_of(0.01, 0.0, 1.0, {"object": "schedules.ExponentialDecay", "arguments": {
        "initial_learning_rate": 0.1, "decay_steps": 5, "decay_rate": 0.5}}),
    "initial_learning_rate": numbers,
    "decay_steps": one_of(5, 1, 100),
    "first_decay_steps": one_of(5, 1),
    "decay_rate": numbers,
    "boundaries": one_of([1, 2], [], [2, 1]),
    "values": one_of([0.1, 0.2, 0.3], [0.1], []),
    "inner_optimizer": lambda d: {"object": "optimizers.SGD", "arguments": {}},
    "clipnorm": one_of(None, 1.0),
    "clipvalue": one_of(None, 0.5),
    "global_clipnorm": one_of(None, 1.0),
    "weight_decay": one_of(None, 0.01),
    "gradient_accumulation_steps": one_of(None, 2),
    "ema_overwrite_frequency": one_of(None, 3),
    "num_classes": one_of(3, 2, 1),
    "target_class_ids": one_of([0], [0, 1], [5], []),
    "thresholds": one_of(None, 0.5, [0.2, 0.8], []),
    "threshold": one_of(None, 0.5),
    "top_k": one_of(None, 1, 3),
    "class_id": one_of(None, 0, 1, 7),
    "num_thresholds": one_of(3, 2, 200),
    "curve": one_of("ROC", "PR"),
    "summation_method": one_of("interpolation", "minoring", "majoring"),
    "average": one_of(None, "micro", "macro", "weighted"),
    "k": one_of(1, 5, 2),
    "value": numbers,
    "gain": numbers,
    "distribution": one_of("uniform", "truncated_normal", "untruncated_normal"),
    "frame_step": one_of(2, 4),
    "sequence_stride": one_of(4, 2),
    "sequence_length": one_of(8, 4),
    "fft_length": one_of(8, 16),
    "num_mel_bins": one_of(4, 2),
}  # fmt: skip

FLAGS = (
    "use_bias", "center", "scale", "return_sequences", "return_state", "go_backwards", "stateful", "unroll",
    "trainable",
    "keepdims", "supports_masking", "nesterov", "amsgrad", "centered", "use_ema", "dynamic", "invert", "antialias",
    "crop_to_aspect_ratio", "pad_to_aspect_ratio", "autocast", "sparse", "use_causal_mask", "multi_label", "normalize",
    "reset_after", "ragged", "noise", "per_channel", "value_range", "flash_attention", "normalized", "sum_over_batch",
)  # fmt: skip


def value_for(d: Draw, name: str) -> Any:
    if name in VALUES:
        return VALUES[name](d)
    ends = [end for end in VALUES if name.endswith("_" + end)]
    if ends:
        return VALUES[ends[0]](d)
    if name in FLAGS:
        return d.one_in(2)
    return d.choice((True, False, None, 0.5, 1, 2, 0.0))


def required(name: str) -> list[str]:
    cls = classes()[name]
    return [
        p.name
        for p in inspect.signature(cls).parameters.values()
        if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD
    ]


def arguments_for(d: Draw, name: str) -> dict[str, Any]:
    """Mostly good arguments: what must be given, and some of the rest."""
    given = {}
    for argument in required(name):
        if argument == "layer":
            given[argument] = recurrent_layer(d) if "Bidirectional" in name else inner_layer(d)
        else:
            given[argument] = value_for(d, argument)
    others = [n for n in argument_names(name) if n not in given and n not in ("legacy", "args", "kwargs", "weights")]
    for _ in range(d.integer(0, 4)):
        if others:
            argument = d.choice(others)
            given[argument] = value_for(d, argument)
    return given


def input_shape(d: Draw, name: str) -> list[int]:
    """A shape that a layer of this name may take."""
    if name.endswith(("1D", "RNN", "LSTM", "GRU", "Bidirectional", "TimeDistributed", "UpSampling1D")):
        rank = 3
    elif name.endswith(("2D", "2DTranspose")) or "Random" in name or "Mix" in name or "Resiz" in name or "Crop" in name:
        rank = 4
    elif name.endswith(("3D", "3DTranspose")):
        rank = 5
    else:
        rank = d.choice((2, 3, 1, 4))
    rank += "ConvLSTM" in name
    if d.one_in(12):
        rank = d.integer(0, 6)
    return [d.choice((2, 1, 3, 0)) if i == 0 else d.choice((6, 5, 4, 3, 2, 8, 1, 0)) for i in range(rank)]
