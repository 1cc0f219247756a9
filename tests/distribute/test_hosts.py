"""Two hosts with a network between them: network namespaces of this machine, made and removed by the test."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

SCENARIOS = Path(__file__).with_name("scenarios.py")
#: Of each host: its namespace, its end of the cable, and its address (a range that is set aside for tests, RFC 2544).
HOSTS = [(f"pynn{os.getpid()}{x}", f"pynn{x}{os.getpid()}"[:15], f"198.18.7.{i}") for i, x in enumerate("ab", 1)]


def ip(*arguments):
    return subprocess.run(["ip", *arguments], capture_output=True, text=True, check=True).stdout


def wait_until_up(name, end):
    """A new cable carries nothing for up to a second."""
    until = time.monotonic() + 10
    while "state UP" not in ip("-n", name, "link", "show", end):
        assert time.monotonic() < until, ip("-n", name, "link", "show", end)
        time.sleep(0.05)


@pytest.fixture
def hosts(tmp_path):
    """Names and addresses of two hosts, and a program that starts commands on them, as ssh would."""
    if shutil.which("ip") is None or os.geteuid() != 0:
        pytest.skip("network namespaces need root and the command ip (package iproute2)")
    (a, end_a, address_a), (b, end_b, _) = HOSTS
    try:
        try:
            ip("netns", "add", a)
            ip("netns", "add", b)
        except subprocess.CalledProcessError as error:
            pytest.skip(f"network namespaces cannot be made here: {error.stderr.strip()}")
        ip("link", "add", end_a, "netns", a, "type", "veth", "peer", "name", end_b, "netns", b)
        for name, end, address in HOSTS:
            ip("-n", name, "addr", "add", f"{address}/24", "dev", end)
            for device in ("lo", end):
                ip("-n", name, "link", "set", device, "up")
        for name, end, _ in HOSTS:
            wait_until_up(name, end)
        starter = tmp_path / "start_on_host"
        starter.write_text(
            '#!/bin/sh\nwhile [ "${1#-}" != "$1" ]; do shift; done\n'  # options of ssh
            f'case $1 in {address_a}) name={a};; *) name={b};; esac\nshift\nexec ip netns exec $name sh -c "$*"\n'
        )
        starter.chmod(0o755)
        yield starter
    finally:
        for name, *_ in HOSTS:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True)


def bytes_sent(name, end):
    command = ["ip", "netns", "exec", name, "cat", f"/sys/class/net/{end}/statistics/tx_bytes"]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_two_hosts_train_like_one_process(hosts, tmp_path):
    pytest.importorskip("mpi4py", reason="mpi4py is not installed: pip install '.[mpi]'")
    hydra = Path(sys.executable).with_name("mpiexec.hydra")
    if not hydra.exists():
        pytest.skip("the test tells MPICH's mpiexec how to reach hosts: pip install '.[mpi]'")
    (a, end, first), (_, _, second) = HOSTS
    environment = {**os.environ, "PYNN_THREADS": "1", "UCX_TLS": "tcp,self"}  # not through shared memory
    program = [sys.executable, str(SCENARIOS)]
    command = [
        "ip", "netns", "exec", a, str(hydra), "-launcher", "ssh", "-launcher-exec", str(hosts), "-localhost", first,
        "-hosts", f"{first},{second}", "-n", "2", *program, str(tmp_path), "batch_norm",
    ]  # fmt: skip
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert bytes_sent(a, end) > 20_000
    alone = tmp_path / "alone"
    alone.mkdir()
    subprocess.run([*program, str(alone), "batch_norm"], check=True, timeout=60)
    with np.load(tmp_path / "rank_0.npz") as two, np.load(alone / "rank_0.npz") as one:
        for key in one.files:
            np.testing.assert_allclose(two[key], one[key], rtol=5e-6, atol=5e-6, err_msg=key)
