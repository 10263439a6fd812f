"""Commands on a cluster: verify, capture, doctor, stream, stack."""

from __future__ import annotations

import os

import click

from cta.cli.group import OneLine, cli
from cta.cli.options import named, options, part_of_a_run, remark, say, services_of_kafka, settings_of, unsaid, whole


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
    callback=whole(0, 3_600),
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
    settings = settings_of(namespace, bootstrap_servers, schema_registry_url)
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
  cta capture -o received.jsonl.zst                        # a run's topics, to their ends
  cta diff scenarios/rush_hour.json received.jsonl.zst     # is it what was sent?
  cta capture -o orders.jsonl --topics orders --topics payments
  cta capture -o live.jsonl.zst --follow                   # until Ctrl+C, which ends it whole
  cta capture -o new.jsonl.zst --group nightly             # what no capture of that group has yet

\b
Captures of a group share its partitions, and go on where its last one ended.

\b
Any topic of any cluster: each record with partition, offset and headers; what no schema of
ours explains as text, or base64. The file appears under its name only when it is whole.""",
)
@click.option("-o", "--output", required=True, metavar="FILE", help="Where to write: .jsonl or .jsonl.zst.")
@click.option("--topics", multiple=True, metavar="NAME", help="This topic instead of a run's (repeatable).")
@click.option("--follow", is_flag=True, help="Go on with what comes, until Ctrl+C.")
@click.option("--group", metavar="NAME", help="Go on where this group's last capture ended; share with its others.")
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@services_of_kafka
@click.option("--quiet", is_flag=True, help="The digest and the name only.")
def capture(
    output: str,
    topics: tuple[str, ...],
    follow: bool,
    group: str | None,
    force: bool,
    namespace: str | None,
    bootstrap_servers: str | None,
    schema_registry_url: str | None,
    quiet: bool,
) -> None:
    """Write topics of a Kafka cluster to a recording, as they are now or as they come."""
    from cta.commands.capture import capture as run_capture
    from cta.commands.pace import Stop, WallClock

    settings = settings_of(namespace, bootstrap_servers, schema_registry_url)
    if not follow:
        digest = run_capture(settings, output, topics, group=group, force=force)
    else:
        with Stop() as stop:
            clock = WallClock(stop)

            def asked(after_s: float) -> bool:
                clock.sleep_until_s(clock.now_s() + after_s)
                return stop.asked

            told = unsaid if quiet else remark
            digest = run_capture(settings, output, topics, group=group, force=force, stop=asked, say=told)
    if not quiet:
        remark(f"{output}: {digest.total:,} records")
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

    settings = settings_of(namespace, bootstrap_servers, schema_registry_url)
    findings = []
    for finding in use.examine(settings):
        findings.append(finding)
        if not as_json:
            click.echo(str(finding))
    if as_json:
        click.echo(use.as_json(settings, findings))
    ctx.exit(use.exit_code(findings))


@cli.command(
    short_help="Run a Faust worker.",
    epilog="""\b
Examples:
  cta stream              # platforms' rows into the stations table
  cta stream --summary    # and entries into TURNSTILE_SUMMARY, where there is no ksqlDB

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

    run_stream(Settings.of(os.environ, namespace=namespace), summary=summary, say=say)


@cli.group(
    cls=OneLine,
    epilog="""\b
Examples:
  cta stack up                    # every service, ready when it returns
  cta stack up kafka schema-registry
  cta stack status
  cta stack logs connect --tail 50
  cta stack down --volumes        # and what they hold

\b
docker compose does it, with compose/docker-compose.yml of the checkout; its variables
(ports, images, profiles) are in docs/stack.md.""",
)
def stack() -> None:
    """The services in containers: up, down, status, logs."""


project_of = options(
    click.option(
        "--file", default="compose/docker-compose.yml", show_default=True, metavar="FILE", help="The compose file."
    ),
    click.option("-p", "--project", metavar="NAME", help="Compose's name for it; a second stack beside the first."),
)


@stack.command(
    "up",
    epilog="""\b
Examples:
  cta stack up
  cta stack up kafka schema-registry""",
)
@click.argument("services", nargs=-1)
@project_of
def stack_up(services: tuple[str, ...], file: str, project: str | None) -> None:
    """Start SERVICES, or all of them, and wait until they are ready.

    Prints the variables that make commands use them.
    """
    from cta.commands import stack as use

    made = use.compose(file, os.environ, project)
    made.up(services, remark)
    click.echo("\n".join(use.addresses(made)))


@stack.command(
    "down",
    epilog="""\b
Example:
  cta stack down --volumes""",
)
@click.option("--volumes", is_flag=True, help="What they hold, too.")
@project_of
def stack_down(volumes: bool, file: str, project: str | None) -> None:
    """End and remove every service; what they hold stays."""
    from cta.commands import stack as use

    use.compose(file, os.environ, project).down(volumes=volumes, say=remark)


@stack.command(
    "status",
    epilog="""\b
Example:
  cta stack status""",
)
@project_of
@click.pass_context
def stack_status(ctx: click.Context, file: str, project: str | None) -> None:
    """Show each service, whether it is ready, and where. Exit code 1: one isn't."""
    from cta.commands import stack as use

    lines, good = use.status(use.compose(file, os.environ, project))
    click.echo("\n".join(lines))
    ctx.exit(0 if good else 1)


@stack.command(
    "logs",
    epilog="""\b
Example:
  cta stack logs connect --tail 50""",
)
@click.argument("services", nargs=-1)
@click.option(
    "--tail", callback=whole(1, 100_000), default="100", show_default=True, metavar="N", help="Lines of each."
)
@project_of
def stack_logs(services: tuple[str, ...], tail: int, file: str, project: str | None) -> None:
    """Print the last lines of SERVICES, or of all, without passwords."""
    from cta.commands import stack as use

    lines = list(use.compose(file, os.environ, project).logs(services, tail=tail))
    for line in lines:
        click.echo(line)
    if not lines:
        remark("no logs: 'cta stack status' says what runs")
