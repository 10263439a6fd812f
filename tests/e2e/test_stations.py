"""``cta stations``: the table that Connect reads, without psql."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from cta.stack.postgres import Postgres
from tests.cli.running import cta, invoke
from tests.cli.test_bad_input import assert_refused
from tests.e2e.pipeline import BY_STOP, ROWS
from tests.e2e.services import Services

CLARK_LAKE = [row["stop_id"] for row in ROWS if row["station_name"] == "Clark/Lake"]


@pytest.fixture
def dsn(services: Services) -> Iterator[str]:
    """A database whose table is the network's, before and afterwards."""
    database = Postgres(services.postgres_dsn)
    database.load(ROWS)
    yield services.postgres_dsn
    database.load(ROWS)


def test_load_makes_the_table_and_loading_again_changes_nothing(dsn: str) -> None:
    Postgres(dsn).drop()
    again = [cta("stations", "load", CTA_POSTGRES_DSN=dsn).stdout for _ in range(2)]
    assert again == [
        "table stations: 302 rows; 302 inserted, 0 updated, 0 deleted\n",
        "table stations: 302 rows; 0 inserted, 0 updated, 0 deleted\n",
    ]
    counts = cta("stations", "load", "--json", CTA_POSTGRES_DSN=dsn).stdout
    assert counts == '{"rows":302,"inserted":0,"updated":0,"deleted":0}\n'


def test_set_changes_one_row_or_all_of_a_station_s_and_says_what(dsn: str) -> None:
    """A stop by its id; a station by the name that the network knows, and then by the one that it was given."""
    one = cta("stations", "set", "30001", "station_name=Renamed", CTA_POSTGRES_DSN=dsn)
    row = BY_STOP[30001]
    was = row["station_name"]
    assert one.stdout == f'stop 30001 ({row["stop_name"]}): station_name was "{was}", is "Renamed"\n'
    all_of_it = cta("stations", "set", "clark/lake", "station_name=Clark & Lake", CTA_POSTGRES_DSN=dsn)
    assert [line.split()[1] for line in all_of_it.stdout.splitlines()] == [str(stop) for stop in CLARK_LAKE]
    shown = cta("stations", "show", "Clark & Lake", CTA_POSTGRES_DSN=dsn).stdout
    assert 'station_name: "Clark/Lake"' in shown
    assert shown.endswith(
        f"{len(CLARK_LAKE)} rows, {len(CLARK_LAKE)} not as the network has them; "
        "'cta stations load' puts the network's own back\n"
    )


def test_show_is_the_whole_table_or_a_station_s_part_of_it(dsn: str) -> None:
    whole = cta("stations", "show", CTA_POSTGRES_DSN=dsn)
    assert whole.stdout.endswith("302 rows, 0 not as the network has them\n")
    part = cta("stations", "show", "Clark/Lake", "--json", CTA_POSTGRES_DSN=dsn)
    assert [row["stop_id"] for row in json.loads(part.stdout)] == CLARK_LAKE


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["show", "Clark"], ["no station 'Clark'", "Clark/Lake"]),
        (["show", "99"], ["no stop and no station 99"]),
        (["set", "Western", "station_name=x"], ["is the name of", "Western (Orange)"]),
        (["set", "30001", "station_name"], ["COLUMN=VALUE"]),
        (["set", "30001", "stop_id=1"], ["stop_id", "cannot be changed"]),
        (["set", "30001", "station_nme=x"], ["station_nme", "did you mean station_name?"]),
        (["set", "30001", "station_name=null"], ["null value", "nothing was changed"]),
        (["set", "30001", "lat=north"], ["invalid input syntax", "nothing was changed"]),
    ],
    ids=" ".join,
)
def test_what_the_table_cannot_take_is_bad_input(
    dsn: str, monkeypatch: pytest.MonkeyPatch, args: list[str], words: list[str]
) -> None:
    """One line with the place and the remedy, exit code 2, and nothing is changed."""
    monkeypatch.setenv("CTA_POSTGRES_DSN", dsn)
    ended = invoke("stations", *args)
    assert_refused(ended.stderr, ended.stdout, ended.exit_code, *words)
    assert Postgres(dsn).rows() == ROWS


def test_without_a_table_the_remedy_is_the_command_that_makes_it(dsn: str) -> None:
    Postgres(dsn).drop()
    ended = cta("stations", "set", "30001", "station_name=x", CTA_POSTGRES_DSN=dsn)
    assert ended.returncode == 3
    assert ended.stderr.endswith(": no table stations; 'cta stations load' makes it\n")
