"""HTTP to a service: one session, time limits, retries where they are safe, and errors that name the service.

A request has one of three ends, and what may be repeated follows from it:

* `UnreachableError`: no connection was made, so nothing was sent. Any request may be repeated.
* `UnansweredError`: it was sent and no answer came. It may have been done, and may yet be done later; only a request that
  does no harm when it is done twice is repeated here, the others are the caller's to look up.
* an answer, whatever its status. What a status means is the service's own business.

Credentials in a URL (``https://user:secret@host``) are sent and never shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

import msgspec
import requests

from cta.model.errors import ServiceError
from cta.stack.wait import Clock, MachineClock

CONNECT_TIMEOUT_S: Final = 3.0
ANSWER_TIMEOUT_S: Final = 10.0
RETRY_FIRST_S: Final = 0.1
RETRY_LONGEST_S: Final = 2.0
SHOWN_CHARACTERS: Final = 300
"""As much of a foreign answer as fits into an error."""


class UnreachableError(ServiceError):
    """No connection was made: nothing was sent."""


class UnansweredError(ServiceError):
    """A request was sent and no whole answer came: it may have been done."""


@dataclass(frozen=True)
class Answer:
    """A status and a body."""

    status: int
    body: bytes

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON, or None where it is none: a proxy's page, an empty body."""
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            return None

    def object(self) -> dict[str, Any]:
        """The body as a JSON object; an empty one where it is none."""
        document = self.json()
        return document if isinstance(document, dict) else {}

    def complaint(self) -> str:
        """What the service says is wrong: its ``message``, or the start of its text, with the status."""
        said = str(self.object().get("message") or self.body.decode(errors="replace"))
        said = " ".join(said.split())
        if len(said) > SHOWN_CHARACTERS:  # the cause often stands last
            said = f"{said[: SHOWN_CHARACTERS // 2]} ... {said[-SHOWN_CHARACTERS // 2 :]}"
        return f"HTTP {self.status}: {said}" if said else f"HTTP {self.status}"


class Service:
    """A service at a URL. ``name`` is how errors call it, ``remedy`` what to do when it can't be reached."""

    def __init__(
        self,
        name: str,
        url: str,
        *,
        remedy: str,
        clock: Clock | None = None,
        patience_s: float = 0.0,
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> None:
        """``patience_s``: how long a request is repeated, where that is safe, before its error is raised."""
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname or _is_broken_off(parts):
            remedy = "write it as http://host:port, with %2F for / in a password"
            raise ServiceError("no URL of a service", where=name, remedy=remedy)
        host = parts.netloc.rpartition("@")[2]
        self.name = name
        self.url = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
        self.clock = clock or MachineClock()
        self.patience_s = patience_s
        self._remedy = remedy
        self._answer_timeout_s = answer_timeout_s
        self._session = requests.Session()
        if parts.username is not None:
            self._session.auth = (unquote(parts.username), unquote(parts.password or ""))

    @property
    def where(self) -> str:
        return f"{self.name} at {self.url}"

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool | None = None,
        answer_timeout_s: float | None = None,
    ) -> Answer:
        """The answer to a request; ``body`` goes out as JSON.

        ``repeatable``: doing it twice does no harm (by default true of GET alone). Errors: `UnreachableError`, `UnansweredError`.
        """
        twice = method == "GET" if repeatable is None else repeatable
        deadline_s = self.clock.now_s() + self.patience_s
        pause_s = RETRY_FIRST_S
        while True:
            try:
                return self._once(method, path, body, headers or {}, answer_timeout_s or self._answer_timeout_s)
            except (UnreachableError, UnansweredError) as error:
                if self.clock.now_s() >= deadline_s or (isinstance(error, UnansweredError) and not twice):
                    raise
            self.clock.sleep_until_s(min(deadline_s, self.clock.now_s() + pause_s))
            pause_s = min(RETRY_LONGEST_S, 2 * pause_s)

    def _once(self, method: str, path: str, body: Any, headers: Mapping[str, str], answer_timeout_s: float) -> Answer:
        content = None if body is None else msgspec.json.encode(body)
        sent = dict(headers) if body is None else {"Content-Type": "application/json", **headers}
        try:
            response = self._session.request(
                method,
                self.url + path,
                data=content,
                headers=sent,
                timeout=(CONNECT_TIMEOUT_S, answer_timeout_s),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise self._failure(error, answer_timeout_s) from None  # its text repeats the URL, with what is in it
        return Answer(response.status_code, response.content)

    def _failure(self, error: requests.RequestException, answer_timeout_s: float) -> ServiceError:
        if isinstance(error, requests.ConnectTimeout):
            return UnreachableError(
                f"no connection within {CONNECT_TIMEOUT_S:g} s", where=self.where, remedy=self._remedy
            )
        if isinstance(error, requests.Timeout):
            return UnansweredError(f"no answer within {answer_timeout_s:g} s", where=self.where, remedy=self._remedy)
        if isinstance(error, requests.exceptions.SSLError):
            return UnreachableError(
                "TLS was refused", where=self.where, remedy="check the certificate, and http or https"
            )
        if isinstance(error, requests.ConnectionError) and _nothing_was_sent(error):
            return UnreachableError("it cannot be reached", where=self.where, remedy=self._remedy)
        return UnansweredError("the connection ended before an answer", where=self.where, remedy=self._remedy)

    def refusal(self, answer: Answer, *, doing: str, remedy: str | None = None) -> ServiceError:
        """The error that an answer is, with what was being done."""
        remedy = remedy or f"see its log, or check that {self.name} is at that URL"
        return ServiceError(f"{doing}: {answer.complaint()}", where=self.where, remedy=remedy)


def _is_broken_off(parts: SplitResult) -> bool:
    """Whether its port is none, or a ``/``, ``?`` or ``#`` in a password ended it: the rest would be shown as a path."""
    try:
        return "@" in f"{parts.path}{parts.query}{parts.fragment}" or parts.port == 0
    except ValueError:  # no number, or one too large
        return True


def _nothing_was_sent(error: requests.ConnectionError) -> bool:
    """Whether the connection itself failed: refused, no such host, no route (urllib3's NewConnectionError)."""
    from urllib3.exceptions import MaxRetryError, NewConnectionError

    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)
