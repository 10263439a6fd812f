"""Commands that make a run: replay, record, demo, serve, plot."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Literal

import click

from cta.cli.group import INTERRUPTED, cli
from cta.cli.options import (
    as_speed,
    options,
    part_of_a_run,
    partitions_of,
    remark,
    say,
    services_of_kafka,
    settings_of,
    unsaid,
    whole,
)

if TYPE_CHECKING:
    from cta.commands.target import Run
    from cta.simulation.plan import Window


@cli.command(
    short_help="Run a scenario or a recording through the pipeline.",
    epilog="""\b
Examples:
  cta replay scenarios/rush_hour.json
  cta replay scenarios/rush_hour.json --from 08:00 --until 08:15 --board
  cta replay scenarios/full_day.json --seed 7 --quiet       # only "DIGEST  NAME"
  cta replay scenarios/classic.json --speed 30              # thirty simulated seconds a second
  cta replay scenarios/snow_day.json --json | jq .records
  cta replay scenarios/rush_hour.json --to kafka --partitions 3
  cta replay scenarios/rush_hour.json --to kafka --fresh --namespace trial-7.
  cta replay scenarios/rush_hour.json --to kafka --via services

\b
Into Kafka each record goes once, with its event's time. Topics that hold records are
refused; --fresh lists and removes what an earlier run left, and starts clean; --resume
holds what is there against this run, and goes on with the next record.
With --via services weather goes by the REST Proxy, and stations by Postgres and Connect:
each record at least once, and what may be there more often is counted.
Expectations are judged on a whole run, whatever its seed. A run cut by --from or
--until (or by Ctrl+C) is not judged, and says so.
With --serve, Ctrl+C before the run's end interrupts it; after it, it closes the page only.
Exit codes: 0 done, 1 an expectation failed, 2 bad input, 3 a service cannot be reached,
130 interrupted.""",
)
@click.argument("target")
@click.option("--to", type=click.Choice(["memory", "kafka"]), default="memory", show_default=True, help="The broker.")
@click.option(
    "--via",
    type=click.Choice(["broker", "services"]),
    help="On Kafka: all by its producer, or weather and stations by their services.  [default: broker]",
)
@click.option("--fresh", is_flag=True, help="On Kafka: remove what an earlier run left in the namespace.")
@click.option("--resume", is_flag=True, help="On Kafka: go on with this run, where it ended early.")
@services_of_kafka
@click.option(
    "--speed", callback=as_speed, default="max", show_default=True, metavar="max|N", help="Simulated seconds a second."
)
@part_of_a_run
@partitions_of("Of every topic. The digests do not depend on it.")
@click.option("--board", is_flag=True, help="Print the status page's table after the summary.")
@click.option("--serve", is_flag=True, help="Show the status page of it, until Ctrl+C.")
@click.option(
    "--port",
    callback=whole(0, 65_535),
    metavar="PORT",
    help="With --serve: its port; 0: any that is free.  [default: 8889]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; everything else goes to stderr.")
@click.option("--quiet", is_flag=True, help="Print the digest and the name on one line; no progress, no summary.")
@click.pass_context
def replay(
    ctx: click.Context,
    target: str,
    to: str,
    via: Literal["broker", "services"] | None,
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
    from cta.commands.target import cut, open_to_replay

    run = open_to_replay(target, seed=seed)
    window = cut(run, from_, until)
    if port is not None and not serve:
        raise click.UsageError("--port goes with --serve", ctx)
    if to != "kafka" and (via or fresh or resume or namespace or bootstrap_servers or schema_registry_url):
        raise click.UsageError(
            "--via, --fresh, --resume, --namespace and the addresses of services go with --to kafka", ctx
        )
    if serve:
        if to == "kafka" or board or as_json or quiet:
            raise click.UsageError("--serve goes without --to kafka, --board, --json and --quiet", ctx)
        ctx.exit(_serve_run(run, window, partitions, speed, port))
    with Stop() as stop, contextlib.ExitStack() as opened:
        route = None
        if to == "kafka":
            from cta.commands.kafka_replay import into_kafka

            settings = settings_of(namespace, bootstrap_servers, schema_registry_url)
            say = unsaid if quiet else remark
            if fresh and resume:
                raise click.UsageError("--fresh begins anew and --resume goes on: choose one", ctx)
            if resume and via == "services":
                raise click.UsageError("--resume goes on record by record, which --via services does not", ctx)
            into = into_kafka(
                settings,
                run,
                partitions,
                via=via or "broker",
                fresh=fresh,
                waits=speed is not None,
                say=say,
                resume=run.batches(window) if resume else None,
            )
            route = opened.enter_context(into)
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
        once = "each once; --resume goes on"
        if via == "services":
            once = "each at least once; --resume, without --via, goes on where none is there twice"
        remark(f"interrupted: {outcome.digest.total:,} records are in Kafka, {once}")
    elif outcome.interrupted:
        remark(f"interrupted after {outcome.digest.total:,} records")
    ctx.exit(outcome.exit_code)


def _serve_run(run: Run, window: Window, partitions: int, speed: float | None, port: int | None) -> int:
    """The page of a run until Ctrl+C, then what came of it: 130 if the run was not at its end, else its own exit code."""
    from cta.commands import report
    from cta.commands.demo import HOST, PORT
    from cta.commands.pace import Stop
    from cta.commands.serving import serve_run

    port = PORT if port is None else port
    with Stop() as stop:
        outcome = serve_run(
            run, window, host=HOST, port=port, speed=speed, partitions=partitions, stop=stop, ready=say, again=False
        )
    if outcome is None:
        return INTERRUPTED
    say(report.summary(outcome))
    if outcome.interrupted:
        remark(f"interrupted after {outcome.digest.total:,} records")
    return outcome.exit_code


@cli.command(
    short_help="Write a run's records to a file.",
    epilog="""\b
Examples:
  cta record scenarios/rush_hour.json -o rush_hour.jsonl
  cta record scenarios/full_day.json -o peak.jsonl --from 08:00 --until 09:00
  cta record scenarios/full_day.json -o day.jsonl.zst       # a twenty-fifth of the size
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


listened_on = options(
    click.option(
        "--port",
        callback=whole(0, 65_535),
        default="8889",
        show_default=True,
        metavar="PORT",
        help="0: any that is free.",
    ),
    click.option("--host", default="127.0.0.1", show_default=True, metavar="HOST", help="The address to listen on."),
)


@cli.command(
    short_help="Show the status page of a running rush hour.",
    epilog="""\b
Examples:
  cta demo                       # rush hour at a minute a second on http://127.0.0.1:8889/
  cta demo --speed 600           # ten minutes a second
  cta demo --scenario scenarios/blue_line_breakdown.json
  curl -N localhost:8889/events  # what the page is told

\b
One process, no services: the run goes through a broker in memory. It starts over at
its end; Ctrl+C stops it. docs/page.md says what the page shows and answers.
Exit codes: 0 stopped, 2 bad input.""",
)
@listened_on
@click.option(
    "--speed", callback=as_speed, default="60", show_default=True, metavar="N", help="Simulated seconds a second."
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
        run_demo(scenario, host=host, port=port, speed=speed, browser=not no_browser, stop=stop, say=say)


@cli.command(
    short_help="Show the status page of what is in Kafka.",
    epilog="""\b
Examples:
  cta serve                                  # the stack's run on http://127.0.0.1:8889/
  cta serve --namespace trial-7. --port 8890
  curl localhost:8889/healthz                # 200 once it has caught up

\b
Everything from the topics' beginnings, then what comes, until Ctrl+C. Nothing is committed:
any number of servers show the same. docs/page.md says what the page shows and answers.
Exit codes: 0 stopped, 2 bad input, 3 Kafka could not be reached.""",
)
@listened_on
@services_of_kafka
def serve(
    port: int, host: str, namespace: str | None, bootstrap_servers: str | None, schema_registry_url: str | None
) -> None:
    """Show arrivals, stations, entries, weather and alerts of a namespace as the Transit Status Page."""
    from cta.commands.pace import Stop
    from cta.commands.serve import serve as run_serve

    settings = settings_of(namespace, bootstrap_servers, schema_registry_url)
    with Stop() as stop:
        run_serve(settings, host=host, port=port, stop=stop, ready=say)


@cli.command(
    short_help="Draw a line's trains over time.",
    epilog="""\b
Examples:
  cta plot scenarios/blue_line_breakdown.json --line blue -o blue.svg
  cta plot day.jsonl.zst --line red -o red.svg --from 07:00 --until 10:00

\b
A string is a train: flat where it waits, crowded where trains bunch. The picture
follows the reader's choice of light or dark and needs no outside font. A .png is the
light one; it takes pip install 'cta[png]'.""",
)
@click.argument("target")
@click.option("--line", required=True, metavar="LINE", help="The line to draw.")
@click.option("-o", "--output", required=True, metavar="FILE", help="Where to write: .svg, or .png.")
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
