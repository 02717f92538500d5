"""Working through many documents: each in a worker with limits, the answers in the order of the questions."""

from __future__ import annotations

import gc
import multiprocessing
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib import import_module
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from symcost.check.baseline import Key, without_accepted
from symcost.check.configuration import silenced, without_comments
from symcost.check.findings import Finding, Findings
from symcost.check.notebooks import suffix, taken_apart
from symcost.check.pieces import Pieces
from symcost.check.walking import Refused, read_bytes
from symcost.errors import SymcostError, UsageError

SECONDS = 20.0  # for one document, and as much again for every mebibyte of it
MEMORY = 2**30  # bytes that one document may take on top of what the program has
LARGEST_TEXT = 4 * 2**20  # characters, as `check_text` takes them
LONGEST_LINE = 2**17  # characters; no one writes such a line, pictures in it apart
MOST_CELLS = 50_000  # of all tables of a document, or one for every DENSEST characters where that is more
MOST_SIGNS = (
    20_000  # dollar signs, backticks and environments of a document, or one for every DENSEST characters
)
MOST_LINES = 40_000  # of a document, or one for every DENSEST characters
DENSEST = 20  # characters; a lecture full of formulas has a sign for every 35
_PICTURE = re.compile(r"data:[\w/+.\-]{1,80};base64,[A-Za-z0-9+/=]++")


@dataclass(frozen=True)
class Task:
    """One document: the name it is told by, and its text where it is not a file (standard input)."""

    name: str
    text: str | None = None


@dataclass(frozen=True)
class Checked:
    """What was found in one document; `error` is one line where it could not be read, or took too much.

    Where fixes were wanted, `before` is its text; where there are some, `fixed` is the text with them, and `left` what
    is found in that.
    """

    name: str
    findings: Findings = field(default_factory=Findings)
    error: str = ""
    fixed: str | None = None
    before: str = ""
    fixes: int = 0
    left: Findings | None = None


@dataclass(frozen=True)
class Options:
    """What every document is held against, and whether fixes are wanted."""

    model: str | None = None
    under: str | None = None
    notation: str | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    fix: bool = False

    def of_check(self) -> dict[str, Any]:
        chosen = {
            "model": self.model,
            "under": self.under,
            "notation": self.notation,
            "given": self.given or None,
        }
        return {name: value for name, value in chosen.items() if value is not None}


def check_document(task: Task, options: Options) -> Checked:
    """One document in this process: its findings, or one line that says why there are none.

    >>> found = check_document(Task("-", "Let $d$=`d_model`. Then $3d^2 = 2d*2d$."), Options())
    >>> [finding.verdict for finding in found.findings]
    ['no claim', 'differs']
    """
    try:
        return checked(task, options)
    except SymcostError as error:
        return Checked(task.name, error=str(error))
    except RecursionError:
        return Checked(
            task.name,
            error=f"{task.name}: expected few brackets inside each other, found too many. Simplify it.",
        )
    except MemoryError:
        return Checked(task.name, error=_too_much(task.name))
    except Exception as error:
        kind = type(error).__name__
        return Checked(
            task.name,
            error=f"{task.name}: not checked, by a fault of symcost's own ({kind}). Please report it.",
        )


def checked(task: Task, options: Options) -> Checked:
    """One document in this process. Raises SymcostError where it cannot be read."""
    text = task.text if task.text is not None else read_bytes(task.name)
    name = _named(task.name)
    if suffix(name) == ".toml":
        from symcost.check.corpus import check_corpus

        return Checked(task.name, check_corpus(text, task.name))
    if (
        len(text) > LARGEST_TEXT and suffix(name) != ".ipynb"
    ):  # pictures are most of a notebook, and are not read
        raise UsageError(
            f"{task.name}: expected at most {LARGEST_TEXT:,} characters, found {len(text):,}. Split the document."
        )
    pieces, read_as = taken_apart(text, name)
    findings = _found(pieces, read_as, task.name, options)
    if not options.fix:
        return Checked(task.name, findings)
    if pieces.text != text or suffix(name) == ".ipynb":  # not as it stands in the file: no place for a fix
        return Checked(task.name, findings, before=text)
    from symcost.check.fixing import fixed

    after, many = fixed(text, read_as, options.of_check())
    if not many:
        return Checked(task.name, findings, before=text)
    left = _found(taken_apart(after, name)[0], read_as, task.name, options)
    return Checked(task.name, findings, fixed=after, before=text, fixes=many, left=left)


def _found(pieces: Pieces, read_as: str, told_as: str, options: Options) -> Findings:
    """What is found in a text put together from pieces, each finding at its own place."""
    from symcost.check import check_text

    whole = _PICTURE.sub(lambda found: " " * len(found[0]), pieces.text)
    guard(whole, told_as)
    found = check_text(without_comments(whole), read_as, **options.of_check())
    kept = silenced(whole).without(found)
    return Findings(tuple(_placed(finding, pieces.place, told_as) for finding in kept), found.notes)


def _named(told_as: str) -> str:
    """The name that says how a document is read: standard input is Markdown."""
    return "-.md" if told_as == "-" else told_as


def guard(text: str, name: str) -> None:
    """Refuses by its size what no person wrote. Raises UsageError, naming the limit."""
    if len(text) > LARGEST_TEXT:
        raise UsageError(
            f"{name}: expected at most {LARGEST_TEXT:,} characters, found {len(text):,}. Split the document."
        )
    signs = text.count("$") + text.count("`") + text.count("\\begin")
    cells, lines = text.count("|"), max(text.count("\n"), text.count("\r"))
    for found, most, what in (
        (signs, MOST_SIGNS, "signs that begin or end a formula"),
        (cells, MOST_CELLS, "table cells"),
        (lines, MOST_LINES, "lines"),
    ):
        allowed = max(most, len(text) // DENSEST)
        if found > allowed:
            raise UsageError(
                f"{name}: expected at most {allowed:,} {what}, found {found:,}. Split the document."
            )
    start = 0
    while len(text) - start > LONGEST_LINE:
        end = text.find("\n", start)
        length = (end if end >= 0 else len(text)) - start
        if length > LONGEST_LINE:
            line = text.count("\n", 0, start) + 1
            raise UsageError(
                f"{name}:{line}: expected a line of at most {LONGEST_LINE:,} characters, found {length:,}. Break it."
            )
        start += length + 1


def _placed(finding: Finding, place: Callable[[int, int], tuple[str, int, int]], told_as: str) -> Finding:
    file, line, column = place(finding.line, finding.column)
    end_file, end_line, end_column = place(finding.end_line, finding.end_column)
    if end_file != file or (end_line, end_column) < (line, column):
        end_line, end_column = line, column
    name = _named(told_as)
    file = told_as + file.removeprefix(name) if file.startswith(name) else file
    return replace(finding, file=file, line=line, column=column, end_line=end_line, end_column=end_column)


def _too_much(name: str) -> str:
    return f"{name}: expected to need at most {MEMORY // 2**20:,} MiB, found more. Split the document."


# ------------------------------------------------------------------------------------------------ workers


@dataclass
class _Worker:
    """A process that reads one document after another, and the question it is at."""

    process: Any
    pipe: Connection
    index: int = -1
    seconds: float = 0.0
    until: float = 0.0

    def ask(self, index: int, task: Task, seconds: float) -> None:
        self.pipe.send(task)
        self.index, self.seconds = index, seconds * (1 + _size(task) / 2**20)
        self.until = time.monotonic() + self.seconds


def check_all(
    tasks: Sequence[Task],
    options: Options,
    *,
    jobs: int = 1,
    seconds: float = SECONDS,
    memory: int = MEMORY,
    done: Callable[[int], None] | None = None,
) -> Iterator[Checked]:
    """Every document, in order, whatever the number of `jobs`; a worker that takes too long or too much is replaced.

    `done` is told how many are answered, for a progress bar.
    """
    if jobs < 1:
        raise UsageError(f"--jobs: expected a positive number, found {jobs}.")
    answers: dict[int, Checked] = {}
    asked, told = 0, 0
    jobs = min(jobs, len(tasks))
    if jobs > 1:
        _get_ready()  # once for all of them; what one alone needs is not copied from here
    workers = [_start(options, memory) for _ in range(jobs)]
    try:
        while told < len(tasks):
            for number, worker in enumerate(workers):
                if worker.index < 0 and asked < len(tasks):
                    workers[number] = worker = (
                        worker if worker.process.is_alive() else _start(options, memory)
                    )
                    worker.ask(asked, tasks[asked], seconds)
                    asked += 1
            _collect(workers, tasks, answers, options, memory)
            if done is not None:
                done(told + len(answers))
            while told in answers:
                yield answers.pop(told)
                told += 1
    finally:
        for worker in workers:
            _end(worker)


def _collect(
    workers: list[_Worker], tasks: Sequence[Task], answers: dict[int, Checked], options: Options, memory: int
) -> None:
    """Waits for one answer, or for a worker's time to be over."""
    busy = [worker for worker in workers if worker.index >= 0]
    if not busy:
        return
    left = max(min(worker.until for worker in busy) - time.monotonic(), 0)
    ready = set(wait([worker.pipe for worker in busy], timeout=left))
    for number, worker in enumerate(workers):
        if worker.index < 0:
            continue
        if worker.pipe in ready:
            try:
                answers[worker.index] = worker.pipe.recv()
                worker.index = -1
                continue
            except (EOFError, OSError):
                error = _too_much(tasks[worker.index].name)
        elif time.monotonic() < worker.until:
            continue
        else:
            name, most = tasks[worker.index].name, f"{worker.seconds:.3g}"
            error = f"{name}: expected to take at most {most} s, found more. Split the document."
        answers[worker.index] = Checked(tasks[worker.index].name, error=error)
        _end(worker)
        workers[number] = _start(options, memory)


def _size(task: Task) -> int:
    """Bytes of a document, or none where it cannot be looked at."""
    if task.text is not None:
        return len(task.text)
    try:
        return Path(task.name).stat().st_size
    except OSError:
        return 0


def _start(options: Options, memory: int) -> _Worker:
    kind = "fork" if sys.platform == "linux" else "spawn"
    context = multiprocessing.get_context(kind)
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, options, memory), daemon=True)  # type: ignore[attr-defined]
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _end(worker: _Worker) -> None:
    worker.pipe.close()
    worker.process.kill()
    worker.process.join()
    worker.process.close()


def _work(pipe: Connection, options: Options, memory: int) -> None:
    """A worker's life: a task in, what was found out."""
    _get_ready()
    gc.freeze()  # what was there before is not looked through for garbage, and so stays shared with the parent
    _limit(memory)
    with suppress(EOFError, OSError, KeyboardInterrupt):
        while True:
            task = pipe.recv()
            try:
                pipe.send(check_document(task, options))
            except MemoryError:
                os._exit(1)


def _get_ready() -> None:
    """Loads what judges, so that it counts as what the program has, and not as what a document takes."""
    import_module("symcost.check.deciding")


def _limit(memory: int) -> None:
    """No more address space than there is now and `memory` on top, where the system can keep to it."""
    try:
        import resource

        now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + memory, now + memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, OSError, ValueError):
        return


# --------------------------------------------------------------------------------------------- all of it


def once(checked: Sequence[Checked]) -> list[Checked]:
    """The same without findings that are told twice: a TeX file that another one brings in is told there."""
    brought = {
        (finding.file, finding.line, finding.column)
        for each in checked
        for finding in each.findings
        if not finding.file.startswith(each.name)
    }
    return [
        replace(each, findings=Findings(tuple(
            finding for finding in each.findings
            if not (finding.file == each.name and (finding.file, finding.line, finding.column) in brought)
        ), each.findings.notes))
        for each in checked
    ]  # fmt: skip


def gathered(
    checked: Sequence[Checked], refused: Sequence[Refused], accepted: Mapping[Key, int]
) -> tuple[Findings, list[str]]:
    """All findings in order without the accepted ones, and all errors."""
    from collections import Counter

    findings = Findings(
        tuple(finding for each in once(checked) for finding in each.findings),
        tuple(f"{each.name}: note: {note}" for each in checked for note in each.findings.notes),
    )
    new = without_accepted(findings, Counter(accepted)) if accepted else list(findings)
    errors = [each.why for each in refused] + [each.error for each in checked if each.error]
    return Findings(tuple(new), findings.notes), errors
