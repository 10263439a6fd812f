"""ksqlDB: streams and tables from SQL files, by its REST API.

What is there is looked for before anything is made, and looked for again where a CREATE had no answer or was refused: a
server whose broker is away does not answer, and yet makes the stream when the broker is back. A statement is one CREATE
with a name, so that "is it there?" can be asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cta.model.errors import InputError, ServiceError
from cta.stack.http import Answer, Service, UnansweredError, UnreachableError
from cta.stack.ksql_files import Statement, shape_of, shortened
from cta.stack.wait import PATIENCE_S, Clock, until

REMEDY: Final = "start it ('cta stack up') or check CTA_KSQLDB_URL"
STATEMENT_TIMEOUT_S: Final = 15.0
"""A CREATE takes half a second to one and a half; a server without its broker never answers."""

_V1: Final = "application/vnd.ksql.v1+json"
_FROM_THE_BEGINNING: Final = {"ksql.streams.auto.offset.reset": "earliest"}
_STARTING: Final = 503


@dataclass(frozen=True)
class Source:
    """A stream or a table that is there, and the topic it reads or fills."""

    name: str
    kind: str
    topic: str


@dataclass(frozen=True)
class Query:
    """A query that runs for ever. ``state``: RUNNING, ERROR, ...; ``sinks``: the tables or streams that it fills."""

    query_id: str
    state: str
    sinks: tuple[str, ...]


@dataclass(frozen=True)
class State:
    """The server's streams, tables and queries, by name."""

    sources: Mapping[str, Source]
    queries: tuple[Query, ...]

    def filling(self, name: str) -> tuple[Query, ...]:
        return tuple(query for query in self.queries if name in query.sinks)


class Ksqldb:
    """A ksqlDB server by its URL. ``patience_s``: how long it may take to answer at all, starting included."""

    def __init__(self, url: str, *, clock: Clock | None = None, patience_s: float = PATIENCE_S) -> None:
        self._http = Service(
            "ksqlDB", url, remedy=REMEDY, clock=clock, patience_s=patience_s, answer_timeout_s=STATEMENT_TIMEOUT_S
        )
        self._patience_s = patience_s

    @property
    def where(self) -> str:
        return self._http.where

    def wait_ready(self) -> str:
        """The server's version, as soon as it says that it is RUNNING. Errors: ServiceError, with what it said last."""
        seen: list[Answer] = []

        def look() -> str | None:
            seen[:] = [answer := self._answered(lambda: self._http.request("GET", "/info"))]
            if 400 <= answer.status < 500:
                raise self._http.refusal(answer, doing="asking what it is")
            server = answer.object().get("KsqlServerInfo", {})
            return server.get("version") if server.get("serverStatus") == "RUNNING" else None

        def late() -> ServiceError:
            return self._http.refusal(seen[0], doing="it isn't RUNNING", remedy="see its log")

        return until(look, late, clock=self._http.clock, patience_s=self._patience_s)

    def state(self) -> State:
        """What is there now."""
        sources: dict[str, Source] = {}
        queries: list[Query] = []
        for entity in [shown for what in ("STREAMS", "TABLES", "QUERIES") for shown in self._show(what)]:
            for made in entity.get("streams", []) + entity.get("tables", []):
                sources[made["name"]] = Source(made["name"], made["type"], made["topic"])
            for query in entity.get("queries", []):
                queries.append(Query(query["id"], query.get("state", "UNKNOWN"), tuple(query.get("sinks", []))))
        return State(sources, tuple(queries))

    def apply(self, statement: Statement) -> bool:
        """Make what the statement says, unless it is there; whether it was made now. Looked up, never guessed.

        Errors: InputError where it is there as something else, with the difference; ServiceError with the statement where
        the server refuses it, or where no answer comes and it isn't there.
        """
        if statement.name in self.state().sources:
            self._refuse_other(statement)
            return False
        try:
            self._create(statement)
        except ServiceError:
            if not self._is_there(statement):
                raise
        return True

    def difference(self, statement: Statement) -> str | None:
        """How what is there under the statement's name differs from what it says; None where it doesn't.

        Columns, topic, formats and partitions; a query behind it is not compared. Errors: ServiceError.
        """
        answer = self._run(f"DESCRIBE {statement.name};", properties={}, repeatable=True)
        there = shape_of((answer.json() or [{}])[0].get("sourceDescription", {}))
        differing = [
            f"{part} {there[part]}, not {wanted}" for part, wanted in statement.shape().items() if there[part] != wanted
        ]
        return " and ".join(differing) or None

    def _refuse_other(self, statement: Statement) -> None:
        difference = self.difference(statement)
        if difference is not None:
            raise InputError(
                f"is there with {difference}",
                where=f"{self.where}, {statement.kind.lower()} {statement.name}",
                remedy="'cta ksql drop' and 'cta ksql apply' make it anew, or use another --namespace",
            )

    def wait_running(self, statement: Statement, patience_s: float | None = None) -> Query:
        """The query that fills the statement's table, as soon as it is RUNNING."""
        seen: list[Query] = []
        patience_s = self._patience_s if patience_s is None else patience_s

        def look() -> Query | None:
            seen[:] = self.state().filling(statement.name)
            return next((query for query in seen if query.state == "RUNNING"), None)

        def late() -> ServiceError:
            states = ", ".join(f"{query.query_id} {query.state}" for query in seen) or "no query"
            return ServiceError(
                f"{statement.name} is not being filled after {patience_s:g} s: {states}",
                where=self.where,
                remedy="see the server's log; 'cta ksql drop' and 'cta ksql apply' make it anew",
            )

        return until(look, late, clock=self._http.clock, patience_s=patience_s)

    def drop(self, made: Iterable[Statement]) -> list[str]:
        """Remove what the statements made, the last first, with the queries behind it; gives the names removed.

        Topics stay, but for the queries' own. What isn't there is passed over.
        """
        removed = []
        for statement in reversed(list(made)):
            state = self.state()
            if statement.name not in state.sources:
                continue
            for query in state.filling(statement.name):
                self._run(f"TERMINATE {query.query_id};", properties={}, repeatable=False)
            self._run(f"DROP {statement.kind} {statement.name};", properties={}, repeatable=False)
            removed.append(statement.name)
        return removed

    def count(self, station_id: int, *, table: str = "turnstile_summary") -> int | None:
        """A station's entries by a pull query, or None where the table has no such station.

        Right after a restart a table's data "is not available yet"; that is waited for.
        """
        rows = self._pull(f"SELECT * FROM {table} WHERE station_key={station_id};")
        return int(rows[0]["COUNT"]) if rows else None

    def _create(self, statement: Statement) -> None:
        """Send a CREATE once; where no answer comes, look before sending it again, once the server answers."""
        try:
            self._run(statement.text, properties=_FROM_THE_BEGINNING, repeatable=False)
        except UnansweredError:
            if not self._is_there(statement):
                self._run(statement.text, properties=_FROM_THE_BEGINNING, repeatable=False)

    def _is_there(self, statement: Statement) -> bool:
        """Whether the statement's object is there. A server that cannot even be asked has not made it known to us."""
        try:
            return statement.name in self.state().sources
        except (UnreachableError, UnansweredError):
            return False

    def _show(self, what: str) -> list[dict[str, Any]]:
        return self._run(f"SHOW {what};", properties={}, repeatable=True).json() or []

    def _run(self, sql: str, *, properties: Mapping[str, str], repeatable: bool) -> Answer:
        body = {"ksql": sql, "streamsProperties": properties}
        answer = self._answered(
            lambda: self._http.request("POST", "/ksql", body=body, headers={"Content-Type": _V1}, repeatable=repeatable)
        )
        if not answer.ok:
            raise self._refused(answer, sql)
        return answer

    def _pull(self, sql: str) -> list[dict[str, Any]]:
        """The rows of a pull query, by column."""
        seen: list[Answer] = []

        def look() -> Answer | None:
            headers = {"Content-Type": _V1, "Accept": _V1}
            seen[:] = [
                answer := self._answered(
                    lambda: self._http.request(
                        "POST", "/query", body={"ksql": sql, "streamsProperties": {}}, headers=headers, repeatable=True
                    )
                )
            ]
            return None if "not available yet" in answer.complaint() and not answer.ok else answer

        answer = until(look, lambda: self._refused(seen[0], sql), clock=self._http.clock, patience_s=self._patience_s)
        if not answer.ok:
            raise self._refused(answer, sql)
        return _rows(answer.json() or [])

    def _answered(self, ask: Callable[[], Answer]) -> Answer:
        """An answer that isn't "not yet ready to serve requests"."""
        seen: list[Answer] = []

        def look() -> Answer | None:
            seen[:] = [answer := ask()]
            return None if answer.status == _STARTING else answer

        def late() -> ServiceError:
            return self._http.refusal(seen[0], doing="it doesn't get ready", remedy="see its log")

        return until(look, late, clock=self._http.clock, patience_s=self._patience_s)

    def _refused(self, answer: Answer, sql: str) -> ServiceError:
        """The server's complaint, with its code and the statement that it is about."""
        error = answer.object()
        code = error.get("error_code", answer.status)
        said = str(error.get("message", answer.complaint()))
        return ServiceError(
            f"error {code}: {said}; the statement was: {shortened(sql)}", where=self.where, remedy=_remedy(said)
        )


def _rows(answer: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """``[{"header": {"schema": "`A` INTEGER KEY, ..."}}, {"row": {"columns": [...]}}, ...]`` as rows by column."""
    columns = re.findall(r"`(\w+)`", answer[0]["header"]["schema"]) if answer else []
    return [dict(zip(columns, part["row"]["columns"], strict=True)) for part in answer if "row" in part]


def _remedy(said: str) -> str | None:
    """What to do about a complaint whose cause lies elsewhere."""
    if "does not exist. If you want to create a new topic" in said:
        return "make the topics first: 'cta replay ... --to kafka' does"
    if "Could not connect to the server" in said or "Schema Registry" in said or "schema registry" in said.lower():
        return "is the schema registry up, and is the producer's schema registered?"
    if "with different partition/replica" in said:
        return "remove the topic, or run with as many partitions as it has"
    return None
