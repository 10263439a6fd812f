"""Everything that can go wrong for a reason a user can act on.

An error says where it is, what is wrong and what to do about it; the command line prints that as one line and exits
with ``exit_code``. Anything else that escapes is a bug of ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class CtaError(Exception):
    """The root: ``where`` it is, ``what`` is wrong, the ``remedy``. ``str()`` is one line."""

    exit_code = 2

    def __init__(self, what: str, *, where: str | None = None, remedy: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        line = self.what if self.where is None else f"{self.where}: {self.what}"
        line = line if self.remedy is None else f"{line}; {self.remedy}"
        return " ".join(line.split())


@contextmanager
def at(where: str) -> Iterator[None]:
    """Errors that do not say where they are get the place."""
    try:
        yield
    except CtaError as error:
        error.where = error.where or where
        raise


class InputError(CtaError):
    """A value given on the command line cannot be used."""


class ScenarioError(CtaError):
    """A scenario document is wrong; ``where`` is ``FILE: $.path``."""


class NetworkError(CtaError):
    """The network's tables contradict themselves, or a name in them cannot be found."""


class RecordingError(CtaError):
    """A recording is damaged, incomplete or of a format this version does not read."""


class OutputError(CtaError):
    """Something could not be written; nothing is left under the final name."""


class RecordError(CtaError):
    """A record is not of the shape that its topic promises; ``where`` names the topic and the field."""


class BrokerError(CtaError):
    """A broker refused an operation: no such topic, partition or offset."""


class ServiceError(CtaError):
    """A service could not be reached, or did not become ready."""

    exit_code = 3
