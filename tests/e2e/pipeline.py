"""What the end-to-end tests share: commands and workers as processes in a test's namespace, and waiting for what they do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TypeVar

from cta.broker.kafka import KafkaBroker
from cta.commands.tables import last_values
from cta.model.errors import ServiceError
from cta.model.settings import Settings
from cta.model.topics import STATIONS
from cta.network.load import chicago
from cta.pipeline.stations import PlatformRow, platform_rows
from cta.stack.wait import MachineClock, until
from tests.cli.running import CTA, cta

T = TypeVar("T")

PATIENCE_S: Final = 180.0
DEBEZIUM: Final = Path("compose/connectors/stations-debezium.json")
ROWS: Final = platform_rows(chicago())
BY_STOP: Final = {row["stop_id"]: row for row in ROWS}


def eventually(look: Callable[[], T], wanted: T, patience_s: float = PATIENCE_S) -> None:
    """Look until it is as wanted; after ``patience_s`` the difference is the failure."""
    seen: list[T] = []

    def is_so() -> bool | None:
        seen[:] = [look()]
        return True if seen[0] == wanted else None

    try:
        until(is_so, lambda: ServiceError("late"), clock=MachineClock(), patience_s=patience_s, poll_s=0.25)
    except ServiceError:
        raise AssertionError(f"after {patience_s:g} s: {_difference(seen[0], wanted)}") from None


def _difference(seen: object, wanted: object) -> str:
    """What of two dicts differs, or both values."""
    if not isinstance(seen, dict) or not isinstance(wanted, dict):
        return f"{seen!r}, not {wanted!r}"
    keys = [key for key in {**seen, **wanted} if seen.get(key) != wanted.get(key)]
    shown = ", ".join(f"{key!r} is {seen.get(key)!r}, not {wanted.get(key)!r}" for key in keys[:3])
    return f"{len(keys)} of {len(wanted)} differ: {shown}"


def environment(settings: Settings, **more: str) -> Mapping[str, str]:
    """The variables with which the command finds the services of a test."""
    texts = ("bootstrap_servers", "schema_registry_url", "connect_url", "postgres_dsn", "rest_proxy_url", "namespace")
    return {**os.environ, **{f"CTA_{name.upper()}": getattr(settings, name) for name in texts}, **more}


def run(settings: Settings, *args: str | Path) -> subprocess.CompletedProcess[str]:
    """``cta ARGS`` in the test's namespace."""
    return cta(*args, **environment(settings))


def side_by_side(settings: Settings, commands: Iterable[Sequence[str | Path]]) -> list[tuple[int, str]]:
    """How commands end and what they say, run at once: those without a service wait a while before they give up."""
    running = [
        subprocess.Popen(
            [CTA, *command], env=environment(settings), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for command in commands
    ]
    said = [process.communicate(timeout=PATIENCE_S) for process in running]
    return [(process.returncode, out + err) for process, (out, err) in zip(running, said, strict=True)]


def done(settings: Settings, *args: str | Path) -> Any:
    """What ``cta ARGS --json`` prints, which ends with 0."""
    ended = run(settings, *args, "--json")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return json.loads(ended.stdout)


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """The address of a page that is fed from the test's namespace; Ctrl+C ends it with 0."""
    command = [str(CTA), "serve", "--port", "0"]
    with subprocess.Popen(command, env=environment(settings), stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().strip()
        finally:
            server.send_signal(signal.SIGINT)
            assert server.wait(timeout=PATIENCE_S) == 0


def stations_in(kafka: KafkaBroker, settings: Settings) -> dict[int, PlatformRow]:
    """The rows of the namespace's stations topic by stop, as they are now."""
    values = last_values(kafka, settings.namespace + STATIONS.name)
    return {json.loads(key)["stop_id"]: json.loads(value) for key, value in values.items()}


class Worker:
    """``cta stream``, or a ``command`` like it, as a process; ended when the block ends."""

    def __init__(
        self, settings: Settings, log: Path, *options: str, command: Sequence[str | Path] = (CTA, "stream")
    ) -> None:
        self._settings = settings
        self._log = log
        self._command = [*command, *options]

    def __enter__(self) -> Worker:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env=environment(self._settings),
                stdout=log,
                stderr=log,
                cwd=self._log.parent,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()

    @property
    def said(self) -> str:
        return self._log.read_text("utf-8")

    def ready(self) -> None:
        """Return when the worker says that its records flow."""
        self.comes_to(lambda: "ready: " in self.said, True)

    def comes_to(self, look: Callable[[], T], wanted: T) -> None:
        """As `eventually`; a worker that ended by itself is the failure, at once, with what it said."""

        def still() -> T:
            assert self._process.poll() is None, self.said
            return look()

        eventually(still, wanted)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """Ask it to stop (SIGTERM); its exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(timeout=PATIENCE_S)

    def exit_code(self) -> int:
        """How it ends by itself."""
        return self._process.wait(timeout=PATIENCE_S)
