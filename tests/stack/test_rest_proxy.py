"""The REST Proxy against what Confluent's 7.4.15 and Karapace's 6.2.0 answered."""

from dataclasses import replace

import pytest

from cta.model import schemas
from cta.model.errors import BrokerError, ServiceError
from cta.model.topics import WEATHER
from cta.stack.http import UnreachableError
from cta.stack.rest_proxy import AvroRecord, RestProxy, Sent
from tests.stack.replay import Clock, Exchange, Server, answering, exchanges, unused_url

PROXIES = ("confluent-7.4.15", "karapace-6.2.0")
RECORD = AvroRecord(0, {"timestamp": 1700000000000}, {"temperature": 70.5, "status": "sunny"})


def recorded(proxy: str) -> dict[str, Exchange]:
    return exchanges(f"rest-proxy-{proxy}.txt") | exchanges(f"rest-proxy-{proxy}-outages.txt")


def rest_proxy(server: Server, patience_s: float = 5.0) -> RestProxy:
    return RestProxy(server.url, clock=Clock(), patience_s=patience_s)


def schemas_of(exchange: Exchange) -> dict[str, object]:
    return {part: exchange.request.body[f"{part}_schema"] for part in ("key", "value")}


def topic_of(exchange: Exchange) -> str:
    return exchange.request.path.removeprefix("/topics/")


@pytest.mark.parametrize("proxy", PROXIES)
def test_the_first_request_is_the_recorded_one_with_the_partition_named(proxy: str) -> None:
    """Path, content type, accept, both schemas and the record; the answer's offset is read."""
    written = recorded(proxy)["avro ok"]
    with Server([written]) as server:
        sent = rest_proxy(server).send(topic_of(written), [RECORD], schemas_of(written))
    (row,) = written.request.body["records"]
    assert server.received == [
        replace(written.request, body={**written.request.body, "records": [{**row, "partition": 0}]})
    ]
    assert sent == Sent((0,), 0)


@pytest.mark.parametrize("proxy", PROXIES)
def test_after_the_first_answer_schemas_go_by_their_ids(proxy: str) -> None:
    """Ids 2 and 1 are what the recorded answer gave; ids work while the registry is away, as recorded."""
    answers = recorded(proxy)
    with Server([answers["avro ok"], answers["registry down, by known id"]]) as server:
        proxy_ = rest_proxy(server)
        for _ in range(2):
            proxy_.send("weather", [RECORD], schemas_of(answers["avro ok"]))
    row = {"key": RECORD.key, "value": RECORD.value, "partition": 0}
    assert server.received[1].body == {"key_schema_id": 2, "value_schema_id": 1, "records": [row]}


@pytest.mark.parametrize("proxy", PROXIES)
def test_every_record_has_its_offset(proxy: str) -> None:
    """The recorded answer to two records: offsets 1 and 2."""
    answers = recorded(proxy)
    two = answers["avro ok, by value_schema_id, no accept, no key"]
    with Server([two]) as server:
        assert rest_proxy(server).send("weather", [RECORD, RECORD], schemas_of(answers["avro ok"])).offsets == (1, 2)


@pytest.mark.parametrize("proxy", PROXIES)
def test_ids_that_were_forgotten_are_sent_as_schemas_once_more(proxy: str) -> None:
    """422 with 42207 (Confluent) or 42205 (Karapace): nothing was written, so the schemas go out again."""
    answers = recorded(proxy)
    with Server([answers["avro ok"], answers["unknown schema id"], answers["avro ok"]]) as server:
        proxy_ = rest_proxy(server)
        proxy_.send("weather", [RECORD], schemas_of(answers["avro ok"]))
        assert proxy_.send("weather", [RECORD], schemas_of(answers["avro ok"])) == Sent((0,), 0)
    assert [sorted(request.body)[0] for request in server.received] == ["key_schema", "key_schema_id", "key_schema"]


def test_a_record_that_was_not_written_is_an_error_though_the_status_is_200() -> None:
    """Confluent's answer to an unknown topic: 200, with 50003 a record."""
    answers = recorded("confluent-7.4.15")
    with Server([answers["unknown topic avro"]]) as server, pytest.raises(BrokerError) as caught:
        rest_proxy(server).send("no.such.topic", [RECORD], schemas_of(answers["avro ok"]))
    assert str(caught.value) == (
        f"REST Proxy at {server.url}, topic no.such.topic: 1 of 1 records were not written, though it answered HTTP 200; "
        'the first, {"timestamp": 1700000000000}: error 50003: '
        "Topic no.such.topic not present in metadata after 5000 ms.; 0 were written; "
        "is the topic there, with that partition? 'cta replay ... --to kafka' makes it"
    )


def test_of_several_records_the_error_counts_what_was_written() -> None:
    """Two of three: the first that failed is named by its key."""
    results = [
        {"partition": 0, "offset": 5, "error_code": None, "error": None},
        {"partition": None, "offset": None, "error_code": 50003, "error": "late"},
        {"partition": 0, "offset": 6, "error_code": None, "error": None},
    ]
    answer = answering(200, {"offsets": results, "key_schema_id": 2, "value_schema_id": 1})
    records = [replace(RECORD, key={"timestamp": n}) for n in range(3)]
    with Server([answer]) as server, pytest.raises(BrokerError) as caught:
        rest_proxy(server).send("weather", records, schemas.load(WEATHER))
    assert "1 of 3 records were not written" in str(caught.value)
    assert 'the first, {"timestamp": 1}: error 50003: late; 2 were written' in str(caught.value)


def test_karapace_says_offset_minus_1_of_a_record_that_it_took_and_did_not_write() -> None:
    """Its answer, 200 and no error code, to a value that is no base64."""
    answers = recorded("karapace-6.2.0")
    with Server([answers["bad base64 2"]]) as server, pytest.raises(BrokerError, match="offset -1"):
        rest_proxy(server).send("weather", [RECORD], schemas_of(answers["avro ok"]))


def test_karapace_refuses_a_partition_in_the_records_result() -> None:
    """Its answer: 422, with ``error_code`` 2 and no offset in the record's result."""
    answers = recorded("karapace-6.2.0")
    with (
        Server([answers["bad partition"]]) as server,
        pytest.raises(BrokerError, match="error 2: This request is for a topic or partition"),
    ):
        rest_proxy(server).send("weather", [RECORD], schemas_of(answers["avro ok"]))


@pytest.mark.parametrize("proxy", PROXIES)
@pytest.mark.parametrize(
    "title",
    [
        "bad schema (not parseable avro)",
        "incompatible schema",
        "no schema at all",
        "key without key_schema",
        "bad record (missing field)",
        "bad record (enum)",
        "mixed good+bad records",
        "wrong content type",
    ],
)
def test_a_refused_request_says_code_and_complaint_and_that_nothing_was_written(proxy: str, title: str) -> None:
    """Each of the two proxies has its own statuses, codes and words; exit code 2: the service is well."""
    answers = recorded(proxy)
    refused = answers[title]
    with Server([refused]) as server, pytest.raises(BrokerError) as caught:
        rest_proxy(server).send("weather", [RECORD], schemas_of(answers["avro ok"]))
    assert f"HTTP {refused.status}: " in str(caught.value)
    assert refused.answer.decode().partition('"message":"')[2][:25] in str(caught.value)
    assert "none of these" in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("proxy", PROXIES)
def test_an_incompatible_schema_is_said_to_be_one(proxy: str) -> None:
    """Confluent's proxy says so under the code for a registry that fails, in the middle of a long complaint."""
    answers = recorded(proxy)
    with Server([answers["incompatible schema"]]) as server, pytest.raises(BrokerError) as caught:
        rest_proxy(server).send("weather", [RECORD], schemas_of(answers["avro ok"]))
    assert str(caught.value).endswith("; the schema is not compatible with the one registered: use another namespace")


def test_karapace_says_404_of_an_unknown_topic_and_the_remedy_is_to_make_it() -> None:
    answers = recorded("karapace-6.2.0")
    with Server([answers["unknown topic avro"]]) as server, pytest.raises(BrokerError, match="make the topic first"):
        rest_proxy(server).send("no.such.topic", [RECORD], schemas_of(answers["avro ok"]))


def test_confluents_registry_away_is_a_service_that_is_away() -> None:
    """422 / 42207 with "Connection refused": exit code 3, and nothing was written."""
    answers = recorded("confluent-7.4.15")
    with Server([answers["registry down, new schema"]]) as server, pytest.raises(ServiceError) as caught:
        rest_proxy(server).send("weather", [RECORD], schemas_of(answers["avro ok"]))
    assert "its schema registry is away" in str(caught.value)


def test_karapaces_registry_away_is_asked_again() -> None:
    """500 / 500 says nothing of what was done: the records are sent again, and counted as perhaps there twice."""
    answers = recorded("karapace-6.2.0")
    with Server([answers["registry down, new schema"], answers["avro ok"]]) as server:
        assert rest_proxy(server).send("weather", [RECORD], schemas_of(answers["avro ok"])) == Sent((0,), 1)


def test_karapaces_broker_away_is_asked_again() -> None:
    """403 "Forbidden" without a code, after eleven seconds."""
    answers = recorded("karapace-6.2.0")
    with Server([answers["karapace rest, broker down"], answers["avro ok"]]) as server:
        assert rest_proxy(server).send("weather", [RECORD], schemas_of(answers["avro ok"])) == Sent((0,), 1)


def test_confluents_broker_away_is_no_answer_and_what_may_be_written_is_said() -> None:
    """It may write what it took once the broker is back."""
    answers = recorded("confluent-7.4.15")
    lost = answers["confluent rest, broker down"]
    with Server([lost, lost]) as server, pytest.raises(ServiceError) as caught:
        rest_proxy(server, patience_s=1.0).send("weather", [RECORD], schemas_of(answers["avro ok"]))
    assert "0 records were written, 1 more may have been, once or more often" in str(caught.value)
    assert caught.value.exit_code == 3


def test_an_answer_after_one_that_was_lost_counts_what_may_be_there_twice() -> None:
    answers = recorded("confluent-7.4.15")
    with Server([answers["confluent rest, broker down"], answers["avro ok"]]) as server:
        assert rest_proxy(server).send("weather", [RECORD], schemas_of(answers["avro ok"])) == Sent((0,), 1)


def test_a_proxy_that_cannot_be_reached_has_written_nothing() -> None:
    url = unused_url()
    with pytest.raises(ServiceError) as caught:
        RestProxy(url, clock=Clock(), patience_s=2.0).send("weather", [RECORD], schemas.load(WEATHER))
    assert not isinstance(caught.value, UnreachableError)
    assert "it cannot be reached, for 2 s; 0 records were written, none of the rest was" in str(caught.value)


def test_no_records_make_no_request() -> None:
    with Server([]) as server:
        assert rest_proxy(server).send("weather", [], schemas.load(WEATHER)) == Sent((), 0)
