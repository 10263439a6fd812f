"""Options that commands share, what they accept, and lines beside a result."""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:
    from cta.model.settings import Settings


SEED_MAX: Final = 2**53
SPEED_MIN: Final = 0.001
SPEED_MAX: Final = 1_000_000.0
PARTITIONS_MAX: Final = 1_024
F = TypeVar("F", bound=Callable[..., Any])


def as_speed(ctx: click.Context, param: click.Parameter, value: str) -> float | None:
    """``max`` (None) or simulated seconds a second."""
    if value == "max":
        return None
    try:
        speed = float(value)
    except ValueError:
        speed = math.nan
    if not SPEED_MIN <= speed <= SPEED_MAX:
        raise click.BadParameter(f"{value} is not max or a number from {SPEED_MIN} to {SPEED_MAX:.0f}", ctx, param)
    return speed


def whole(low: int, high: int) -> Callable[[click.Context, click.Parameter, str | None], int | None]:
    """A whole number from ``low`` to ``high``."""

    def convert(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
        if value is None:
            return None
        if not re.fullmatch(r"[0-9]{1,16}", value) or not low <= int(value) <= high:
            raise click.BadParameter(f"{value} is not a whole number from {low} to {high}", ctx, param)
        return int(value)

    return convert


def partitions_of(what: str) -> Callable[[F], F]:
    """``--partitions``: from 1 to `PARTITIONS_MAX`; ``what`` is its help."""
    return click.option(
        "--partitions", callback=whole(1, PARTITIONS_MAX), default="1", show_default=True, metavar="N", help=what
    )


def options(*several: Callable[[F], F]) -> Callable[[F], F]:
    """Several options as one decorator, in the order they are to be shown."""

    def decorate(command: F) -> F:
        for option in reversed(several):
            command = option(command)
        return command

    return decorate


part_of_a_run = options(
    click.option("--from", "from_", metavar="T", help="Start here: a time of day (08:15) or a timestamp with offset."),
    click.option("--until", metavar="T", help="Stop before this moment."),
    click.option("--seed", callback=whole(0, SEED_MAX), metavar="N", help="Another seed than the scenario's own."),
)


window_of_a_recording = options(
    click.option("--from", "from_", metavar="T", help="From here: a time of day (08:15) or a timestamp with offset."),
    click.option("--until", metavar="T", help="Before this moment."),
)


services_of_kafka = options(
    click.option("--namespace", metavar="NS", help="Before every name on Kafka; CTA_NAMESPACE otherwise."),
    click.option("--bootstrap-servers", metavar="HOST:PORT", help="Kafka; CTA_BOOTSTRAP_SERVERS otherwise."),
    click.option("--schema-registry-url", metavar="URL", help="CTA_SCHEMA_REGISTRY_URL otherwise."),
)


def settings_of(namespace: str | None, bootstrap_servers: str | None, schema_registry_url: str | None) -> Settings:
    """From the environment, and from the options that are given."""
    from cta.model.settings import Settings

    return Settings.of(
        os.environ,
        namespace=namespace,
        bootstrap_servers=bootstrap_servers,
        schema_registry_url=schema_registry_url,
    )


named = click.option("--namespace", metavar="NS", help="Before every name that is used; CTA_NAMESPACE otherwise.")


waited = click.option(
    "--wait", "wait_s", callback=whole(1, 3_600), default="60", show_default=True, metavar="SECONDS", help="How long."
)


def say(line: str) -> None:
    """A line of a command that goes on: whoever waits for it sees it at once."""
    click.echo(line)
    sys.stdout.flush()


def remark(line: str) -> None:
    """A line beside the result."""
    click.echo(line, err=True)


def unsaid(line: str) -> None:
    """A line that nobody asked for."""
