"""How many cores and how much memory: affinity, containers' limits, OpenMP's variables and threadpoolctl."""

import os
import sys
import threading

import numpy as np
import pytest

import pynn as keras
from pynn import config, layers
from pynn.utils import cgroups, memory


@pytest.fixture
def looks_anew(monkeypatch):
    monkeypatch.delenv("PYNN_THREADS", raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    config.look_again()
    yield monkeypatch
    monkeypatch.undo()
    config.look_again()


def groups(folder, own, files):
    """A control group file system in ``folder``."""
    (folder / "own").write_text(own)
    for name, text in files.items():
        file = folder / "fs" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


V2, V1 = "0::/work.slice/job.scope\n", "4:memory:/docker/abc\n3:cpuacct,cpu:/docker/abc\n0::/\n"
QUOTAS = {
    "nothing": (V2, {}, None),
    "version 2, no limit": (V2, {"cpu.max": "max 100000\n"}, None),
    "version 2, in a container": ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
    "version 2, of the group": (V2, {"work.slice/job.scope/cpu.max": "200000 100000\n"}, 2),
    "version 2, of a group above": (
        V2,
        {"work.slice/cpu.max": "50000 100000\n", "work.slice/job.scope/cpu.max": "max 100000\n"},
        0.5,
    ),
    "version 2, of another group": (V2, {"other.slice/cpu.max": "50000 100000\n"}, None),
    "version 2, beside version 1": ("0::/x\n", {"unified/x/cpu.max": "300000 100000"}, 3),
    "version 1, in a container": (V1, {"cpu/cpu.cfs_quota_us": "250000", "cpu/cpu.cfs_period_us": "100000"}, 2.5),
    "version 1, of the group": (
        V1,
        {"cpuacct,cpu/docker/abc/cpu.cfs_quota_us": "70000", "cpuacct,cpu/docker/abc/cpu.cfs_period_us": "100000"},
        0.7,
    ),
    "version 1, no limit": (V1, {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
    "nonsense": (V2, {"cpu.max": "many of them"}, None),
    "period 0": (V2, {"cpu.max": "100000 0"}, None),
    "a group that cannot be seen": ("0::/../..\n", {"cpu.max": "100000 100000"}, 1),
}


@pytest.mark.parametrize(("own", "files", "expected"), QUOTAS.values(), ids=QUOTAS)
def test_quotas_of_containers(own, files, expected, tmp_path, looks_anew):
    groups(tmp_path, own, files)
    looks_anew.setattr(cgroups, "_ROOT", tmp_path / "fs")
    looks_anew.setattr(cgroups, "_OWN", tmp_path / "own")
    assert cgroups.cpu_quota() == expected
    looks_anew.setattr(os, "sched_getaffinity", lambda pid: set(range(64)), raising=False)
    assert config.num_threads() == (64 if expected is None else int(np.ceil(expected)))


MEMORY = {
    "nothing": (V2, {}, None),
    "version 2": (
        V2,
        {
            "work.slice/memory.max": "4000",
            "work.slice/memory.current": "1000",
            "work.slice/memory.stat": "anon 500\ninactive_file 300\n",
            "work.slice/job.scope/memory.max": "max",
            "work.slice/job.scope/memory.current": "900",
        },
        3300,
    ),
    "version 1": (
        V1,
        {"memory/docker/abc/memory.limit_in_bytes": "900", "memory/docker/abc/memory.usage_in_bytes": "1000"},
        0,
    ),
    "version 1, no limit": (
        V1,
        {"memory/memory.limit_in_bytes": "9223372036854771712", "memory/memory.usage_in_bytes": "1000"},
        None,
    ),
}


@pytest.mark.parametrize(("own", "files", "expected"), MEMORY.values(), ids=MEMORY)
def test_memory_of_containers(own, files, expected, tmp_path, monkeypatch):
    groups(tmp_path, own, files)
    monkeypatch.setattr(cgroups, "_ROOT", tmp_path / "fs")
    monkeypatch.setattr(cgroups, "_OWN", tmp_path / "own")
    assert cgroups.memory_left() == expected
    if expected is not None:
        assert memory.available() == expected


@pytest.mark.parametrize(("variable", "threads"), [("1", 1), ("3,2", 3), ("100", 8), ("", 8), ("no", 8), ("0", 8)])
def test_omp_num_threads(variable, threads, looks_anew):
    looks_anew.setattr(config, "usable_cores", _eight)
    looks_anew.setenv("OMP_NUM_THREADS", variable)
    assert config.num_threads() == threads
    looks_anew.setenv("PYNN_THREADS", "5")
    assert config.num_threads() == 5  # who names pynn means pynn


def _eight():
    return 8


_eight.cache_clear = lambda: None

PINNED = """
import os
import numpy as np
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import pynn as keras
from pynn import layers
model = keras.Sequential([keras.Input((256,)), layers.Dense(512), layers.Dense(512), layers.Dense(1)])
x = np.zeros((512, 256), "float32")
model.predict(x, batch_size=512, verbose=0)
print(keras.config.num_threads(), len(os.listdir("/proc/self/task")))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="affinity and /proc are Linux's")
def test_a_process_on_one_core_makes_no_threads(run_script):
    """As under ``taskset -c 0``.  NumPy's own threads are not counted: its library is told to have none."""
    threads, tasks = run_script(PINNED, OPENBLAS_NUM_THREADS="1", PYNN_THREADS="").split()
    assert (threads, tasks) == ("1", "1")


class Helpers:
    """How much of a program's time threads other than the caller's took."""

    def __init__(self):
        keras.utils.set_random_seed(1)
        self.model = keras.Sequential([keras.Input((500,)), layers.Dense(2000), layers.Dense(2000), layers.Dense(1)])
        self.x = np.zeros((512, 500), "float32")
        self.run()

    def run(self, times=10):
        import resource

        def others():
            whole, mine = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_THREAD)
            return whole.ru_utime - mine.ru_utime

        before, start = others(), resource.getrusage(resource.RUSAGE_THREAD).ru_utime
        for _ in range(times):
            self.model.predict_on_batch(self.x)
        mine = resource.getrusage(resource.RUSAGE_THREAD).ru_utime - start
        return (others() - before) / max(mine, 1e-9)


@pytest.fixture
def helpers():
    config.set_num_threads(2)
    yield Helpers()
    config.set_num_threads(None)


@pytest.mark.skipif(sys.platform != "linux", reason="the time of one thread is Linux's")
def test_threadpoolctl_limits_us_too(helpers):
    """Shares of time, not times: another process on the machine lengthens both."""
    threadpoolctl = pytest.importorskip("threadpoolctl")
    assert any(pool["user_api"] == "openmp" for pool in threadpoolctl.threadpool_info())
    expected = helpers.model.predict_on_batch(helpers.x)
    with threadpoolctl.threadpool_limits(limits=1):
        limited = min(helpers.run() for _ in range(5))  # a helper may be at the end of its last work
        np.testing.assert_array_equal(helpers.model.predict_on_batch(helpers.x), expected)
    assert limited < 0.1
    assert max(helpers.run() for _ in range(5)) > 0.2  # and afterwards two again
    with threadpoolctl.threadpool_limits(limits=1, user_api="blas"):
        np.testing.assert_array_equal(helpers.model.predict_on_batch(helpers.x), expected)
    other = []
    with threadpoolctl.threadpool_limits(limits=1):  # as OpenMP does, for the thread that says so
        thread = threading.Thread(target=lambda: other.append(max(helpers.run() for _ in range(5))))
        thread.start()
        thread.join()
    assert other[0] > 0.2


@pytest.mark.skipif(sys.platform != "linux", reason="the time of one thread is Linux's")
def test_fewer_threads_than_before(helpers):
    """Those that are too many pause, and come back."""
    config.set_num_threads(4)
    four = helpers.model.predict_on_batch(helpers.x)
    config.set_num_threads(1)
    assert helpers.run() < 0.1
    config.set_num_threads(2)
    np.testing.assert_array_equal(helpers.model.predict_on_batch(helpers.x), four)
    config.set_num_threads(4)
    np.testing.assert_array_equal(helpers.model.predict_on_batch(helpers.x), four)
