"""What all clients of Kafka have in common: how they are configured, and what their errors are in our words."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from confluent_kafka import KafkaError, KafkaException

from cta.model.errors import BrokerError, CtaError, InputError, ServiceError
from cta.model.settings import Settings

C = TypeVar("C")

REQUEST_TIMEOUT_S: Final = 10.0
REMEDY: Final = "start it ('cta stack up') or check CTA_BOOTSTRAP_SERVERS"
SILENT_REMEDY: Final = f"{REMEDY}; CTA_KAFKA_SECURITY_PROTOCOL, if it wants TLS or a login"
_LOGIN_REMEDY: Final = "check CTA_KAFKA_SASL_USERNAME, CTA_KAFKA_SASL_PASSWORD and CTA_KAFKA_SASL_MECHANISM"
_TLS_REMEDY: Final = "check CTA_KAFKA_SSL_CA_LOCATION and CTA_KAFKA_SECURITY_PROTOCOL"
_SHUT_OUT: Final = {
    KafkaError._AUTHENTICATION: _LOGIN_REMEDY,
    KafkaError.SASL_AUTHENTICATION_FAILED: _LOGIN_REMEDY,
    KafkaError._SSL: _TLS_REMEDY,
}
"""What no waiting heals: the cluster is there and lets us not in."""

_log = logging.getLogger("cta.kafka")
_log.addHandler(logging.NullHandler())  # librdkafka's complaints are for who asks for them; errors say what matters

COMMON: Final[Mapping[str, str | int | bool]] = {
    "client.id": "cta",
    # A broker that was killed is back in seconds: look for it often (the defaults wait up to 10 s and 1 s).
    "reconnect.backoff.max.ms": 250,
    "retry.backoff.max.ms": 250,
}

_UNREACHABLE: Final = frozenset(
    {
        KafkaError._TRANSPORT,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._RESOLVE,
        KafkaError._TIMED_OUT,
        KafkaError._TIMED_OUT_QUEUE,
        KafkaError._MSG_TIMED_OUT,
        KafkaError._DESTROY,
        KafkaError._NOENT,
        KafkaError._AUTHENTICATION,
        KafkaError._SSL,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.NETWORK_EXCEPTION,
        KafkaError.BROKER_NOT_AVAILABLE,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.NOT_CONTROLLER,
        KafkaError.NOT_ENOUGH_REPLICAS,
        KafkaError.LEADER_NOT_AVAILABLE,
    }
)

_OPENSSL: Final = re.compile(r"error:[0-9A-F]+:SSL routines::")


class Connection:
    """How to reach a cluster, and the last thing that went wrong with it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.where = f"Kafka at {settings.bootstrap_servers}"
        self.complaint: KafkaError | None = None
        """What librdkafka said last that it could not do: why nothing answers."""

    def config(self, preset: Mapping[str, Any], fixed: Mapping[str, Any]) -> dict[str, Any]:
        """A client's properties: ours, over them the user's, over them those that our promises rest on.

        Errors: InputError where the user's contradict those last.
        """
        fixed = {"bootstrap.servers": self._settings.bootstrap_servers, **fixed}
        for name, value in self._settings.kafka.items():
            if name in fixed and value.lower() != str(fixed[name]).lower():
                raise InputError(f"is {fixed[name]} here", where=f"property {name}", remedy="leave it out")
        return {**COMMON, **preset, **self._settings.kafka, **fixed, "error_cb": self._complain, "logger": _log}

    def client(self, make: Callable[[Any], C], preset: Mapping[str, Any], fixed: Mapping[str, Any]) -> C:
        """A client of the properties of `config`. Errors: InputError too for one that is unknown, or can't be so."""
        config = self.config(preset, fixed)
        try:
            return make(config)
        except KafkaException as error:
            remedy = "correct CTA_KAFKA_PROPERTIES or the CTA_KAFKA_* variables"
            raise InputError(error.args[0].str(), where="properties for librdkafka", remedy=remedy) from None

    def _complain(self, error: KafkaError) -> None:
        if error.code() != KafkaError._ALL_BROKERS_DOWN or self.complaint is None:
            self.complaint = error

    def error(self, error: KafkaError | KafkaException, where: str | None = None, doing: str | None = None) -> CtaError:
        """An error of librdkafka as ours: ServiceError where the cluster is the matter, else BrokerError at ``where``."""
        cause = error.args[0] if isinstance(error, KafkaException) else error
        if cause.code() in _UNREACHABLE:
            return self.unreachable(doing or cause.str())
        return BrokerError(cause.str() if doing is None else f"{doing}: {cause.str()}", where=where or self.where)

    def unreachable(self, what: str) -> ServiceError:
        complaint = self.complaint
        if complaint is None:
            return ServiceError(what, where=self.where, remedy=REMEDY)
        if complaint.code() == KafkaError._ALL_BROKERS_DOWN:  # which says no more than that, and of how many
            return ServiceError(what, where=self.where, remedy=SILENT_REMEDY)
        remedy = _SHUT_OUT.get(complaint.code(), REMEDY)
        return ServiceError(f"{what} ({_short(complaint.str())})", where=self.where, remedy=remedy)

    @property
    def is_shut_out(self) -> bool:
        """The cluster answered, and let us not in: trying again gives the same."""
        return self.complaint is not None and self.complaint.code() in _SHUT_OUT


def _short(complaint: str) -> str:
    """Without the name of librdkafka's thread before it and how long it tried after it."""
    short = complaint.split("]: ", 1)[-1].split(": ", 1)[-1].split(" (after ", 1)[0]
    return _OPENSSL.sub("", short)
