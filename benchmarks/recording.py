"""Recordings beside mcap and Avro: the same full day, written, read, looked into.

    python -m benchmarks.recording [--runs N] [--json]        the table
    python -m benchmarks.recording WORK SIDE FOLDER           one measurement, in this process

mcap with zstd chunks of 1 MiB (its default) and an Avro Object Container File with zstd blocks of 256 KiB, each written
and read by its own library, as its documentation does. Both are given each record's bytes or dict ready made, a content
once, as ours has them; neither hashes anything. Ours has its digest and SHA-256 made when written and verified when read.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks.cases import Measured, full_day, peak_mb, timed

if TYPE_CHECKING:
    from cta.model.batch import Batch

ROOT = Path(__file__).parent.parent
RUNS = 3
MOMENTS = 20
MINUTE_MS = 60_000
MCAP_CHUNK_BYTES = 1 << 20
AVRO_BLOCK_BYTES = 256 << 10


def day() -> list[Batch]:
    from cta.simulation.run import simulate

    batches = list(simulate(*full_day()))
    for batch in batches:  # what a content keeps is made before the clock starts, for each side alike
        for content in batch.contents:
            assert content.hash
    return batches


def moments(start_ms: int) -> list[int]:
    random = Random(1)
    return [start_ms + MINUTE_MS * random.randrange(1, 24 * 60) for _ in range(MOMENTS)]


def each_ms(work: Callable[[int], int], times_ms: list[int]) -> Measured:
    """The median milliseconds of the work at each of the moments, after one that opens what has to be opened once."""
    work(times_ms[0])
    took_ms = []
    for time_ms in times_ms:
        began_s = perf_counter()
        assert work(time_ms) >= time_ms
        took_ms.append((perf_counter() - began_s) * 1e3)
    return {"ms": median(took_ms)}


# ------------------------------------------------------------------------------------------------------------ ours


def write_ours(folder: Path) -> Measured:
    from cta.pipeline.stations import platform_rows
    from cta.recording.format import Header
    from cta.recording.writer import RecordingWriter

    (network, plan), batches, path = full_day(), day(), folder / "ours.jsonl.zst"
    window = plan.window
    rows = platform_rows(network)
    header = Header.of(scenario=None, seed=1, start_ms=window.start_ms, end_ms=window.end_ms, stations=rows)

    def work() -> int:
        with RecordingWriter(path, header) as writer:
            for batch in batches:
                writer.write(batch)
        return writer.digest.total

    measured = timed(work)
    return measured | {"bytes": path.stat().st_size / measured["records"]}


def read_ours(folder: Path) -> Measured:
    from cta.recording.reader import Recording

    return timed(lambda: sum(map(len, Recording.open(folder / "ours.jsonl.zst").batches())))


def seek_ours(folder: Path) -> Measured:
    from cta.recording.reader import Recording

    path = folder / "ours.jsonl.zst"
    start_ms = Recording.open(path).header.start_ms
    return each_ms(lambda time_ms: int(next(Recording.open(path).batches(time_ms)).times[0]), moments(start_ms))


def info_ours(folder: Path) -> Measured:
    from cta.commands.info import about

    def work(time_ms: int) -> int:
        found = about(str(folder / "ours.jsonl.zst"))
        assert found.trailer is not None
        assert found.trailer.total > 0
        return time_ms

    return each_ms(work, moments(0))


def diff_peak(records: int) -> Measured:
    """The peak of comparing so many records with as many of another seed, hardly one of which is in its place."""
    from cta.model.time import DAY_MS
    from cta.recording.compare import compare as compare_streams
    from cta.simulation.plan import Window
    from cta.simulation.run import simulate

    network, plan = full_day()
    start_ms = plan.window.start_ms
    days = replace(plan, window=Window(start_ms, start_ms + 2 * DAY_MS))

    def stream(seed: int) -> Iterator[Batch]:
        left = records
        for batch in simulate(network, replace(days, seed=seed)):
            yield batch[:left]
            left -= len(batch[:left])
            if not left:
                return

    found = compare_streams(partial(stream, 1), partial(stream, 2))
    assert found.a.total == found.b.total == records
    assert sum(tally.total for tally in found.tallies.values()) > records // 2
    return {"mb": peak_mb()}


def diff_ours(folder: Path) -> Measured:
    return diff_peak(1_000_000)


def diff_half(folder: Path) -> Measured:
    return diff_peak(500_000)


# ------------------------------------------------------------------------------------------------------------ mcap


def write_mcap(folder: Path) -> Measured:
    from mcap.writer import CompressionType, Writer

    from cta.model.topics import RECORDED

    batches, path = day(), folder / "day.mcap"
    bodies = [[b'{"key":' + c.fragment.split(b',"key":', 1)[1] + b"}" for c in batch.contents] for batch in batches]

    def work() -> int:
        records = 0
        with path.open("wb") as file:
            writer = Writer(file, chunk_size=MCAP_CHUNK_BYTES, compression=CompressionType.ZSTD)
            writer.start()
            schema = writer.register_schema("record", "jsonschema", b"{}")
            channels = {topic: writer.register_channel(topic.name, "json", schema) for topic in RECORDED}
            for batch, body in zip(batches, bodies, strict=True):
                numbers = [channels[content.topic] for content in batch.contents]
                for time_ms, code in zip(batch.times.tolist(), batch.codes.tolist(), strict=True):
                    writer.add_message(numbers[code], time_ms * 1_000_000, body[code], time_ms * 1_000_000)
                records += len(batch)
            writer.finish()
        return records

    measured = timed(work)
    return measured | {"bytes": path.stat().st_size / measured["records"]}


def read_mcap(folder: Path) -> Measured:
    from mcap.reader import make_reader

    def work() -> int:
        with (folder / "day.mcap").open("rb") as file:
            return sum(1 for _ in make_reader(file).iter_messages(log_time_order=False))

    return timed(work)


def seek_mcap(folder: Path) -> Measured:
    from mcap.reader import make_reader

    def work(time_ms: int) -> int:
        with (folder / "day.mcap").open("rb") as file:
            _, _, message = next(iter(make_reader(file).iter_messages(starting_at=time_ms * 1_000_000)))
            return int(message.log_time) // 1_000_000

    return each_ms(work, moments(full_day()[1].window.start_ms))


def info_mcap(folder: Path) -> Measured:
    from mcap.reader import make_reader

    def work(time_ms: int) -> int:
        with (folder / "day.mcap").open("rb") as file:
            summary = make_reader(file).get_summary()
            assert summary is not None
            assert summary.statistics is not None
        return time_ms

    return each_ms(work, moments(0))


# ------------------------------------------------------------------------------------------------------------ Avro


def write_avro(folder: Path) -> Measured:
    import fastavro

    from cta.recording.avro import row_schema, to_avro

    batches, path, schema = day(), folder / "day.avro", fastavro.parse_schema(row_schema())
    parts = [
        [{"topic": c.topic.name, "key": to_avro(c.key), "value": to_avro(c.value)} for c in batch.contents]
        for batch in batches
    ]

    def work() -> int:
        rows = (
            {"t": time_ms, **part[code]}
            for batch, part in zip(batches, parts, strict=True)
            for time_ms, code in zip(batch.times.tolist(), batch.codes.tolist(), strict=True)
        )
        with path.open("wb") as file:
            fastavro.writer(file, schema, rows, codec="zstandard", sync_interval=AVRO_BLOCK_BYTES)
        return sum(map(len, batches))

    measured = timed(work)
    return measured | {"bytes": path.stat().st_size / measured["records"]}


def read_avro(folder: Path) -> Measured:
    import fastavro

    def work() -> int:
        with (folder / "day.avro").open("rb") as file:
            return sum(1 for _ in fastavro.reader(file))

    return timed(work)


def seek_avro(folder: Path) -> Measured:
    import fastavro

    def work(time_ms: int) -> int:
        with (folder / "day.avro").open("rb") as file:
            rows: Any = fastavro.reader(file)
            return int(next(row["t"] for row in rows if row["t"] >= time_ms))

    return each_ms(work, moments(full_day()[1].window.start_ms)[:3])


SIDES: dict[str, dict[str, Callable[[Path], Measured]]] = {
    "write": {"ours": write_ours, "mcap": write_mcap, "avro": write_avro},
    "read": {"ours": read_ours, "mcap": read_mcap, "avro": read_avro},
    "seek": {"ours": seek_ours, "mcap": seek_mcap, "avro": seek_avro},
    "info": {"ours": info_ours, "mcap": info_mcap},
    "diff": {"ours": diff_ours, "half": diff_half},
}
"""Files are made by ``write``, which comes first. An Avro file has no index and no sums: nothing to look into.

``diff``: the peak memory of a million records against a million, beside that of half as many."""


def side(work: str, name: str, folder: Path) -> Measured:
    arguments = [sys.executable, "-m", "benchmarks.recording", work, name, str(folder)]
    measured: Measured = json.loads(
        subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    )
    return measured


def compare(work: str, runs: int, folder: Path) -> list[dict[str, Any]]:
    """A row a figure: the medians of each side and, of rates, the median of the ratios turn by turn."""
    turns = [{name: side(work, name, folder) for name in SIDES[work]} for _ in range(runs)]
    for turn in turns:
        for measured in turn.values():
            if "records" in measured:
                measured["rate"] = measured["records"] / measured["cpu_s"]
    rows = []
    for field in ("rate", "bytes", "ms", "mb"):
        if field not in turns[0]["ours"]:
            continue
        row: dict[str, Any] = {"work": work, "unit": field}
        row |= {name: median(turn[name][field] for turn in turns) for name in SIDES[work]}
        if field == "rate":
            row["ratio"] = median(
                turn["ours"]["rate"] / max(other["rate"] for name, other in turn.items() if name != "ours")
                for turn in turns
            )
        rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recording")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = [row for work in SIDES for row in compare(work, options.runs, Path(folder))]
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        figures = "".join(f"{name} {_amount(row[name], row['unit']):>14}   " for name in SIDES[row["work"]])
        ratio = f"{row['ratio']:.1f}x the faster" if "ratio" in row else ""
        print(f"{row['work']:<6} {figures}{ratio}")


def _amount(value: float, unit: str) -> str:
    return {
        "rate": f"{value / 1e6:.2f} M/s",
        "bytes": f"{value:.2f} B/record",
        "ms": f"{value:.2f} ms",
        "mb": f"{value:.0f} MB",
    }[unit]


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] in SIDES:
        print(json.dumps(SIDES[sys.argv[1]][sys.argv[2]](Path(sys.argv[3]))))
    else:
        main()
