"""What the fuzzers share: a worker process that may die, a parent that starts it again and keeps what it found.

A fuzzer gives a hypothesis strategy of cases (plain JSON) and ``check(case)``, which returns a :class:`Finding` or a
word for the statistics.  The worker writes each case into a file before it runs it, so a case that kills the process,
or never ends, is known.  Findings of one kind are kept once, made small by hypothesis, as lines of JSON that
``--replay`` (and the tests, from ``corpus/``) run again.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).parent / "corpus"
#: Cases of one run of hypothesis: it remembers all it has tried.
BATCH = 400
#: A case that takes more time of the processor hangs; so does one that only waits, after ten times as long.
SECONDS = 20
#: What a case may take beside what the process has after its start.
MEMORY = 2 * 2**30


@dataclass
class Finding:
    """A case that broke the property: ``kind`` tells defects apart, ``detail`` is for people."""

    kind: str
    detail: str


class Found(AssertionError):
    """Raised inside of hypothesis, which then looks for a smaller case."""

    def __init__(self, finding: Finding):
        super().__init__(finding.kind)
        self.finding = finding


@dataclass
class Fuzzer:
    """``strategy(only)`` gives cases, all or those whose name is ``only``; ``check`` runs one."""

    name: str
    strategy: Callable[[str | None], Any]
    check: Callable[[dict[str, Any]], Finding | str]
    #: Called once in the worker.
    prepare: Callable[[], None] = lambda: None


def is_pythons_own(error: BaseException) -> bool:
    """Whether Python itself has refused the call, and said why: arguments that the signature does not have."""
    words = ("unexpected keyword argument", "takes no arguments", "positional argument", "multiple values for argument")
    return isinstance(error, TypeError) and any(w in str(error) for w in words)


def unexpected(error: BaseException, about: str) -> Finding:
    """An exception that users should never see: told apart by the line of pynn's that let it out."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "/pynn/" in f.filename]
    at = f"{Path(frames[-1].filename).name}:{frames[-1].name}" if frames else "nowhere in pynn"
    kind = f"{about}: {type(error).__name__} in {at}"
    lines = "".join(traceback.format_exception(error)[-6:])
    return Finding(kind, f"{type(error).__name__}: {error}\n{lines}")


def limit_memory() -> None:
    """Whatever asks for too much gets a MemoryError, and the machine lives on."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, resource.RLIM_INFINITY))


# ---- the worker --------------------------------------------------------------------------------------------------


class Worker:
    """Runs cases and writes what happens into a folder, where the parent reads it."""

    def __init__(self, fuzzer: Fuzzer, folder: Path):
        self.fuzzer, self.folder = fuzzer, folder
        self.counts: Counter[str] = Counter()
        self.known: set[str] = set()
        self._current = os.open(folder / "current", os.O_RDWR | os.O_CREAT)

    def announce(self, case: dict[str, Any]) -> None:
        text = json.dumps(case).encode()
        os.ftruncate(self._current, len(text))
        os.pwrite(self._current, text, 0)

    def run(self, seed: int, cases: int, only: str | None) -> None:
        import hypothesis

        shown = 0.0
        settings = hypothesis.settings(
            max_examples=BATCH,
            database=None,
            deadline=None,
            suppress_health_check=list(hypothesis.HealthCheck),
            phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
            report_multiple_bugs=False,
            verbosity=hypothesis.Verbosity.quiet,
        )
        shrinking = False
        done = 0

        def one(case: dict[str, Any]) -> None:
            nonlocal shrinking, shown, done
            self.announce(case)
            try:
                verdict = self.fuzzer.check(case)
            except MemoryError:  # the results fitted, comparing them does not
                verdict = "too large"
            if not shrinking:
                done += 1
                self.counts[verdict if isinstance(verdict, str) else "found"] += 1
                if done < 200 or time.monotonic() > shown + 0.5:  # a worker that dies early has done something, too
                    self.report(done)
                    shown = time.monotonic()
            if isinstance(verdict, Finding) and verdict.kind not in self.known:
                if shrinking and verdict.kind != self.smallest[0].kind:
                    return  # a smaller case of another defect: it will be found on its own
                shrinking = True
                self.smallest = (verdict, case)
                raise Found(verdict)

        batch = 0
        while done < cases:
            test = hypothesis.seed(seed * 1_000_003 + batch)(
                settings(hypothesis.given(self.fuzzer.strategy(only))(one))
            )
            try:
                test()
            except (Found, hypothesis.errors.Flaky):  # flaky: what pynn had cached made the difference
                if shrinking:  # else Hypothesis gave up a case that it could not draw twice alike
                    self.known.add(self.smallest[0].kind)
                    self.keep(*self.smallest)
            shrinking = False
            batch += 1
        self.report(done)

    def keep(self, finding: Finding, case: dict[str, Any]) -> None:
        with open(self.folder / "findings", "a") as file:
            file.write(json.dumps({"kind": finding.kind, "case": case, "detail": finding.detail}) + "\n")

    def report(self, done: int) -> None:
        beside = self.folder / "progress.new"
        beside.write_text(json.dumps({"done": done, "counts": self.counts}))
        os.replace(beside, self.folder / "progress")


def _work(fuzzer: Fuzzer, options: argparse.Namespace) -> None:
    sys.stderr = open(Path(options.worker) / "stderr", "a", buffering=1)  # noqa: SIM115 - as long as the process
    os.dup2(sys.stderr.fileno(), 2)
    import faulthandler

    faulthandler.enable()
    fuzzer.prepare()
    limit_memory()
    worker = Worker(fuzzer, Path(options.worker))
    worker.known.update(json.loads(options.known))
    worker.run(options.seed, options.cases, options.only)


# ---- the parent --------------------------------------------------------------------------------------------------


def campaign(fuzzer: Fuzzer, script: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Run ``options.cases`` cases in ``options.jobs`` workers; returns the findings, one of each kind."""
    start, findings, counts = time.monotonic(), {}, Counter()  # type: ignore[var-annotated]
    finished = 0
    shares = [options.cases // options.jobs + (i < options.cases % options.jobs) for i in range(options.jobs)]
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None  # a disk would be what takes the time
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=memory) as root:
        runs = [_Run(script, options, Path(root) / str(i), options.seed * 1000 + i, n) for i, n in enumerate(shares)]
        for run in runs:
            run.start(findings)
        shown = time.monotonic()
        while any(run.process for run in runs):
            time.sleep(0.3)
            for run in runs:
                for row in run.look(findings):
                    findings[row["kind"]] = row
                    print(f"FOUND {row['kind']}\n  {json.dumps(row['case'])}\n  {row['detail']}", flush=True)
                    if options.findings:
                        with open(options.findings, "a") as file:
                            file.write(json.dumps(row) + "\n")
            seconds = time.monotonic() - start
            if options.seconds and seconds > options.seconds:
                for run in runs:
                    run.stop()
            if time.monotonic() > shown + options.every:
                shown = time.monotonic()
                finished = sum(run.done for run in runs)
                print(f"{finished} cases, {seconds:.0f} s, {len(findings)} findings", flush=True)
        counts = sum((run.total for run in runs), Counter())
        finished = sum(run.done for run in runs)
    seconds = time.monotonic() - start
    crashes = sum(run.crashes for run in runs)
    print(
        f"{fuzzer.name}: {finished} cases in {seconds:.0f} s ({finished / seconds:.0f} per second), "
        f"{crashes} crashes, {len(findings)} findings; "
        + ", ".join(f"{word} {count}" for word, count in counts.most_common()),
        flush=True,
    )
    return list(findings.values())


class _Run:
    """One worker's share of a campaign, in as many processes as it takes."""

    def __init__(self, script: Path, options: argparse.Namespace, folder: Path, seed: int, cases: int):
        self.script, self.options, self.folder, self.seed, self.cases = script, options, folder, seed, cases
        self.before, self.counted = 0, Counter()  # type: ignore[var-annotated]
        self.current: tuple[int, Counter[str]] = (0, Counter())
        self.crashes = self.restarts = self.read = 0
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir()

    @property
    def done(self) -> int:
        return self.before + self.current[0]

    @property
    def total(self) -> Counter[str]:
        return self.counted + self.current[1]

    def start(self, known: Any) -> None:
        command = [sys.executable, str(self.script), "--worker", str(self.folder)]
        command += ["--seed", str(self.seed + 100_000 * self.restarts), "--cases", str(self.cases - self.done)]
        command += ["--known", json.dumps(list(known))]
        if self.options.only:
            command += ["--only", self.options.only]
        work = self.folder / "work"
        work.mkdir(exist_ok=True)
        self.process = subprocess.Popen(command, cwd=work, stdout=subprocess.DEVNULL, env=_environment(work))
        self.announced, self.since, self.used = b"", time.monotonic(), 0.0

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self._take_progress()
            self.process = None

    def look(self, known: Any) -> list[dict[str, Any]]:
        """What is new; starts the worker again if it died."""
        if self.process is None:
            return []
        code = self.process.poll()
        self._take_progress()
        rows = self._new_findings(known)
        announced = self._announced()
        if announced != self.announced:
            self.announced, self.since = announced, time.monotonic()
            self.used = _processor_time(self.process.pid)
        waited = time.monotonic() - self.since
        hangs = code is None and (_processor_time(self.process.pid) - self.used > SECONDS or waited > 10 * SECONDS)
        if hangs:
            self.process.kill()
            self.process.wait()
        if code == 0:
            self.process = None
        elif code is not None or hangs:
            what = f"no end after {SECONDS} s" if hangs else _exit(code)
            rows.append(self._crash(what))
            self.process = None
            self.before, self.counted, self.current = self.done, self.total, (0, Counter())
            (self.folder / "progress").unlink(missing_ok=True)
            self.restarts += 1
            if not announced:
                raise SystemExit(f"the fuzzer did not start:\n{rows[-1]['detail']}")
            if self.done < self.cases and self.restarts < 200:
                self.start([*known, *(row["kind"] for row in rows)])
        return rows

    def _crash(self, what: str) -> dict[str, Any]:
        self.crashes += 1
        stderr = (self.folder / "stderr").read_text(errors="replace")[-1500:]
        try:
            case = json.loads(self._announced())
        except ValueError:
            case = {}
        return {"kind": f"{what}: {case.get('name')}", "case": case, "detail": stderr}

    def _announced(self) -> bytes:
        path = self.folder / "current"
        return path.read_bytes() if path.exists() else b""

    def _take_progress(self) -> None:
        path = self.folder / "progress"
        if path.exists():
            progress = json.loads(path.read_text())
            self.current = progress["done"], Counter(progress["counts"])

    def _new_findings(self, known: Any) -> list[dict[str, Any]]:
        path = self.folder / "findings"
        if not path.exists():
            return []
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        new, self.read = rows[self.read :], len(rows)
        return [row for row in new if row["kind"] not in known]


def _processor_time(pid: int) -> float:
    """Seconds that a process has computed, in all its threads."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # it has just ended
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _exit(code: int | None) -> str:
    return f"killed by {signal.Signals(-code).name}" if code and code < 0 else f"ended with code {code}"


def _environment(folder: Path) -> dict[str, str]:
    """Few threads, none of which waits in a loop: several fuzzers share the machine's cores."""
    return {
        **os.environ,
        "OMP_WAIT_POLICY": "passive",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONWARNINGS": "ignore",
        "TMPDIR": str(folder),
    }


def main(fuzzer: Fuzzer, script: str) -> None:
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=0, help="end after so many seconds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--only", help="cases of this name")
    parser.add_argument("--every", type=float, default=10, help="seconds between lines of progress")
    parser.add_argument("--findings", help="a file to add reproducers to, as lines of JSON")
    parser.add_argument("--replay", help="run the cases of such a file, and tell what they give")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--known", default="[]", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        _work(fuzzer, options)
    elif options.replay:
        sys.exit(replay(fuzzer, Path(options.replay), options.only))
    else:
        sys.exit(1 if campaign(fuzzer, Path(script).resolve(), options) else 0)


def replay(fuzzer: Fuzzer, path: Path, only: str | None = None) -> int:
    """Run the kept cases in this process; returns how many break the property still."""
    fuzzer.prepare()
    limit_memory()
    bad = 0
    for line in path.read_text().splitlines():
        case = json.loads(line)["case"]
        if only in (None, case.get("name")):
            print(json.dumps(case), flush=True)
            verdict = fuzzer.check(case)
            bad += isinstance(verdict, Finding)
            print("   ", verdict if isinstance(verdict, str) else f"{verdict.kind}\n{verdict.detail}", flush=True)
    print(f"{bad} findings")
    return bad
