"""Several processes train like one: ``mpiexec`` runs ``scenarios.py``, and what comes out is compared.

Needs mpi4py and an MPI library: pip install '.[mpi]'.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from pynn.distribute.data_parallel import part_of

SCENARIOS = Path(__file__).with_name("scenarios.py")
#: What sums in another order may change: a few units in the last place of float32, grown over some steps.
RTOL = 5e-6
#: Scenarios whose results depend on how many ranks there are.
THEIR_OWN = {"local_batch_norm", "dropout"}


@pytest.fixture(scope="session")
def mpiexec():
    """The command that starts ranks: that of the MPI library that mpi4py finds."""
    pytest.importorskip("mpi4py", reason="mpi4py is not installed: pip install '.[mpi]'")
    beside = Path(sys.executable).with_name("mpiexec")
    found = str(beside) if beside.exists() else shutil.which("mpiexec")
    if found is None:
        pytest.skip("there is no mpiexec: pip install '.[mpi]', or put that of your MPI into the PATH")
    version = subprocess.run([found, "--version"], capture_output=True, text=True).stdout
    return [found, "--oversubscribe", "--allow-run-as-root"] if "Open MPI" in version or "prte" in version else [found]


def run(mpiexec, ranks, *arguments, seconds=60, **environment):
    """Start ranks of one thread each; they end with the test, whatever happens."""
    environment = {**os.environ, "PYNN_THREADS": "1", "OMP_NUM_THREADS": "1", **environment}
    command = [*mpiexec, "-n", str(ranks), sys.executable, str(SCENARIOS), *map(str, arguments)]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        output, _ = process.communicate()
        pytest.fail(f"{ranks} ranks did not end within {seconds} s:\n{output}")
    return process.returncode, output


def results(folder, rank=0):
    with np.load(folder / f"rank_{rank}.npz") as file:
        return dict(file)


@pytest.fixture(scope="module")
def trained(mpiexec, tmp_path_factory):
    """All scenarios by one, two and three processes: the folders of their results, and what they printed."""
    found = {}
    for ranks in (1, 2, 3):
        folder = tmp_path_factory.mktemp(f"ranks_{ranks}")
        code, output = run(mpiexec, ranks, folder)
        assert code == 0, output
        found[ranks] = folder, output
    return found


def names():
    import ast

    tree = ast.parse(SCENARIOS.read_text())
    return [f.name for f in tree.body if isinstance(f, ast.FunctionDef) and f.decorator_list]


@pytest.mark.parametrize("ranks", [2, 3])
@pytest.mark.parametrize("name", sorted(set(names()) - THEIR_OWN))
def test_several_processes_train_like_one(trained, name, ranks):
    alone, several = results(trained[1][0]), results(trained[ranks][0])
    keys = [key for key in alone if key.startswith(f"{name}/")]
    assert keys
    for key in keys:
        size = np.abs(alone[key]).max(initial=1e-3)
        np.testing.assert_allclose(several[key], alone[key], rtol=RTOL, atol=RTOL * size, err_msg=key)


@pytest.mark.parametrize("ranks", [2, 3])
def test_all_ranks_end_with_the_same_bits(trained, ranks):
    first, *others = (results(trained[ranks][0], rank) for rank in range(ranks))
    for other in others:
        assert first.keys() == other.keys()
        for key in first:
            np.testing.assert_array_equal(first[key], other[key], err_msg=key)


def test_the_same_ranks_and_seed_give_the_same_bits_again(trained, mpiexec, tmp_path):
    code, output = run(mpiexec, 2, tmp_path, "arrays,batch_norm,dropout")
    assert code == 0, output
    again, before = results(tmp_path), results(trained[2][0])
    for key in again:
        np.testing.assert_array_equal(again[key], before[key], err_msg=key)


def test_each_rank_drops_out_units_of_its_own(trained):
    alone, two = (results(trained[ranks][0])["dropout/rows"] for ranks in (1, 2))
    np.testing.assert_array_equal(two[:6], alone[:6])  # rank 0 draws what one process draws
    assert len(np.unique(two, axis=0)) == len(two)


def test_local_batch_norm_normalises_the_rows_of_a_rank(trained):
    alone, two = (results(trained[ranks][0]) for ranks in (1, 2))
    mean, variance = "local_batch_norm/weights_2", "local_batch_norm/weights_3"
    np.testing.assert_allclose(two[mean], alone[mean], rtol=1e-5, atol=1e-5)  # the mean of means is the mean
    assert (two[variance] < alone[variance]).all()  # that of variances lacks what lies between the parts


def test_rank_0_alone_writes_and_prints(trained):
    folder, output = trained[3]
    assert sorted(path.name for path in folder.glob("*.keras")) == ["best.keras", "rank_0.keras"]
    assert (folder / "log.csv").read_text().startswith("epoch,")
    assert output.count("ReduceLROnPlateau reducing") == trained[1][1].count("ReduceLROnPlateau reducing") > 0


@pytest.mark.parametrize(
    ("ends", "message"),
    [
        ("killed", "ignal 9"),  # of mpiexec: nobody else is left to say it
        ("error", "this rank has a problem of its own"),
        ("exit", "has come to the end of its script"),
    ],
)
def test_a_rank_that_is_lost_ends_the_others_and_one_process_goes_on(mpiexec, tmp_path, trained, ends, message):
    began = time.monotonic()
    code, output = run(mpiexec, 2, tmp_path, "training", ends)
    took = time.monotonic() - began
    assert code != 0
    assert "rank 1 is about to end" in output
    assert message in output
    assert took < 10 + 10, f"{took:.1f} s, of which some are for starting"
    assert not list(tmp_path.glob("*.npz"))
    code, output = run(mpiexec, 1, tmp_path, "training")
    assert code == 0, output
    resumed, whole = results(tmp_path), results(trained[1][0])
    assert resumed["training/epochs"].tolist() == [2, 3]
    for key in resumed:
        if key.startswith("training/weights"):
            np.testing.assert_allclose(resumed[key], whole[key], rtol=1e-5, atol=RTOL, err_msg=key)


def test_the_environment_is_enough(mpiexec, tmp_path):
    """A script that knows nothing of ranks."""
    script = tmp_path / "script.py"
    script.write_text(
        "import numpy as np, pynn\n"
        "pynn.utils.set_random_seed(0)\n"
        "model = pynn.Sequential([pynn.Input((4,)), pynn.layers.Dense(1)])\n"
        "model.compile('sgd', 'mse')\n"
        "model.summary()\n"
        "model.fit(np.ones((8, 4)), np.ones(8), epochs=2, verbose=2)\n"
        "model.save('model.keras')\n"
    )
    command = [*mpiexec, "-n", "2", sys.executable, str(script)]
    environment = {**os.environ, "PYNN_DISTRIBUTE": "mpi", "PYNN_THREADS": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Epoch 1/2") == 1
    assert done.stdout.count("Total params") == 1


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("rows", [0, 1, 5, 14, 32])
def test_parts_cover_all_rows_once(rows, size):
    parts = [range(rows)[part_of(rows, rank, size)] for rank in range(size)]
    assert [row for part in parts for row in part] == list(range(rows))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
