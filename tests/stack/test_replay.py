import pytest

from tests.stack.replay import FOLDER, exchanges

FILES = sorted(file.name for file in FOLDER.glob("*.txt"))


@pytest.mark.parametrize("file", FILES)
def test_every_recorded_exchange_can_be_read(file: str) -> None:
    """A title, a request and an answer each; titles are unique within a file."""
    text = (FOLDER / file).read_text("utf-8")
    found = exchanges(file)
    assert len(found) == text.count("\n## ") + text.startswith("## ")
    assert all(exchange.answer or exchange.status in (None, 404) for exchange in found.values())


def test_an_exchange_is_read_as_it_was_recorded() -> None:
    """Path without the host, headers, the body as JSON with its schema opened, status and answer."""
    found = exchanges("rest-proxy-confluent-7.4.15.txt")["no schema at all"]
    assert (found.request.method, found.request.path) == ("POST", "/topics/weather.conf.v1")
    assert found.request.headers == {"Content-Type": "application/vnd.kafka.avro.v2+json"}
    assert found.request.body == {"records": [{"value": {"temperature": 1.0, "status": "sunny"}}]}
    assert (found.status, found.answer) == (
        422,
        b'{"error_code":42202,"message":"Request includes values but does not include value schema"}',
    )
