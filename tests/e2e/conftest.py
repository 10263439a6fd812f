"""Services for a session of end-to-end tests, a namespace for each test, and the containers' last words on a failure."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from cta.broker.kafka import KafkaBroker
from cta.commands import connect as commands
from cta.model.settings import Settings
from cta.stack.connect import Connect, Connector, read
from cta.stack.postgres import Postgres
from cta.stack.registry import Registry
from tests.conftest import ROOT
from tests.e2e.pipeline import DEBEZIUM, ROWS
from tests.e2e.services import Services
from tests.e2e.stand_in import StandIn

SERVICES = pytest.StashKey[Services]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs services."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """A failure shows what the containers said last."""
    report: pytest.TestReport = yield  # type: ignore[assignment] # pluggy's generator hands the result in
    if report.failed and SERVICES in item.session.stash:
        report.sections.append(("containers' last lines", item.session.stash[SERVICES].logs()))
    return report  # type: ignore[return-value] # as above


@pytest.fixture(scope="session")
def services(request: pytest.FixtureRequest) -> Iterator[Services]:
    """Started as they are asked for; gone when the session ends, however it ends."""
    services = request.session.stash[SERVICES] = Services(os.environ)
    try:
        yield services
    finally:
        services.down()


@pytest.fixture
def namespace() -> str:
    """A namespace that no other test has, nor an earlier run on the same cluster."""
    return f"e2e-{uuid4().hex[:12]}."


@pytest.fixture
def settings(services: Services, namespace: str) -> Settings:
    """Kafka and the registry, ready, in the test's namespace."""
    return services.settings(namespace=namespace)


@pytest.fixture
def with_connect(services: Services, settings: Settings) -> Settings:
    """Postgres and Connect beside them."""
    return replace(settings, connect_url=services.connect_url, postgres_dsn=services.postgres_dsn)


@pytest.fixture
def postgres(with_connect: Settings) -> Postgres:
    """The database with Chicago's platforms."""
    database = Postgres(with_connect.postgres_dsn)
    database.load(ROWS)
    return database


@pytest.fixture
def worker(with_connect: Settings) -> Connect:
    return commands.connect(with_connect)


@pytest.fixture
def connector(worker: Connect, with_connect: Settings, postgres: Postgres) -> Iterator[Connector]:
    """The Debezium connector of the test's namespace, for the test to apply; gone afterwards, its slot too."""
    wanted = read(ROOT / DEBEZIUM, namespace=with_connect.namespace)
    yield wanted
    commands.delete(worker, wanted.name, with_connect, forget=True)
    postgres.load(ROWS)


@pytest.fixture
def proxy(with_connect: Settings) -> Iterator[StandIn]:
    """A stand-in for the REST Proxy, on the test's Kafka and registry."""
    with StandIn(with_connect) as proxy:
        yield proxy


@pytest.fixture
def by_stand_in(with_connect: Settings, proxy: StandIn) -> Settings:
    """Every service that a run can go through, the REST Proxy stood in for."""
    return replace(with_connect, rest_proxy_url=proxy.url)


@pytest.fixture
def registry(settings: Settings) -> Registry:
    return Registry(settings.schema_registry_url)


@pytest.fixture
def kafka(settings: Settings, registry: Registry) -> Iterator[KafkaBroker]:
    """A broker of the test's own; the topics of its namespace are deleted afterwards."""
    with KafkaBroker(settings, registry) as broker:
        yield broker
        broker.delete_topics(name for name in broker.topics() if name.startswith(settings.namespace))
