"""`cta network`: what it answers, as values, as JSON and at the width of a terminal."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from rich.console import Console

from cta.commands.network import network_command
from cta.commands.network_answer import (
    LineAnswer,
    LineRow,
    NeighbourRow,
    NetworkAnswer,
    PlatformRow,
    ServiceRow,
    StationAnswer,
    StationRow,
    TerminalRow,
    answer_for,
)
from cta.model.errors import NetworkError
from cta.model.time import DayType
from cta.network.load import chicago
from cta.network.lookup import unique_name
from cta.network.network import Network
from cta.testing.networks import networks


def printed(name: str | None, *, as_json: bool = False, width: int = 120, network: Network | None = None) -> str:
    text = io.StringIO()
    network_command(name, as_json, Console(file=text, width=width), network)
    return text.getvalue()


def words(text: str) -> set[str]:
    """What stands between spaces and the tables' rules."""
    return set(text.replace("\N{BOX DRAWINGS LIGHT HORIZONTAL}", " ").split())


def test_without_a_name_it_answers_with_every_line_and_station() -> None:
    """Eight lines and 144 stations; each line's row has what its tables add up to."""
    answer = answer_for(chicago(), None)
    assert isinstance(answer, NetworkAnswer)
    assert (len(answer.lines), len(answer.stations), answer.stations_of["yellow"]) == (8, 144, (40140, 41680, 40900))
    assert answer.lines[-1] == LineRow(
        line="yellow",
        name="Yellow Line",
        color="#F9E300",
        text_color="#000000",
        terminal_a="Dempster-Skokie",
        terminal_b="Howard",
        stations=3,
        services=["yellow"],
        weekday_departures=160,
        published_run_s={"main": 525},
    )


def test_a_station_answers_with_platforms_and_neighbours() -> None:
    """Ids, lines, home line, platforms by direction, next stations with run times, mean entries by month."""
    entries: dict[str, dict[DayType, float]] = {
        "2019-10": {"weekday": 1060.0, "saturday": 401.3, "sunday": 310.0},
        "2024-04": {"weekday": 441.4, "saturday": 217.5, "sunday": 141.5},
    }
    assert answer_for(chicago(), "oakton-skokie") == StationAnswer(
        station=StationRow(41680, "Oakton-Skokie", ("yellow",), "yellow", entries),
        descriptive_name="Oakton-Skokie (Yellow Line)",
        lat=42.02624348,
        lon=-87.74722084,
        platforms=[
            PlatformRow(30297, "Oakton-Skokie (Dempster-Skokie-bound)", "N", {"yellow": ["a"]}),
            PlatformRow(30298, "Oakton-Skokie (Howard-bound)", "S", {"yellow": ["b"]}),
        ],
        neighbours=[
            NeighbourRow("a", 40140, "Dempster-Skokie", 100, ["yellow"]),
            NeighbourRow("b", 40900, "Howard", 385, ["yellow"]),
        ],
    )


def test_a_line_answers_with_terminals_and_services() -> None:
    """Turn tracks and yards at its ends; each pattern's ends, run time and departures a day type."""
    answer = answer_for(chicago(), "Yellow Line")
    assert isinstance(answer, LineAnswer)
    assert answer.terminals == [
        TerminalRow(40140, "Dempster-Skokie", 1, 180, False),
        TerminalRow(40900, "Howard", 2, 180, True),
    ]
    assert answer.services == [
        ServiceRow("yellow", "b", "Dempster-Skokie", "Howard", 3, 505, {"weekday": 80, "saturday": 68, "sunday": 68}),
        ServiceRow("yellow", "a", "Howard", "Dempster-Skokie", 3, 505, {"weekday": 80, "saturday": 68, "sunday": 68}),
    ]


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("bleu", "no line 'bleu'; the lines are: blue,"),
        ("Clark/Lkae", "no station 'Clark/Lkae'; the nearest names are: Clark/Lake,"),
    ],
)
def test_a_wrong_name_gives_the_nearest_right_name_first(name: str, nearest: str) -> None:
    """What is nearly a line lists the lines, anything else the nearest stations."""
    with pytest.raises(NetworkError) as caught:
        answer_for(chicago(), name)
    assert str(caught.value).startswith(nearest)


def test_json_is_one_object_on_one_line() -> None:
    """As it would be piped into jq: no wrapping at the terminal's width, no markup."""
    text = printed(None, as_json=True, width=80)
    assert text.count("\n") == 1
    assert list(json.loads(text)) == ["lines", "stations", "stations_of"]


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", [None, *chicago().lines, "Howard", "Clark/Lake", "Western (Blue - O'Hare Branch)"])
def test_tables_keep_to_the_width_and_cut_nothing_off(name: str | None, width: int) -> None:
    """No line is longer than the terminal is wide, and no cell ends in an ellipsis."""
    lines = printed(name, width=width).splitlines()
    assert max(map(len, lines)) <= width
    assert not any("\N{HORIZONTAL ELLIPSIS}" in line for line in lines)


@pytest.mark.parametrize("name", [None, "green", "blue", "yellow"])
def test_no_word_is_broken_at_80_columns(name: str | None) -> None:
    """Every word that stands in the wide table stands whole in the narrow one."""
    assert words(printed(name, width=200)) <= words(printed(name, width=80))


@given(networks())
def test_every_network_can_be_shown(network: Network) -> None:
    """The whole, each line and each station of any network print without error and name what was asked for."""
    assert all(line in printed(None, network=network) for line in network.lines)
    for name in [*network.lines, *(unique_name(network, station) for station in network.stations)]:
        assert name in printed(name, network=network)
