"""symcost check: every formula of documents, whether it holds, and what is missing where it does not."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from symcost.cli.options import given_values
from symcost.cli.status import DIFFERS, RIGHT, WRONG
from symcost.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from symcost.check import Findings
    from symcost.check.configuration import Configuration
    from symcost.check.working import Checked, Options, Task

MANY = 10  # documents from which on a terminal shows how far it is


@click.command("check")
@click.argument("paths", nargs=-1, metavar="PATH…|-")
@click.option("--model", metavar="M", help="The model that the documents speak of, where they do not say it.")
@click.option("--under", metavar="C", help="Convention, with options: textbook+flash.")
@click.option("--notation", metavar="N", help="Whose letters the documents use.")
@click.option("--given", multiple=True, metavar="k=v,…", help="Numbers: b=4,c=256.")
@click.option(
    "--format",
    "to",
    type=click.Choice(("text", "json", "sarif", "github")),
    default="text",
    show_default=True,
)
@click.option(
    "--report",
    metavar="FILE",
    help="Write a report as well; its ending says how (.md, .html, .tex, .pdf, .txt …).",
)
@click.option(
    "--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="Documents read at a time."
)
@click.option(
    "--docstrings", is_flag=True, help="Read the docstrings and comments of Python files in folders too."
)
@click.option(
    "--fix", is_flag=True, help="Write the right form where there is exactly one; tell what is left."
)
@click.option("--diff", is_flag=True, help="Show what --fix would write, and write nothing.")
@click.option("--baseline", metavar="FILE", help="Do not tell what this file accepts.")
@click.option("--write-baseline", metavar="FILE", help="Accept everything that is found now.")
@click.option("--explain", metavar="CODE", help="What a code such as SC201 means, or all of them.")
def command(
    paths: tuple[str, ...], model: str | None, under: str | None, notation: str | None, given: tuple[str, ...], to: str,
    report: str | None, jobs: int, docstrings: bool, fix: bool, diff: bool, baseline: str | None,
    write_baseline: str | None, explain: str | None,
) -> int:  # fmt: skip
    """Check the formulas of documents: files, folders, or - for standard input.

    Settings of the project stand under [tool.symcost] in pyproject.toml. Exit status 1 where a formula differs,
    2 where a document could not be read.
    """
    if explain is not None:
        from symcost.check.codes import explained

        click.echo(explained(explain))
        return RIGHT
    if not paths:
        raise UsageError("check: expected a document, a folder or -, found none. See symcost check --help.")
    from symcost.check.baseline import read_baseline
    from symcost.check.baseline import write_baseline as accept
    from symcost.check.configuration import find_configuration
    from symcost.check.formats import rendered
    from symcost.check.walking import Patterns, Refused, documents
    from symcost.check.working import Options, Task, gathered

    settings = find_configuration(Path(paths[0] if paths[0] != "-" else "."))
    settings = _merged(settings, model, under, notation, given)
    patterns = Patterns(settings.files, settings.exclude, settings.folder, docstrings or settings.docstrings)
    options = Options(settings.model, settings.convention, settings.notation, settings.given, fix or diff)
    _call_is_right(options, report)
    found = list(documents(paths, patterns))
    tasks = [
        Task(each, _standard_input() if each == "-" else None) for each in found if isinstance(each, str)
    ]
    checked = _all(tasks, options, jobs)
    accepted_in = baseline or (
        str((settings.folder or Path()) / settings.baseline) if settings.baseline else None
    )
    accepted = read_baseline(Path(accepted_in)) if accepted_in and not write_baseline else {}
    if fix and not diff:
        checked = [_written(each) for each in checked]
    findings, errors = gathered(checked, [each for each in found if isinstance(each, Refused)], accepted)
    if write_baseline is not None:
        many = accept(
            [each for each in findings if settings.severity_of(each.code) != "off"], Path(write_baseline)
        )
        click.echo(f"accepted {many} findings in {write_baseline}")
        return _complained(errors) or RIGHT
    if diff:
        _show_differences(checked)
    elif told := rendered(to, findings, settings, errors, paths):
        # a fixed document that came on standard input goes on to standard output
        click.echo(told, err=fix and "-" in paths)
    if report is not None:
        _write_report(report, paths, tasks, findings, errors)
    wrong = any(settings.severity_of(finding.code) == "error" for finding in findings)
    return _complained(errors) or (DIFFERS if wrong else RIGHT)


def _merged(
    settings: Configuration, model: str | None, under: str | None, notation: str | None, given: Sequence[str]
) -> Configuration:
    """The project's settings, over which what was typed wins."""
    values = {**settings.given, **given_values(given)}
    return replace(settings, model=model or settings.model, convention=under or settings.convention,
                   notation=notation or settings.notation, given=values)  # fmt: skip


def _call_is_right(options: Options, report: str | None) -> None:
    """Raises before any document is read where a name, a number or a report's ending is wrong."""
    from symcost.check import check_text

    if options.notation is not None:
        from symcost.cli.options import notation_called

        notation_called(options.notation)
    if options.under is not None:
        from symcost.conventions import convention

        convention(options.under)
    if options.of_check():
        check_text("", "-.md", **options.of_check())
    if report is not None:
        from symcost.report import format_of_file

        format_of_file(report)


def _standard_input() -> str:
    from symcost.check.walking import LARGEST

    read = sys.stdin.buffer.read(LARGEST + 1)
    if len(read) > LARGEST:
        raise UsageError(f"-: expected at most {LARGEST:,} bytes, found more. Split the document.")
    try:
        return read.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"-: expected UTF-8 text, found other bytes at {error.start}.") from None


def _all(tasks: Sequence[Task], options: Options, jobs: int) -> list[Checked]:
    from symcost.check.working import check_all

    with _progress(len(tasks)) as advance:
        return list(check_all(tasks, options, jobs=jobs, done=advance))


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None] | None]:
    """A bar on a terminal, where there are many documents. It is drawn between answers, without a thread."""
    if total < MANY or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), auto_refresh=False, transient=True) as bar:
        task = bar.add_task("checking", total=total)

        def advance(done: int) -> None:
            bar.update(task, completed=done, refresh=True)

        yield advance


def _complained(errors: Sequence[str]) -> int:
    for error in errors:
        click.echo(f"symcost: {' '.join(error.split())}", err=True)
    return WRONG if errors else RIGHT


def _show_differences(checked: Sequence[Checked]) -> None:
    from symcost.check.fixing import difference

    for each in checked:
        if each.fixed is not None:
            click.echo(difference(each.before, each.fixed, each.name), nl=False)


def _written(checked: Checked) -> Checked:
    """A document once its fixes are written, with the findings that are left."""
    if checked.name == "-" and not checked.error:
        click.echo(checked.before if checked.fixed is None else checked.fixed, nl=False)
    if checked.fixed is None or checked.left is None:
        return checked
    if checked.name != "-":
        Path(checked.name).write_bytes(checked.fixed.encode())
    click.echo(f"{checked.name}: {checked.fixes} fixed", err=True)
    return replace(checked, findings=checked.left)


def _write_report(
    file: str, paths: Sequence[str], tasks: Sequence[Task], findings: Findings, errors: Sequence[str]
) -> None:
    """The table of the corpora, where only corpora were named; else what was found, in the format of the ending."""
    from symcost.report import findings_document, format_of_file, write_file

    if any(finding.file.endswith(".toml") for finding in findings):
        from symcost.check.corpus import report

        folders = [path for path in paths if Path(path).is_dir()]
        if len(folders) != 1 or not file.endswith(".md"):
            raise UsageError(f"--report {file}: expected one folder of corpora and a file .md, found others.")
        write_file(Path(file), report(folders[0]))
        return
    document = findings_document(findings, _texts(findings, tasks), unread=errors)
    written = format_of_file(file).write(document)
    write_file(
        Path(file), written if isinstance(written, bytes) else written.encode(errors="backslashreplace")
    )


def _texts(findings: Findings, tasks: Sequence[Task]) -> dict[str, str]:
    """The texts that findings stand in, for their lines to be quoted; a notebook's cells are not."""
    from symcost.check.walking import read_bytes

    texts = {task.name: task.text for task in tasks if task.text is not None}
    for file in {finding.file for finding in findings} - texts.keys():
        with suppress(UsageError):
            texts[file] = read_bytes(file)
    return texts
