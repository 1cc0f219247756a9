"""Training in several processes, measured here and worked out for clusters; docs/distributed.md has the results.

mpiexec -n 2 python benchmarks/distributed.py train OUT.npz    # LeNet-5 on MNIST: the loss of every step
python benchmarks/distributed.py compare ONE.npz TWO.npz        # two such files
mpiexec -n 2 python benchmarks/distributed.py steps             # what a step, and what all-reduce, takes
python benchmarks/distributed.py predict                        # 2 to 256 nodes, 10 and 100 Gbit/s
"""

from __future__ import annotations

import argparse
import math
import statistics
import time

import numpy as np

import pynn as keras
from pynn import distribute

#: Networks of the prediction: gradients, the batch of one node, and small sums of synchronized batch normalization
#: (four for each of its layers).
NETWORKS = {"LeNet-5": (61_706, 64, 0), "ResNet-50": (25_583_592, 16, 4 * 53)}
#: Bytes per second at which gradients are put into buckets and taken out again, as measured by ``steps``.
COPY = 4e9
BUCKET = 4e6
#: Nominal Gbit/s -> (bytes per second that a sum achieves, seconds until a message arrives): TCP over Ethernet, and a
#: network with remote direct memory access.  Assumptions, not measurements.
LINKS = {10: (0.9 * 10e9 / 8, 30e-6), 100: (0.8 * 100e9 / 8, 4e-6)}
NODES = (2, 4, 8, 16, 32, 64, 128, 256)
#: What part of a step is the backward pass: buckets can travel while it goes on.
BACKWARD = 2 / 3


def lenet(batch_norm: str = "synchronized") -> keras.Model:
    keras.utils.set_random_seed(0)
    model = keras.applications.LeNet5()
    ranks = distribute.DataParallel(batch_norm=batch_norm)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], distribute=ranks)
    return model


def train(out: str, epochs: int, batch_size: int) -> None:
    """Write the mean loss so far at every step, the results of the epochs, and the final weights."""
    (x, y), (x_test, y_test) = keras.datasets.mnist.load_data()
    x, x_test = x[..., None] / np.float32(255), x_test[..., None] / np.float32(255)
    model = lenet()
    curve: list[float] = []
    note = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: curve.append(logs["loss"]))
    began = time.perf_counter()
    history = model.fit(x, y, batch_size, epochs=epochs, verbose=0, callbacks=[note], validation_data=(x_test, y_test))
    took = time.perf_counter() - began
    if distribute.rank() == 0:
        results = {name: np.array(values) for name, values in history.history.items()}
        weights = {f"weights_{i}": w for i, w in enumerate(model.get_weights())}
        np.savez(out, curve=curve, **results, **weights)
        print(f"{distribute.size()} ranks, {took:.1f} s:", {k: v.round(5).tolist() for k, v in results.items()})


def compare(one: str, other: str) -> None:
    with np.load(one) as a, np.load(other) as b:
        for name in a.files:
            difference = np.abs(a[name] - b[name])
            print(f"{name:12}  largest difference {difference.max():.2e}, of values up to {np.abs(a[name]).max():.3g}")


def median_ms(function, rounds: int) -> float:
    times = []
    for _ in range(rounds):
        distribute.barrier()
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return 1e3 * statistics.median(times)


def steps(batch_size: int, rounds: int) -> None:
    """A step of LeNet-5 on a batch in all ranks, the same rows of one rank without the others, and sums alone."""
    from pynn.distribute.communicator import communicator

    rng = np.random.default_rng(0)
    x, y = rng.random((batch_size, 28, 28, 1), "float32"), rng.integers(0, 10, batch_size)
    mine = distribute.DataParallel().part(batch_size)
    together = lenet()
    alone = keras.applications.LeNet5()
    alone.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    for model, rows in ((together, slice(None)), (alone, mine)):
        for _ in range(20):
            model.train_on_batch(x[rows], y[rows])
    pairs = [
        (
            median_ms(lambda: together.train_on_batch(x, y), rounds),
            median_ms(lambda: alone.train_on_batch(x[mine], y[mine]), rounds),
        )
        for _ in range(5)
    ]
    both, own = (statistics.median(column) for column in zip(*pairs, strict=True))
    sums = {}
    for count in (1, 10_000, together.count_params(), 1_000_000, 25_583_592):
        array = np.ones(count, np.float32)
        sums[count] = median_ms(lambda array=array: communicator().sum(array), 5 if count > 1e6 else rounds)
    if distribute.rank() == 0:
        print(f"{distribute.size()} ranks, batch {batch_size} in all, {keras.config.num_threads()} thread(s) each")
        print(f"step together {both:.3f} ms, its own rows alone {own:.3f} ms: overhead {both - own:.3f} ms")
        for count, took in sums.items():
            print(f"sum of {count:>10,} numbers ({4 * count / 1e6:8.3f} MB): {took:9.4f} ms")


def reduce_seconds(nbytes: float, nodes: int, link: int) -> float:
    """Halving and doubling (Rabenseifner): each number crosses a node's link twice, in 2 log2(nodes) messages."""
    rate, latency = LINKS[link]
    return 2 * math.ceil(math.log2(nodes)) * latency + 2 * (nodes - 1) / nodes * nbytes / rate


def predict(seconds: dict[str, float]) -> None:
    """Step times for growing clusters at the same batch per node."""
    for name, (count, batch, small) in NETWORKS.items():
        compute, nbytes = seconds[name], 4 * count
        buckets = math.ceil(nbytes / BUCKET)
        print(f"\n{name}: {nbytes / 1e6:.2f} MB of gradients, {batch} images per node in {1e3 * compute:.1f} ms")
        print("| nodes | " + " | ".join(f"{link} Gbit/s: all-reduce, step, efficiency" for link in LINKS) + " |")
        print("|---:|" + "---:|" * len(LINKS))
        for nodes in NODES:
            cells = []
            for link in LINKS:
                last = reduce_seconds(nbytes / buckets, nodes, link)
                travel = buckets * last
                # The last bucket sets off when the backward pass is done; the others travel while it goes on.
                visible = max(last, travel - BACKWARD * compute)
                step = compute + 2 * nbytes / COPY + small * reduce_seconds(0, nodes, link) + visible
                cells.append(f"{1e3 * travel:.2f} ms, {1e3 * step:.2f} ms, {100 * compute / step:.0f} %")
            print(f"| {nodes} | " + " | ".join(cells) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("train")
    one.add_argument("out")
    one.add_argument("--epochs", type=int, default=2)
    one.add_argument("--batch-size", type=int, default=128)
    two = commands.add_parser("compare")
    two.add_argument("files", nargs=2)
    three = commands.add_parser("steps")
    three.add_argument("--batch-size", type=int, default=128)
    three.add_argument("--rounds", type=int, default=100)
    four = commands.add_parser("predict")
    four.add_argument("--lenet-ms", type=float, required=True, help="a step of LeNet-5 on one node, 64 images")
    four.add_argument("--resnet-ms", type=float, required=True, help="a step of ResNet-50 on one node, 16 images")
    given = parser.parse_args()
    if given.command == "train":
        train(given.out, given.epochs, given.batch_size)
    elif given.command == "compare":
        compare(*given.files)
    elif given.command == "steps":
        steps(given.batch_size, given.rounds)
    else:
        predict({"LeNet-5": given.lenet_ms / 1e3, "ResNet-50": given.resnet_ms / 1e3})


if __name__ == "__main__":
    main()
