"""A stand-in for the REST Proxy, of which there is no image that can be had everywhere: it is not the real one.

It speaks as much of the v2 Avro API as `cta.stack.rest_proxy` uses, over a real socket, in the words that Confluent's
7.4.15 was recorded with (tests/stack/exchanges; tests/e2e/test_services.py holds the two together), and really registers
schemas and really writes to the Kafka of the test.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from io import BytesIO
from threading import Lock
from typing import Any, Final

import fastavro
from confluent_kafka import KafkaError, Message, Producer

from cta.model.errors import ServiceError
from cta.model.settings import Settings
from cta.stack.registry import Registry
from tests.stack.listening import Answering, Listening

AVRO: Final = "application/vnd.kafka.avro.v2+json"
DELIVERY_MS: Final = 5_000
PARTS: Final = ("key", "value")


@dataclass
class RefusedError(Exception):
    """An answer that is an error: Confluent's status, code and message."""

    status: int
    code: int
    message: str


class StandIn(Listening):
    """Answers at ``url`` for as long as the block. ``written`` counts records by topic.

    The first ``lost`` requests are carried out and never answered, as when a proxy dies between the two.
    """

    def __init__(self, settings: Settings, *, lost: int = 0) -> None:
        super().__init__(self._handler())
        self.written: dict[str, int] = {}
        self._lost = lost
        self._registry = Registry(settings.schema_registry_url)
        self._kafka = Producer(
            {"bootstrap.servers": settings.bootstrap_servers, "acks": "all", "message.timeout.ms": DELIVERY_MS}
        )
        self._one_at_a_time = Lock()

    def _topics(self) -> list[str]:
        return sorted(self._kafka.list_topics(timeout=10).topics)

    def _produce(self, topic: str, content_type: str, body: dict[str, Any]) -> dict[str, Any]:
        """The answer to a request that is well. Errors: `RefusedError`."""
        if content_type != AVRO:
            raise RefusedError(415, 415, "HTTP 415 Unsupported Media Type")
        records = body["records"]
        ids = {part: self._schema_id(topic, part, body) for part in PARTS if any(part in record for record in records)}
        schemas = {part: self._schema(schema_id) for part, schema_id in ids.items()}
        framed = [
            {part: _framed(ids[part], schemas[part], record[part]) for part in ids if part in record}
            for record in records
        ]
        there = topic in self._kafka.list_topics(timeout=10).topics
        results = [_missing(topic)] * len(records) if not there else self._deliver(topic, records, framed)
        return {"offsets": results, **{f"{part}_schema_id": ids.get(part) for part in PARTS}}

    def _deliver(
        self, topic: str, records: list[dict[str, Any]], framed: list[dict[str, bytes]]
    ) -> list[dict[str, Any]]:
        results: list[dict[str, Any]] = [{}] * len(records)

        def delivered(n: int) -> Any:
            def note(error: KafkaError | None, message: Message) -> None:
                failed = {"error_code": 50003, "error": str(error)} if error else {"error_code": None, "error": None}
                place = {"partition": message.partition(), "offset": message.offset()}
                results[n] = {**({"partition": None, "offset": None} if error else place), **failed}

            return note

        for n, (record, parts) in enumerate(zip(records, framed, strict=True)):
            self._kafka.produce(  # without a time: v2 has no place for one
                topic, parts.get("value"), parts.get("key"), record.get("partition", -1), on_delivery=delivered(n)
            )
        assert self._kafka.flush(2 * DELIVERY_MS / 1000) == 0
        self.written[topic] = self.written.get(topic, 0) + sum(result["error_code"] is None for result in results)
        return results

    def _schema_id(self, topic: str, part: str, body: dict[str, Any]) -> int:
        if f"{part}_schema_id" in body:
            return int(body[f"{part}_schema_id"])
        if f"{part}_schema" not in body:
            code, words = {"key": (42201, "keys"), "value": (42202, "values")}[part]
            raise RefusedError(422, code, f"Request includes {words} but does not include {part} schema")
        text = body[f"{part}_schema"]
        try:
            fastavro.parse_schema(json.loads(text))
        except (fastavro.schema.SchemaParseException, fastavro.schema.UnknownType):
            raise RefusedError(422, 42205, f"Invalid schema: Error when parsing raw schema. schema = {text}") from None
        try:
            return self._registry.register(f"{topic}-{part}", json.loads(text))
        except ServiceError as error:
            raise RefusedError(
                422, 42207, f"Error serializing message. Error when registering schema. {error}"
            ) from None

    def _schema(self, schema_id: int) -> dict[str, Any]:
        schema = self._registry.by_id(schema_id)
        if schema is None:
            what = f"Error when fetching schema by id. schemaId = {schema_id}"
            raise RefusedError(422, 42207, f"Error serializing message. {what}")
        return schema

    def _handler(self) -> type[Answering]:
        proxy = self

        class Handler(Answering):
            def do_GET(self) -> None:
                self.answer(200, json.dumps(proxy._topics()).encode())

            def do_POST(self) -> None:
                body = json.loads(self.body())
                topic = self.path.removeprefix("/topics/")
                with proxy._one_at_a_time:
                    try:
                        status, document = 200, proxy._produce(topic, self.headers["Content-Type"], body)
                    except RefusedError as refused:
                        status, document = refused.status, {"error_code": refused.code, "message": refused.message}
                    else:
                        if proxy._lost:
                            proxy._lost -= 1
                            self.die()
                            return
                self.answer(status, json.dumps(document).encode())

        return Handler


def _framed(schema_id: int, schema: dict[str, Any], value: Any) -> bytes:
    """Confluent's framing: a zero, the id in four bytes, the value. Errors: `RefusedError` where it doesn't fit the schema."""
    out = BytesIO(b"\0" + schema_id.to_bytes(4, "big"))
    out.seek(5)
    try:
        fastavro.schemaless_writer(out, schema, value, strict=True)
    except (ValueError, TypeError) as error:
        raise RefusedError(400, 400, f"Bad Request: {error}") from None
    return out.getvalue()


def _missing(topic: str) -> dict[str, Any]:
    error = f"Topic {topic} not present in metadata after {DELIVERY_MS} ms."
    return {"partition": None, "offset": None, "error_code": 50003, "error": error}
