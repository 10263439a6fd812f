"""Commands that make a run: replay, record."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import click

from cta.cli.group import INTERRUPTED, cli
from cta.cli.options import (
    as_speed,
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
    if contradiction := _contradiction(ctx.params):
        raise click.UsageError(contradiction, ctx)
    from cta.commands import report
    from cta.commands.console import progress_bar
    from cta.commands.pace import Stop, WallClock
    from cta.commands.replay import replay as run_replay
    from cta.commands.target import cut, open_to_replay

    run = open_to_replay(target, seed=seed)
    window = cut(run, from_, until)
    if serve:
        ctx.exit(_serve_run(run, window, partitions, speed, port))
    with Stop() as stop, contextlib.ExitStack() as opened:
        route = None
        if to == "kafka":
            from cta.commands.kafka_replay import into_kafka

            settings = settings_of(namespace, bootstrap_servers, schema_registry_url)
            into = into_kafka(
                settings,
                run,
                partitions,
                via=via or "broker",
                fresh=fresh,
                waits=speed is not None,
                say=unsaid if quiet else remark,
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


def _contradiction(given: Mapping[str, Any]) -> str | None:
    """What of a replay's options goes with what only; None where all go together."""

    def any_of(*names: str) -> bool:
        return any(given[name] for name in names)

    kafka = given["to"] == "kafka"
    if given["port"] is not None and not given["serve"]:
        return "--port goes with --serve"
    if given["serve"] and (kafka or any_of("board", "as_json", "quiet")):
        return "--serve goes without --to kafka, --board, --json and --quiet"
    if not kafka and any_of("via", "fresh", "resume", "namespace", "bootstrap_servers", "schema_registry_url"):
        return "--via, --fresh, --resume, --namespace and the addresses of services go with --to kafka"
    if given["fresh"] and given["resume"]:
        return "--fresh begins anew and --resume goes on: choose one"
    if given["resume"] and given["via"] == "services":
        return "--resume goes on record by record, which --via services does not"
    return None


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
