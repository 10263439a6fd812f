"""Network --fidelity: the simulation beside what is published about the "L", in figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import msgspec
from rich import box
from rich.console import Console, RenderableType
from rich.table import Table

from cta.commands.console import Progress, progress_bar, unseen
from cta.model.time import DAY_MS, DayType, operating_day_start_ms
from cta.network.checks import CONFLICT_DELAY_S, headway_checks
from cta.network.load import chicago
from cta.network.network import Network
from cta.simulation.fidelity import (
    DAYS,
    ConflictDelay,
    Entries,
    RunningTime,
    TrainsAnHour,
    conflict_delays,
    entries,
    movements,
    running_times,
    trains_an_hour,
)
from cta.simulation.movement import Movement
from cta.simulation.plan import Window

SEED = 1
SEEDS = range(20)
BEGIN_MS = operating_day_start_ms(DAYS["weekday"])
SIMULATED = Window(BEGIN_MS, BEGIN_MS + (len(DAYS) + len(SEEDS)) * DAY_MS)
"""The days that are simulated, as if they were one after the other."""


@dataclass(frozen=True, slots=True)
class Fidelity:
    """All figures: trains of one seed, entries of several."""

    trains_an_hour: list[TrainsAnHour]
    running_times: list[RunningTime]
    conflict_delays: list[ConflictDelay]
    entries: Entries


def measure(network: Network, progress: Progress = unseen) -> Fidelity:
    """Simulate a weekday, a Saturday and a Sunday of trains, and a weekday's entries with each seed: some seconds.

    ``progress`` is told of each day, in `SIMULATED`; its records are movements and entries.
    """
    checks = headway_checks()
    time_ms, records = BEGIN_MS, 0

    def simulated(more: int) -> None:
        nonlocal time_ms, records
        time_ms, records = time_ms + DAY_MS, records + more
        progress(time_ms, records)

    seen: dict[DayType, list[Movement]] = {}
    for day, on in DAYS.items():
        seen[day] = movements(network, on, SEED)
        simulated(len(seen[day]))
    return Fidelity(
        [row for day, on in DAYS.items() for row in trains_an_hour(network, checks, on, seen[day])],
        running_times(network, seen["weekday"]),
        conflict_delays(network, seen["weekday"]),
        entries(network, DAYS["weekday"], SEEDS, simulated),
    )


def fidelity_command(as_json: bool, console: Console) -> None:
    """Print the figures: tables, or one JSON object. Under a bar where somebody watches."""
    with progress_bar(SIMULATED) as progress:
        fidelity = measure(chicago(), progress)
    if as_json:
        console.print(msgspec.json.encode(asdict(fidelity)).decode(), markup=False, highlight=False, soft_wrap=True)
        return
    for part in _tables(fidelity):
        console.print(part, highlight=False)
        console.print()


def _tables(fidelity: Fidelity) -> Iterator[RenderableType]:
    yield _trains_an_hour(fidelity.trains_an_hour)
    yield _running_times(fidelity.running_times)
    yield _conflict_delays(fidelity.conflict_delays)
    count = fidelity.entries
    yield (
        f"Entries of a weekday, mean of {count.seeds} seeds: {count.mean:,.0f}; ridership {count.ridership:,.0f}; "
        f"{count.mean / count.ridership - 1:+.2%}.\nStations within 3 %: {count.near} of {count.stations}; "
        f"Poisson noise alone would leave {count.near_by_chance:.1f}."
    )


def _table(title: str, *columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold", pad_edge=False)
    for i, column in enumerate(columns):
        table.add_column(column, justify="left" if i == 0 else "right")
    return table


def _trains_an_hour(rows: list[TrainsAnHour]) -> Table:
    table = _table("Trains an hour at the check stations, off the timetable's (goal: 5 %)", "line", *DAYS)
    cells = {(row.line, row.day_type): f"{row.off} of {row.table} {row.off_share:6.2%}" for row in rows}
    for line in dict.fromkeys(row.line for row in rows):
        table.add_row(line, *(cells[line, day] for day in DAYS))
    return table


def _running_times(rows: list[RunningTime]) -> Table:
    title = "Running time of weekday trips that met no conflict (goal: 3 %)"
    table = _table(title, "pattern", "trips", "mean s", "published s", "off")
    for row in rows:
        table.add_row(row.pattern, f"{row.trips}", f"{row.mean_s:.0f}", f"{row.published_s}", f"{row.off_share:.2%}")
    return table


def _conflict_delays(rows: list[ConflictDelay]) -> Table:
    title = "Delay a weekday trip from conflicts, beside a simulation without chance"
    table = _table(title, "service", "trips", "mean s", "95 % s", "there: mean s", "95 % s")
    for row in rows:
        mean_s, p95_s = CONFLICT_DELAY_S[row.service]
        table.add_row(row.service, f"{row.trips}", f"{row.mean_s:.0f}", f"{row.p95_s:.0f}", f"{mean_s}", f"{p95_s}")
    return table
