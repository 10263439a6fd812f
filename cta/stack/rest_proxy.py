"""REST Proxy: Avro records by its v2 API, Confluent's and Karapace's.

The first request for a topic carries the schemas and the answer gives their ids; after that the ids are enough, even while
the registry is away. A status of 200 does not mean written: every record has its own result, and that is what is read.

Delivery is at least once. Where nothing was sent, sending again is safe. Where a request had no answer it may have been
written, and may still be: it is sent again, and the records that may now be there twice are counted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from cta.model.errors import BrokerError, CtaError, ServiceError
from cta.stack.http import Answer, Service, UnansweredError, UnreachableError
from cta.stack.wait import PATIENCE_S, Clock

REMEDY: Final = "start it ('cta stack up') or check CTA_REST_PROXY_URL"
ANSWER_TIMEOUT_S: Final = 20.0
"""Karapace takes 11 s to say that its broker is away; Confluent's proxy holds a request for a minute."""
RECORDS_MAX: Final = 500
"""Records a request."""

_CONTENT_TYPE: Final = "application/vnd.kafka.avro.v2+json"
_ACCEPT: Final = "application/vnd.kafka.v2+json"
_FORBIDDEN: Final = 403
_INCOMPATIBLE: Final = 40801
_UNKNOWN_SCHEMA_ID: Final = (42205, 42207, 40403)

Schemas = Mapping[str, Any]
"""``{"key": an Avro schema, "value": an Avro schema}``."""


@dataclass(frozen=True)
class AvroRecord:
    """A record as JSON, with the partition that it goes to."""

    partition: int
    key: Mapping[str, Any]
    value: Mapping[str, Any]


@dataclass(frozen=True)
class Sent:
    """``offsets``: of each record, in order. ``repeated``: how many may be in the topic more than once."""

    offsets: tuple[int, ...]
    repeated: int


class RestProxy:
    """A REST Proxy by its URL. ``patience_s``: how long a request is repeated before its error is raised."""

    def __init__(self, url: str, *, clock: Clock | None = None, patience_s: float = PATIENCE_S) -> None:
        self._http = Service("REST Proxy", url, remedy=REMEDY, clock=clock, answer_timeout_s=ANSWER_TIMEOUT_S)
        self._patience_s = patience_s
        self._ids: dict[str, tuple[int, int]] = {}

    @property
    def where(self) -> str:
        return self._http.where

    def check(self) -> None:
        """Errors: ServiceError where the proxy is away, or does not reach its broker."""
        answer = self._http.request("GET", "/topics")
        if not answer.ok:
            raise self._http.refusal(answer, doing="listing topics", remedy="does it reach its broker?")

    def send(self, topic: str, records: Sequence[AvroRecord], schemas: Schemas) -> Sent:
        """Write records to a topic in their order, at least once.

        Errors: BrokerError where a record, a schema or the topic is refused; ServiceError where the proxy, its broker or
        its registry is away. Either says how many records were written and how many may have been.
        """
        offsets: list[int] = []
        repeated = 0
        for first in range(0, len(records), RECORDS_MAX):
            sent = self._send(topic, records[first : first + RECORDS_MAX], schemas, written=first)
            offsets += sent.offsets
            repeated += sent.repeated
        return Sent(tuple(offsets), repeated)

    def _send(self, topic: str, records: Sequence[AvroRecord], schemas: Schemas, *, written: int) -> Sent:
        clock = self._http.clock
        deadline_s = clock.now_s() + self._patience_s
        unsure = 0
        while True:
            try:
                answer = self._post(topic, records, schemas)
                return Sent(self._offsets(answer, topic, records, written), unsure)
            except _AwayError as error:
                unsure = len(records) if error.may_be_written else unsure
                if clock.now_s() >= deadline_s:
                    raise self._given_up(error, topic, written, unsure) from None
            clock.sleep_until_s(min(deadline_s, clock.now_s() + 1.0))

    def _post(self, topic: str, records: Sequence[AvroRecord], schemas: Schemas) -> Answer:
        """The answer to the records with schema ids, or with the schemas where there are no ids or none that is known."""
        ids = self._ids.get(topic)
        answer = self._request(topic, _body(records, schemas, ids))
        if ids is not None and answer.object().get("error_code") in _UNKNOWN_SCHEMA_ID:
            del self._ids[topic]  # the proxy or its registry has forgotten them: nothing was written
            answer = self._request(topic, _body(records, schemas, None))
        return answer

    def _request(self, topic: str, body: Mapping[str, Any]) -> Answer:
        path = f"/topics/{quote(topic, safe='')}"
        headers = {"Content-Type": _CONTENT_TYPE, "Accept": _ACCEPT}
        try:
            answer = self._http.request("POST", path, body=body, headers=headers)
        except UnreachableError as error:
            raise _AwayError(error.what, may_be_written=False) from None
        except UnansweredError as error:
            raise _AwayError(error.what, may_be_written=True) from None
        if answer.status == _FORBIDDEN and "error_code" not in answer.object():
            raise _AwayError("it cannot reach its broker (HTTP 403, Karapace's answer to that)", may_be_written=True)
        if answer.status >= 500:
            raise _AwayError(f"{answer.complaint()} (its broker or its registry may be away)", may_be_written=True)
        return answer

    def _offsets(self, answer: Answer, topic: str, records: Sequence[AvroRecord], written: int) -> tuple[int, ...]:
        """Every record's offset, and the schemas' ids remembered. Errors: for a request or a record refused."""
        document = answer.object()
        results = document.get("offsets")
        if not isinstance(results, list) or len(results) != len(records):
            raise self._refused(answer, topic, written)
        refused = [(n, why) for n, result in enumerate(results) if (why := _complaint(result)) is not None]
        if refused:
            n, why = refused[0]
            raise BrokerError(
                f"{len(refused)} of {len(records)} records were not written, though it answered HTTP {answer.status}; "
                f"the first, {json.dumps(records[n].key)}: {why}; {written + len(records) - len(refused)} were written",
                where=f"{self.where}, topic {topic}",
                remedy="is the topic there, with that partition? 'cta replay ... --to kafka' makes it",
            )
        ids = document.get("key_schema_id"), document.get("value_schema_id")
        if all(isinstance(schema_id, int) for schema_id in ids):
            self._ids[topic] = ids  # type: ignore[assignment] # both are integers
        return tuple(result["offset"] for result in results)

    def _refused(self, answer: Answer, topic: str, written: int) -> CtaError:
        code = answer.object().get("error_code", answer.status)
        what = f"error {code}, {answer.complaint()}; {written} records were written before, none of these"
        where = f"{self.where}, topic {topic}"
        if "Connection refused" in answer.complaint():
            return ServiceError(what, where=where, remedy="its schema registry is away: start it and try again")
        if b"incompatible" in answer.body:  # Confluent's proxy has the same code for all that cannot be registered
            code = _INCOMPATIBLE
        return BrokerError(what, where=where, remedy=_REMEDIES.get(code))

    def _given_up(self, error: _AwayError, topic: str, written: int, unsure: int) -> ServiceError:
        may_be = f"{unsure} more may have been, once or more often" if unsure else "none of the rest was"
        return ServiceError(
            f"{error.what}, for {self._patience_s:g} s; {written} records were written, {may_be}",
            where=f"{self.where}, topic {topic}",
            remedy=f"{REMEDY}; what is sent again may then be there twice",
        )


class _AwayError(Exception):
    """A request without a result. ``may_be_written``: its records may be in the topic, now or later."""

    def __init__(self, what: str, *, may_be_written: bool) -> None:
        super().__init__(what)
        self.what = what
        self.may_be_written = may_be_written


_REMEDIES: Final = {
    40401: "make the topic first: 'cta replay ... --to kafka' does",
    _INCOMPATIBLE: "the schema is not compatible with the one registered: use another namespace",
    42205: "the records do not fit the schema",
    42207: "the schema cannot be registered or found: see the registry's log",
}


def _body(records: Sequence[AvroRecord], schemas: Schemas, ids: tuple[int, int] | None) -> dict[str, Any]:
    described: dict[str, Any]
    if ids is None:
        described = {f"{part}_schema": json.dumps(schemas[part], separators=(",", ":")) for part in ("key", "value")}
    else:
        described = {"key_schema_id": ids[0], "value_schema_id": ids[1]}
    rows = [{"key": record.key, "value": record.value, "partition": record.partition} for record in records]
    return {**described, "records": rows}


def _complaint(result: Mapping[str, Any]) -> str | None:
    """What is wrong with one record, or None: Confluent sends nulls where nothing is, Karapace leaves them out."""
    code, offset = result.get("error_code"), result.get("offset")
    if code is not None or result.get("error") is not None:
        return f"error {code}: {result.get('error')}"
    if not isinstance(offset, int) or offset < 0:  # Karapace's -1: taken, and not written
        return f"offset {offset}"
    return None
