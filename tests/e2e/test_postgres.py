"""The stations table in a real Postgres: whole, once, and never with a password in an error."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg2
import pytest

from cta.model.errors import InputError, ServiceError
from cta.network.load import chicago
from cta.stack.postgres import Change, Loaded, Postgres
from cta.stack.stations_table import script
from tests.e2e.pipeline import ROWS
from tests.e2e.services import Services, free_port


@pytest.fixture
def postgres(services: Services) -> Iterator[Postgres]:
    """The database without the table, and as the other tests want it afterwards."""
    database = Postgres(services.postgres_dsn)
    database.drop()
    yield database
    database.drop()
    database.load(ROWS)


def test_loading_makes_the_table_and_loading_again_changes_nothing(postgres: Postgres) -> None:
    """302 platforms of Chicago, each as the pipeline has it; the second time no row is touched."""
    assert postgres.load(ROWS) == Loaded(302, inserted=302, updated=0, deleted=0)
    assert postgres.rows() == ROWS
    assert postgres.load(ROWS) == Loaded(302, inserted=0, updated=0, deleted=0)


def test_loading_repairs_rows_that_were_changed_removed_or_added(postgres: Postgres) -> None:
    """Afterwards the table holds exactly the rows, whatever was done to it."""
    strange = {**ROWS[0], "stop_id": 99_999}
    postgres.load([strange, {**ROWS[1], "station_name": "Elsewhere"}, *ROWS[3:]])
    assert postgres.load(ROWS) == Loaded(302, inserted=2, updated=1, deleted=1)
    assert postgres.rows() == ROWS


def test_a_load_that_fails_changes_nothing(postgres: Postgres) -> None:
    """One row that doesn't fit: the table is as it was before."""
    postgres.load(ROWS[:5])
    with pytest.raises((InputError, ServiceError)):
        postgres.load([*ROWS[5:], {**ROWS[0], "station_name": None}])
    assert postgres.rows() == ROWS[:5]


def test_a_load_that_fails_leaves_no_table_where_there_was_none(postgres: Postgres) -> None:
    with pytest.raises((InputError, ServiceError)):
        postgres.load([ROWS[0], ROWS[0]])  # one statement cannot set a row twice
    with pytest.raises(ServiceError, match=r"no table stations; 'cta stations load' makes it"):
        postgres.rows()


def test_a_change_is_given_as_it_was_and_as_it_is(postgres: Postgres) -> None:
    """Of several stops at once; a text is read as the column's type, None is no value."""
    postgres.load(ROWS)
    changed = {"station_name": "O'Hare & 50%", "lat": "41.5", "red": "true", "blue_order": None}
    now = {"station_name": "O'Hare & 50%", "lat": 41.5, "red": True, "blue_order": None}
    stops = [ROWS[1]["stop_id"], ROWS[0]["stop_id"]]
    assert postgres.change(stops, changed) == [Change(row, {**row, **now}) for row in ROWS[:2]]
    assert postgres.rows() == [*({**row, **now} for row in ROWS[:2]), *ROWS[2:]]


@pytest.mark.parametrize(
    ("stop_ids", "values", "words"),
    [
        ([1], {"station_name": "Nowhere"}, "no stop 1; 'cta stations show' lists them"),
        ([ROWS[0]["stop_id"], 1], {"station_name": "Nowhere"}, "no stop 1"),
        ([ROWS[0]["stop_id"]], {"station_nme": "x"}, "no column 'station_nme'; did you mean station_name?"),
        ([ROWS[0]["stop_id"]], {"station_name": None}, "null value in column"),
        (
            [ROWS[0]["stop_id"]],
            {"lat": "north"},
            'invalid input syntax for type double precision: "north"; nothing was changed',
        ),
    ],
)
def test_a_change_that_the_table_cannot_take_is_bad_input_and_changes_nothing(
    postgres: Postgres, stop_ids: list[int], values: dict[str, str], words: str
) -> None:
    postgres.load(ROWS)
    with pytest.raises(InputError) as caught:
        postgres.change(stop_ids, values)
    assert words in str(caught.value)
    assert postgres.rows() == ROWS


def test_a_table_of_another_make_is_left_alone_and_the_difference_shown(postgres: Postgres, services: Services) -> None:
    """Somebody's own table of that name isn't touched."""
    with psycopg2.connect(services.postgres_dsn) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE stations (stop_id integer PRIMARY KEY, zone text)")
    connection.close()
    with pytest.raises(ServiceError) as caught:
        postgres.load(ROWS)
    assert "table stations has other columns: no blue, no blue_order" in str(caught.value)
    assert "zone, which nobody asked for; drop the table if nobody needs it" in str(caught.value)


def test_the_script_that_seeds_a_database_makes_the_same_table(postgres: Postgres, services: Services) -> None:
    """compose/postgres/stations.sql and loading agree, columns and rows."""
    with psycopg2.connect(services.postgres_dsn) as connection, connection.cursor() as cursor:
        cursor.execute(script(chicago()))
    connection.close()
    assert postgres.load(ROWS) == Loaded(302, inserted=0, updated=0, deleted=0)


def test_a_wrong_password_is_an_error_that_does_not_show_it(services: Services) -> None:
    """Which, where, what to do; exit code 3."""
    parts = urlsplit(services.postgres_dsn)
    wrong = f"postgresql://{parts.username}:not-the-secret@{parts.hostname}:{parts.port}{parts.path}"
    with pytest.raises(ServiceError) as caught:
        Postgres(wrong).rows()
    assert str(caught.value) == (
        f"Postgres at {parts.hostname}:{parts.port}{parts.path}: user {parts.username!r} or its password was refused; "
        "check CTA_POSTGRES_DSN"
    )


def test_a_database_that_is_not_there_is_an_error_that_names_it(services: Services) -> None:
    elsewhere = services.postgres_dsn.rpartition("/")[0] + "/elsewhere"
    with pytest.raises(ServiceError, match='database "elsewhere" does not exist; make it'):
        Postgres(elsewhere).rows()


def test_nothing_at_the_address_is_an_error_with_a_remedy() -> None:
    port = free_port()
    with pytest.raises(ServiceError) as caught:
        Postgres(f"postgresql://someone:secret@127.0.0.1:{port}/cta").rows()
    assert f"Postgres at 127.0.0.1:{port}/cta: it cannot be reached: Connection refused" in str(caught.value)
    assert "start it ('cta stack up') or check CTA_POSTGRES_DSN" in str(caught.value)
    assert "secret" not in str(caught.value)
