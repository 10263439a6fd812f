"""Connect's rarer answers, played back; the rest runs against a real worker (tests/e2e/test_connect.py)."""

from pathlib import Path
from typing import Any

import pytest

from cta.model.errors import InputError, ServiceError
from cta.stack.connect import RESTART_SEEN_S, Connect, Connector, Status, Task, read
from tests.conftest import ROOT
from tests.stack.replay import Clock, Request, Server, answering

CONNECTOR = Connector("stations", {"connector.class": "x", "database.password": "hush-hush", "topic.prefix": "cta"})
REBALANCING = answering(409, {"error_code": 409, "message": "Cannot complete request momentarily due to rebalance"})
TRACE = (
    "org.apache.kafka.connect.errors.ConnectException: An exception occurred\n\tat io.debezium.X\n"
    "Caused by: org.postgresql.util.PSQLException: jdbc:postgresql://db/cta?user=a&password=hush-hush refused\n\tat y"
)


def document(state: str, *tasks: dict[str, Any]) -> dict[str, Any]:
    return {"name": "stations", "connector": {"state": state, "worker_id": "w"}, "tasks": list(tasks), "type": "source"}


def connect(server: Server) -> Connect:
    return Connect(server.url, clock=Clock())


def test_a_config_is_put_and_a_rebalance_waited_for() -> None:
    """409 means: ask again."""
    with Server([REBALANCING, REBALANCING, answering(201, {})]) as server:
        connect(server).put(CONNECTOR)
    assert server.received == [Request("PUT", "/connectors/stations/config", {}, dict(CONNECTOR.config))] * 3


def test_a_worker_that_rebalances_for_ever_is_an_error() -> None:
    clock = Clock()
    with Server([REBALANCING] * 301) as server, pytest.raises(ServiceError, match="the worker doesn't settle"):
        Connect(server.url, clock=clock).put(CONNECTOR)
    assert clock.time_s >= 30.0


def test_a_refused_config_shows_what_is_wrong_without_its_password() -> None:
    said = "Connector configuration is invalid: Unable to connect with hush-hush at jdbc:x?password=other"
    with (
        Server([answering(400, {"error_code": 400, "message": said})]) as server,
        pytest.raises(ServiceError) as caught,
    ):
        connect(server).put(CONNECTOR)
    assert str(caught.value) == (
        f"Connect at {server.url}: connector stations was refused, HTTP 400: Connector configuration is invalid: "
        "Unable to connect with *** at jdbc:x?password=***; correct its config, or what it names, and apply it again"
    )


def test_a_connector_without_tasks_is_waited_for() -> None:
    """Right after a PUT there is no status, then no task, and a task that isn't assigned yet."""
    running = {"id": 0, "state": "RUNNING", "worker_id": "w"}
    script = [
        answering(404, {"message": "No status found"}),
        answering(200, document("RUNNING")),
        answering(200, document("RUNNING", {**running, "state": "UNASSIGNED"})),
        answering(200, document("RUNNING", running)),
    ]
    with Server(script) as server:
        assert connect(server).wait_running("stations") == Status("stations", "RUNNING", "", (Task(0, "RUNNING", ""),))


def test_a_failed_task_shows_the_first_line_and_the_last_cause_of_its_trace() -> None:
    """One line, without the stack and the password, and what to do."""
    failed = {"id": 0, "state": "FAILED", "worker_id": "w", "trace": TRACE}
    with Server([answering(200, document("RUNNING", failed))]) as server, pytest.raises(ServiceError) as caught:
        connect(server).wait_running("stations")
    assert str(caught.value) == (
        f"Connect at {server.url}: task 0 of connector stations FAILED: "
        "org.apache.kafka.connect.errors.ConnectException: An exception occurred "
        "(org.postgresql.util.PSQLException: jdbc:postgresql://db/cta?user=a&password=*** refused); "
        "put right what it says, then 'cta connect restart stations'"
    )


def test_a_restart_is_over_once_every_part_was_seen_to_restart() -> None:
    """The worker says that it will, and for a moment goes on telling the states of before: RUNNING, or the old failure."""
    failed = {"id": 0, "state": "FAILED", "worker_id": "w", "trace": TRACE}
    running, restarting = {**failed, "state": "RUNNING"}, {**failed, "state": "RESTARTING"}
    script = [
        answering(202, {}),
        answering(200, document("RUNNING", failed)),
        answering(202, {}),
        answering(200, document("RUNNING", failed)),
        answering(200, document("RESTARTING", failed)),
        answering(200, document("RUNNING", failed)),
        answering(200, document("RUNNING", restarting)),
        answering(200, document("RUNNING", running)),
    ]
    with Server(script) as server:
        worker = connect(server)
        worker.restart("stations")
        assert worker.wait_running("stations").running


def test_a_restart_that_is_too_quick_to_be_seen_is_not_waited_for_for_ever() -> None:
    running = answering(200, document("RUNNING", {"id": 0, "state": "RUNNING", "worker_id": "w"}))
    clock = Clock()
    with Server([answering(202, {}), running, answering(202, {}), *[running] * 40]) as server:
        Connect(server.url, clock=clock).restart("stations")
    assert clock.time_s == RESTART_SEEN_S


def test_what_is_not_there_cannot_be_restarted() -> None:
    missing = answering(404, {"message": "Unknown connector"})
    with Server([missing, missing, missing, answering(200, ["other"])]) as server, pytest.raises(InputError) as caught:
        connect(server).restart("stations")
    assert str(caught.value) == f"Connect at {server.url}: no connector stations; there are: other; apply it first"


def test_a_connectors_config_does_not_show_when_it_is_printed() -> None:
    assert repr(CONNECTOR) == "Connector('stations', 3 settings)"


@pytest.mark.parametrize("name", ["stations-debezium", "stations-jdbc"])
def test_two_namespaces_share_nothing(name: str) -> None:
    """Connector, topic, slot and publication: whatever two connectors of one worker must not have in common."""
    path = ROOT / "compose" / "connectors" / f"{name}.json"
    plain, named = read(path), read(path, namespace="Run-7.")
    changed = {setting: value for setting, value in named.config.items() if value != plain.config[setting]}
    assert named.name == f"Run-7.{name}"
    expected = {
        "stations-debezium": {
            "slot.name": "run_7_cta_stations",
            "publication.name": "run_7_cta_stations",
            "topic.prefix": "Run-7.cta",
            "transforms.route.replacement": "Run-7.org.chicago.cta.$1",
        },
        "stations-jdbc": {"topic.prefix": "Run-7.org.chicago.cta."},
    }
    assert changed == expected[name]


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 1}', ""])
def test_a_file_that_is_no_connector_is_bad_input(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(InputError, match=r"bad\.json: no connector"):
        read(tmp_path / "bad.json")


def test_a_file_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.json: No such file .*; run it in a checkout of cta, or name a file"):
        read(tmp_path / "none.json")
