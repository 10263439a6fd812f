"""Commands to services beside the broker: stations (Postgres), connect, ksql."""

from __future__ import annotations

import os

import click

from cta.cli.group import OneLine, cli
from cta.cli.options import named, options, partitions_of, waited, whole


@cli.group(
    cls=OneLine,
    epilog="""\b
Examples:
  cta stations load                                    # the network's platforms, and nothing else
  cta stations show "Clark/Lake"                       # a station's rows, and what differs
  cta stations set 30001 station_name=Renamed          # one platform's row
  cta stations set "Clark/Lake" "station_name=Clark & Lake"     # all of a station's
  cta stations show --json | jq '.[].stop_id'

\b
The table is in the database at CTA_POSTGRES_DSN. Connect reads it: a row that is changed
here travels to the stations topic, and with 'cta stream' to the page.
Exit codes: 0 done, 2 bad input (nothing was changed), 3 Postgres could not be reached.""",
)
def stations() -> None:
    """The stations table in Postgres: load, show, change."""


as_one_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@stations.command(
    "load",
    epilog="""\b
Examples:
  cta stations load
  cta stations load --json | jq .updated""",
)
@as_one_json
def stations_load(as_json: bool) -> None:
    """Make the table hold the network's platforms, and nothing else.

    One transaction: all of it or nothing. What is right is not touched, so loaded again nothing changes.
    """
    from cta.commands import stations as use
    from cta.model.settings import Settings

    loaded = use.load(Settings.of(os.environ))
    click.echo(use.as_json(loaded) if as_json else use.told(loaded))


@stations.command(
    "show",
    epilog="""\b
Examples:
  cta stations show "Clark/Lake"
  cta stations show 30001 --json""",
)
@click.argument("name", required=False)
@as_one_json
def stations_show(name: str | None, as_json: bool) -> None:
    """Show the table's rows, or those of NAME.

    NAME is a stop's id, a station's id or a station's name.
    """
    from cta.commands import stations as use
    from cta.commands.console import results
    from cta.model.settings import Settings

    rows = use.show(Settings.of(os.environ), name)
    if as_json:
        click.echo(use.as_json(rows))
    else:
        use.print_rows(rows, results())


@stations.command(
    "set",
    epilog="""\b
Example:
  cta stations set 40380 station_name=Clark""",
)
@click.argument("name")
@click.argument("changes", nargs=-1, required=True, metavar="COLUMN=VALUE...")
@as_one_json
def stations_set(name: str, changes: tuple[str, ...], as_json: bool) -> None:
    """Set columns in the rows of NAME.

    NAME is a stop's id, a station's id or a station's name: of a station, all its platforms are changed, or none. The
    VALUE null is no value.
    """
    from cta.commands import stations as use
    from cta.model.settings import Settings

    changed = use.change(Settings.of(os.environ), name, changes)
    click.echo(use.as_json(changed) if as_json else "\n".join(map(use.told_change, changed)))


@cli.group(
    cls=OneLine,
    epilog="""\b
Examples:
  cta connect apply                       # compose/connectors/stations-debezium.json
  cta connect apply compose/connectors/stations-jdbc.json --set table.whitelist=stations
  cta connect status
  cta connect restart stations-debezium   # after what made a task FAILED was put right
  cta connect delete stations-debezium --forget

\b
The worker is at CTA_CONNECT_URL. Passwords of a config are never shown.""",
)
def connect() -> None:
    """Connectors: make, show, restart, delete."""


@connect.command(
    "apply",
    epilog="""\b
Examples:
  cta connect apply
  cta connect apply compose/connectors/stations-jdbc.json --namespace trial-7.""",
)
@click.argument("file", default="compose/connectors/stations-debezium.json")
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="Instead of what FILE says; $VARIABLE too.")
@named
@waited
def connect_apply(file: str, changes: tuple[str, ...], namespace: str | None, wait_s: int) -> None:
    """Make FILE's connector and wait until it has read rows.

    One that is there is given FILE's config.
    """
    from cta.commands import connect as use
    from cta.model.settings import Settings

    settings = Settings.of(os.environ, namespace=namespace)
    click.echo(use.apply(use.connect(settings), file, changes, namespace=settings.namespace, patience_s=wait_s))


@connect.command(
    "status",
    epilog="""\b
Examples:
  cta connect status
  cta connect status stations-debezium""",
)
@click.argument("name", required=False)
@click.pass_context
def connect_status(ctx: click.Context, name: str | None) -> None:
    """Show every connector, or NAME. Exit code 1: one isn't running."""
    from cta.commands import connect as use
    from cta.model.settings import Settings

    lines, running = use.status(use.connect(Settings.of(os.environ)), name)
    click.echo("\n".join(lines))
    ctx.exit(0 if running else 1)


@connect.command(
    "restart",
    epilog="""\b
Example:
  cta connect restart stations-debezium --wait 120""",
)
@click.argument("name")
@waited
def connect_restart(name: str, wait_s: int) -> None:
    """Restart NAME and its tasks, which is what heals a FAILED one."""
    from cta.commands import connect as use
    from cta.model.settings import Settings

    click.echo(use.restart(use.connect(Settings.of(os.environ)), name, patience_s=wait_s))


@connect.command(
    "delete",
    epilog="""\b
Example:
  cta connect delete stations-debezium --forget""",
)
@click.argument("name")
@click.option(
    "--forget", is_flag=True, help="Its offsets and its slot in Postgres, too: made again, it reads everything."
)
def connect_delete(name: str, forget: bool) -> None:
    """Remove NAME; nothing happens if it isn't there."""
    from cta.commands import connect as use
    from cta.model.settings import Settings

    settings = Settings.of(os.environ)
    click.echo("\n".join(use.delete(use.connect(settings), name, settings, forget=forget)))


statements_of = options(
    click.option(
        "--folder", default="compose/ksql", show_default=True, metavar="DIR", help="Where the *.sql files are."
    ),
    partitions_of("Of its topics."),
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
The server is at CTA_KSQLDB_URL. What is there already is left as it is, and refused if it
is not what the files say.""",
)
def ksql() -> None:
    """The stream and the table of entries in ksqlDB: make, show, drop."""


@ksql.command(
    "apply",
    epilog="""\b
Example:
  cta ksql apply --partitions 3""",
)
@statements_of
def ksql_apply(folder: str, partitions: int, namespace: str | None) -> None:
    """Make the files' streams and tables, and wait for their queries.

    What is there already as the files say it is left as it is.
    """
    from cta.commands import ksql as use
    from cta.model.settings import Settings

    settings = Settings.of(os.environ, namespace=namespace)
    click.echo("\n".join(use.apply(use.ksqldb(settings), use.read_files(folder, settings, partitions))))


@ksql.command(
    "status",
    epilog="""\b
Example:
  cta ksql status --station 40380""",
)
@statements_of
@click.option("--station", callback=whole(0, 2**31 - 1), metavar="ID", help="And this station's entries so far.")
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


@ksql.command(
    "drop",
    epilog="""\b
Example:
  cta ksql drop --namespace trial-7.""",
)
@statements_of
def ksql_drop(folder: str, partitions: int, namespace: str | None) -> None:
    """Remove the files' streams and tables. Topics stay.

    The last goes first, each with its queries.
    """
    from cta.commands import ksql as use
    from cta.model.settings import Settings

    settings = Settings.of(os.environ, namespace=namespace)
    click.echo("\n".join(use.drop(use.ksqldb(settings), use.read_files(folder, settings, partitions))))
