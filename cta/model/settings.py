"""Where the services are and how to get in: one frozen value from the environment and from options.

    CTA_BOOTSTRAP_SERVERS    Kafka, host:port, several with commas
    CTA_SCHEMA_REGISTRY_URL  the registry's Confluent API (Apicurio: .../apis/ccompat/v7)
    CTA_CONNECT_URL, CTA_KSQLDB_URL, CTA_REST_PROXY_URL
    CTA_POSTGRES_DSN         postgresql://user:password@host:port/database, or libpq's key=value form
    CTA_NAMESPACE            put before every topic, group, connector and query; empty by default
    CTA_REPLICATION_FACTOR   of topics that are made; 1 by default, -1 leaves it to the broker
    CTA_KAFKA_PROPERTIES     a file of librdkafka properties, name=value a line
    CTA_KAFKA_SASL_*, CTA_KAFKA_SSL_*, CTA_KAFKA_SECURITY_PROTOCOL
                             one librdkafka property each: CTA_KAFKA_SASL_USERNAME is sasl.username

The default is the stack that ``cta stack up`` starts. `str` and `repr` show everything but secrets.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from cta.model.errors import InputError

HIDDEN: Final = "***"
_PROPERTY: Final = re.compile(r"CTA_KAFKA_((?:SASL|SSL)_[A-Z0-9_]+|SECURITY_PROTOCOL)")
_SECRET: Final = re.compile(
    r"password|secret|passphrase|token|key\.pem|ssl\.key$|sasl\.oauthbearer\.config", re.IGNORECASE
)
_URL_LOGIN: Final = re.compile(r"(?<=://)([^/@\s:]*):([^/\s]*)@")
_LONE_LOGIN: Final = re.compile(r"(?<=://)([^/@:]*):(.*)@", re.DOTALL)
"""Of a text that is one URL: its password may hold what should have been quoted, such as ``/``."""
_DSN_PASSWORD: Final = re.compile(r"(\b(?:ssl)?password\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&]*)", re.IGNORECASE)
_BROKER: Final = re.compile(r"(?:[A-Za-z_]+://)?(?:\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+)(?::([0-9]{1,5}))?")
"""As librdkafka takes it: a protocol may stand before, and a port is 9092 where none does."""
_PORT_MAX: Final = 65_535
_NAMESPACE: Final = re.compile(r"[A-Za-z0-9._-]{0,100}")


def without_secrets(text: str) -> str:
    """A URL or a DSN, or a text with such in it, without its passwords."""
    return _DSN_PASSWORD.sub(rf"\1{HIDDEN}", _URL_LOGIN.sub(rf"\1:{HIDDEN}@", text))


@dataclass(frozen=True, kw_only=True, repr=False)
class Settings:
    """See the module's docstring; each field is the variable of its name."""

    bootstrap_servers: str = "127.0.0.1:9092"
    schema_registry_url: str = "http://127.0.0.1:8081/apis/ccompat/v7"
    connect_url: str = "http://127.0.0.1:8083"
    ksqldb_url: str = "http://127.0.0.1:8088"
    rest_proxy_url: str = "http://127.0.0.1:8082"
    postgres_dsn: str = "postgresql://cta_admin:chicago@127.0.0.1:5432/cta"
    namespace: str = ""
    replication_factor: int = 1
    kafka: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Properties for librdkafka beyond those that cta sets, such as how to log in."""

    @classmethod
    def of(cls, environment: Mapping[str, str], **options: Any) -> Settings:
        """From variables, an empty one counting as none; an option that is not None comes before its variable.

        Errors: InputError that names the variable or the file's line, never its value where that may be a secret.
        """
        given = {name: value for name, value in environment.items() if name.startswith("CTA_") and value}
        texts: dict[str, Any] = {
            name: given[variable] for name in cls._texts() if (variable := f"CTA_{name.upper()}") in given
        }
        if "CTA_REPLICATION_FACTOR" in given:
            options = {"replication_factor": _replication_factor(given["CTA_REPLICATION_FACTOR"]), **options}
        file = given.get("CTA_KAFKA_PROPERTIES")
        kafka = {} if file is None else read_properties(Path(file))
        kafka |= {
            found[1].lower().replace("_", "."): given[name] for name in given if (found := _PROPERTY.fullmatch(name))
        }
        settings = replace(cls(kafka=kafka), **texts)
        settings = replace(settings, **{name: value for name, value in options.items() if value is not None})
        return settings._checked()

    @classmethod
    def _texts(cls) -> list[str]:
        return [name for name, declared in cls.__dataclass_fields__.items() if declared.type == "str"]

    def _checked(self) -> Settings:
        if not _NAMESPACE.fullmatch(self.namespace):
            remedy = "use at most 100 letters, digits, dots, underscores and hyphens"
            raise InputError(f"no legal namespace: {self.namespace!r}", where="CTA_NAMESPACE", remedy=remedy)
        for server in map(str.strip, self.bootstrap_servers.split(",")):
            found = _BROKER.fullmatch(server)
            if found is None or not 1 <= int(found[1] or 1) <= _PORT_MAX:
                remedy = "write it as host:port, several with commas"
                raise InputError(f"no broker: {server!r}", where="CTA_BOOTSTRAP_SERVERS", remedy=remedy)
        for name in ("schema_registry_url", "connect_url", "ksqldb_url", "rest_proxy_url"):
            parts = urlsplit(getattr(self, name))
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise InputError("no URL", where=f"CTA_{name.upper()}", remedy="write it as http://host:port")
        return self

    def shown(self) -> dict[str, str]:
        """Every setting by its field's name, and every property by its own, without secrets."""
        fields = {
            name: without_secrets(_LONE_LOGIN.sub(rf"\1:{HIDDEN}@", str(getattr(self, name))))
            for name in self.__dataclass_fields__
            if name != "kafka"
        }
        properties = {
            name: HIDDEN if _SECRET.search(name) else without_secrets(value) for name, value in self.kafka.items()
        }
        return fields | properties

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in self.shown().items())})"


def read_properties(path: Path) -> dict[str, str]:
    """The properties of a file: ``name=value`` a line, ``#`` before a comment. InputError names a line, not its text."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        what = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError(str(what), where=str(path), remedy="name a file of librdkafka properties") from None
    properties = {}
    for number, line in enumerate(lines, 1):
        name, equals, value = line.partition("=")
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not equals or not name.strip():
            raise InputError("no property", where=f"{path} line {number}", remedy="write it as name=value")
        properties[name.strip()] = value.strip()
    return properties


def _replication_factor(text: str) -> int:
    if not re.fullmatch(r"-1|[1-9][0-9]{0,3}", text):
        remedy = "give a number of brokers, or -1 for the broker's own default"
        raise InputError(f"{text!r} is no replication factor", where="CTA_REPLICATION_FACTOR", remedy=remedy)
    return int(text)
