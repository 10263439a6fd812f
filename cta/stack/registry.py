"""The schema registry, by Confluent's API: what `cta.broker.avro.Schemas` asks for, and nothing more.

Subjects are TopicNameStrategy's, ``TOPIC-key`` and ``TOPIC-value``. Compatibility is set a subject, before its first
schema: Apicurio's own default is NONE, under which anything could be registered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import msgspec

from cta.model.schemas import Schema
from cta.stack.http import Answer, Service
from cta.stack.wait import Clock

COMPATIBILITY: Final = "BACKWARD"
REMEDY: Final = "start it ('cta stack up') or check CTA_SCHEMA_REGISTRY_URL"
_HEADERS: Final = {"Content-Type": "application/vnd.schemaregistry.v1+json"}
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409
_UNPROCESSABLE: Final = 422


class Registry:
    """A registry by the base URL of its Confluent API. Errors of every method: ServiceError."""

    def __init__(self, url: str, *, clock: Clock | None = None, patience_s: float = 0.0) -> None:
        self.url = url
        self._http = Service("the schema registry", url, remedy=REMEDY, clock=clock, patience_s=patience_s)
        self._ids: dict[tuple[str, str], int] = {}
        self._schemas: dict[int, Schema | None] = {}

    @property
    def where(self) -> str:
        return self._http.where

    def register(self, subject: str, schema: Schema) -> int:
        """The id of the schema under a subject, whose compatibility is BACKWARD afterwards. Asked once a schema."""
        text = msgspec.json.encode(schema).decode()
        if (subject, text) not in self._ids:
            if self.compatibility(subject) != COMPATIBILITY:
                self._put_compatibility(subject)
            body = {"schemaType": "AVRO", "schema": text}
            answer = self._ask("POST", f"/subjects/{_quoted(subject)}/versions", f"registering {subject}", body)
            self._ids[subject, text] = int(answer["id"])
        return self._ids[subject, text]

    def by_id(self, schema_id: int) -> Schema | None:
        """The Avro schema of an id; None if there is none, or if it is of another kind. Asked once an id."""
        if schema_id not in self._schemas:
            answer = self._http.request("GET", f"/schemas/ids/{schema_id}")
            if answer.status == _NOT_FOUND:
                return None  # it may be there the next time
            document = self._checked(answer, f"schema {schema_id}")
            avro = document.get("schemaType", "AVRO") == "AVRO"
            self._schemas[schema_id] = _record(document.get("schema")) if avro else None
        return self._schemas[schema_id]

    def subjects(self) -> list[str]:
        """The subjects there are, sorted."""
        answer = self._http.request("GET", "/subjects")
        self._checked(answer, "listing subjects")
        return sorted(answer.json() or [])

    def version(self) -> str | None:
        """``version N``, with the registry's name where it says one; None: it tells neither as Apicurio nor as Confluent."""
        root, apicurio, _ = self.url.partition("/apis/ccompat")
        if apicurio:
            server = Service(self._http.name, root, remedy=REMEDY)
            told = server.request("GET", "/apis/registry/v3/system/info").object()
        else:
            told = self._http.request("GET", "/v1/metadata/version").object()
        if not told.get("version"):
            return None
        return " ".join(part for part in (told.get("name"), f"version {told['version']}") if part)

    def compatibility(self, subject: str) -> str | None:
        """A subject's own compatibility; None where it has none and the registry's holds."""
        answer = self._http.request("GET", f"/config/{_quoted(subject)}")
        if answer.status == _NOT_FOUND:
            return None
        document = self._checked(answer, f"compatibility of {subject}")
        return document.get("compatibilityLevel") or document.get("compatibility")

    def is_compatible(self, subject: str, schema: Schema) -> bool:
        """Whether the schema could be registered: true too where the subject has none yet."""
        body = {"schemaType": "AVRO", "schema": msgspec.json.encode(schema).decode()}
        path = f"/compatibility/subjects/{_quoted(subject)}/versions/latest"
        answer = self._http.request("POST", path, body=body, headers=_HEADERS, repeatable=True)
        if answer.status == _NOT_FOUND:
            return True
        return bool(self._checked(answer, f"compatibility of {subject}").get("is_compatible"))

    def delete_subject(self, subject: str) -> None:
        """Forget a subject and all its versions, for good; nothing happens if there is none."""
        self._ids = {place: schema_id for place, schema_id in self._ids.items() if place[0] != subject}
        for permanent in ("false", "true"):
            path = f"/subjects/{_quoted(subject)}?permanent={permanent}"
            answer = self._http.request("DELETE", path, repeatable=True)
            if answer.status not in (_NOT_FOUND, _CONFLICT, _UNPROCESSABLE):
                self._checked(answer, f"deleting {subject}")

    def _put_compatibility(self, subject: str) -> None:
        body = {"compatibility": COMPATIBILITY}
        self._ask("PUT", f"/config/{_quoted(subject)}", f"compatibility of {subject}", body)

    def _ask(self, method: str, path: str, doing: str, body: Mapping[str, Any]) -> dict[str, Any]:
        answer = self._http.request(method, path, body=body, headers=_HEADERS, repeatable=True)
        return self._checked(answer, doing)

    def _checked(self, answer: Answer, doing: str) -> dict[str, Any]:
        """The answer's object. Errors: a refusal, with what the registry says and what to do."""
        if answer.ok:
            return answer.object()
        raise self._http.refusal(answer, doing=doing, remedy=_remedy(answer.status))


def _remedy(status: int) -> str:
    if status == _CONFLICT:
        return (
            "the subject holds another schema that this one can't follow: use another namespace, or delete the subject"
        )
    if status in (401, 403):
        return "put user:password@ into CTA_SCHEMA_REGISTRY_URL"
    if status == _NOT_FOUND:
        return "check CTA_SCHEMA_REGISTRY_URL: Apicurio's Confluent API is under /apis/ccompat/v7"
    return "see the registry's log"


def _record(schema: Any) -> Schema | None:
    """A schema's text as the record it is; None: it is no record, such as the name of a type alone."""
    try:
        return msgspec.json.decode(schema or "", type=dict[str, Any])
    except msgspec.DecodeError:
        return None


def _quoted(subject: str) -> str:
    return quote(subject, safe="")
