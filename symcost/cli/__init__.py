"""The command line: one file a command, each importing what it needs when it runs; help is there at once."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import NoReturn

import click

import symcost
from symcost.cli.status import RIGHT, WRONG
from symcost.errors import SymcostError, UnknownName, nearest

FEW = 400_000  # objects made between two garbage collections: a command is short, and makes fewer

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "derive": "symcost.cli.derive",
        "solve": "symcost.cli.solve",
        "check": "symcost.cli.check",
        "report": "symcost.cli.report",
        "compare": "symcost.cli.compare",
        "measure": "symcost.cli.measure",
        "optimum": "symcost.cli.optimum",
        "list": "symcost.cli.listing",
    }
)


class Commands(click.Group):
    """The commands in the order in which they stand above; a command's file is read when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        if cmd_name not in COMMANDS:
            raise UnknownName(f"'{cmd_name}' is not a command. {nearest(cmd_name, COMMANDS)}")
        command: click.Command = import_module(COMMANDS[cmd_name]).command
        return command


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(symcost.__version__, prog_name="symcost")
@click.pass_context
def commands(context: click.Context) -> None:
    """Derive, in closed form and with a reason for every term, what it costs to train a transformer."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs one command; every error is one line on stderr, and the exit status says what happened."""
    collections = gc.get_threshold()
    gc.set_threshold(FEW)
    atexit.register(gc.freeze)  # or else leaving takes as long again, to look through all that sympy made
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # ∂, ᵀ and ² are in few others; a file's name may be no text at all
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        status = commands.main(args=arguments, prog_name="symcost", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        status = stop.exit_code
    except click.exceptions.Abort:
        status = _complain("interrupted")
    except click.ClickException as error:
        status = _complain(_one_line(error))
    except SymcostError as error:
        status = _complain(str(error))
    except RecursionError:
        status = _complain("expected few brackets inside each other, found too many. Simplify what is read.")
    except (BrokenPipeError, SystemExit):  # click leaves by itself when the reader has seen enough (… | head)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = RIGHT
    except OSError as error:
        place = error.filename or "standard output"
        status = _complain(f"{place}: expected a place to write to, found: {error.strerror}.")
    finally:
        gc.set_threshold(*collections)
    sys.exit(status if isinstance(status, int) else RIGHT)


def _complain(message: str) -> int:
    click.echo(f"symcost: {' '.join(message.split())}", err=True)
    return WRONG


def _one_line(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path.removeprefix("symcost").strip() if context else ""
    text = f"{command}: {error.format_message()}" if command else error.format_message()
    if not isinstance(error, click.UsageError):
        return text
    return f"{text.rstrip('.')}. See {f'symcost {command}'.strip()} --help."
