"""Which partition an entity's records go to: Kafka's murmur2 over its UTF-8 text, modulo the partitions.

The producer names the partition itself, on every broker. Hashing the framed Avro key, as a Java client would, is no
choice: the key holds a schema id, and the same train would move with every new registry.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

# Austin Appleby's MurmurHash2, 32 bits, as org.apache.kafka.common.utils.Utils.murmur2 has it.
_SEED: Final = 0x9747B28C
_M: Final = 0x5BD1E995
_R: Final = 24
_MASK: Final = 0xFFFF_FFFF
_SIGN: Final = 0x8000_0000
_TO_POSITIVE: Final = 0x7FFF_FFFF


def murmur2(text: bytes) -> int:
    """Kafka's murmur2 as the signed 32-bit integer that Java gives."""
    h = _SEED ^ len(text)
    whole = len(text) & ~3
    for i in range(0, whole, 4):
        k = int.from_bytes(text[i : i + 4], "little") * _M & _MASK
        k = (k ^ k >> _R) * _M & _MASK
        h = h * _M & _MASK ^ k
    if whole < len(text):
        h = (h ^ int.from_bytes(text[whole:], "little")) * _M & _MASK
    h = (h ^ h >> 13) * _M & _MASK
    h ^= h >> 15
    return h - 2 * (h & _SIGN)


@lru_cache(maxsize=65_536)  # a city's trains and stations many times over, and an end to foreign keys
def partition(entity: str, partitions: int) -> int:
    """The partition of an entity, 0 <= p < partitions: Kafka's toPositive (the sign bit cleared), modulo."""
    return (murmur2(entity.encode()) & _TO_POSITIVE) % partitions
