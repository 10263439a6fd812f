"""Kafka's partitioner, held to Kafka's own vectors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cta.broker.partition import murmur2, partition

KAFKAS_OWN = {
    "21": -973932308,
    "foobar": -790332482,
    "a-little-bit-long-string": -985981536,
    "a-little-bit-longer-string": -1486304829,
    "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    "abc": 479470107,
    "": 275646681,
}
"""org.apache.kafka.common.utils.UtilsTest.testMurmur2."""


@pytest.mark.parametrize("text, hashed", KAFKAS_OWN.items())
def test_murmur2_gives_kafkas_own_figures(text: str, hashed: int) -> None:
    """Each vector of Kafka's unit test comes out, sign and all."""
    assert murmur2(text.encode()) == hashed


@pytest.mark.parametrize(
    "entity, partitions, expected",
    [("foobar", 10, 6), ("21", 10, 0), ("abc", 10, 7), ("foobar", 1, 0)],
)
def test_a_partition_is_the_hash_without_its_sign_bit_modulo_the_partitions(
    entity: str, partitions: int, expected: int
) -> None:
    """Kafka clears the sign bit (toPositive); the absolute value would be another partition."""
    assert partition(entity, partitions) == expected


@given(st.text(), st.integers(1, 1000))
def test_every_entity_has_a_partition(entity: str, partitions: int) -> None:
    """Any text, in any script, has one partition among those there are."""
    assert 0 <= partition(entity, partitions) < partitions
