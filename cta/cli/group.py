"""The ``cta`` group: how every command ends, and its errors in one line."""

from __future__ import annotations

import contextlib
import difflib
import os
import sys
from collections.abc import Sequence
from typing import Any, Final, NoReturn

import click

from cta import __version__
from cta.model.errors import CtaError

BAD_INPUT: Final = 2
INTERRUPTED: Final = 130
CLOSED_PIPE: Final = 141
"""Whoever read the output has seen enough: as a shell says of one that SIGPIPE ended, since 1 is a verdict."""


class OneLine(click.Group):
    """A group whose errors are one line on stderr: where, what, what to do."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """As click's, but for how it ends: a result is an exit code, an error a line."""
        try:
            code = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
            sys.stdout.flush()
        except CtaError as error:
            error.where = error.where or prog_name
            end(error.exit_code, str(error))
        except click.UsageError as error:
            end(BAD_INPUT, _usage(error))
        except (click.Abort, KeyboardInterrupt):
            end(INTERRUPTED, "interrupted")
        except BrokenPipeError:
            end(CLOSED_PIPE)
        except UnicodeEncodeError as error:  # of a file's name: all else that is printed is text
            text = ascii(error.object[error.start : error.end])
            end(BAD_INPUT, f"output: {text} cannot be told in {error.encoding}; rename the file that is called so")
        except OSError as error:
            end(BAD_INPUT, f"{error.filename or 'output'}: {error.strerror}; nothing more was written")
        sys.exit(code if isinstance(code, int) else 0)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except BrokenPipeError:  # of --help, which click would end with 1
            end(CLOSED_PIPE)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # as above
            end(CLOSED_PIPE)
        except KeyboardInterrupt:  # before which click prints an empty line, also into a log
            if sys.stderr.isatty():  # it has shown ^C
                click.echo(err=True)
            end(INTERRUPTED, "interrupted")

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            near = difflib.get_close_matches(name, self.list_commands(ctx), n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"see '{ctx.command_path} --help'"
            raise CtaError(f"no such command: {name!r}", where=ctx.command_path, remedy=hint)
        return super().resolve_command(ctx, args)


def _usage(error: click.UsageError) -> str:
    """Click's complaint in our form, with the nearest option where one was mistyped."""
    command = error.ctx.command_path if error.ctx else "cta"
    what, remedy = error.format_message(), f"see '{command} --help'"
    if isinstance(error, click.NoSuchOption):
        what = f"no such option: {error.option_name}"
        known = [name for parameter in error.ctx.command.params for name in parameter.opts] if error.ctx else []
        near = difflib.get_close_matches(error.option_name, known, n=1, cutoff=0.5)
        remedy = f"did you mean {near[0]}?" if near else remedy
    return str(CtaError(what[:1].lower() + what[1:].rstrip("."), where=command, remedy=remedy))


def end(code: int, message: str | None = None) -> NoReturn:
    """Leave without a traceback, and without Python flushing an output that cannot be written."""
    with contextlib.suppress(OSError):
        if message is not None:
            click.echo(f"error: {message}", err=True)
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


@click.group(
    cls=OneLine,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  cta replay scenarios/rush_hour.json           # two hours of the "L", as fast as it goes
  cta replay scenarios/rush_hour.json --board   # and what the status page shows at the end
  cta record scenarios/snow_day.json -o snow.jsonl
  cta replay snow.jsonl --speed 60              # the same records, a minute a second
  cta network "Clark/Lake"                      # one station

Every command says more with --help. docs/scenarios.md teaches writing a scenario.""",
)
@click.version_option(__version__, prog_name="cta", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """A replayable simulation of Chicago's "L" for testing streaming pipelines.

    The same scenario and seed give the same records, byte for byte: every command prints their digest.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
