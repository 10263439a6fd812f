"""How to log in to Kafka, from librdkafka's properties to Faust's credentials."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any, Final

import faust

from cta.model.errors import InputError

_KNOWN: Final = frozenset(
    {
        "security.protocol",
        "sasl.mechanism",
        "sasl.mechanisms",
        "sasl.username",
        "sasl.password",
        "ssl.ca.location",
        "ssl.certificate.location",
        "ssl.key.location",
        "ssl.key.password",
    }
)
_MECHANISMS: Final = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


def faust_settings(properties: Mapping[str, str]) -> dict[str, Any]:
    """Faust's settings for a cluster that wants a login; empty for one that doesn't.

    Errors: InputError for a way to log in that Faust hasn't; no value is shown.
    """
    protocol = properties.get("security.protocol", "PLAINTEXT").upper()
    strange = sorted(name for name in properties if name.startswith(("sasl.", "ssl.")) and name not in _KNOWN)
    if strange:
        raise InputError(
            "not known to Faust", where=f"property {strange[0]}", remedy=f"use {', '.join(sorted(_KNOWN))}"
        )
    if protocol == "PLAINTEXT":
        return {}
    context = _context(properties) if protocol.endswith("SSL") else None
    if not protocol.startswith("SASL_"):
        return {"broker_credentials": faust.SSLCredentials(context)}
    mechanism = properties.get("sasl.mechanism") or properties.get("sasl.mechanisms") or "PLAIN"
    if mechanism not in _MECHANISMS:
        where, remedy = "property sasl.mechanism", f"'cta stream' knows {', '.join(_MECHANISMS)}"
        raise InputError(f"{mechanism} is not known to Faust", where=where, remedy=remedy)
    login = faust.SASLCredentials(
        username=properties.get("sasl.username"),
        password=properties.get("sasl.password"),
        mechanism=mechanism,
        ssl_context=context,
    )
    return {"broker_credentials": login}


def _context(properties: Mapping[str, str]) -> ssl.SSLContext:
    """Errors: InputError that names the file that can't be used."""
    try:
        context = ssl.create_default_context(cafile=properties.get("ssl.ca.location"))
        certificate = properties.get("ssl.certificate.location")
        if certificate is not None:
            context.load_cert_chain(certificate, properties.get("ssl.key.location"), properties.get("ssl.key.password"))
    except OSError as error:
        files = ", ".join(value for name, value in sorted(properties.items()) if name.endswith(".location"))
        raise InputError(str(error.strerror), where=files, remedy="name PEM files that can be read") from None
    return context
