"""Commands about recordings: info, cat, cut, convert, repair, diff, check."""

from __future__ import annotations

import click

from cta.cli.group import cli
from cta.cli.options import SEED_MAX, whole, window_of_a_recording


@cli.command(
    short_help="Say what a recording is.",
    epilog="""\b
Examples:
  cta info rush_hour.jsonl.zst
  cta info rush_hour.jsonl.zst --json | jq .records

\b
Only the ends of the file and its index are read, so it answers at once whatever the size.
What the file says of itself is not verified: that is what cta check does.
Exit codes: 0 a whole recording, 1 one that is cut short or says what is missing, 2 bad input.""",
)
@click.argument("file")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def info(ctx: click.Context, file: str, as_json: bool) -> None:
    """Say what recording FILE is: its run, when, records a topic, digest, whether it is complete."""
    from cta.commands import info as about

    found = about.about(file)
    click.echo(about.as_json(found) if as_json else about.summary(found))
    ctx.exit(0 if found.complete else 1)


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
verified to its end; of a part, the frames that it lies in. Where none matches, stderr says so.""",
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
    matches = window is None and choice.everything
    for block in lines(recording, window, choice):
        matches = True
        click.echo(block, nl=False)
    if not matches:
        click.echo(f"{file}: none of its {recording.trailer.total:,} records matches", err=True)


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
  cta convert day.jsonl.zst -o day.avro        # an Avro Object Container File
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
  cta repair rush_hour.jsonl.zst.partial -o saved.jsonl.zst    # what a killed run has left
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
    short_help="Compare two runs.",
    epilog="""\b
Examples:
  cta diff scenarios/rush_hour.json rush_hour.jsonl          # is it still the same run?
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
@click.option("--seed-b", callback=whole(0, SEED_MAX), metavar="N", help="Another seed for B, a scenario.")
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
    from cta.commands.diff import spanned, tolerance
    from cta.commands.target import open_run

    tolerance_ms = None if time_tolerance is None else tolerance(time_tolerance)
    one, other = open_run(a), open_run(b, seed=seed_b)
    with progress_bar(spanned(one, other)) as progress:
        found = run_diff((a, b), one, other, ignore=ignore, tolerance_ms=tolerance_ms, progress=progress)
    if as_json:
        click.echo(diff_report.as_json(found))
    else:
        diff_report.print_report(found, results())
    ctx.exit(found.exit_code)


@cli.command(
    short_help="Judge a recording or a scenario's run.",
    epilog="""\b
Examples:
  cta check rush_hour.jsonl
  cta check scenarios/full_day.json            # what a run of it would hold
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
