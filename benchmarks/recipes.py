"""The recipes of ``examples/`` in pynn, PyTorch and Keras: single training steps in turns, and whole processes.

    python benchmarks/recipes.py steps --python torch=/path/to/python --python keras_tf=/path/to/python --json out.json
    python benchmarks/recipes.py mnist_cnn --python torch=/path/to/python --python keras_tf=/path/to/python
    python benchmarks/recipes.py cifar10_fast --python torch=/path/to/python
    python benchmarks/recipes.py images

The first takes turns as ``compare.py`` does, on a batch in memory, and wants equal losses before it times.  The next
two start a process for each framework, one after the other, which imports, reads the data, trains and tests; they print
what each says in the end and its time on the wall, interpreter included.  The last shows how long a step of ``fit``
waits for its images.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from results import Results
from turns import KEEP_MEMORY, Peer, Series, describe_machine, rounds_in_turn, table, versions_of

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "examples"))
sys.path.insert(0, str(Path(__file__).parent / "peers"))

from recipe_case import RECIPES

HERE = Path(__file__).resolve().parent

PEERS = ("pynn", "torch", "keras_tf")
LOSS_TOLERANCE = 2e-3


def steps(options: argparse.Namespace) -> None:
    """Training steps on a batch in memory, in turns."""
    machine = describe_machine(options.threads)
    print(f"{machine['cpu']}, {machine['isa']}, {machine['threads']} threads, {machine['date']}")
    peers = [
        Peer(name, options.interpreters.get(name, sys.executable), options.threads, "recipes", KEEP_MEMORY)
        for name in options.peers
    ]
    order = [(name, "step") for name in RECIPES]
    results = Results(options.json, "recipes", machine, versions_of(peers), ("network", "mode"), order)
    try:
        for peer in peers:
            versions = ", ".join(f"{package} {version}" for package, version in peer.versions.items())
            print(f"  {peer.name:12}{versions or 'missing: ' + str(peer.missing)}")
        for name in RECIPES:
            series = [
                Series(peer, case)
                for peer in peers
                for case in peer.cases
                if case.startswith(f"{name}.") and not set(case.split(".")[2:]) & set(options.without)
            ]
            _check_losses(series)
            for one in series:
                times = [] if one.error else one.ask("run", 1)
                one.n = max(1, round(options.seconds / statistics.median(times))) if times else 1
            rounds_in_turn(series, options.rounds, 0.03)
            text, rows = table(f"{name}, a training step", name, "step", None, series)
            print(f"\n{text}", flush=True)
            results.add(rows)
    finally:
        for peer in peers:
            peer.close()


def _check_losses(series: list[Series]) -> None:
    """The losses of three steps must agree; who trains something else is reported and not timed."""
    for one in series:
        one.losses = one.ask("check", 3)
    agreed = [one for one in series if not one.error]
    for one in agreed:
        for step, loss in enumerate(one.losses):
            middle = statistics.median(other.losses[step] for other in agreed)
            if not abs(loss - middle) <= LOSS_TOLERANCE * abs(middle):
                one.error = f"trains something else: loss {loss:.6g} in step {step}, the others {middle:.6g}"


def whole(name: str, options: argparse.Namespace) -> None:
    """A process for each framework."""
    machine = describe_machine(options.threads)
    print(f"{machine['cpu']}, {machine['isa']}, {machine['threads']} threads, {machine['date']}")
    threads = {key: str(options.threads) for key in ("BENCH_THREADS", "OMP_NUM_THREADS", "PYNN_THREADS")}
    environment = {**os.environ, **KEEP_MEMORY, **threads}
    with tempfile.TemporaryDirectory() as folder:
        arrays = Path(folder) / f"{name}.npz"
        _write_arrays(name, arrays)
        for peer in options.peers:
            script = HERE / "peers" / f"{peer}_recipes.py"
            command = [options.interpreters.get(peer, sys.executable)]
            more = ["--epochs", str(options.epochs)] if options.epochs else []
            if peer == "pynn":
                command += [str(HERE.parent / "examples" / f"{name}.py"), *more]
            elif peer == "keras_tf" and name != "mnist_cnn":
                continue
            else:
                command += [str(script), name, str(arrays), *more[1:]]
            cpus = sorted(os.sched_getaffinity(0))[: options.threads]
            start = time.perf_counter()
            done = subprocess.run(
                command, capture_output=True, text=True, env=environment, check=False,
                preexec_fn=lambda cpus=cpus: os.sched_setaffinity(0, cpus),
            )  # fmt: skip
            seconds = time.perf_counter() - start
            said = done.stdout.splitlines()[-2:] if done.returncode == 0 else done.stderr.splitlines()[-1:]
            print(f"\n{peer}: {seconds:.1f} s", *(f"  {line}" for line in said), sep="\n", flush=True)


def _write_arrays(name: str, path: Path) -> None:
    """The data for those who cannot read pynn's data sets."""
    import pynn

    source = pynn.datasets.mnist if name == "mnist_cnn" else pynn.datasets.cifar10
    (x, y), (x_test, y_test) = source.load_data()
    arrays = {"x": x, "y": y.ravel(), "x_test": x_test, "y_test": y_test.ravel()}
    if name == "mnist_cnn":
        arrays |= {"x": x[..., None], "x_test": x_test[..., None]}
    else:
        import cifar10_fast

        arrays["whitening"] = cifar10_fast.whitening(x[:2000])
    np.savez(path, **arrays)


class Timed:
    """Batches of an epoch, and how long each was waited for."""

    def __init__(self, batches: Any, waits: list[float]) -> None:
        self.batches, self.waits, self.ahead = batches, waits, batches.ahead

    def __iter__(self) -> Timed:
        return self

    def __next__(self) -> Any:
        start = time.perf_counter()
        batch = next(self.batches)
        self.waits.append(time.perf_counter() - start)
        return batch


def images(options: argparse.Namespace) -> None:
    """How long steps of ``fit`` wait for their images, and how long they take with batches that are ready."""
    from keras_api import build

    import pynn

    class Watched(pynn.data.ImageBatches):
        def beside_steps(self) -> Any:
            return Timed(super().beside_steps(), waits)

    pynn.config.set_num_threads(options.threads)
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (6400, 32, 32, 3), np.uint8), rng.integers(0, 10, 6400)
    how: dict[str, Any] = {"flip": True, "crop": 4, "mean": 120.0, "std": 60.0, "shuffle": True, "seed": 0}
    waits: list[float] = []
    made = Watched(x, y, 128, **how)
    alone: list[float] = []
    for _ in Timed(pynn.data.ImageBatches(x, y, 128, **how).beside_steps(), alone):
        pass
    ready = [tuple(map(np.array, batch)) for batch in pynn.data.ImageBatches(x, y, 128, **how)]
    model = build(pynn, "resnet20")
    model.fit(made, verbose=0)
    waits.clear()
    times: dict[str, list[float]] = {"ready": [], "made": []}
    for _ in range(options.rounds):
        for kind, data in (("ready", pynn.data.Dataset.from_generator(lambda: iter(ready))), ("made", made)):
            start = time.perf_counter()
            model.fit(data, verbose=0)
            times[kind].append((time.perf_counter() - start) / len(made) * 1e3)
    lines = (
        (statistics.median(times["ready"]), "a step with batches that lie ready"),
        (statistics.median(times["made"]), "a step with images gathered, cropped, mirrored and normalised"),
        (statistics.median(waits) * 1e3, f"a step waits for them; the longest wait: {max(waits) * 1e3:.3f} ms"),
        (statistics.median(alone) * 1e3, "to make a batch on one thread with nothing else to do"),
    )
    print(
        f"ResNet-20, batches of 128, {options.threads} threads, {options.rounds} epochs of {len(made)} steps, medians:"
    )
    for ms, what in lines:
        print(f"  {ms:8.3f} ms {what}")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("steps", *RECIPES, "images"))
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--python", action="append", default=[], metavar="PEER=PATH", help="interpreter of a framework")
    parser.add_argument("--without", nargs="+", default=[], metavar="VARIANT", help="leave these out, e.g. compile")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=0.5, help="length of a turn (default: %(default)s)")
    parser.add_argument("--epochs", type=int, help="of a whole run (default: the recipe's)")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="for each (all CPUs)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the steps here; adds to what is there")
    options = parser.parse_args()
    options.interpreters = dict(choice.split("=", 1) for choice in options.python if "=" in choice)
    return options


if __name__ == "__main__":
    chosen = parse_arguments()
    if chosen.what == "steps":
        steps(chosen)
    elif chosen.what == "images":
        images(chosen)
    else:
        whole(chosen.what, chosen)
