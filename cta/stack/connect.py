"""Kafka Connect: connectors by its REST API.

RUNNING alone proves nothing: a connector without tasks, one that reads an empty table and one whose table is missing are
all RUNNING. So ready means that rows or offsets were seen. The worker gives passwords back in clear whenever a
connector's config is asked for: no answer's body is ever shown, and what it says in an error is cleared of every secret
of the config.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import msgspec

from cta.model.errors import InputError, ServiceError
from cta.stack.http import Answer, Service
from cta.stack.namespace import identifier
from cta.stack.wait import PATIENCE_S, Clock, until

REMEDY: Final = "start it ('cta stack up') or check CTA_CONNECT_URL"
RESTART_SEEN_S: Final = 2.0
"""How long a restart is looked for; 0.02 to 0.3 s were seen."""
RESTART_POLL_S: Final = 0.05
"""RESTARTING was told for 0.1 s and more."""
_SECRET_NAME: Final = re.compile(r"password|secret|token|credential|sasl\.jaas|passphrase", re.IGNORECASE)
_REBALANCING: Final = 409
_NOT_FOUND: Final = 404
_DEBEZIUM: Final = "io.debezium.connector.postgresql.PostgresConnector"


@dataclass(frozen=True)
class Task:
    """``why``: the first line of a failed task's trace, else empty."""

    number: int
    state: str
    why: str


@dataclass(frozen=True)
class Status:
    """A connector's state and its tasks'; no tasks are a state of their own."""

    name: str
    state: str
    why: str
    tasks: tuple[Task, ...]

    @property
    def running(self) -> bool:
        return self.state == "RUNNING" and bool(self.tasks) and all(task.state == "RUNNING" for task in self.tasks)

    @property
    def states(self) -> frozenset[tuple[int | None, str]]:
        """The connector's state, by None, and the tasks' by their numbers."""
        return frozenset({(None, self.state), *((task.number, task.state) for task in self.tasks)})

    @property
    def failure(self) -> str | None:
        """The first failure, of the connector or of a task, in one line."""
        if self.state == "FAILED":
            return f"connector {self.name} FAILED: {self.why}"
        failed = next((task for task in self.tasks if task.state == "FAILED"), None)
        return None if failed is None else f"task {failed.number} of connector {self.name} FAILED: {failed.why}"

    def __str__(self) -> str:
        tasks = ", ".join(f"task {task.number} {task.state}" for task in self.tasks) or "no tasks"
        return f"connector {self.name} {self.state}, {tasks}"


@dataclass(frozen=True)
class Reader:
    """What a Debezium connector holds in its database: it stays there when the connector is deleted."""

    slot: str
    publication: str


@dataclass(frozen=True)
class Connector:
    """A connector's name and its config, secrets included: never print one."""

    name: str
    config: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Connector({self.name!r}, {len(self.config)} settings)"

    def clear(self, text: str) -> str:
        """The text without the config's secrets."""
        for name, value in self.config.items():
            if value and _SECRET_NAME.search(name):
                text = text.replace(value, "***")
        return _without_passwords(text)


def read(path: Path, *, namespace: str = "", settings: Mapping[str, str] | None = None) -> Connector:
    """The connector of a file that holds a config as the worker takes it, named after the file.

    ``settings`` replace the file's own; a namespace is put before whatever two connectors must not share. Errors:
    InputError for a file that holds no such thing.
    """
    try:
        config = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except OSError as error:
        remedy = "run it in a checkout of cta, or name a file that holds a connector's config"
        raise InputError(str(error.strerror), where=str(path), remedy=remedy) from None
    except msgspec.DecodeError as error:
        remedy = 'a connector is one object of texts: {"connector.class": "...", ...}'
        raise InputError(f"no connector: {error}", where=str(path), remedy=remedy) from None
    config |= settings or {}
    return Connector(namespace + path.stem, _in_namespace(config, namespace) if namespace else config)


def _in_namespace(config: Mapping[str, str], namespace: str) -> dict[str, str]:
    """A topic prefix, by which Debezium's metrics are named, too; its router's topic, its slot and its publication."""
    before = {
        "topic.prefix": namespace,
        "transforms.route.replacement": namespace,
        "slot.name": identifier(namespace),
        "publication.name": identifier(namespace),
    }
    return {name: before.get(name, "") + value for name, value in config.items()}


class Connect:
    """A Connect worker by its URL."""

    def __init__(self, url: str, *, clock: Clock | None = None, patience_s: float = 0.0) -> None:
        self._http = Service("Connect", url, remedy=REMEDY, clock=clock, patience_s=patience_s, answer_timeout_s=60.0)

    @property
    def where(self) -> str:
        return self._http.where

    def version(self) -> str:
        return str(self._http.request("GET", "/").object().get("version", "unknown"))

    def names(self) -> list[str]:
        """The connectors there are, sorted."""
        answer = self._ask("GET", "/connectors", doing="listing connectors")
        return sorted(answer.json() or [])

    def put(self, connector: Connector) -> None:
        """Make the connector, or give it this config; the same config again changes nothing.

        Errors: ServiceError with what the worker says is wrong in the config, such as a database it can't log in to.
        """
        path = _path(connector.name, "/config")
        doing = f"connector {connector.name}"
        answer = self._retried(lambda: self._http.request("PUT", path, body=connector.config, repeatable=True), doing)
        if not answer.ok:
            remedy = "correct its config, or what it names, and apply it again"
            if answer.status >= 500:  # Connect stumbles over what Debezium says of a failed login
                remedy = f"does it reach what it reads from, and do user and password fit? {remedy}"
            said = connector.clear(answer.complaint())
            if "Failed to find any class" in said:
                said = f"HTTP {answer.status}: the worker has no plugin {connector.config.get('connector.class')}"
                remedy = "put it into the worker's plugin folder (docs/stack.md), or apply another connector"
            raise ServiceError(f"{doing} was refused, {said}", where=self.where, remedy=remedy)

    def status(self, name: str) -> Status | None:
        """The connector's status, or None where there is no such connector (right after a PUT, too)."""
        answer = self._retried(lambda: self._http.request("GET", _path(name, "/status")), f"status of connector {name}")
        if answer.status == _NOT_FOUND:
            return None
        if not answer.ok:
            raise self._http.refusal(answer, doing=f"status of connector {name}")
        return _status(answer.object())

    def offsets(self, name: str) -> int:
        """How many source partitions have an offset stored: one or more once rows have been read."""
        answer = self._ask("GET", _path(name, "/offsets"), doing=f"offsets of connector {name}")
        return sum(bool(entry.get("offset")) for entry in answer.object().get("offsets", []))

    def reader(self, name: str) -> Reader | None:
        """What the connector holds in Postgres, under Debezium's own names where it names none.

        None: it isn't Debezium's, or isn't there; a worker tells the status of one that was just deleted for a moment more.
        """
        answer = self._do("GET", name, "/config", "config of")
        config = answer.object() if answer.ok else {}
        if config.get("connector.class") != _DEBEZIUM:
            return None
        return Reader(config.get("slot.name", "debezium"), config.get("publication.name", "dbz_publication"))

    def wait_running(self, name: str, patience_s: float = PATIENCE_S) -> Status:
        """Return when the connector and its tasks, one or more, are RUNNING.

        Errors: ServiceError at once for a FAILED one, with the first line of its trace; after ``patience_s`` otherwise.
        """
        seen: list[Status | None] = [None]

        def look() -> Status | None:
            seen[0] = status = self.status(name)
            if status is None:
                return None
            if status.failure is not None:
                raise ServiceError(
                    status.failure,
                    where=self.where,
                    remedy=f"put right what it says, then 'cta connect restart {name}'",
                )
            return status if status.running else None

        def late() -> ServiceError:
            found = seen[0] or f"connector {name} is not there"
            return ServiceError(
                f"not RUNNING after {patience_s:g} s: {found}",
                where=self.where,
                remedy="see the worker's log; a missing table leaves a connector without tasks",
            )

        return until(look, late, clock=self._http.clock, patience_s=patience_s)

    def wait_ready(self, name: str, patience_s: float = PATIENCE_S, *, rows: Callable[[], int] = lambda: 0) -> Status:
        """Return when the connector is RUNNING and has been seen to read: offsets are stored, or ``rows()`` isn't 0."""
        status = self.wait_running(name, patience_s)

        def look() -> Status | None:
            return status if rows() or self.offsets(name) else None

        def late() -> ServiceError:
            return ServiceError(
                f"{self.wait_running(name, 0.0)}, but it has read nothing after {patience_s:g} s",
                where=self.where,
                remedy="is the table there, has it rows, and is the topic there ('cta replay ... --to kafka' makes it)?",
            )

        return until(look, late, clock=self._http.clock, patience_s=patience_s)

    def restart(self, name: str) -> None:
        """Restart the connector and all its tasks, the only thing that heals a FAILED one; resume it where it is stopped.

        The worker only takes note of it: what it then tells are the states of before, until it gets to it. Errors:
        InputError where there is no such connector.
        """
        self.resume(name)
        before = self.status(name)
        answer = self._do("POST", name, "/restart?includeTasks=true&onlyFailed=false", "restarting")
        if answer.status == _NOT_FOUND:
            raise self._missing(name)
        if before is not None:
            self._wait_restarting(before)

    def delete(self, name: str, *, forget: bool = False) -> bool:
        """Remove the connector; whether it was there.

        Its offsets stay, and made again under its name it goes on where it was, unless ``forget``: then it is stopped,
        its offsets are deleted, and made again it reads everything.
        """
        if forget and not self.forget(name):
            return False
        return self._do("DELETE", name, "", "deleting").ok

    def forget(self, name: str) -> bool:
        """Stop a connector and delete its offsets, so that it reads everything when it is resumed; whether it was there."""
        if not self._do("PUT", name, "/stop", "stopping").ok:
            return False
        self._wait_stopped(name)
        self._do("DELETE", name, "/offsets", "forgetting the offsets of")
        return True

    def resume(self, name: str) -> None:
        """Let a stopped connector run; nothing happens to one that does."""
        self._do("PUT", name, "/resume", "resuming")

    def _wait_restarting(self, before: Status) -> None:
        """Return once the connector and each task were seen in another state, or a restart was too quick to be seen."""
        clock, unchanged = self._http.clock, before.states
        deadline_s = clock.now_s() + RESTART_SEEN_S
        while unchanged and clock.now_s() < deadline_s:
            clock.sleep_until_s(min(deadline_s, clock.now_s() + RESTART_POLL_S))
            status = self.status(before.name)
            unchanged = unchanged & status.states if status is not None else frozenset()

    def _wait_stopped(self, name: str) -> None:
        def look() -> bool | None:
            status = self.status(name)
            return True if status is None or (status.state == "STOPPED" and not status.tasks) else None

        def late() -> ServiceError:
            return ServiceError(f"connector {name} does not stop", where=self.where, remedy="see the worker's log")

        until(look, late, clock=self._http.clock)

    def _do(self, method: str, name: str, path: str, doing: str) -> Answer:
        """The answer to what may be done twice; no such connector is one."""
        doing = f"{doing} connector {name}"
        answer = self._retried(lambda: self._http.request(method, _path(name, path), repeatable=True), doing)
        if not answer.ok and answer.status != _NOT_FOUND:
            raise self._http.refusal(answer, doing=doing)
        return answer

    def _missing(self, name: str) -> InputError:
        there = ", ".join(self.names()) or "none"
        return InputError(f"no connector {name}; there are: {there}", where=self.where, remedy="apply it first")

    def _ask(self, method: str, path: str, *, doing: str) -> Answer:
        answer = self._retried(lambda: self._http.request(method, path), doing)
        if not answer.ok:
            raise self._http.refusal(answer, doing=doing)
        return answer

    def _retried(self, ask: Callable[[], Answer], doing: str) -> Answer:
        """An answer that isn't "rebalancing, ask again" (409) or "not joined yet" (503, or 500 with that excuse)."""
        seen: list[Answer] = []

        def look() -> Answer | None:
            seen[:] = [answer := ask()]
            excuse = answer.status >= 500 and re.search("timed out|rebalance|starting", answer.complaint())
            return None if answer.status in (_REBALANCING, 503) or excuse else answer

        def late() -> ServiceError:
            return self._http.refusal(seen[0], doing=doing, remedy="the worker doesn't settle: see its log")

        return until(look, late, clock=self._http.clock)


def _status(document: Mapping[str, Any]) -> Status:
    connector = document.get("connector", {})
    tasks = [
        Task(int(task["id"]), task["state"], _first_line(task.get("trace")))
        for task in sorted(document.get("tasks", []), key=lambda task: int(task["id"]))
    ]
    name, state = str(document.get("name", "")), str(connector.get("state", "UNKNOWN"))
    return Status(name, state, _first_line(connector.get("trace")), tuple(tasks))


def _first_line(trace: str | None) -> str:
    """What went wrong, without the stack; of a chain of causes the last says it best, and stands on a line too."""
    lines = (trace or "").splitlines()
    first = lines[0].strip() if lines else ""
    causes = [line.removeprefix("Caused by: ").strip() for line in lines if line.startswith("Caused by: ")]
    return _without_passwords(f"{first} ({causes[-1]})" if causes else first)


def _without_passwords(text: str) -> str:
    """The text without what stands behind ``password=``, as in a JDBC URL."""
    return re.sub(r"(password|secret)=[^&;\s\"']*", r"\1=***", text, flags=re.IGNORECASE)


def _path(name: str, rest: str = "") -> str:
    return f"/connectors/{quote(name, safe='')}{rest}"
