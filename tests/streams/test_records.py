import json
import struct
from io import BytesIO

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cta.model import schemas
from cta.model.errors import InputError, RecordError
from cta.model.topics import TURNSTILE
from cta.network.load import chicago
from cta.pipeline.stations import platform_rows, table_key, table_rows
from cta.streams.credentials import faust_settings
from cta.streams.records import check_entry, station_of_entry, station_table_records

ROW = next(row for row in platform_rows(chicago()) if row["red"])


def framed(key: dict[str, int], schema_id: int = 7) -> bytes:
    body = BytesIO()
    fastavro.schemaless_writer(body, schemas.load(TURNSTILE)["key"], key)
    return struct.pack(">BI", 0, schema_id) + body.getvalue()


@given(station_id=st.integers(0, 2**31 - 1), schema_id=st.integers(0, 2**32 - 1))
def test_an_entrys_station_is_what_avro_wrote(station_id: int, schema_id: int) -> None:
    """Whatever id the registry gave the schema."""
    assert station_of_entry(framed({"station_id": station_id}, schema_id)) == station_id


@pytest.mark.parametrize("key", [None, b"", b"?", framed({"station_id": 1})[:5], b"\1" + framed({"station_id": 1})[1:]])
@pytest.mark.parametrize("more", [b"", b"\x80"])
def test_a_key_that_is_no_station_is_an_error(key: bytes | None, more: bytes) -> None:
    with pytest.raises(RecordError, match=r"org\.chicago\.cta\.turnstile\.v1: the key is no station"):
        station_of_entry(None if key is None else key + more)


def test_a_key_with_something_behind_it_is_an_error() -> None:
    with pytest.raises(RecordError):
        station_of_entry(framed({"station_id": 40_010}) + b"\0")


@pytest.mark.parametrize("value", [None, b"", b'{"station_id":40380,"stat', framed({"station_id": 1})[:5]])
def test_a_value_that_is_not_framed_is_no_entry(value: bytes | None) -> None:
    """A null, text, a frame around nothing."""
    with pytest.raises(RecordError, match=r"org\.chicago\.cta\.turnstile\.v1: the value is no entry"):
        check_entry(value)


def test_a_framed_value_is_an_entry() -> None:
    """Whatever is in it: nine records of ten are entries, and each is looked at in Python."""
    check_entry(framed({"station_id": 1}))


def test_a_rows_records_are_the_pipelines() -> None:
    """Key ``line:station_id``, value the row as JSON in the contract's field order and nothing else."""
    assert [(key.decode(), json.loads(value)) for key, value in station_table_records(json.dumps(ROW).encode())] == [
        (
            table_key(made),
            {
                "station_id": made.station_id,
                "station_name": made.station_name,
                "order": made.order,
                "line": made.line,
            },
        )
        for made in table_rows(ROW)
    ]


@pytest.mark.parametrize("value", [None, b"", b"{", b"[]", b"3", b"\xff", b"{}"])
def test_what_is_no_row_is_an_error_of_its_own(value: bytes | None) -> None:
    """Never another exception: a worker passes it over and goes on."""
    with pytest.raises(RecordError):
        station_table_records(value)


def test_a_login_reaches_faust() -> None:
    """SASL over plain text; nothing is set where nothing is wanted."""
    assert faust_settings({}) == {}
    properties = {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-256",
        "sasl.username": "rider",
        "sasl.password": "secret",
    }
    login = faust_settings(properties)["broker_credentials"]
    assert (login.username, login.password, login.mechanism.value) == ("rider", "secret", "SCRAM-SHA-256")


@pytest.mark.parametrize(
    "properties",
    [
        {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "GSSAPI", "sasl.password": "secret"},
        {"sasl.oauthbearer.config": "secret"},
        {"security.protocol": "SSL", "ssl.ca.location": "/no/such/file", "ssl.key.password": "secret"},
    ],
)
def test_a_login_that_faust_has_not_is_bad_input_without_its_secret(properties: dict[str, str]) -> None:
    with pytest.raises(InputError) as caught:
        faust_settings(properties)
    assert "secret" not in str(caught.value)
