"""What follows the simulation, done plainly: digest, board, recording, broker, one record after the other.

The same work as `cta.recording`, `cta.pipeline` and `cta.broker` do, on the records of `benchmarks.plain`. The encoder is
a parameter: the standard library's json is what one writes first, msgspec's is what one writes when speed matters.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any
from zlib import crc32

import msgspec

from benchmarks.plain import TOPICS, Record
from cta.network.network import Network

Encode = Callable[[Any], bytes]
Decode = Callable[[bytes], Any]


def encode_json(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


CODECS: dict[str, tuple[Encode, Decode]] = {
    "json": (encode_json, json.loads),
    "msgspec": (msgspec.json.Encoder().encode, msgspec.json.Decoder().decode),
}


def line_of(record: Record, encode: Encode) -> bytes:
    time_ms, topic, _, key, value = record
    return encode({"t": time_ms, "topic": TOPICS[topic], "key": key, "value": value}) + b"\n"


class Digest:
    """A hash a (topic, key) over its lines, and one over all of them."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.chains: dict[tuple[str, str | int], blake2b] = {}

    def add(self, topic: str, entity: str | int, line: bytes) -> None:
        self.counts[topic] += 1
        chain = self.chains.get((topic, entity))
        if chain is None:
            chain = self.chains[topic, entity] = blake2b(digest_size=16)
        chain.update(line)

    def hexdigest(self) -> str:
        whole = blake2b(digest_size=16)
        for name, chain in sorted(self.chains.items(), key=lambda item: (item[0][0], str(item[0][1]))):
            whole.update(repr(name).encode() + chain.digest())
        return whole.hexdigest()


class Board:
    """The page: where each train was last, entries a station, the last weather."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.trains: dict[str, tuple[int, dict[str, Any]]] = {}
        self.entries: Counter[int] = Counter()
        self.weather: dict[str, Any] = {}

    def fold(self, record: Record) -> None:
        time_ms, topic, _, key, value = record
        if topic == 1:
            self.entries[key["station_id"]] += 1
        elif topic == 0:
            self.trains[key["train_id"]] = (time_ms, value)
        else:
            self.weather = {"time": time_ms, **value}

    def digest(self) -> str:
        cells: defaultdict[tuple[str, int, str], list[dict[str, Any]]] = defaultdict(list)
        for train_id, (time_ms, value) in sorted(self.trains.items(), key=lambda item: (-item[1][0], item[0])):
            if value["train_status"] != "out_of_service":
                cell = cells[value["line"], value["station_id"], value["direction"]]
                cell.append({"train_id": train_id, "time": time_ms, "status": value["train_status"]})
        lines = [
            {
                "line": line,
                "stations": [
                    {
                        "station_id": station_id,
                        "name": self.network.stations[station_id].name,
                        "a": cells[line, station_id, "a"],
                        "b": cells[line, station_id, "b"],
                        "entries": self.entries[station_id],
                    }
                    for station_id in self.network.stations_of(line)
                ],
            }
            for line in self.network.lines
        ]
        return blake2b(encode_json({"lines": lines, "weather": self.weather}), digest_size=16).hexdigest()


def digest_and_fold(records: Iterable[Record], network: Network, encode: Encode) -> int:
    """Digest and board of a stream; how many records there were."""
    digest, board = Digest(), Board(network)
    for record in records:
        digest.add(TOPICS[record[1]], record[2], line_of(record, encode))
        board.fold(record)
    digest.hexdigest()
    board.digest()
    return digest.counts.total()


def write(records: Iterable[Record], path: Path, encode: Encode) -> int:
    """JSON Lines with a last line of counts, digest and SHA-256; how many records were written."""
    digest, checksum = Digest(), sha256()
    with path.open("wb", buffering=1 << 20) as file:
        for record in records:
            line = line_of(record, encode)
            digest.add(TOPICS[record[1]], record[2], line)
            checksum.update(line)
            file.write(line)
        file.write(encode({"end": [digest.counts, digest.hexdigest(), checksum.hexdigest()]}) + b"\n")
    return digest.counts.total()


def read(path: Path, decode: Decode) -> int:
    """Every record of the file decoded, digest and SHA-256 held against the last line; how many there were."""
    digest, checksum = Digest(), sha256()
    with path.open("rb", buffering=1 << 20) as file:
        for line in file:
            document = decode(line)
            if "end" in document:
                assert document["end"] == [dict(digest.counts), digest.hexdigest(), checksum.hexdigest()]
                break
            key = document["key"]
            digest.add(document["topic"], key.get("train_id") or key.get("station_id") or "weather", line)
            checksum.update(line)
    return digest.counts.total()


class Broker:
    """A list a partition."""

    def __init__(self, partitions: int) -> None:
        self.logs: dict[tuple[str, int], list[Record]] = {(t, p): [] for t in TOPICS for p in range(partitions)}
        self.partitions = partitions

    def send(self, record: Record) -> None:
        self.logs[TOPICS[record[1]], partition(record[2], self.partitions)].append(record)

    def poll(self) -> Iterator[Record]:
        """What has been sent since; then it is forgotten."""
        for log in self.logs.values():
            yield from log
            log.clear()


@lru_cache(maxsize=65_536)
def partition(entity: str | int, partitions: int) -> int:
    return crc32(str(entity).encode()) % partitions


def send_and_poll(hours: Iterable[list[Record]], partitions: int) -> Counter[str]:
    """Records an hour at a time through a broker, counted by topic as they come out."""
    broker = Broker(partitions)
    counts: Counter[str] = Counter()
    for hour in hours:
        for record in hour:
            broker.send(record)
        for record in broker.poll():
            counts[TOPICS[record[1]]] += 1
    return counts
