"""Stream: a worker of the Faust app. Faust is imported here, late: it takes a second."""

from __future__ import annotations

from collections.abc import Callable

from cta.model.settings import Settings


def stream(settings: Settings, *, summary: bool, say: Callable[[str], None]) -> None:
    """Run a worker until it is told to stop. Errors: those of `cta.streams.worker.run`."""
    from cta.streams.app import Job
    from cta.streams.worker import run

    run(Job(settings, summary), say)
