"""The registry against what Apicurio 3.3.3 answered through its Confluent API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cta.model.errors import ServiceError
from cta.stack.http import UnansweredError, UnreachableError
from cta.stack.registry import Registry
from tests.stack.replay import Clock, Exchange, Request, Server, answering, unused_url

SCHEMA: dict[str, Any] = {"type": "record", "name": "A", "fields": [{"name": "a", "type": "int"}]}
NO_CONFIG = answering(404, {"message": "Subject 'new-value' not found.", "error_code": 40401})
BACKWARD = answering(200, {"compatibilityLevel": "BACKWARD"})
SET = answering(200, {"compatibility": "BACKWARD", "normalize": False})
REGISTERED = answering(200, {"id": 842})
INCOMPATIBLE = answering(
    409,
    {
        "message": "io.apicurio.registry.rules.violation.RuleViolationException: Incompatible artifact: new-value [AVRO], "
        "num of incompatible diffs: {1}, list of diff types: [b at /fields/0]",
        "error_code": 409,
    },
)
NONSENSE = answering(422, {"message": "Failed to discover artifact type from content.", "error_code": 42201})
NO_SCHEMA = answering(404, {"message": "Schema 424242 not found.", "error_code": 40403})
NO_ANSWER = Exchange("cut", Request("GET", "/"), None)


def registry(server: Server, patience_s: float = 0.0) -> Registry:
    return Registry(server.url, clock=Clock(), patience_s=patience_s)


def asked(server: Server) -> list[tuple[str, str, Any]]:
    return [(request.method, request.path, request.body) for request in server.received]


def test_a_new_subject_is_backward_before_its_first_schema() -> None:
    """Apicurio's own default is NONE. The second time nothing is asked."""
    with Server([NO_CONFIG, SET, REGISTERED]) as server:
        client = registry(server)
        assert [client.register("new-value", SCHEMA), client.register("new-value", SCHEMA)] == [842, 842]
    body = {"schemaType": "AVRO", "schema": json.dumps(SCHEMA, separators=(",", ":"))}
    assert asked(server) == [
        ("GET", "/config/new-value", None),
        ("PUT", "/config/new-value", {"compatibility": "BACKWARD"}),
        ("POST", "/subjects/new-value/versions", body),
    ]


def test_a_subject_that_is_backward_is_left_so() -> None:
    with Server([BACKWARD, REGISTERED]) as server:
        assert registry(server).register("new-value", SCHEMA) == 842
    assert [method for method, _, _ in asked(server)] == ["GET", "POST"]


def test_an_incompatible_schema_is_shown_with_what_to_do() -> None:
    """The registry's own words, the subject, another namespace."""
    with Server([BACKWARD, INCOMPATIBLE]) as server, pytest.raises(ServiceError) as caught:
        registry(server).register("new-value", SCHEMA)
    told = str(caught.value)
    assert told.startswith(
        f"the schema registry at {server.url}: registering new-value: HTTP 409: io.apicurio.registry"
    )
    assert told.endswith("[b at /fields/0]; the subject holds another schema that this one can't follow: use another "
                         "namespace, or delete the subject")  # fmt: skip
    assert caught.value.exit_code == 3


def test_a_schema_that_is_no_schema_is_shown() -> None:
    with Server([BACKWARD, NONSENSE]) as server, pytest.raises(ServiceError, match="HTTP 422: Failed to discover"):
        registry(server).register("new-value", SCHEMA)


def test_a_schema_is_asked_for_once_and_one_that_is_not_there_again() -> None:
    """A writer may register it after this reader looked."""
    there = answering(200, {"schema": json.dumps(SCHEMA)})
    with Server([there, NO_SCHEMA, NO_SCHEMA]) as server:
        client = registry(server)
        assert [client.by_id(1), client.by_id(1), client.by_id(424242), client.by_id(424242)] == [
            SCHEMA,
            SCHEMA,
            None,
            None,
        ]
    assert [path for _, path, _ in asked(server)] == ["/schemas/ids/1", *2 * ["/schemas/ids/424242"]]


@pytest.mark.parametrize(
    "document",
    [
        {"schema": '"string"'},
        {"schemaType": "JSON", "schema": '{"type":"object"}'},
        {"schemaType": "PROTOBUF", "schema": 'syntax = "proto3";'},
    ],
)
def test_a_schema_that_is_no_avro_record_is_none_of_ours(document: dict[str, str]) -> None:
    """Another writer's records are then passed over or taken raw, not taken for ours."""
    with Server([answering(200, document)]) as server:
        assert registry(server).by_id(1) is None


def test_a_subjects_slash_does_not_leave_its_place() -> None:
    """A subject is any text: it is quoted."""
    with Server([BACKWARD]) as server:
        assert registry(server).compatibility("a/b?c") == "BACKWARD"
    assert [path for _, path, _ in asked(server)] == ["/config/a%2Fb%3Fc"]


def test_nobody_there_is_said_with_what_to_do_and_without_the_password() -> None:
    """Which, where, what to do; exit 3."""
    url = unused_url().replace("://", "://me:s3cret@")
    with pytest.raises(UnreachableError, match="check CTA_SCHEMA_REGISTRY_URL") as caught:
        Registry(url, clock=Clock()).register("new-value", SCHEMA)
    assert "s3cret" not in str(caught.value)
    assert caught.value.exit_code == 3


def test_a_registration_without_an_answer_is_repeated() -> None:
    """Registering twice gives the same id, so it does no harm; without patience the error says so."""
    with Server([BACKWARD, NO_ANSWER, REGISTERED]) as server:
        assert registry(server, patience_s=5.0).register("new-value", SCHEMA) == 842
    with Server([BACKWARD, NO_ANSWER]) as server, pytest.raises(UnansweredError, match="ended before an answer"):
        registry(server).register("new-value", SCHEMA)


def test_the_wrong_base_path_is_pointed_out() -> None:
    """A server that knows none of these paths answers 404 to all of them."""
    lost = answering(404, {"detail": "Could not find resource for full path"})
    with Server([lost, lost]) as server, pytest.raises(ServiceError, match="/apis/ccompat/v7"):
        registry(server).register("new-value", SCHEMA)


def test_a_subject_is_deleted_for_good() -> None:
    """First the soft deletion that Confluent asks for, then the other; a subject that is not there is no error."""
    with Server([answering(200, [1]), answering(200, [1]), NO_CONFIG, NO_CONFIG]) as server:
        client = registry(server)
        client.delete_subject("new-value")
        client.delete_subject("new-value")
    once = [("DELETE", f"/subjects/new-value?permanent={permanent}", None) for permanent in ("false", "true")]
    assert asked(server) == 2 * once


APICURIO = answering(
    200, {"name": "Apicurio Registry (SQL)", "description": "High performance, ...", "version": "3.3.3"}
)
CONFLUENT = answering(200, {"version": "7.4.15", "commitId": "0"})


@pytest.mark.parametrize(
    ("path", "answer", "asked_for", "version"),
    [
        ("/apis/ccompat/v7", APICURIO, "/apis/registry/v3/system/info", "Apicurio Registry (SQL) version 3.3.3"),
        ("", CONFLUENT, "/v1/metadata/version", "version 7.4.15"),
        ("", answering(404, {"error_code": 404, "message": "HTTP 404 Not Found"}), "/v1/metadata/version", None),
    ],
)
def test_a_version_is_asked_for_where_each_registry_tells_it(
    path: str, answer: Exchange, asked_for: str, version: str | None
) -> None:
    """Apicurio beside its Confluent API; one that tells none is no error. Confluent's answer is made up."""
    with Server([answer]) as server:
        assert Registry(server.url + path).version() == version
    assert asked(server) == [("GET", asked_for, None)]
