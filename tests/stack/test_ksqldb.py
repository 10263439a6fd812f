"""ksqlDB against what real servers answered (7.4.15; 0.29.0 where it differs)."""

from dataclasses import replace
from pathlib import Path

import pytest

from cta.commands import ksql
from cta.model.errors import CtaError, InputError, ServiceError
from cta.stack.http import UnansweredError, UnreachableError
from cta.stack.ksql_files import Statement, in_namespace, read, statements
from cta.stack.ksqldb import Ksqldb, Query, Source
from tests.conftest import ROOT
from tests.stack.replay import Clock, Exchange, Request, Server, answering, exchanges, unused_url


def described(topic: str, key_format: str, value_format: str, columns: list[tuple[str, str]]) -> Exchange:
    """An answer to DESCRIBE of the recorded one's form."""
    fields = [{"name": name, "schema": {"type": kind, "fields": None}} for name, kind in columns]
    description = {"topic": topic, "keyFormat": key_format, "valueFormat": value_format, "fields": fields}
    return answering(200, [{"@type": "sourceDescription", "sourceDescription": {**description, "partitions": 1}}])


RECORDED = exchanges("ksqldb-7.4.15.txt")
STREAM, TABLE = (statements(RECORDED[title].request.body["ksql"], title)[0] for title in ("create stream", "CTAS"))
EMPTY = [RECORDED[title] for title in ("SHOW STREAMS", "SHOW TABLES", "SHOW QUERIES")]
STREAM_MADE = [RECORDED[title] for title in ("SHOW STREAMS, one", "SHOW TABLES", "SHOW QUERIES")]
BOTH_MADE = [RECORDED[f"{title}, both made"] for title in ("SHOW STREAMS", "SHOW TABLES", "SHOW QUERIES")]
TABLE_DESCRIBED = RECORDED["DESCRIBE, both made"]
STREAM_DESCRIBED = described(
    topic="org.chicago.cta.turnstile.v1",
    key_format="NONE",
    value_format="JSON",
    columns=[("STATION_ID", "INTEGER"), ("STATION_NAME", "STRING"), ("LINE", "STRING")],
)
NO_ANSWER = replace(RECORDED["create stream"], status=None)


def requests(script: list[Exchange]) -> list[Request]:
    return [exchange.request for exchange in script]


def ksqldb(server: Server, patience_s: float = 5.0) -> Ksqldb:
    return Ksqldb(server.url, clock=Clock(), patience_s=patience_s)


def test_a_stream_is_made_with_the_requests_that_were_recorded() -> None:
    """It is looked for first: streams, tables, queries; then comes the CREATE, from the beginning of the topic."""
    script = [*EMPTY, RECORDED["create stream"]]
    with Server(script) as server:
        assert ksqldb(server).apply(STREAM) is True
    assert server.received == requests(script)


def test_a_table_is_made_and_its_query_awaited_with_the_requests_that_were_recorded() -> None:
    """The query that fills the table is found by its sink, and is RUNNING."""
    script = [*STREAM_MADE, RECORDED["CTAS"], *BOTH_MADE]
    with Server(script) as server:
        table = ksqldb(server)
        made, query = table.apply(TABLE), table.wait_running(TABLE)
    assert (made, query) == (True, Query("CTAS_TURNSTILE_SUMMARY_1", "RUNNING", ("TURNSTILE_SUMMARY",)))
    assert server.received == requests(script)


def test_what_is_there_is_left_alone() -> None:
    """Applying again asks what is there, and what it is, and makes nothing."""
    with Server([*STREAM_MADE, STREAM_DESCRIBED]) as server:
        assert ksqldb(server).apply(STREAM) is False
    with Server([*BOTH_MADE, TABLE_DESCRIBED]) as server:
        assert ksqldb(server).apply(TABLE) is False
    assert server.received[-1].body["ksql"] == "DESCRIBE TURNSTILE_SUMMARY;"


@pytest.mark.parametrize(
    ("statement", "there", "difference"),
    [
        (
            replace(
                STREAM, text=STREAM.text.replace("'JSON'", "'AVRO'").replace("line STRING", "line STRING, gate INT")
            ),
            STREAM_DESCRIBED,
            "VALUE_FORMAT JSON, not AVRO and columns STATION_ID INTEGER, STATION_NAME STRING, LINE STRING, "
            "not STATION_ID INTEGER, STATION_NAME STRING, LINE STRING, GATE INTEGER",
        ),
        (
            replace(
                TABLE, text=TABLE.text.replace("count FROM", "entries FROM").replace("PARTITIONS=1", "PARTITIONS=3")
            ),
            TABLE_DESCRIBED,
            "PARTITIONS 1, not 3 and column names STATION_KEY, STATION_ID, COUNT, not STATION_KEY, STATION_ID, ENTRIES",
        ),
        (in_namespace([STREAM], "a.", 1)[0], STREAM_DESCRIBED, "KAFKA_TOPIC org.chicago.cta.turnstile.v1, not a.org."),
    ],
)
def test_what_is_there_as_something_else_is_refused_with_the_difference(
    statement: Statement, there: Exchange, difference: str
) -> None:
    """Nothing is made or dropped; the line says what makes it anew. `status` shows the same and is not good."""
    made = [
        replace(BOTH_MADE[n], answer=BOTH_MADE[n].answer.replace(b'"TURNSTILE"', f'"{statement.name}"'.encode()))
        for n in range(3)
    ]
    with Server([*made, there]) as server, pytest.raises(InputError) as caught:
        ksqldb(server).apply(statement)
    place = f"ksqlDB at {server.url}, {statement.kind.lower()} {statement.name}"
    assert str(caught.value).startswith(f"{place}: is there with {difference}")
    assert str(caught.value.remedy).startswith("'cta ksql drop' and 'cta ksql apply' make it anew")
    with Server([RECORDED["info"], *made, there]) as server:
        (_, line), good = ksql.status(ksqldb(server), [statement], None, namespace="")
    assert difference in line
    assert not good


@pytest.mark.parametrize(
    ("sql", "shape"),
    [
        (
            "CREATE TABLE a (id VARCHAR PRIMARY KEY, tags ARRAY<STRING>, d DECIMAL(4, 2), s STRUCT<x INT, y INT>)"
            " WITH (KAFKA_TOPIC='a.b', FORMAT='json');",
            {
                "KAFKA_TOPIC": "a.b",
                "KEY_FORMAT": "JSON",
                "VALUE_FORMAT": "JSON",
                "columns": "ID STRING KEY, TAGS ARRAY, D DECIMAL, S STRUCT",
            },
        ),
        ("CREATE STREAM a AS SELECT x, SUBSTRING(y, 1, 2) AS `Y` FROM b;", {"column names": "X, Y"}),
        ("CREATE STREAM a WITH (value_format = 'AVRO') AS SELECT * FROM b;", {"VALUE_FORMAT": "AVRO"}),
        ("CREATE STREAM a AS SELECT x, COUNT(*) FROM b;", {}),
    ],
)
def test_what_a_statement_says_its_object_is(sql: str, shape: dict[str, str]) -> None:
    """What it doesn't say is not compared: formats that are the server's own, columns that are another object's."""
    (statement,) = statements(sql, "a.sql")
    assert statement.shape() == shape


def test_state_is_read_from_a_real_answer() -> None:
    with Server(BOTH_MADE) as server:
        state = ksqldb(server).state()
    assert state.sources == {
        "TURNSTILE": Source("TURNSTILE", "STREAM", "org.chicago.cta.turnstile.v1"),
        "TURNSTILE_SUMMARY": Source("TURNSTILE_SUMMARY", "TABLE", "TURNSTILE_SUMMARY"),
    }


def test_a_create_without_an_answer_is_looked_up_and_not_repeated_where_it_was_done() -> None:
    """A server whose broker was away makes the stream when the broker is back, without ever having answered."""
    with Server([*EMPTY, NO_ANSWER, *STREAM_MADE]) as server:
        assert ksqldb(server).apply(STREAM) is True
    assert [request.body["ksql"] for request in server.received].count(STREAM.text) == 1


def test_a_create_without_an_answer_is_repeated_where_it_was_not_done() -> None:
    with Server([*EMPTY, NO_ANSWER, *EMPTY, RECORDED["create stream"]]) as server:
        assert ksqldb(server).apply(STREAM) is True
    assert [request.body["ksql"] for request in server.received].count(STREAM.text) == 2


@pytest.mark.parametrize("late", ["create stream again", "after: CREATE STREAM"])
def test_a_repeated_create_that_comes_second_counts_as_made(late: str) -> None:
    """The first came through after all: the second is refused with 40001 or 50000, and the stream is there."""
    with Server([*EMPTY, NO_ANSWER, *EMPTY, RECORDED[late], *STREAM_MADE]) as server:
        assert ksqldb(server).apply(STREAM) is True


@pytest.mark.parametrize(
    ("title", "code", "words", "remedy"),
    [
        (
            "create stream, topic missing",
            40000,
            "Topic 'org.chicago.cta.turnstile.v1' does not exist",
            "make the topics",
        ),
        ("syntax error", 40001, "Syntax error at or near 'STREM'", None),
        ("sink topic preexisting 3 partitions", 50000, "KSQL expects 1 partitions (topic has 3)", "remove the topic"),
        ("SR down, AVRO declared", 40001, "Could not connect to the server", "schema registry"),
        ("AVRO stream without columns, no subject yet", 40001, "does not exist in the Schema Registry", "registered"),
    ],
)
def test_a_refused_statement_is_shown_with_code_complaint_and_remedy(
    title: str, code: int, words: str, remedy: str | None
) -> None:
    """One line: where, the code, what ksqlDB says, the statement; exit code 3."""
    refused = RECORDED[title]
    statement = Statement(refused.request.body["ksql"], "STREAM", "SOMETHING")
    with Server([*EMPTY, refused, *EMPTY]) as server, pytest.raises(ServiceError) as caught:
        ksqldb(server).apply(statement)
    error = str(caught.value)
    assert server.received[3] == refused.request
    assert error.startswith(f"ksqlDB at {server.url}: error {code}: ")
    assert words in error
    assert " ".join(statement.text.split()) in error
    assert remedy is None or remedy in str(caught.value.remedy)
    assert caught.value.exit_code == 3


def test_a_server_that_starts_is_waited_for() -> None:
    """Before it answers at all it says 503 / 50302 "not yet ready to serve requests"."""
    with Server([RECORDED["starting"], RECORDED["starting"], RECORDED["info"]]) as server:
        assert ksqldb(server).wait_ready() == "7.4.15"


def test_a_statement_meets_a_server_that_starts() -> None:
    with Server([RECORDED["starting"], *STREAM_MADE, STREAM_DESCRIBED]) as server:
        assert ksqldb(server).apply(STREAM) is False


def test_a_server_that_never_gets_ready_is_an_error_that_says_what_it_said() -> None:
    with Server([RECORDED["starting"]] * 2) as server, pytest.raises(ServiceError, match="not yet ready to serve"):
        ksqldb(server, patience_s=0.05).wait_ready()


def test_another_service_at_its_url_is_not_waited_for() -> None:
    clock = Clock()
    with Server([RECORDED["404"]]) as server, pytest.raises(ServiceError) as caught:
        Ksqldb(server.url, clock=clock).wait_ready()
    assert str(caught.value) == (
        f"ksqlDB at {server.url}: asking what it is: HTTP 404: <html><body><h1>Resource not found</h1></body></html>; "
        "see its log, or check that ksqlDB is at that URL"
    )
    assert clock.time_s == 0.0


def test_a_server_that_cannot_be_reached_is_an_error_with_a_remedy() -> None:
    """Nothing listens: which, where, what to do; exit code 3."""
    url = unused_url()
    with pytest.raises(UnreachableError) as caught:
        Ksqldb(url, clock=Clock(), patience_s=1.0).wait_ready()
    assert str(caught.value) == (
        f"ksqlDB at {url}: it cannot be reached; start it ('cta stack up') or check CTA_KSQLDB_URL"
    )


def test_a_stations_count_is_a_pull_query_as_recorded() -> None:
    pull = RECORDED["pull /query accept=application/vnd.ksql.v1+json"]
    with Server([pull]) as server:
        assert ksqldb(server).count(40010, table="turnstile_summary_a") == 3
    assert server.received == [replace(pull.request, body={**pull.request.body, "streamsProperties": {}})]


def test_a_table_that_is_not_available_yet_is_asked_again() -> None:
    """Right after a restart, and four seconds later, a pull query was refused with 40001."""
    late = RECORDED["pull right after restart"]
    with Server([late, late, RECORDED["pull /query accept=application/vnd.ksql.v1+json"]]) as server:
        assert ksqldb(server).count(40010) == 3


def test_a_station_without_entries_has_no_count() -> None:
    header = [{"header": {"queryId": "q", "schema": "`STATION_KEY` INTEGER KEY, `STATION_ID` INTEGER, `COUNT` BIGINT"}}]
    with Server([answering(200, header)]) as server:
        assert ksqldb(server).count(41000) is None


def test_every_row_of_a_pull_query_is_read_by_column() -> None:
    with Server([RECORDED["pull"]]) as server:
        assert ksqldb(server)._pull("SELECT * FROM c_fresh;") == [
            {"STATION_KEY": 1, "STATION_ID": 1, "COUNT": 3},
            {"STATION_KEY": 7, "STATION_ID": 7, "COUNT": 2},
            {"STATION_KEY": 1215752191, "STATION_ID": 1215752191, "COUNT": 1},
        ]


def test_a_query_of_an_unknown_table_is_refused_with_the_statement() -> None:
    refused = exchanges("ksqldb-0.29.0.txt")["query: unknown table"]
    with Server([refused]) as server, pytest.raises(ServiceError, match=r"NOSUCH does not exist.*SELECT"):
        ksqldb(server).count(1, table="nosuch")


def test_dropping_ends_the_query_then_the_table_then_the_stream() -> None:
    """What reads goes before what is read: ksqlDB refuses to drop a source that is in use."""
    done = RECORDED["TERMINATE"]
    with Server([*BOTH_MADE, done, done, *STREAM_MADE, done]) as server:
        assert ksqldb(server).drop([STREAM, TABLE]) == ["TURNSTILE_SUMMARY", "TURNSTILE"]
    sent = [request.body["ksql"] for request in server.received if "SHOW" not in request.body["ksql"]]
    assert sent == ["TERMINATE CTAS_TURNSTILE_SUMMARY_1;", "DROP TABLE TURNSTILE_SUMMARY;", "DROP STREAM TURNSTILE;"]


def test_dropping_what_is_not_there_sends_nothing() -> None:
    with Server([*EMPTY, *EMPTY]) as server:
        assert ksqldb(server).drop([STREAM, TABLE]) == []


def test_a_table_whose_query_does_not_run_is_an_error_with_its_state() -> None:
    failed = replace(BOTH_MADE[2], answer=BOTH_MADE[2].answer.replace(b'"state":"RUNNING"', b'"state":"ERROR"'))
    script = [*BOTH_MADE[:2], failed]
    with Server(script * 2) as server, pytest.raises(ServiceError, match="CTAS_TURNSTILE_SUMMARY_1 ERROR"):
        ksqldb(server).wait_running(TABLE, patience_s=0.05)


def test_a_drop_without_an_answer_is_not_repeated() -> None:
    """It may have been done: the error says that no answer came."""
    lost = replace(RECORDED["TERMINATE"], status=None)
    with Server([*BOTH_MADE, lost]) as server, pytest.raises(UnansweredError):
        ksqldb(server).drop([TABLE])


def test_the_files_say_what_was_recorded() -> None:
    """compose/ksql and the statements that real servers took differ in nothing but white space and the value's format."""

    def plain(text: str) -> str:
        return "".join(text.split())

    stream, table = read(ROOT / "compose" / "ksql")
    assert plain(stream.text) == plain(STREAM.text).replace("'JSON'", "'AVRO'")
    assert plain(table.text) == plain(TABLE.text)
    assert [(made.kind, made.name) for made in (stream, table)] == [
        ("STREAM", "TURNSTILE"),
        ("TABLE", "TURNSTILE_SUMMARY"),
    ]


def test_a_namespace_is_before_every_topic_and_name() -> None:
    """Two runs on one server don't meet; a namespace's other characters become underscores in names."""
    stream, table = in_namespace([STREAM, TABLE], "trial-7.", 3)
    assert (stream.name, table.name) == ("TRIAL_7_TURNSTILE", "TRIAL_7_TURNSTILE_SUMMARY")
    assert "KAFKA_TOPIC='trial-7.org.chicago.cta.turnstile.v1'" in stream.text
    assert "KAFKA_TOPIC='trial-7.TURNSTILE_SUMMARY'" in table.text
    assert "FROM trial_7_turnstile GROUP BY station_id" in table.text
    assert "PARTITIONS=3" in table.text


def test_without_a_namespace_nothing_changes() -> None:
    assert in_namespace([STREAM, TABLE], "", 1) == [STREAM, TABLE]


@pytest.mark.parametrize(
    "sql",
    ["DROP TABLE turnstile;", "CREATE STREAM x (a INT) WITH (KAFKA_TOPIC='a', VALUE_FORMAT='JSON')", "SHOW TABLES;"],
)
def test_a_file_holds_nothing_but_whole_creates(sql: str) -> None:
    """Nothing else can be looked up by its name before it is done."""
    with pytest.raises(InputError, match=r"^file.sql: no CREATE STREAM"):
        statements(sql, "file.sql")


def test_semicolons_in_quotes_and_comments_end_nothing() -> None:
    sql = "-- one; two\nCREATE STREAM a (x INT) WITH (KAFKA_TOPIC='a;b', VALUE_FORMAT='JSON'); /* ; */ CREATE TABLE `b` AS SELECT 1;"
    assert [(made.kind, made.name) for made in statements(sql, "file.sql")] == [("STREAM", "A"), ("TABLE", "B")]


def test_a_folder_without_files_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(
        CtaError, match=r"no \*\.sql files; run it in a checkout of cta, or name the folder with --folder"
    ):
        read(tmp_path)


def test_apply_says_what_it_made_and_what_was_there() -> None:
    script = [RECORDED["info"], *STREAM_MADE, STREAM_DESCRIBED, *STREAM_MADE, RECORDED["CTAS"], *BOTH_MADE]
    with Server(script) as server:
        lines = ksql.apply(ksqldb(server), [STREAM, TABLE])
    assert lines == [
        "stream TURNSTILE was there",
        "table TURNSTILE_SUMMARY made, filled by CTAS_TURNSTILE_SUMMARY_1 (RUNNING)",
    ]


def test_status_shows_what_is_missing() -> None:
    with Server([RECORDED["info"], *STREAM_MADE, STREAM_DESCRIBED]) as server:
        lines, good = ksql.status(ksqldb(server), [STREAM, TABLE], None, namespace="")
    assert (lines[1:], good) == (
        [
            "stream TURNSTILE on topic org.chicago.cta.turnstile.v1",
            "table TURNSTILE_SUMMARY missing: 'cta ksql apply' makes it",
        ],
        False,
    )
