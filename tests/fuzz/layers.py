"""A fuzzer for what users configure: ``python tests/fuzz/layers.py --cases 100000 --seed 1``.

Each case makes a layer, loss, metric, optimizer, initializer, regularizer, constraint or schedule, often with a wrong
argument or two, and uses it: the config must come back from JSON as it went in, a layer must give the shape it
announced, symbolically and by ``compute_output_shape``, and be trained for a step.  Else it must refuse with one of
pynn's errors: every other exception is a finding, and so is a killed process or one that hangs.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from typing import Any

import harness
import numpy as np
from harness import Finding
from layer_arguments import argument_names, arguments_for, classes, input_shape
from op_arguments import FUNCTIONS
from values import Draw, decode

import pynn
from pynn import layers, saving
from pynn.errors import PynnError
from pynn.executor import eager
from pynn.utils.structure import flatten, map_structure

#: How far a case goes: it is the training step that takes time.
DEPTHS = ("config", "call", "call", "train")


def strategy(only: str | None = None) -> Any:
    from hypothesis import strategies as st

    names = [only] if only else sorted(classes())

    @st.composite
    def cases(draw: Callable[[Any], Any]) -> dict[str, Any]:
        d = Draw(draw)
        name = d.choice(names)
        arguments = arguments_for(d, name)
        for _ in range(d.choice((0, 0, 0, 1, 1, 2))):
            key = d.choice([*arguments, *argument_names(name)] or ["name"])
            if key not in ("kwargs", "legacy", "args"):
                arguments[key] = d.hostile()
        several = name in SEVERAL
        shape = input_shape(d, name)
        given = [d.array(shape if not d.one_in(5) else input_shape(d, name)) for _ in range(d.integer(1, 3))]
        depth = d.choice(DEPTHS)
        return {"name": name, "arguments": arguments, "inputs": given if several else given[0], "depth": depth}

    return cases()


#: Layers that take a list.
SEVERAL = {f"layers.{name}" for name in (
    "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot", "Attention",
    "AdditiveAttention", "MultiHeadAttention", "GroupedQueryAttention", "HashedCrossing",
)}  # fmt: skip


def prepare() -> None:
    warnings.simplefilter("ignore")
    pynn.config.set_num_threads(1)
    x = np.ones((2, 3), "float32")
    model = pynn.Sequential([layers.Input((3,)), layers.Dense(2)])
    model.compile("adam", "mse", metrics=["accuracy"])
    model.train_on_batch(x, np.ones((2, 2), "float32"))
    made({"object": "layers.LSTM", "arguments": {"units": 2}})(np.ones((2, 3, 2), "float32"))


def made(value: Any) -> Any:
    """The arguments with the objects that a case describes."""
    if isinstance(value, dict) and "object" in value:
        return classes()[value["object"]](**{k: made(v) for k, v in value["arguments"].items()})
    if isinstance(value, list):
        return [made(item) for item in value]
    return decode(value, FUNCTIONS)


def check(case: dict[str, Any]) -> Finding | str:
    name = case["name"]
    state = pynn.config.dtype_policy(), pynn.config.image_data_format()
    steps = ["making it"]
    try:
        obj = made({"object": name, "arguments": case["arguments"]})
        steps.append("its config")
        finding = config_comes_back(name, obj)
        if finding:
            return finding
        if case["depth"] == "config":
            return "made"
        use = {"layers": use_layer, "losses": use_loss, "metrics": use_metric, "optimizers": use_optimizer}
        family = name.split(".")[0]
        return use.get(family, use_function)(name, obj, case, steps.append) or case["depth"]
    except (PynnError, MemoryError) as error:
        return "refused" if str(error) else Finding(f"{name}: no reason", repr(error))
    except Exception as error:
        if harness.is_pythons_own(error):
            return "refused"
        return harness.unexpected(error, f"{name}, {steps[-1]}")
    finally:
        eager._programs.clear()
        pynn.config.set_dtype_policy(state[0])
        pynn.config.set_image_data_format(state[1])


def config_comes_back(name: str, obj: Any) -> Finding | None:
    try:
        config = saving.serialize_keras_object(obj)
        text = json.dumps(config)
    except NotImplementedError as error:  # a function without a name, say
        return None if str(error) else Finding(f"{name}: no reason", repr(error))
    other = saving.deserialize_keras_object(json.loads(text), safe_mode=False)
    before, after = obj.get_config(), other.get_config()
    again = json.dumps(saving.serialize_keras_object(other))
    if again != text and "lambda" not in text:
        return Finding(f"{name}: its config changed", f"{before}\nbecame\n{after}")
    return None


def use_function(name: str, obj: Any, case: dict[str, Any], step: Callable[[str], None]) -> Finding | None:
    """Initializers make an array, the others are called on one."""
    step("using it")
    x = first_input(case)
    if name.startswith("initializers"):
        array = np.asarray(obj(x.shape))
        if array.shape != x.shape:
            return Finding(f"{name}: shape", f"{array.shape}, expected {x.shape}")
    elif name.startswith("schedules"):
        float(np.asarray(obj(3)))
    else:
        obj(x)
    return None


def first_input(case: dict[str, Any]) -> np.ndarray:
    given = case["inputs"]
    return decode(given[0] if isinstance(given, list) else given)


def use_layer(name: str, layer: Any, case: dict[str, Any], step: Callable[[str], None]) -> Finding | None:
    inputs = decode(case["inputs"])
    step("calling it on symbolic inputs")
    symbolic, refusal = None, None
    if name not in ("layers.InputLayer",):
        try:
            other = type(layer).from_config(layer.get_config())
            inside = map_structure(lambda a: layers.Input(batch_shape=(None, *a.shape[1:]), dtype=_dtype(a)), inputs)
            symbolic = map_structure(lambda t: t.shape, other(inside))
        except PynnError as error:
            refusal = error
        except NotImplementedError:
            pass
    step("calling it")
    results = layer(inputs)
    rows = map_structure(lambda a: a.shape[:1], inputs)
    if refusal is None and symbolic is not None and all(np.ndim(a) for a in flatten(inputs)):
        shapes = [r.shape for r in flatten(results)]
        announced = _shapes(symbolic)
        if len(shapes) != len(announced) or any(
            len(s) != len(t) or any(n not in (None, m) for m, n in zip(s, t, strict=True))
            for s, t in zip(shapes, announced, strict=True)
        ):
            return Finding(f"{name}: not the shape it announced", f"{announced} for {rows}, then {shapes}")
    if case["depth"] == "train":
        step("training it")
        return train(name, layer, case, inputs)
    return None


def _shapes(structure: Any) -> list[tuple[int | None, ...]]:
    from pynn.graph.symbolic import is_shape

    if isinstance(structure, dict):
        structure = list(structure.values())
    return [tuple(structure)] if is_shape(structure) else [s for part in structure for s in _shapes(part)]


def _dtype(array: np.ndarray) -> str:
    return "float32" if array.dtype.kind == "f" else str(array.dtype)


def train(name: str, layer: Any, case: dict[str, Any], inputs: Any) -> Finding | None:
    ins = map_structure(lambda a: layers.Input(batch_shape=(None, *a.shape[1:]), dtype=_dtype(a)), inputs)
    model = pynn.Model(ins, layer(ins))
    model.compile("sgd", "mse")
    y = map_structure(lambda r: np.zeros(r.shape, "float32"), model(inputs))
    model.train_on_batch(inputs, y)
    return None


def use_loss(name: str, loss: Any, case: dict[str, Any], step: Callable[[str], None]) -> Finding | None:
    step("calling it")
    x = first_input(case)
    np.asarray(loss(x, np.abs(x) if x.dtype.kind == "f" else x))
    return None


def use_metric(name: str, metric: Any, case: dict[str, Any], step: Callable[[str], None]) -> Finding | None:
    step("updating it")
    x = first_input(case)
    if name in ("metrics.Mean", "metrics.Sum"):
        metric.update_state(x)
    else:
        metric.update_state(np.zeros_like(x), x)
    step("its result")
    np.asarray(metric.result())
    metric.reset_state()
    return None


def use_optimizer(name: str, optimizer: Any, case: dict[str, Any], step: Callable[[str], None]) -> Finding | None:
    step("training with it")
    model = pynn.Sequential([layers.Input((3,)), layers.Dense(2)])
    model.compile(optimizer, "mse")
    for _ in range(2):
        model.train_on_batch(np.ones((2, 3), "float32"), np.ones((2, 2), "float32"))
    return None


FUZZER = harness.Fuzzer("layers", strategy, check, prepare)

if __name__ == "__main__":
    harness.main(FUZZER, __file__)
