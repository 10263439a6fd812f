"""What people write, and the station that is meant."""

from __future__ import annotations

import dataclasses
from collections import UserDict
from collections.abc import Callable, Iterator, Mapping, ValuesView
from typing import cast

import pytest
from hypothesis import given

from cta.model.errors import NetworkError
from cta.network.load import chicago
from cta.network.lookup import find_line, find_station, unique_name
from cta.network.network import Network, Station
from cta.testing.networks import networks


def error_of(ref: str | int, line: str | None = None) -> str:
    with pytest.raises(NetworkError) as caught:
        find_station(chicago(), ref, line=line)
    return str(caught.value)


@pytest.mark.parametrize(
    ("ref", "station_id"),
    [
        (40380, 40380),
        ("40380", 40380),
        ("Clark/Lake", 40380),
        ("clark/lake", 40380),
        ("Western (Brown)", 41480),
        ("western (BROWN)", 41480),
        ("Western (Brown Line)", 41480),
        ("Western (Blue - O'Hare Branch)", 40670),
        ("Western (Blue Line - O\N{RIGHT SINGLE QUOTATION MARK}Hare Branch)", 40670),
        ("Ashland (Pink)", 40170),
        ("  Clark/Lake ", 40380),
    ],
)
def test_a_station_is_found_by_each_way_to_write_it(ref: str | int, station_id: int) -> None:
    """Id, unique name, name with a line, descriptive name: whatever the case, the apostrophe and the space around."""
    assert find_station(chicago(), ref) == chicago().stations[station_id]


def test_a_line_chooses_among_namesakes() -> None:
    """With the line given, a bare name that several stations bear is the one on the line."""
    assert find_station(chicago(), "Western", line="brown").station_id == 41480


def test_an_ambiguous_name_lists_the_stations_that_bear_it() -> None:
    """The error gives the unique name of each candidate, ready to be written instead."""
    assert error_of("Grand") == "'Grand' is the name of 2 stations; write one of: Grand (Red), Grand (Blue)"


def test_a_name_ambiguous_on_one_line_lists_its_branches() -> None:
    """Where the line does not tell two stations apart, the candidates are written with the branch."""
    assert (
        error_of("Western", "blue")
        == error_of("Western (Blue)").replace("'Western (Blue)'", "'Western'")
        == (
            "'Western' is the name of 2 stations; "
            "write one of: Western (Blue - Forest Park Branch), Western (Blue - O'Hare Branch)"
        )
    )


@pytest.mark.parametrize(
    ("ref", "nearest"), [("Clark/Lkae", "Clark/Lake"), ("Clark", "Clark/Lake"), ("Adison (Red)", "Addison (Red)")]
)
def test_an_unknown_name_gives_the_nearest_right_name_first(ref: str, nearest: str) -> None:
    """What the writer most likely meant stands first among the suggestions."""
    assert error_of(ref).startswith(f"no station {ref!r}; the nearest names are: {nearest}")


def test_a_name_like_none_points_to_the_list() -> None:
    """Nothing near: the error says where the names are listed."""
    assert error_of("Zzyzx") == "no station 'Zzyzx'; `cta network` lists the names and ids"


def test_an_unknown_id_is_an_unknown_station() -> None:
    """A stop's id or any other number is no station's id."""
    assert error_of(30001).startswith("no station 30001;")


def test_a_station_off_the_line_suggests_stations_on_it() -> None:
    """A right name with the wrong line: the error says so and names only stations of that line."""
    assert error_of("Clark/Lake", "red") == (
        "'Clark/Lake' is not on the Red Line; the nearest names are: Lake, Clark/Division, Argyle"
    )


@pytest.mark.parametrize("name", ["blue", "Blue", "BLUE LINE", " blue  line"])
def test_a_line_is_found_by_id_and_name(name: str) -> None:
    """Whatever the case and the space around."""
    assert find_line(chicago(), name) == chicago().lines["blue"]


def test_an_unknown_line_lists_the_lines_nearest_first() -> None:
    """There are few lines: all are listed, the one most likely meant first."""
    with pytest.raises(NetworkError) as caught:
        find_line(chicago(), "grene")
    assert str(caught.value) == (
        "no line 'grene'; the lines are: green, red, orange, purple, blue, brown, pink, yellow"
    )


@pytest.mark.parametrize(
    ("station_id", "name"),
    [(40380, "Clark/Lake"), (41480, "Western (Brown)"), (40220, "Western (Blue - Forest Park Branch)")],
)
def test_a_unique_name_is_no_longer_than_it_must_be(station_id: int, name: str) -> None:
    """The bare name where one station bears it, then the line, then the branch."""
    assert unique_name(chicago(), station_id) == name


def every_unique_name_is_found(network: Network) -> bool:
    return all(
        find_station(network, unique_name(network, station.station_id)) == station
        for station in network.stations.values()
    )


def test_unique_names_lead_back_to_their_stations_in_chicago() -> None:
    """find_station(unique_name(s)) is s."""
    assert every_unique_name_is_found(chicago())


@given(networks())
def test_unique_names_lead_back_to_their_stations(network: Network) -> None:
    """find_station(unique_name(s)) is s, in every network."""
    assert every_unique_name_is_found(network)


def test_stations_alike_in_everything_are_told_apart_by_id() -> None:
    """When two stations share name, lines and descriptive name, the id is the unique name."""
    network = chicago()
    twin = dataclasses.replace(network.stations[40380], station_id=49990)
    doubled = dataclasses.replace(network, stations={**network.stations, 49990: twin})
    assert [unique_name(doubled, station) for station in (40380, 49990)] == ["40380", "49990"]


def test_a_changed_network_is_looked_up_afresh() -> None:
    """What was found in a network says nothing about one made from it."""
    network = chicago()
    assert find_station(network, "Howard").station_id == 40900
    renamed = dataclasses.replace(network.stations[40900], name="Birchwood", descriptive_name="Birchwood (Red Line)")
    changed = dataclasses.replace(network, stations={**network.stations, 40900: renamed})
    assert find_station(changed, "Birchwood") == renamed
    with pytest.raises(NetworkError):
        find_station(changed, "Howard")


class ListedByTwo(UserDict[int, Station]):
    """Stations of which another thread asks while the first one lists them."""

    def __init__(self, stations: Mapping[int, Station], ask: Callable[[], object]) -> None:
        super().__init__(stations)
        self._ask = ask

    def values(self) -> ValuesView[Station]:
        ask, self._ask = self._ask, lambda: None
        return cast("ValuesView[Station]", self._asked_of(ask))

    def _asked_of(self, ask: Callable[[], object]) -> Iterator[Station]:
        first, *others = super().values()
        yield first
        ask()
        yield from others


def test_two_threads_may_begin_to_look_up_at_once() -> None:
    """Neither takes a half-made index for the whole: a page's thread asks while the run's does."""
    found: list[Station] = []
    stations = ListedByTwo(chicago().stations, lambda: found.append(find_station(network, "Clark/Lake")))
    network = dataclasses.replace(chicago(), stations=stations)
    found.append(find_station(network, "Clark/Lake"))
    assert found == [chicago().stations[40380]] * 2
