"""Walking: from what was named to the documents to be read, in an order that is always the same."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from symcost.errors import UsageError, nearest

if TYPE_CHECKING:  # imported where a folder is walked: a single document does not need it
    from pathspec import GitIgnoreSpec

DOCUMENTS = frozenset((".md", ".markdown", ".mdown", ".mkd", ".mdx", ".qmd", ".rmd", ".myst", ".tex", ".ltx", ".latex",
                       ".rst", ".ipynb"))  # fmt: skip
LARGEST = 16 * 2**20  # bytes; a larger file is refused by its size
MOST_FILES = 100_000
NEVER = frozenset((".git", ".hg", ".svn", "node_modules", "__pycache__", ".venv", ".ipynb_checkpoints"))
LARGEST_IGNORE = 2**20  # bytes of a .gitignore


@dataclass(frozen=True)
class Refused:
    """A file that is not read, and why, in one line."""

    path: str
    why: str


@dataclass(frozen=True)
class Patterns:
    """Which documents of a folder are meant: `files` only, if there are any, and never `exclude`."""

    files: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    folder: Path | None = None
    docstrings: bool = False

    @cached_property
    def _top(self) -> Path:
        return (self.folder or Path()).resolve()

    @cached_property
    def _specs(self) -> tuple[GitIgnoreSpec, GitIgnoreSpec]:
        return _spec(self.files), _spec(self.exclude)

    def keeps(self, path: Path) -> bool:
        """Whether a file is meant, by where it stands; what lies outside of the folder always is."""
        whole = path.parent.resolve() / path.name
        if not whole.is_relative_to(self._top):
            return True
        inside = whole.relative_to(self._top).as_posix()
        files, exclude = self._specs
        return (not self.files or files.match_file(inside)) and not exclude.match_file(inside)


def documents(named: Sequence[str], patterns: Patterns | None = None) -> Iterator[str | Refused]:
    """The documents among files and folders, each once; a file that was named is read whatever its ending.

    A folder is walked in the order of names, without what its .gitignore files leave out, and without following
    links to folders. What cannot be read is told as Refused, and the others go on.
    """
    patterns = patterns or Patterns()
    seen: set[str] = set()
    count = 0
    for name in named:
        found: Iterable[str | Refused] = _walk(Path(name), patterns) if Path(name).is_dir() else [name]
        for each in found:
            path = each.path if isinstance(each, Refused) else each
            if path in seen:
                continue
            seen.add(path)
            count += 1
            if count > MOST_FILES:
                raise UsageError(
                    f"{name}: expected at most {MOST_FILES:,} documents, found more. Name a folder below."
                )
            yield each


def _spec(lines: Iterable[str]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(lines)


def _walk(top: Path, patterns: Patterns) -> Iterator[str | Refused]:
    ignored: dict[Path, GitIgnoreSpec] = {}
    for above in reversed([top.resolve(), *_inside_repository(top.resolve())]):
        _remember(above, ignored)
    closed: list[OSError] = []
    for folder, below, files in os.walk(top, onerror=closed.append, followlinks=False):
        here = Path(folder)
        _remember(here.resolve(), ignored)
        kept = (name for name in below if name not in NEVER and not (here / name).is_symlink())
        below[:] = sorted(name for name in kept if not _is_ignored(here / name, ignored, folder=True))
        for name in sorted(files):
            path = here / name
            ending = path.suffix.lower()
            meant = (
                ending in DOCUMENTS
                or (patterns.docstrings and ending == ".py")
                or (ending == ".toml" and _is_corpus(path))
            )
            if meant and not _is_ignored(path, ignored) and patterns.keeps(path):
                yield str(path)
    for error in closed:
        yield Refused(
            error.filename, f"{error.filename}: expected a readable folder, found: {error.strerror}."
        )


def _inside_repository(top: Path) -> list[Path]:
    """The folders above that belong to the same repository."""
    found: list[Path] = []
    for above in (top, *top.parents):
        if above != top:
            found.append(above)
        if (above / ".git").exists():
            return found
    return []


def _remember(folder: Path, ignored: dict[Path, GitIgnoreSpec]) -> None:
    path = folder / ".gitignore"
    try:
        if folder not in ignored and path.is_file() and path.stat().st_size <= LARGEST_IGNORE:
            ignored[folder] = _spec(path.read_text(encoding="utf-8", errors="replace").splitlines())
    except (OSError, ValueError):
        return


def _is_ignored(path: Path, ignored: dict[Path, GitIgnoreSpec], *, folder: bool = False) -> bool:
    """Whether a .gitignore above leaves it out; the nearest that speaks of it decides."""
    whole = path.parent.resolve() / path.name
    for above in whole.parents:
        spec = ignored.get(above)
        if spec is not None:
            said = spec.check_file(whole.relative_to(above).as_posix() + ("/" if folder else "")).include
            if said is not None:
                return bool(said)
    return False


def _is_corpus(path: Path) -> bool:
    """Whether a TOML file holds claims, by its first lines."""
    try:
        with path.open("rb") as file:
            return b"[[claim]]" in file.read(4096)
    except OSError:
        return False


def read_bytes(path: str) -> str:
    """The text of a document. Raises UsageError, in one line, for whatever is no regular UTF-8 file of bearable size."""
    try:
        opened = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))  # a pipe must not be waited for
        try:
            about = os.fstat(opened)
            if not stat.S_ISREG(about.st_mode):
                raise UsageError(f"{path}: expected a file, found {_kind(about.st_mode)}.")
            if about.st_size > LARGEST:
                raise UsageError(
                    f"{path}: expected at most {LARGEST:,} bytes, found {about.st_size:,}. Split the document."
                )
            with os.fdopen(opened, "rb", closefd=False) as file:
                found = file.read(LARGEST + 1)
        finally:
            os.close(opened)
    except FileNotFoundError:
        raise UsageError(f"{path}: expected a document, found no such file. {_beside(path)}") from None
    except OSError as error:
        raise UsageError(f"{path}: expected a readable file, found: {error.strerror or error}.") from None
    except ValueError:  # a NUL in the name
        raise UsageError(f"{path!r}: expected a path, found a NUL in it.") from None
    if len(found) > LARGEST:
        raise UsageError(f"{path}: expected at most {LARGEST:,} bytes, found more. Split the document.")
    try:
        return found.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path}: expected UTF-8 text, found other bytes at {error.start}. Save it as UTF-8."
        ) from None


def _beside(path: str) -> str:
    """The mend for a file that is not there: a name like it in its folder, or the folder that is missing."""
    folder, name = os.path.split(path)
    try:
        names = [each.name for each in Path(folder or ".").iterdir()]
    except OSError:
        return f"There is no folder {folder}."
    return nearest(name, names, "Write its path from here, or a folder's.")


def _kind(mode: int) -> str:
    kinds = (
        (stat.S_ISDIR, "a folder: name the documents in it"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
    )
    return next((words for test, words in kinds if test(mode)), "a device")
