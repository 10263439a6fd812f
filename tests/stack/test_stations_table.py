from cta.pipeline.stations import PlatformRow
from cta.stack.stations_table import create_table, upsert

ROW: PlatformRow = {
    "stop_id": 30001,
    "stop_name": "O'Hare",
    "station_id": 40010,
    "lat": 41.5,
    "red": True,
    "red_order": 0,
}
UNSERVED: PlatformRow = {
    "stop_id": 30002,
    "stop_name": "Howard",
    "station_id": 40010,
    "lat": -1.25,
    "red": False,
    "red_order": None,
}


def test_a_table_has_the_columns_of_a_row() -> None:
    """Only a line's order may be missing."""
    wanted = """CREATE TABLE IF NOT EXISTS stations (
  "stop_id" integer PRIMARY KEY,
  "stop_name" text NOT NULL,
  "station_id" integer NOT NULL,
  "lat" double precision NOT NULL,
  "red" boolean NOT NULL,
  "red_order" integer
);"""
    assert create_table(ROW) == create_table(UNSERVED) == wanted


def test_rows_are_inserted_or_set_where_they_differ() -> None:
    """A second run makes no change event; a quote in a name stays a letter."""
    assert (
        upsert([ROW, UNSERVED])
        == """INSERT INTO stations ("stop_id", "stop_name", "station_id", "lat", "red", "red_order") VALUES
  (30001, 'O''Hare', 40010, 41.5, TRUE, 0),
  (30002, 'Howard', 40010, -1.25, FALSE, NULL)
ON CONFLICT ("stop_id") DO UPDATE SET
  "stop_name" = excluded."stop_name",
  "station_id" = excluded."station_id",
  "lat" = excluded."lat",
  "red" = excluded."red",
  "red_order" = excluded."red_order"
WHERE stations.* IS DISTINCT FROM excluded.*;"""
    )


def test_a_line_called_like_a_word_of_sql_is_a_column() -> None:
    assert '"order" boolean NOT NULL' in create_table({"stop_id": 1, "order": True, "order_order": 1})
