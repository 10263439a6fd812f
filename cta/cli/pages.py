"""Commands that show a run as a page or a picture: demo, serve, plot."""

from __future__ import annotations

import click

from cta.cli.group import cli
from cta.cli.options import as_speed, options, part_of_a_run, say, services_of_kafka, settings_of, whole

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
