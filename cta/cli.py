"""The command line: declares the commands; each calls one use case in `cta.commands` and prints its result.

Results go to stdout, all else to stderr. Exit codes: 0 done, 1 an expectation failed, 2 bad input (one line that says
where, what and what to do), 3 a service could not be reached, 130 interrupted. What a command needs is imported when it
runs: ``cta --help`` loads click and nothing else.
"""

from __future__ import annotations

import contextlib
import difflib
import math
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

import click

from cta import __version__
from cta.model.errors import CtaError

if TYPE_CHECKING:
    from cta.commands.target import Run
    from cta.simulation.plan import Window

if TYPE_CHECKING:
    from cta.model.settings import Settings

BAD_INPUT: Final = 2
INTERRUPTED: Final = 130

SEED_MAX: Final = 2**53
SPEED_MIN: Final = 0.001
SPEED_MAX: Final = 1_000_000.0
PARTITIONS_MAX: Final = 1_024

F = TypeVar("F", bound=Callable[..., Any])


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
            _end(error.exit_code, str(error))
        except click.UsageError as error:
            _end(BAD_INPUT, _usage(error))
        except click.Abort:
            _end(INTERRUPTED, "interrupted")
        except BrokenPipeError:  # whoever read the output has seen enough
            _end(141)  # as a shell says of one that SIGPIPE ended: 1 is a verdict
        except OSError as error:
            _end(BAD_INPUT, f"{error.filename or 'output'}: {error.strerror}; nothing more was written")
        sys.exit(code if isinstance(code, int) else 0)

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


def _end(code: int, message: str | None = None) -> NoReturn:
    """Leave without a traceback, and without Python flushing an output that cannot be written."""
    with contextlib.suppress(OSError):
        if message is not None:
            click.echo(f"error: {message}", err=True)
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def _speed(ctx: click.Context, param: click.Parameter, value: str) -> float | None:
    """``max`` (None) or simulated seconds a second."""
    if value == "max":
        return None
    try:
        speed = float(value)
    except ValueError:
        speed = math.nan
    if not SPEED_MIN <= speed <= SPEED_MAX:
        raise click.BadParameter(f"{value} is not max or a number from {SPEED_MIN} to {SPEED_MAX:.0f}", ctx, param)
    return speed


def _whole(low: int, high: int) -> Callable[[click.Context, click.Parameter, str | None], int | None]:
    """A whole number from ``low`` to ``high``."""

    def convert(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
        if value is None:
            return None
        if not re.fullmatch(r"[0-9]{1,16}", value) or not low <= int(value) <= high:
            raise click.BadParameter(f"{value} is not a whole number from {low} to {high}", ctx, param)
        return int(value)

    return convert


def _remark(line: str) -> None:
    """A line beside the result."""
    click.echo(line, err=True)


def _unsaid(line: str) -> None:
    """A line that nobody asked for."""


def _options(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Several options as one decorator, in the order they are to be shown."""

    def decorate(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _serve_run(run: Run, window: Window, partitions: int, speed: float | None, port: int | None) -> int:
    """The page of a run until Ctrl+C, then what came of it; an end that was asked for is a good one."""
    from cta.commands import report
    from cta.commands.demo import HOST, PORT
    from cta.commands.pace import Stop
    from cta.commands.serving import serve_run

    port = PORT if port is None else port
    with Stop() as stop:
        outcome = serve_run(
            run, window, host=HOST, port=port, speed=speed, partitions=partitions, stop=stop, ready=_say, again=False
        )
    if outcome is None:
        return INTERRUPTED
    _say(report.summary(outcome))
    return outcome.exit_code


def _say(line: str) -> None:
    """A line of a command that goes on: whoever waits for it sees it at once."""
    click.echo(line)
    sys.stdout.flush()


part_of_a_run = _options(
    click.option("--from", "from_", metavar="T", help="Start here: a time of day (08:15) or a timestamp with offset."),
    click.option("--until", metavar="T", help="Stop before this moment."),
    click.option("--seed", callback=_whole(0, SEED_MAX), metavar="N", help="Another seed than the scenario's own."),
)


services_of_kafka = _options(
    click.option("--namespace", metavar="NS", help="Before every name on Kafka; CTA_NAMESPACE otherwise."),
    click.option("--bootstrap-servers", metavar="HOST:PORT", help="Kafka; CTA_BOOTSTRAP_SERVERS otherwise."),
    click.option("--schema-registry-url", metavar="URL", help="CTA_SCHEMA_REGISTRY_URL otherwise."),
)


def _settings(namespace: str | None, bootstrap_servers: str | None, schema_registry_url: str | None) -> Settings:
    """From the environment, and from the options that are given."""
    from cta.model.settings import Settings

    return Settings.of(
        os.environ,
        namespace=namespace,
        bootstrap_servers=bootstrap_servers,
        schema_registry_url=schema_registry_url,
    )


window_of_a_recording = _options(
    click.option("--from", "from_", metavar="T", help="From here: a time of day (08:15) or a timestamp with offset."),
    click.option("--until", metavar="T", help="Before this moment."),
)


@click.group(
    cls=OneLine,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  cta replay scenarios/rush_hour.json           two hours of the "L", as fast as it goes
  cta replay scenarios/rush_hour.json --board   and what the status page shows at the end
  cta record scenarios/snow_day.json -o snow.jsonl
  cta replay snow.jsonl --speed 60              the same records, a minute a second
  cta network "Clark/Lake"                      one station

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


@cli.command(
    short_help="Run a scenario or a recording through the pipeline.",
    epilog="""\b
Examples:
  cta replay scenarios/rush_hour.json
  cta replay scenarios/rush_hour.json --from 08:00 --until 08:15 --board
  cta replay scenarios/full_day.json --seed 7 --quiet       only "DIGEST  NAME"
  cta replay scenarios/classic.json --speed 30              thirty simulated seconds a second
  cta replay scenarios/snow_day.json --json | jq .records
  cta replay scenarios/rush_hour.json --to kafka --partitions 3
  cta replay scenarios/rush_hour.json --to kafka --fresh --namespace trial-7.

\b
Into Kafka each record goes once, with its event's time. Topics that hold records are
refused; --fresh lists and removes what an earlier run left, and starts clean; --resume
holds what is there against this run, and goes on with the next record.
Expectations are judged on a whole run, whatever its seed. A run cut by --from or
--until (or by Ctrl+C) is not judged, and says so.
Exit codes: 0 done, 1 an expectation failed, 2 bad input, 3 a service cannot be reached,
130 interrupted.""",
)
@click.argument("target")
@click.option("--to", type=click.Choice(["memory", "kafka"]), default="memory", show_default=True, help="The broker.")
@click.option("--fresh", is_flag=True, help="On Kafka: remove what an earlier run left in the namespace.")
@click.option("--resume", is_flag=True, help="On Kafka: go on with this run, where it ended early.")
@services_of_kafka
@click.option(
    "--speed", callback=_speed, default="max", show_default=True, metavar="max|N", help="Simulated seconds a second."
)
@part_of_a_run
@click.option(
    "--partitions",
    callback=_whole(1, PARTITIONS_MAX),
    default="1",
    show_default=True,
    metavar="N",
    help="Of every topic. The digests do not depend on it.",
)
@click.option("--board", is_flag=True, help="Print the status page's table after the summary.")
@click.option("--serve", is_flag=True, help="Show the status page of it, until Ctrl+C.")
@click.option(
    "--port",
    callback=_whole(0, 65_535),
    metavar="N",
    help="With --serve: its port; 0: any that is free.  [default: 8889]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; everything else goes to stderr.")
@click.option("--quiet", is_flag=True, help="Print the digest and the name on one line; no progress, no summary.")
@click.pass_context
def replay(
    ctx: click.Context,
    target: str,
    to: str,
    fresh: bool,
    resume: bool,
    namespace: str | None,
    bootstrap_servers: str | None,
    schema_registry_url: str | None,
    speed: float | None,
    from_: str | None,
    until: str | None,
    seed: int | None,
    partitions: int,
    board: bool,
    serve: bool,
    port: int | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Run TARGET, a scenario or a recording, through the embedded pipeline or into Kafka.

    Records are made (or read), sent to a broker, read back, and folded into the status page's board. Then come the
    counts, the digest of the records, the digest of the board, and what the scenario expects of them.
    """
    from cta.commands import report
    from cta.commands.console import progress_bar
    from cta.commands.pace import Stop, WallClock
    from cta.commands.replay import replay as run_replay
    from cta.commands.target import cut, open_run

    run = open_run(target, seed=seed)
    window = cut(run, from_, until)
    if port is not None and not serve:
        raise click.UsageError("--port goes with --serve", ctx)
    if serve:
        if to == "kafka" or board or as_json or quiet:
            raise click.UsageError("--serve goes without --to kafka, --board, --json and --quiet", ctx)
        ctx.exit(_serve_run(run, window, partitions, speed, port))
    with Stop() as stop, contextlib.ExitStack() as opened:
        route = None
        if to == "kafka":
            from cta.commands.kafka_replay import into_kafka

            settings = _settings(namespace, bootstrap_servers, schema_registry_url)
            say = _unsaid if quiet else _remark
            if fresh and resume:
                raise click.UsageError("--fresh begins anew and --resume goes on: choose one", ctx)
            begun = run.batches(window) if resume else None
            into = into_kafka(settings, partitions, fresh=fresh, waits=speed is not None, say=say, resume=begun)
            route = opened.enter_context(into)
        elif fresh or resume or namespace or bootstrap_servers or schema_registry_url:
            raise click.UsageError("--fresh, --resume, --namespace and where services are go with --to kafka", ctx)
        progress = opened.enter_context(progress_bar(window, quiet=quiet))
        outcome = run_replay(
            run,
            window,
            partitions=partitions,
            route=route,
            speed=speed,
            clock=WallClock(stop),
            stop=stop,
            progress=progress,
        )
    if as_json:
        click.echo(report.as_json(outcome))
    elif quiet:
        click.echo(f"{outcome.digest.hexdigest()}  {outcome.run.name}")
    else:
        click.echo(report.summary(outcome))
    if board:
        report.print_board(outcome.board, stderr=as_json)
    if as_json or quiet:
        for line in report.complaints(outcome):
            click.echo(line, err=True)
    if outcome.interrupted and to == "kafka":
        _remark(f"interrupted: {outcome.digest.total:,} records are in Kafka, each once; --resume goes on")
    ctx.exit(outcome.exit_code)


@cli.command(
    short_help="Show the status page of a running rush hour.",
    epilog="""\b
Examples:
  cta demo                       rush hour at a minute a second on http://127.0.0.1:8889/
  cta demo --speed 600           ten minutes a second
  cta demo --scenario scenarios/blue_line_breakdown.json
  curl -N localhost:8889/events  what the page is told

\b
One process, no services: the run goes through a broker in memory. It starts over at
its end; Ctrl+C stops it. docs/page.md says what the page shows and answers.""",
)
@click.option("--port", callback=_whole(0, 65_535), default="8889", show_default=True, help="0: any that is free.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--speed", callback=_speed, default="60", show_default=True, metavar="N", help="Simulated seconds a second."
)
@click.option("--scenario", metavar="TARGET", help="Another scenario, or a recording.  [default: rush_hour]")
@click.option("--no-browser", is_flag=True, help="Print the address; open nothing.")
@click.pass_context
def demo(ctx: click.Context, port: int, host: str, speed: float | None, scenario: str | None, no_browser: bool) -> None:
    """Run a rush hour on all lines, with the Transit Status Page."""
    from cta.commands.demo import demo as run_demo
    from cta.commands.pace import Stop

    if speed is None:
        raise click.UsageError("--speed must be a number: the demo starts over at the end of the run", ctx)
    with Stop() as stop:
        run_demo(scenario, host=host, port=port, speed=speed, browser=not no_browser, stop=stop, say=_say)


@cli.command(
    short_help="Write a run's records to a file.",
    epilog="""\b
Examples:
  cta record scenarios/rush_hour.json -o rush_hour.jsonl
  cta record scenarios/full_day.json -o peak.jsonl --from 08:00 --until 09:00
  cta record scenarios/full_day.json -o day.jsonl.zst       a twenty-fifth of the size
  jq -c 'select(.topic == "org.chicago.cta.weather.v1")' rush_hour.jsonl

\b
The file appears under its name only when it is whole.
Its digest is the one that replay prints, of the scenario and of the file.""",
)
@click.argument("target")
@click.option("-o", "--output", required=True, metavar="FILE", help="Where to write: .jsonl or .jsonl.zst.")
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@part_of_a_run
@click.option("--quiet", is_flag=True, help="No progress; the digest and the name only.")
def record(
    target: str, output: str, force: bool, from_: str | None, until: str | None, seed: int | None, quiet: bool
) -> None:
    """Write the records of TARGET, a scenario or a recording, to a file: JSON Lines, plain or in Zstandard frames."""
    from cta.commands.console import progress_bar
    from cta.commands.record import record as run_record
    from cta.commands.target import cut, open_run

    run = open_run(target, seed=seed)
    window = cut(run, from_, until)
    with progress_bar(window, quiet=quiet) as progress:
        digest = run_record(run, window, output, force=force, progress=progress)
    if not quiet:
        click.echo(f"{output}: {digest.total:,} records", err=True)
    click.echo(f"{digest.hexdigest()}  {run.name}")


@cli.command(
    short_help="Hold a live system against a run.",
    epilog="""\b
Examples:
  cta verify scenarios/rush_hour.json
  cta verify run.jsonl.zst --namespace trial-7. --json | jq .same
  cta verify scenarios/rush_hour.json --tables --wait 30
  cta verify scenarios/rush_hour.json --board-url http://127.0.0.1:8889 --wait 30

\b
Records are compared by their digest, and one by one where it differs; the stations table
and TURNSTILE_SUMMARY by the last value a key, where somebody fills them (with --tables:
they must be).
Exit codes: 0 the same, 1 different, 2 bad input, 3 a service cannot be reached.""",
)
@click.argument("target")
@services_of_kafka
@part_of_a_run
@click.option("--tables", "filled", is_flag=True, help="Both tables must be filled.")
@click.option("--board-url", metavar="URL", help="Compare this page's board, too.")
@click.option(
    "--wait",
    "wait_s",
    callback=_whole(0, 3_600),
    default="0",
    show_default=True,
    metavar="SECONDS",
    help="How long tables and page may take to catch up.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with every difference.")
@click.pass_context
def verify(
    ctx: click.Context,
    target: str,
    namespace: str | None,
    bootstrap_servers: str | None,
    schema_registry_url: str | None,
    from_: str | None,
    until: str | None,
    seed: int | None,
    filled: bool,
    board_url: str | None,
    wait_s: int,
    as_json: bool,
) -> None:
    """Read topics, tables and page of a live system back, and compare them with the run of TARGET."""
    from cta.commands import verify_report
    from cta.commands.console import progress_bar, results
    from cta.commands.target import cut, open_run
    from cta.commands.verify import verify as run_verify

    run = open_run(target, seed=seed)
    window = cut(run, from_, until)
    settings = _settings(namespace, bootstrap_servers, schema_registry_url)
    with progress_bar(window) as progress:
        verdict = run_verify(
            run,
            window,
            settings,
            target=target,
            filled=filled,
            board_url=board_url,
            wait_s=wait_s,
            progress=progress,
        )
    if as_json:
        click.echo(verify_report.as_json(verdict))
    else:
        verify_report.print_report(verdict, results())
    ctx.exit(verdict.exit_code)


@cli.command(
    short_help="Write topics of a cluster to a file.",
    epilog="""\b
Examples:
  cta capture -o received.jsonl.zst                        a run's topics, to their ends
  cta diff scenarios/rush_hour.json received.jsonl.zst     is it what was sent?
  cta capture -o orders.jsonl --topics orders --topics payments
  cta capture -o live.jsonl.zst --follow                   until Ctrl+C, which ends it whole

\b
Any topic of any cluster: each record with partition, offset and headers; what no schema of
ours explains as text, or base64. The file appears under its name only when it is whole.""",
)
@click.option("-o", "--output", required=True, metavar="FILE", help="Where to write: .jsonl or .jsonl.zst.")
@click.option("--topics", multiple=True, metavar="NAME", help="This topic instead of a run's (repeatable).")
@click.option("--follow", is_flag=True, help="Go on with what comes, until Ctrl+C.")
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@services_of_kafka
@click.option("--quiet", is_flag=True, help="The digest and the name only.")
def capture(
    output: str,
    topics: tuple[str, ...],
    follow: bool,
    force: bool,
    namespace: str | None,
    bootstrap_servers: str | None,
    schema_registry_url: str | None,
    quiet: bool,
) -> None:
    """Write topics of a Kafka cluster to a recording, as they are now or as they come."""
    from cta.commands.capture import capture as run_capture
    from cta.commands.pace import Stop, WallClock

    settings = _settings(namespace, bootstrap_servers, schema_registry_url)
    if not follow:
        digest = run_capture(settings, output, topics, force=force)
    else:
        with Stop() as stop:
            clock = WallClock(stop)

            def asked(after_s: float) -> bool:
                clock.sleep_until_s(clock.now_s() + after_s)
                return stop.asked

            say = _unsaid if quiet else _remark
            digest = run_capture(settings, output, topics, force=force, stop=asked, say=say)
    if not quiet:
        _remark(f"{output}: {digest.total:,} records")
    click.echo(f"{digest.hexdigest()}  {output}")


@cli.command(
    short_help="Say what stands in the way of a replay.",
    epilog="""\b
Examples:
  cta doctor
  cta doctor --namespace trial-7. --json | jq '.findings[] | select(.level != "ok")'

\b
Services, topics and their settings, schemas, connectors, queries, workers, what an earlier
run left: each with what to do about it. Nothing is changed.
Exit codes: 0 nothing stands in the way, 1 something does, 3 a service cannot be reached.""",
)
@services_of_kafka
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with the settings.")
@click.pass_context
def doctor(
    ctx: click.Context,
    namespace: str | None,
    bootstrap_servers: str | None,
    schema_registry_url: str | None,
    as_json: bool,
) -> None:
    """Look at the services before a replay, and say what is wrong and what to do."""
    from cta.commands import doctor as use

    settings = _settings(namespace, bootstrap_servers, schema_registry_url)
    findings = []
    for finding in use.examine(settings):
        findings.append(finding)
        if not as_json:
            click.echo(str(finding))
    if as_json:
        click.echo(use.as_json(settings, findings))
    ctx.exit(use.exit_code(findings))


@cli.command(
    short_help="Compare two runs.",
    epilog="""\b
Examples:
  cta diff scenarios/rush_hour.json rush_hour.jsonl          is it still the same run?
  cta diff scenarios/rush_hour.json scenarios/snow_day.json
  cta diff scenarios/rush_hour.json scenarios/rush_hour.json --seed-b 7
  cta diff sent.jsonl received.jsonl --time-tolerance 500ms
  cta diff before.jsonl after.jsonl --ignore temperature --ignore arrivals.train_status

\b
Records are aligned by topic, key and their order within the key: neither lines nor
partitions matter. docs/comparing.md reads two examples line by line.
Exit codes: 0 the same, 1 different, 2 bad input.""",
)
@click.argument("a")
@click.argument("b")
@click.option("--ignore", multiple=True, metavar="FIELD", help="Take FIELD, or TOPIC.FIELD, as equal (repeatable).")
@click.option("--time-tolerance", metavar="T", help="Take times so far apart as equal: 500ms, 5s, PT5S.")
@click.option("--seed-b", callback=_whole(0, SEED_MAX), metavar="N", help="Another seed for B, a scenario.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with every entity.")
@click.pass_context
def diff(
    ctx: click.Context,
    a: str,
    b: str,
    ignore: tuple[str, ...],
    time_tolerance: str | None,
    seed_b: int | None,
    as_json: bool,
) -> None:
    """Say how two runs differ, and why. A and B are scenarios or recordings.

    First the verdict and the cause; then the first difference with the records around it; then counts by topic and
    by train, station or alert: missing (in A only), extra (in B only), changed in a field, moved in time.
    """
    from cta.commands import diff_report
    from cta.commands.console import progress_bar, results
    from cta.commands.diff import diff as run_diff
    from cta.commands.diff import tolerance
    from cta.commands.target import open_run

    tolerance_ms = None if time_tolerance is None else tolerance(time_tolerance)
    one, other = open_run(a), open_run(b, seed=seed_b)
    with progress_bar(one.window) as progress:
        found = run_diff((a, b), one, other, ignore=ignore, tolerance_ms=tolerance_ms, progress=progress)
    if as_json:
        click.echo(diff_report.as_json(found))
    else:
        diff_report.print_report(found, results())
    ctx.exit(found.exit_code)


@cli.command(
    short_help="Say what a recording is.",
    epilog="""\b
Examples:
  cta info rush_hour.jsonl.zst
  cta info rush_hour.jsonl.zst --json | jq .records

\b
Only the ends of the file and its index are read, so it answers at once whatever the size.
What the file says of itself is not verified: that is what cta check does.
Exit codes: 0 a whole recording, 1 an incomplete one, 2 bad input.""",
)
@click.argument("file")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def info(ctx: click.Context, file: str, as_json: bool) -> None:
    """Say what recording FILE is: its run, when, records a topic, digest, whether it is complete."""
    from cta.commands import info as about

    found = about.about(file)
    click.echo(about.as_json(found) if as_json else about.summary(found))
    ctx.exit(0 if found.trailer is not None else 1)


@cli.command(
    short_help="Print a recording's records as JSON lines.",
    epilog="""\b
Examples:
  cta cat rush_hour.jsonl.zst | head
  cta cat day.jsonl.zst --train BL104 --from 08:15 --until 08:30
  cta cat day.jsonl.zst --topic turnstile --station "Clark/Lake" | wc -l
  cta cat day.jsonl.zst --topic weather | jq .value.temperature

\b
Records are printed as they stand in the recording, in its order. A whole recording is
verified to its end; of a part, the frames that it lies in.""",
)
@click.argument("file")
@click.option(
    "--topic", metavar="NAME", help="Of this topic: arrivals, turnstile, weather, alerts, or a topic's full name."
)
@click.option("--key", metavar="KEY", help="With this key: a train, a station's id, an alert's id, or a key as JSON.")
@click.option("--line", metavar="LINE", help="Of this line; an entry is of its station's home line.")
@click.option("--station", metavar="NAME", help="At this station, by name or id.")
@click.option("--train", metavar="ID", help="Of this train.")
@window_of_a_recording
def cat(
    file: str,
    topic: str | None,
    key: str | None,
    line: str | None,
    station: str | None,
    train: str | None,
    from_: str | None,
    until: str | None,
) -> None:
    """Print the records of recording FILE as JSON lines, all or those that are asked for."""
    from cta.commands.cat import cat as lines
    from cta.commands.choice import choose
    from cta.commands.target import part_of
    from cta.recording.reader import Recording

    recording = Recording.open(file)
    choice = choose(recording.header.topics, topic=topic, key=key, line=line, station=station, train=train)
    window = None if from_ is None and until is None else part_of(recording, from_, until)
    for block in lines(recording, window, choice):
        click.echo(block, nl=False)


@cli.command(
    short_help="Cut a part out of a recording.",
    epilog="""\b
Examples:
  cta cut day.jsonl.zst -o peak.jsonl.zst --from 08:00 --until 09:00
  cta cut day.jsonl.zst -o blue.jsonl --line blue

\b
The cut is a recording again, with the header's scenario and whatever else the header
holds. With --line it keeps the weather, and alerts that are of no line.""",
)
@click.argument("file")
@click.option("-o", "--output", required=True, metavar="FILE", help="Where to write: .jsonl or .jsonl.zst.")
@click.option("--force", is_flag=True, help="Replace the output if it is there.")
@click.option("--line", metavar="LINE", help="Keep the records of this line.")
@window_of_a_recording
@click.option("--quiet", is_flag=True, help="No progress; the digest and the name only.")
def cut(
    file: str, output: str, force: bool, line: str | None, from_: str | None, until: str | None, quiet: bool
) -> None:
    """Write a part of recording FILE, in time or of one line, as a recording of its own."""
    from cta.commands.choice import choose
    from cta.commands.console import progress_bar
    from cta.commands.cut import cut as run_cut
    from cta.commands.target import part_of
    from cta.recording.reader import Recording

    recording = Recording.open(file)
    window = part_of(recording, from_, until)
    choice = choose(recording.header.topics, line=line, without_line=True)
    with progress_bar(window, quiet=quiet) as progress:
        digest = run_cut(recording, window, choice, output, force=force, progress=progress)
    if not quiet:
        click.echo(f"{output}: {digest.total:,} of {recording.trailer.total:,} records", err=True)
    click.echo(f"{digest.hexdigest()}  {output}")


@cli.command(
    short_help="Write a recording in another form.",
    epilog="""\b
Examples:
  cta convert rush_hour.jsonl -o rush_hour.jsonl.zst
  cta convert day.jsonl.zst -o day.avro        an Avro Object Container File
  cta convert day.avro -o day.jsonl

\b
Nothing is lost on the way: what comes back is the recording byte for byte, or
nothing is written. The form follows the name: .jsonl, .jsonl.zst or .avro.""",
)
@click.argument("file")
@click.option("-o", "--output", required=True, metavar="FILE", help="Where to write: .jsonl, .jsonl.zst or .avro.")
@click.option("--force", is_flag=True, help="Replace the output if it is there.")
@click.option("--quiet", is_flag=True, help="No progress; the digest and the name only.")
def convert(file: str, output: str, force: bool, quiet: bool) -> None:
    """Write recording FILE in another form: plain, in Zstandard frames, or Avro."""
    from cta.commands.console import progress_bar
    from cta.commands.convert import convert as run_convert
    from cta.commands.convert import open_stored
    from cta.simulation.plan import Window

    source = open_stored(file)
    window = Window(source.header.start_ms, source.header.end_ms)
    with progress_bar(window, quiet=quiet) as progress:
        trailer = run_convert(source, output, force=force, progress=progress)
    if not quiet:
        click.echo(f"{output}: {trailer.total:,} records", err=True)
    click.echo(f"{trailer.digest}  {output}")


@cli.command(
    short_help="Save what is whole of a damaged recording.",
    epilog="""\b
Examples:
  cta repair rush_hour.jsonl.zst.partial -o saved.jsonl.zst    what a killed run has left
  cta repair damaged.jsonl -o saved.jsonl

\b
The original is only read. What is missing is told on stderr, and in the header of the
new file (missing), so that no later reader takes it for the whole run.
Exit codes: 0 everything is there, 1 something is missing, 2 bad input.""",
)
@click.argument("file")
@click.option("-o", "--output", required=True, metavar="FILE", help="Where to write: .jsonl or .jsonl.zst.")
@click.option("--force", is_flag=True, help="Replace the output if it is there.")
@click.pass_context
def repair(ctx: click.Context, file: str, output: str, force: bool) -> None:
    """Write what is whole of FILE, a damaged or unfinished recording, as a recording, and say what is missing."""
    from cta.commands.info import moment
    from cta.commands.repair import repair as run_repair

    saved = run_repair(file, output, force=force)
    digest = saved.digest
    span = (
        ""
        if digest.first_ms is None or digest.last_ms is None
        else f", {moment(digest.first_ms)} to {moment(digest.last_ms)}"
    )
    click.echo(f"{output}: {digest.total:,} records{span}", err=True)
    for loss in saved.losses:
        click.echo(f"missing: {loss}", err=True)
    click.echo(f"{digest.hexdigest()}  {output}")
    ctx.exit(1 if saved.losses else 0)


@cli.command(
    short_help="Judge a recording or a scenario's run.",
    epilog="""\b
Examples:
  cta check rush_hour.jsonl
  cta check scenarios/full_day.json            what a run of it would hold
  cta check damaged.jsonl --all | sort -t: -k3
  cta check rush_hour.jsonl --json | jq .laws

\b
A recording's bytes and form are checked as far as it can be read; then its records
are held to the laws of trains, entries, weather and alerts (docs/comparing.md).
Exit codes: 0 nothing wrong, 1 something is, 2 bad input.""",
)
@click.argument("target")
@click.option("--all", "everything", is_flag=True, help="List every violation, not the first few of each law.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with every violation.")
@click.pass_context
def check(ctx: click.Context, target: str, everything: bool, as_json: bool) -> None:
    """Find whatever is wrong with TARGET, a recording or a scenario's run, and say in which line."""
    from cta.commands import check_report
    from cta.commands.check import check as run_check
    from cta.commands.console import results

    verdict = run_check(target, keep_all=everything or as_json)
    if as_json:
        click.echo(check_report.as_json(verdict))
    else:
        check_report.print_report(verdict, results())
    ctx.exit(verdict.exit_code)


@cli.command(
    short_help="Show the status page of what is in Kafka.",
    epilog="""\b
Examples:
  cta serve                                  the stack's run on http://127.0.0.1:8889/
  cta serve --namespace trial-7. --port 8890
  curl localhost:8889/healthz                200 once it has caught up

\b
Everything from the topics' beginnings, then what comes, until Ctrl+C. Nothing is committed:
any number of servers show the same. docs/page.md says what the page shows and answers.
Exit codes: 0 stopped, 2 bad input, 3 Kafka could not be reached.""",
)
@click.option("--port", callback=_whole(0, 65_535), default="8889", show_default=True, help="0: any that is free.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@services_of_kafka
def serve(
    port: int, host: str, namespace: str | None, bootstrap_servers: str | None, schema_registry_url: str | None
) -> None:
    """Show arrivals, stations, entries, weather and alerts of a namespace as the Transit Status Page."""
    from cta.commands.pace import Stop
    from cta.commands.serve import serve as run_serve

    settings = _settings(namespace, bootstrap_servers, schema_registry_url)
    with Stop() as stop:
        run_serve(settings, host=host, port=port, stop=stop, ready=_say)


@cli.command(
    short_help="Draw a line's trains over time.",
    epilog="""\b
Examples:
  cta plot scenarios/blue_line_breakdown.json --line blue -o blue.svg
  cta plot day.jsonl.zst --line red -o red.svg --from 07:00 --until 10:00

\b
A string is a train: flat where it waits, crowded where trains bunch. The picture
follows the reader's choice of light or dark and needs no outside font.""",
)
@click.argument("target")
@click.option("--line", required=True, metavar="LINE", help="The line to draw.")
@click.option("-o", "--output", required=True, metavar="FILE", help="Where to write: .svg.")
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@part_of_a_run
def plot(
    target: str, line: str, output: str, force: bool, from_: str | None, until: str | None, seed: int | None
) -> None:
    """Draw a time-distance diagram of one line of TARGET, a scenario or a recording."""
    from cta.commands.plot import plot as run_plot
    from cta.commands.target import cut, open_run

    run = open_run(target, seed=seed)
    click.echo(run_plot(run, cut(run, from_, until), line, output, force=force))


@cli.command(
    epilog="""\b
Examples:
  cta schema > scenario.schema.json
  cta schema | jq '."$defs" | keys'

\b
An editor that is given the schema completes and checks scenarios while they are
written. What a schema cannot know (names of stations, moments) replay checks.""",
)
def schema() -> None:
    """Print the JSON Schema of a scenario."""
    from cta.commands.schema import schema_text

    click.echo(schema_text())


@cli.command(
    short_help="Show lines and stations.",
    epilog="""\b
Examples:
  cta network                   lines and stations
  cta network "Clark/Lake"      one station: lines, platforms, neighbours
  cta network "Western (Pink)"  a name that several stations bear, with its line
  cta network blue              one line
  cta network --json | jq '.stations | length'
  cta network --fidelity        how near the simulation comes to the timetable""",
)
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--fidelity", is_flag=True, help="Compare simulated service with the network's tables.")
def network(name: str | None, as_json: bool, fidelity: bool) -> None:
    """Show the network's lines and stations, or the one that bears NAME (or its id)."""
    from cta.commands.console import results

    if not fidelity:
        from cta.commands.network import network_command

        network_command(name, as_json, results())
        return
    if name is not None:
        raise click.UsageError("--fidelity is of the whole network: it takes no NAME", click.get_current_context())
    from cta.commands.fidelity import fidelity_command

    fidelity_command(as_json, results())


named = click.option("--namespace", metavar="NS", help="Before every name that is used; CTA_NAMESPACE otherwise.")
waited = click.option(
    "--wait", "wait_s", callback=_whole(1, 3_600), default="60", show_default=True, metavar="SECONDS", help="How long."
)


@cli.group(
    cls=OneLine,
    epilog="""\b
Examples:
  cta connect apply                       compose/connectors/stations-debezium.json
  cta connect apply compose/connectors/stations-jdbc.json --set table.whitelist=stations
  cta connect status
  cta connect restart stations-debezium   after what made a task FAILED was put right

\b
The worker is at CTA_CONNECT_URL. Passwords of a config are never shown.""",
)
def connect() -> None:
    """Connectors: make, show, restart, delete."""


@connect.command("apply")
@click.argument("file", default="compose/connectors/stations-debezium.json")
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="Instead of what FILE says; $VARIABLE too.")
@named
@waited
def connect_apply(file: str, changes: tuple[str, ...], namespace: str | None, wait_s: int) -> None:
    """Make FILE's connector, or give it FILE's config, and wait until it has read rows."""
    from cta.commands import connect as use
    from cta.model.settings import Settings

    settings = Settings.of(os.environ, namespace=namespace)
    click.echo(use.apply(use.connect(settings), file, changes, namespace=settings.namespace, patience_s=wait_s))


@connect.command("status")
@click.argument("name", required=False)
@click.pass_context
def connect_status(ctx: click.Context, name: str | None) -> None:
    """Show every connector, or NAME. Exit code 1: one isn't running."""
    from cta.commands import connect as use
    from cta.model.settings import Settings

    lines, running = use.status(use.connect(Settings.of(os.environ)), name)
    click.echo("\n".join(lines))
    ctx.exit(0 if running else 1)


@connect.command("restart")
@click.argument("name")
@waited
def connect_restart(name: str, wait_s: int) -> None:
    """Restart NAME and its tasks, which is what heals a FAILED one."""
    from cta.commands import connect as use
    from cta.model.settings import Settings

    click.echo(use.restart(use.connect(Settings.of(os.environ)), name, patience_s=wait_s))


@connect.command("delete")
@click.argument("name")
@click.option("--forget", is_flag=True, help="Its offsets too: made again, it reads everything.")
def connect_delete(name: str, forget: bool) -> None:
    """Remove NAME; nothing happens if it isn't there."""
    from cta.commands import connect as use
    from cta.model.settings import Settings

    click.echo(use.delete(use.connect(Settings.of(os.environ)), name, forget=forget))


statements_of = _options(
    click.option("--folder", default="compose/ksql", show_default=True, help="Where the *.sql files are."),
    click.option(
        "--partitions", callback=_whole(1, PARTITIONS_MAX), default="1", show_default=True, help="Of its topics."
    ),
    named,
)


@cli.group(
    cls=OneLine,
    epilog="""\b
Examples:
  cta ksql apply
  cta ksql status --station 40380
  cta ksql drop

\b
The server is at CTA_KSQLDB_URL. What is there already is left as it is.""",
)
def ksql() -> None:
    """The stream and the table of entries in ksqlDB: make, show, drop."""


@ksql.command("apply")
@statements_of
def ksql_apply(folder: str, partitions: int, namespace: str | None) -> None:
    """Make the streams and tables that aren't there, and wait until they are filled."""
    from cta.commands import ksql as use
    from cta.model.settings import Settings

    settings = Settings.of(os.environ, namespace=namespace)
    click.echo("\n".join(use.apply(use.ksqldb(settings), use.read_files(folder, settings, partitions))))


@ksql.command("status")
@statements_of
@click.option("--station", callback=_whole(0, 2**31 - 1), metavar="ID", help="And this station's entries so far.")
@click.pass_context
def ksql_status(ctx: click.Context, folder: str, partitions: int, namespace: str | None, station: int | None) -> None:
    """Show the files' streams, tables and queries. Exit code 1: something is missing or not running."""
    from cta.commands import ksql as use
    from cta.model.settings import Settings

    settings = Settings.of(os.environ, namespace=namespace)
    made = use.read_files(folder, settings, partitions)
    lines, good = use.status(use.ksqldb(settings), made, station, namespace=settings.namespace)
    click.echo("\n".join(lines))
    ctx.exit(0 if good else 1)


@ksql.command("drop")
@statements_of
def ksql_drop(folder: str, partitions: int, namespace: str | None) -> None:
    """Remove the files' streams and tables, the last first, with their queries. Topics stay."""
    from cta.commands import ksql as use
    from cta.model.settings import Settings

    settings = Settings.of(os.environ, namespace=namespace)
    click.echo("\n".join(use.drop(use.ksqldb(settings), use.read_files(folder, settings, partitions))))


@cli.command(
    short_help="Run a Faust worker.",
    epilog="""\b
Examples:
  cta stream              platforms' rows into the stations table
  cta stream --summary    and entries into TURNSTILE_SUMMARY, where there is no ksqlDB

\b
Any number of workers share the work. "ready:" stands on stdout once a worker's records
flow. SIGTERM or Ctrl+C stops one; killed, it loses nothing and counts nothing twice.""",
)
@click.option("--summary", is_flag=True, help="Count entries by station, exactly, in place of ksqlDB.")
@named
def stream(summary: bool, namespace: str | None) -> None:
    """Make the stations table out of what Connect reads, until told to stop."""
    from cta.commands.stream import stream as run_stream
    from cta.model.settings import Settings

    run_stream(Settings.of(os.environ, namespace=namespace), summary=summary, say=_say)


@cli.group(
    cls=OneLine,
    epilog="""\b
Examples:
  cta stack up                    every service, ready when it returns
  cta stack up kafka schema-registry
  cta stack status
  cta stack logs connect --tail 50
  cta stack down --volumes        and what they hold

\b
docker compose does it, with compose/docker-compose.yml of the checkout; its variables
(ports, images, profiles) are in docs/stack.md.""",
)
def stack() -> None:
    """The services in containers: up, down, status, logs."""


project_of = _options(
    click.option("--file", default="compose/docker-compose.yml", show_default=True, help="The compose file."),
    click.option("-p", "--project", metavar="NAME", help="Compose's name for it; a second stack beside the first."),
)


@stack.command("up")
@click.argument("services", nargs=-1)
@project_of
def stack_up(services: tuple[str, ...], file: str, project: str | None) -> None:
    """Start SERVICES, or all of them; prints the variables that make commands use them."""
    from cta.commands import stack as use

    made = use.compose(file, os.environ, project)
    made.up(services, _remark)
    click.echo("\n".join(use.addresses(made)))


@stack.command("down")
@click.option("--volumes", is_flag=True, help="What they hold, too.")
@project_of
def stack_down(volumes: bool, file: str, project: str | None) -> None:
    """End and remove every service; what they hold stays."""
    from cta.commands import stack as use

    use.compose(file, os.environ, project).down(volumes=volumes, say=_remark)


@stack.command("status")
@project_of
@click.pass_context
def stack_status(ctx: click.Context, file: str, project: str | None) -> None:
    """Show each service, whether it is ready, and where. Exit code 1: one isn't."""
    from cta.commands import stack as use

    lines, good = use.status(use.compose(file, os.environ, project))
    click.echo("\n".join(lines))
    ctx.exit(0 if good else 1)


@stack.command("logs")
@click.argument("services", nargs=-1)
@click.option(
    "--tail", callback=_whole(1, 100_000), default="100", show_default=True, metavar="N", help="Lines of each."
)
@project_of
def stack_logs(services: tuple[str, ...], tail: int, file: str, project: str | None) -> None:
    """Print the last lines of SERVICES, or of all, without passwords."""
    from cta.commands import stack as use

    for line in use.compose(file, os.environ, project).logs(services, tail=tail):
        click.echo(line)


def main() -> None:
    """The ``cta`` command."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started it: nobody is to hear
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115  (for as long as the process lives)
    cli(prog_name="cta")
