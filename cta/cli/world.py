"""Commands about what there is: network, schema."""

from __future__ import annotations

import click

from cta.cli.group import cli


@cli.command(
    short_help="Show lines and stations.",
    epilog="""\b
Examples:
  cta network                   # lines and stations
  cta network "Clark/Lake"      # one station: lines, platforms, neighbours
  cta network "Western (Pink)"  # a name that several stations bear, with its line
  cta network blue              # one line
  cta network --json | jq '.stations | length'
  cta network --fidelity        # how near the simulation comes to the timetable""",
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
