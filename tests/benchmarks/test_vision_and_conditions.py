"""The networks of vision.py are what their names say and the same in both APIs; conditions.py and small_calls.py
measure."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="takes CPU times and CPU lists from Linux"),
    pytest.mark.skipif(not BENCHMARKS.exists(), reason="not run from the repository"),
]


@pytest.fixture
def peers(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS / "peers"))


# Published numbers of parameters, without batch normalization's moving averages.
@pytest.mark.parametrize(
    ("name", "published"), [("vgg16", 138_357_544), ("resnet50", 25_557_032), ("mobilenet_v2", 3_504_872)]
)
def test_networks_have_the_published_size(peers, name, published):
    from vision_nets import NETS

    nodes = NETS[name]().nodes
    trained = sum(a.size for node in nodes for a in (node.arrays[:2] if node.kind == "norm" else node.arrays))
    assert trained == published


def test_the_nodes_run_as_a_model_and_train(peers):
    from keras_api_nets import trainer
    from vision_nets import Net

    import pynn

    net = Net()
    x = net.add("relu6", net.norm(net.conv(-1, 3, 8, 3, stride=2), 8))
    x = net.add("add", x, net.conv(x, 8, 8, 3, groups=8))
    net.dense(net.add("mean", net.add("max_pool", x, window=3, stride=2)), 8, 5)
    model = trainer(pynn, net)
    assert sum(w.size for w in model.get_weights()) == sum(a.size for node in net.nodes for a in node.arrays)
    images, labels = np.random.default_rng(0).random((2, 224, 224, 3), dtype=np.float32), np.array([1, 4])
    losses = [model.train_on_batch(images, labels) for _ in range(5)]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize(
    ("size", "window", "stride", "expected"), [(224, 7, 2, (2, 3)), (56, 3, 1, (1, 1)), (7, 1, 2, (0, 0))]
)
def test_same_padding(peers, size, window, stride, expected):
    from vision_nets import same_padding

    assert same_padding(size, window, stride) == expected


def test_conditions(tmp_path):
    path = tmp_path / "conditions.json"
    command = [sys.executable, str(BENCHMARKS / "conditions.py"), "startup", "neighbour", "--peers", "pynn"]
    done = subprocess.run([*command, "--rounds", "1", "--json", str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (run,) = json.loads(path.read_text())["runs"]
    startup, neighbour = run["results"]
    assert startup["seconds"] > 0
    assert startup["met"] is None, "nobody to compare with"
    assert neighbour["met"] == (neighbour["slower"] <= 2.5)
    assert neighbour["slower"] == pytest.approx(neighbour["ms_beside"] / neighbour["ms_alone"])


def test_missing_frameworks_are_listed(tmp_path):
    empty = tmp_path / "python"
    empty.write_text("#!/bin/sh\nexit 1\n")
    empty.chmod(0o755)
    command = [sys.executable, str(BENCHMARKS / "conditions.py"), "memory", "--peers", "torch"]
    done = subprocess.run([*command, "--python", f"torch={empty}"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "torch       missing: " in done.stdout


def test_small_calls_are_measured():
    arguments = ["--peers", "pynn", "--rounds", "1", "--calls", "predict", "fit", "--soak", "50"]
    done = subprocess.run(
        [sys.executable, "small_calls.py", *arguments],
        cwd=BENCHMARKS, capture_output=True, text=True, timeout=600, check=True,
    )  # fmt: skip
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[0] for line in lines if line[0] in ("predict", "fit")] == ["predict", "fit"]
    assert all(float(line[1]) > 0 for line in lines if line[0] in ("predict", "fit"))
    assert done.stdout.count("predictions:") == 6
