"""Tries mutants on scratch copies of the project, one process per copy, against one embedded PostgreSQL."""

import compileall
import json
import os
import py_compile
import queue
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Self, TypedDict

from crm_graph.embedded import EmbeddedPostgres
from tests.mutants.operators import Mutant
from tests.mutants.targets import Target
from tests.support.paths import PROJECT

LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", ".env", ".crm-graph", ".*_cache", ".hypothesis", "__pycache__", "node_modules"
)
BASELINE_SECONDS = 300.0
# A mutant that waits forever is killed by the clock: after this many times what the tests take without it, and a pause.
PATIENCE, PAUSE_SECONDS = 3.0, 20.0


_FAILED = re.compile(r"^(?:FAILED|ERROR) (tests/\S+)", re.MULTILINE)


class Answer(TypedDict):
    """What forks.py answers."""

    code: int | None
    seconds: float


class BaselineFailed(Exception):
    """The tests of a module fail without any mutant, so that they can't judge one."""


class Fate(Enum):
    """The result of a mutant."""

    KILLED = "killed"
    TIMED_OUT = "timed out"
    SURVIVED = "SURVIVED"


@dataclass(frozen=True)
class Verdict:
    """A mutant, its fate, the seconds that took, and the first test that failed."""

    mutant: Mutant
    fate: Fate
    seconds: float
    test: str


class Copy:
    """A copy of the project, and the process that runs tests in it."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self._folder = folder
        self._output = folder.with_name(f"{folder.name}.log")
        shutil.copytree(PROJECT, folder, ignore=LEFT_OUT, symlinks=True)
        # Checked by content: two mutants of one second and one size must not share their bytecode.
        mode = py_compile.PycInvalidationMode.CHECKED_HASH
        compileall.compile_dir(folder, quiet=2, invalidation_mode=mode)
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self._process = subprocess.Popen(
            [sys.executable, PROJECT / "tests" / "mutants" / "forks.py"],
            cwd=folder,
            env=environment | {"DATABASE_URL": database_url},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def baseline(self, target: Target) -> float:
        """The seconds that a module's tests take as it is. Raises BaselineFailed."""
        code, seconds = self._run(target.tests, BASELINE_SECONDS)
        if code != 0:
            raise BaselineFailed(
                f"{target.module}: its tests fail without a mutant:\n{self._output.read_text()[-3000:]}"
            )
        return seconds

    def judge(self, mutant: Mutant, target: Target, timeout: float) -> Verdict:
        """Try a mutant, and put the module back."""
        file = self._folder / mutant.module
        original = file.read_text(encoding="utf-8")
        try:
            file.write_text(mutant.source, encoding="utf-8")
            code, seconds = self._run(target.tests, timeout)
        finally:
            file.write_text(original, encoding="utf-8")
        fate = {None: Fate.TIMED_OUT, 0: Fate.SURVIVED}.get(code, Fate.KILLED)
        return Verdict(mutant, fate, seconds, self._first_failure() if fate is Fate.KILLED else "")

    def _run(self, tests: Sequence[str], timeout: float) -> tuple[int | None, float]:
        assert self._process.stdin is not None
        order = {"tests": tests, "timeout": timeout, "output": str(self._output)}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = self._answer()
        return answer["code"], answer["seconds"]

    def _answer(self) -> Answer:
        assert self._process.stdout is not None
        answer: Answer = json.loads(self._process.stdout.readline())
        return answer

    def _first_failure(self) -> str:
        failed = _FAILED.search(self._output.read_text(encoding="utf-8", errors="replace"))
        return failed[1] if failed else "(an import)"


@contextmanager
def copies(count: int) -> Iterator[list[Copy]]:
    """That many copies, and a PostgreSQL server that they share."""
    with ExitStack() as stack:
        # Not below a private folder: when root runs this, the server's user must be able to pass through.
        folder = Path(tempfile.mkdtemp(prefix="crm-graph-mutants-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o755)
        postgres = stack.enter_context(EmbeddedPostgres(folder / "data", durable=False))
        url = postgres.url("postgres", "postgres").render_as_string(hide_password=False)
        yield [stack.enter_context(Copy(folder / f"copy{number}", url)) for number in range(count)]


def judge_all(
    mutants: Sequence[tuple[Mutant, Target]], processes: int, report: Callable[[Verdict], None]
) -> list[Verdict]:
    """The verdicts on all mutants, in their order; each is reported as soon as it is there. Raises BaselineFailed."""
    with copies(processes) as made, ThreadPoolExecutor(processes) as threads:
        free: queue.SimpleQueue[Copy] = queue.SimpleQueue()
        for copy in made:
            free.put(copy)

        def baseline(target: Target) -> float:
            with _taken(free) as copy:
                return copy.baseline(target)

        def judge(one: tuple[Mutant, Target]) -> Verdict:
            mutant, target = one
            with _taken(free) as copy:
                verdict = copy.judge(mutant, target, PATIENCE * seconds[target] + PAUSE_SECONDS)
            report(verdict)
            return verdict

        targets = list(dict.fromkeys(target for _, target in mutants))
        seconds = dict(zip(targets, threads.map(baseline, targets), strict=True))
        return list(threads.map(judge, mutants))


@contextmanager
def _taken(free: "queue.SimpleQueue[Copy]") -> Iterator[Copy]:
    copy = free.get()
    try:
        yield copy
    finally:
        free.put(copy)
