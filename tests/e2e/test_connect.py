"""Connect with Debezium: rows from Postgres to the topic, and what a worker says when something is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cta.broker.kafka import KafkaBroker
from cta.commands import connect as commands
from cta.model.errors import InputError, ServiceError
from cta.model.settings import Settings
from cta.model.topics import STATIONS
from cta.stack.connect import Connect, Connector, read
from cta.stack.postgres import Postgres
from tests.cli.running import cta
from tests.conftest import ROOT
from tests.e2e.pipeline import BY_STOP, DEBEZIUM, ROWS, environment, eventually, stations_in
from tests.e2e.services import Services, free_port


@pytest.fixture
def connector(connector: Connector, kafka: KafkaBroker, settings: Settings) -> Connector:
    """The shared one, its topic made."""
    kafka.create_topic(settings.namespace + STATIONS.name, 1)
    return connector


def test_every_row_arrives_and_a_changed_row_follows(
    worker: Connect, connector: Connector, kafka: KafkaBroker, settings: Settings, postgres: Postgres
) -> None:
    """Ready means that rows were read; the topic then has each platform as the pipeline has it, keyed by its stop."""
    worker.put(connector)
    assert worker.wait_ready(connector.name).running
    eventually(lambda: stations_in(kafka, settings), BY_STOP)
    (change,) = postgres.change([30_001], {"station_name": "Somewhere"})
    eventually(lambda: stations_in(kafka, settings), {**BY_STOP, 30_001: change.now})


def test_connectors_of_two_namespaces_run_side_by_side(
    worker: Connect, connector: Connector, kafka: KafkaBroker, settings: Settings, postgres: Postgres
) -> None:
    """On one worker, from one table: neither waits for the other, as two with one topic prefix would for a minute."""
    other = read(ROOT / DEBEZIUM, namespace=f"{settings.namespace}other.")
    kafka.create_topic(f"{settings.namespace}other.{STATIONS.name}", 1)
    try:
        worker.put(connector)
        worker.put(other)
        for each in (connector, other):
            assert worker.wait_ready(each.name, 30.0).running
    finally:
        worker.delete(other.name)
        postgres.forget_reader(other.config["slot.name"], other.config["publication.name"])


def test_applying_again_changes_nothing(
    worker: Connect, connector: Connector, kafka: KafkaBroker, settings: Settings
) -> None:
    """The same config again: no row is sent a second time."""
    for _ in range(2):
        worker.put(connector)
        worker.wait_ready(connector.name)
    eventually(lambda: kafka.end_offset(settings.namespace + STATIONS.name, 0), len(ROWS))


def test_a_connector_that_is_forgotten_reads_everything_again(
    worker: Connect, connector: Connector, kafka: KafkaBroker, settings: Settings, postgres: Postgres
) -> None:
    """Deleted and made again it goes on where it was; forgotten, it starts from the first row."""
    topic = settings.namespace + STATIONS.name
    worker.put(connector)
    worker.wait_ready(connector.name)
    eventually(lambda: kafka.end_offset(topic, 0), len(ROWS))
    assert worker.delete(connector.name, forget=True)
    assert not worker.delete(connector.name)
    worker.put(connector)
    eventually(lambda: kafka.end_offset(topic, 0), 2 * len(ROWS))


def test_a_wrong_password_is_refused_and_never_shown(worker: Connect, connector: Connector) -> None:
    """Debezium tries to log in when the config is put: nothing is made, though Connect 4.3.1 trips over the refusal."""
    wrong = replace(connector, config={**connector.config, "database.password": "not-the-secret"})
    with pytest.raises(ServiceError) as caught:
        worker.put(wrong)
    assert f"connector {connector.name} was refused, HTTP 500" in str(caught.value)
    assert "do user and password fit?" in str(caught.value)
    assert "not-the-secret" not in str(caught.value)
    assert connector.name not in worker.names()


def test_running_without_rows_is_not_ready(worker: Connect, connector: Connector) -> None:
    """A table that isn't there: the connector says RUNNING all the same."""
    nothing = replace(connector, config={**connector.config, "table.include.list": "public.nothing"})
    worker.put(nothing)
    with pytest.raises(ServiceError, match=r"(read nothing|not RUNNING) after|FAILED"):
        worker.wait_ready(connector.name, 6.0)


def test_restart_runs_again(worker: Connect, connector: Connector) -> None:
    """Also one that is stopped, which a restart alone leaves as it is: it is the remedy for whatever doesn't run."""
    worker.put(connector)
    worker.wait_ready(connector.name)
    worker.forget(connector.name)
    assert (
        commands.restart(worker, connector.name, patience_s=30.0)
        == f"connector {connector.name} RUNNING, task 0 RUNNING"
    )


def test_what_is_not_there_is_said(worker: Connect) -> None:
    with pytest.raises(InputError, match="no connector nowhere; there are: "):
        worker.restart("nowhere")
    assert worker.status("nowhere") is None


def test_the_commands_from_apply_to_delete(connector: Connector, with_connect: Settings) -> None:
    """``cta connect apply``, ``status`` and ``delete``, as a user runs them."""
    variables = environment(with_connect)
    applied = cta("connect", "apply", ROOT / DEBEZIUM, **variables)
    assert applied.stderr == ""
    assert applied.stdout == f"connector {connector.name} RUNNING, task 0 RUNNING; it has read rows\n"
    again = cta("connect", "apply", ROOT / DEBEZIUM, **variables)
    assert again.stdout == f"connector {connector.name} RUNNING, task 0 RUNNING; it goes on where it was\n"
    shown = cta("connect", "status", connector.name, **variables)
    assert (shown.returncode, shown.stdout) == (
        0,
        f"connector {connector.name} RUNNING, task 0 RUNNING, offsets stored\n",
    )
    deleted = cta("connect", "delete", connector.name, **variables)
    assert deleted.stdout == (
        f"connector {connector.name} removed, its offsets stay: made again, it goes on where it was\n"
        f"slot {connector.config['slot.name']} stays in Postgres, for when it is made again\n"
    )


def test_a_connector_that_is_forgotten_leaves_nothing_in_postgres(
    worker: Connect, connector: Connector, with_connect: Settings, postgres: Postgres
) -> None:
    """Its slot goes with it. Where the database cannot be reached, what is left there is said, and how to remove it."""
    worker.put(connector)
    worker.wait_ready(connector.name)
    slot = connector.config["slot.name"]
    forgotten = cta("connect", "delete", connector.name, "--forget", **environment(with_connect))
    assert forgotten.stdout == (
        f"connector {connector.name} removed, its offsets too\nslot {slot} removed, {postgres.where}\n"
    )
    assert not postgres.forget_reader(slot, slot)

    worker.put(connector)
    worker.wait_ready(connector.name)
    away = f"postgresql://someone:secret@127.0.0.1:{free_port()}/cta"
    left = cta("connect", "delete", connector.name, "--forget", **environment(with_connect, CTA_POSTGRES_DSN=away))
    assert left.returncode == 0
    assert f"slot {slot} stays, and keeps the log from being cut: Postgres at 127.0.0.1:" in left.stdout
    assert f"SELECT pg_drop_replication_slot('{slot}') there removes it\n" in left.stdout
    assert postgres.forget_reader(slot, slot)


def test_rows_changed_while_the_worker_is_dead_arrive_when_it_is_back(
    services: Services,
    worker: Connect,
    connector: Connector,
    kafka: KafkaBroker,
    settings: Settings,
    postgres: Postgres,
) -> None:
    services.ours("connect")
    worker.put(connector)
    worker.wait_ready(connector.name)
    services.kill("connect")
    (change,) = postgres.change([30_002], {"station_name": "Meanwhile"})
    services.start("connect")
    eventually(lambda: stations_in(kafka, settings), {**BY_STOP, 30_002: change.now})


def test_a_failed_task_shows_its_cause(
    services: Services, worker: Connect, connector: Connector, tmp_path: Path, postgres: Postgres
) -> None:
    """The database goes away under a running connector: the task ends FAILED, and the wait says why and what to do."""
    services.ours("postgres")
    once = {"errors.max.retries": "0", "retriable.restart.connector.wait.ms": "100"}
    worker.put(replace(connector, config={**connector.config, **once}))
    worker.wait_ready(connector.name)
    services.kill("postgres")
    try:
        eventually(lambda: (worker.status(connector.name) or pytest.fail("gone")).failure is not None, True)
        with pytest.raises(ServiceError) as caught:
            worker.wait_running(connector.name)
        assert f"task 0 of connector {connector.name} FAILED: " in str(caught.value)
        assert str(caught.value).endswith(f"put right what it says, then 'cta connect restart {connector.name}'")
        assert "\n" not in str(caught.value)
    finally:
        services.start("postgres")
        postgres.wait_ready()

    def heals() -> bool:
        """Without retries, a database that has just come back may end the task once more."""
        worker.restart(connector.name)
        try:
            worker.wait_running(connector.name)
        except ServiceError:
            return False
        return True

    eventually(heals, True)
