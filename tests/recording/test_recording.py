"""What is written is what is read, and what is not so is never taken in silence."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cta import __version__
from cta.model import schemas
from cta.model.batch import Batch
from cta.model.errors import RecordingError
from cta.model.scenario import Scenario
from cta.model.topics import ALERTS, ARRIVALS, RECORDED, TURNSTILE, WEATHER
from cta.recording import lines, reader
from cta.recording.digest import Digest
from cta.recording.format import Header, Trailer
from cta.recording.partitions import PartitionChains
from cta.recording.reader import Recording, is_recording
from cta.recording.salvage import salvage
from cta.recording.writer import RecordingWriter
from tests.recording.records import ARRIVAL, ENTRY, HEADER, SMALL, START_MS, Records, ordered_streams, split, write

AGAIN = "record the run again, use an unaltered copy, or save what is whole: cta repair run.jsonl -o OUT"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.jsonl"


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that a law's examples write anew."""
    return tmp_path_factory.mktemp("recording") / "run.jsonl"


def read(path: Path) -> Records:
    return [record for batch in Recording.open(path).batches() for record in batch]


def as_lines(records: Records) -> list[bytes]:
    return [b'{"t":%d,%b}\n' % (time_ms, content.fragment) for time_ms, content in records]


def sealed(body: bytes, records: Records) -> bytes:
    """The bytes with a trailer that is right for them, and for the records said to be in them."""
    digest = Digest()
    digest.update(Batch.of(records))
    return body + Trailer.of(digest, sha256(body).hexdigest(), HEADER.topics, PartitionChains()).line()


def fault(path: Path) -> str:
    """What is said of the file, with its name alone in what is to be typed."""
    with pytest.raises(RecordingError) as caught:
        read(path)
    return str(caught.value).replace(f"cta repair {path}", "cta repair run.jsonl")


# ------------------------------------------------------------------------------------------------- the way there and back


@given(records=ordered_streams, cuts=st.lists(st.integers(0, 100), max_size=4))
def test_what_is_written_is_what_is_read(either_scratch: Path, records: Records, cuts: list[int]) -> None:
    """The same records in the same order with one digest three ways: of the stream, in the trailer, as read."""
    with RecordingWriter(either_scratch, HEADER) as writer:
        for batch in split(records, cuts):
            writer.write(batch)
    recording, read_back = Recording.open(either_scratch), Digest()
    batches = list(recording.batches())
    for batch in batches:
        read_back.update(batch)
    assert [(t, c.fragment, c) for batch in batches for t, c in batch] == [(t, c.fragment, c) for t, c in records]
    assert recording.trailer.digest == read_back.hexdigest() == writer.digest.hexdigest()
    assert recording.header == HEADER


@given(records=ordered_streams, cuts=st.lists(st.integers(0, 100), max_size=4))
def test_the_bytes_do_not_depend_on_the_batches(scratch: Path, records: Records, cuts: list[int]) -> None:
    """A recording's bytes follow from its header and records alone."""
    with RecordingWriter(scratch, HEADER) as writer:
        for batch in split(records, cuts):
            writer.write(batch)
    assert scratch.read_bytes() == sealed(HEADER.line() + b"".join(as_lines(records)), records)


@given(records=ordered_streams, window=st.tuples(st.integers(-1, 6_000), st.integers(-1, 6_000)))
def test_a_window_is_a_cut_of_the_whole(either_scratch: Path, records: Records, window: tuple[int, int]) -> None:
    """``from_ms`` is inside the window and ``until_ms`` is not."""
    from_ms, until_ms = START_MS + min(window), START_MS + max(window)
    write(either_scratch, records)
    cut = [record for batch in Recording.open(either_scratch).batches(from_ms, until_ms) for record in batch]
    assert cut == [(time_ms, content) for time_ms, content in records if from_ms <= time_ms < until_ms]


def test_the_file_is_its_lines(path: Path) -> None:
    """Header, a line a record, trailer: nothing else."""
    write(path, SMALL)
    first, *records, last = path.read_bytes().splitlines(keepends=True)
    assert first == HEADER.line()
    assert records == as_lines(SMALL)
    assert records[2] == (
        b'{"t":1778673601000,"topic":"org.chicago.cta.turnstile.v1","key":{"station_id":40380},'
        b'"value":{"station_id":40380,"station_name":"Clark/Lake","line":"blue"}}\n'
    )
    assert msgspec.json.decode(last)["end"] == {
        "records": {ARRIVALS.name: 2, TURNSTILE.name: 2, WEATHER.name: 1, ALERTS.name: 1},
        "total": 6,
        "first_ms": START_MS,
        "last_ms": START_MS + 2_500,
        "digest": Recording.open(path).trailer.digest,
        "sha256": sha256(first + b"".join(records)).hexdigest(),
    }


def test_the_header_says_what_it_takes_to_run_again(either: Path) -> None:
    """Scenario, seed, window, topics, schemas and the platform rows go into the first line and come back."""
    scenario = Scenario(name="tiny", seed=1, start="2026-05-13T07:00:00-05:00", duration="PT1H", lines=["blue"])
    row = {"stop_id": 30374, "station_name": "Clark/Lake", "red": False, "red_order": None}
    header = Header.of(scenario=scenario, seed=2, start_ms=START_MS, end_ms=START_MS + 1, stations=[row])
    write(either, [], header)
    assert Recording.open(either).header == Header(
        format=1,
        version=__version__,
        scenario=msgspec.to_builtins(scenario),
        seed=2,
        start_ms=START_MS,
        end_ms=START_MS + 1,
        topics=tuple(topic.name for topic in RECORDED),
        schemas={topic.name: schemas.load(topic) for topic in RECORDED},
        stations=(row,),
    )
    assert msgspec.convert(Recording.open(either).header.scenario, Scenario) == scenario


def test_a_recording_without_records(either: Path) -> None:
    """A run in which nothing happened is a recording too."""
    write(either, [])
    assert read(either) == []
    assert Recording.open(either).trailer.total == 0


def test_equal_contents_are_one_object(either: Path) -> None:
    """Contents are interned, so that what is derived from one is made once."""
    write(either, [(START_MS, ENTRY), (START_MS + 1, ARRIVAL), (START_MS + 2, ENTRY)])
    (batch,) = Recording.open(either).batches()
    assert (batch.codes.tolist(), list(batch.contents)) == ([0, 1, 0], [ENTRY, ARRIVAL])


def test_batches_are_bounded(either: Path) -> None:
    """A long recording comes in several batches, over the same contents."""
    records = [(START_MS + i, content) for i in range(10_000) for content in (ENTRY, ARRIVAL)]
    batches = list(Recording.open(write(either, records)).batches())
    assert len(batches) > 1
    assert max(map(len, batches)) < 10_000
    assert len({id(content) for batch in batches for content in batch.contents}) == 2
    assert [record for batch in batches for record in batch] == records


def test_the_memo_is_bounded(either: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Contents beyond the bound are forgotten and made anew, which changes nothing."""
    # Of 65,536 contents a test would take seconds, and where a block of a mebibyte ends depends on all lines in it.
    monkeypatch.setattr(lines, "MEMO_CONTENTS", 1)
    monkeypatch.setattr(reader, "BLOCK_BYTES", 1)
    records = [(START_MS + i, content) for i in range(3) for content in (ENTRY, ARRIVAL)]
    batches = list(Recording.open(write(either, records)).batches())
    assert [len(batch) for batch in batches] == [1] * 6
    assert len({id(content) for batch in batches for content in batch.contents}) == 6
    assert [record for batch in batches for record in batch] == records


@pytest.mark.parametrize("start_ms", [0, 1, 999_999_999_999, 9_999_999_999_999, 10**15 - 1])
def test_times_of_any_length(either: Path, start_ms: int) -> None:
    """Times of thirteen digits are read in columns, others one by one, and both alike, side by side too."""
    records = [(start_ms, ENTRY), (start_ms, ARRIVAL), (max(start_ms, START_MS), ENTRY)]
    assert read(write(either, records)) == sorted(records, key=lambda record: record[0])


def test_fields_and_headers_of_a_later_cta_are_passed_over(path: Path) -> None:
    """Within a format version a header may say more than this cta knows."""
    header = msgspec.json.encode({"cta": "recording", "mood": {"x": [1]}} | msgspec.to_builtins(HEADER)) + b"\n"
    path.write_bytes(sealed(header + b"".join(as_lines(SMALL)), SMALL))
    assert read(path) == SMALL


def test_a_topic_of_a_later_cta_matters_only_with_its_first_record(either: Path) -> None:
    """The header may name a topic that this cta doesn't know."""
    header = msgspec.structs.replace(HEADER, topics=(*HEADER.topics, "org.chicago.cta.elevators.v1"))
    assert read(write(either, SMALL, header)) == SMALL


# ------------------------------------------------------------------------------------------------------------------- damage


def test_truncation_anywhere_is_an_error(path: Path) -> None:
    """Cut after any byte, the file is refused, and the records said to be whole are those that are."""
    whole = write(path, SMALL).read_bytes()
    ends = [i + 1 for i, byte in enumerate(whole) if byte == ord("\n")]
    for size in reversed(range(len(whole))):
        os.truncate(path, size)
        message = fault(path)
        if size >= ends[0]:
            records = min(sum(end <= size for end in ends) - 1, len(SMALL))
            assert message == (
                f"{path} line {records + 2}: cut short: {records} records are whole, "
                f"and here the last line should stand; {AGAIN}"
            )


def test_every_flipped_bit_is_found(path: Path) -> None:
    """One bit anywhere, in header, records or trailer: refused."""
    whole = write(path, SMALL).read_bytes()
    with path.open("r+b", buffering=0) as file:
        for place, byte in enumerate(whole):
            for bit in range(8):
                os.pwrite(file.fileno(), bytes([byte ^ 1 << bit]), place)
                with pytest.raises(RecordingError):
                    read(path)
            os.pwrite(file.fileno(), bytes([byte]), place)
    assert read(path) == SMALL


@given(cut=st.integers(0), junk=st.binary(max_size=200), seal=st.booleans())
def test_junk_is_refused_without_a_traceback(scratch: Path, cut: int, junk: bytes, seal: bool) -> None:
    """Whatever stands where the records should stand, the error is one of ours, with place and remedy."""
    body = HEADER.line() + b"".join(as_lines(SMALL))
    body = body[: cut % len(body)] + junk + b"\n"
    scratch.write_bytes(sealed(body, SMALL) if seal else body)
    assert fault(scratch).startswith(str(scratch))


@given(junk=st.binary(max_size=200))
def test_random_bytes_are_refused_without_a_traceback(scratch: Path, junk: bytes) -> None:
    """A file of anything is not a recording."""
    scratch.write_bytes(junk)
    assert fault(scratch).startswith(str(scratch))


ENTRY_LINE = as_lines([(START_MS, ENTRY)])[0]
ARRIVAL_LINE = as_lines([(START_MS, ARRIVAL)])[0]
NESTED = b"[" * 100_000


@pytest.mark.parametrize(
    "line, what",
    [
        (b"\n", 'not a record: it does not begin with {"t":TIME,; ' + AGAIN),
        (ENTRY_LINE.replace(b'{"t":', b'{"t": '), 'not a record: it does not begin with {"t":TIME,; ' + AGAIN),
        (ENTRY_LINE.replace(b"177", b"-77"), 'not a record: it does not begin with {"t":TIME,; ' + AGAIN),
        (ENTRY_LINE.replace(b"177", b"0177"), 'not a record: it does not begin with {"t":TIME,; ' + AGAIN),
        (ENTRY_LINE.replace(b"1778", b"0778"), 'not a record: it does not begin with {"t":TIME,; ' + AGAIN),
        (b'{"end":{}}\n', 'not a record: it does not begin with {"t":TIME,; ' + AGAIN),
        (ENTRY_LINE.replace(b"turnstile.v1", b"turnstile.v9"), None),
        (
            ENTRY_LINE.replace(b"40380,", b'"x",'),
            "not a record: Expected `int`, got `str` - at `$.station_id`; " + AGAIN,
        ),
        (ARRIVAL_LINE.replace(b'"b"', b'"c"'), "not a record: Invalid enum value 'c' - at `$.direction`; " + AGAIN),
        (ENTRY_LINE.replace(b',"line":"blue"', b""), None),
        (ENTRY_LINE.replace(b',"line"', b', "line"'), "altered: not in the form that cta writes; " + AGAIN),
        (ENTRY_LINE.replace(b"}}", b',"more":1}}'), "altered: not in the form that cta writes; " + AGAIN),
        (ENTRY_LINE.replace(b"blue", b"bl\\u0075e"), "altered: not in the form that cta writes; " + AGAIN),
        (ENTRY_LINE.replace(b"}\n", b"}\r\n"), "altered: not in the form that cta writes; " + AGAIN),
        (ENTRY_LINE.replace(b"blue", b"bl\xffe"), None),
        (ENTRY_LINE.replace(b"blue", b"\\ud800"), None),
        (ENTRY_LINE.replace(b'"blue"', NESTED), None),
        (ENTRY_LINE.replace(b"40380,", b"9" * 5_000 + b","), None),
        (ENTRY_LINE.replace(b"blue", b"b" * (9 << 20)), "longer than 8388608 bytes; " + AGAIN),
    ],
)
def test_a_line_that_is_not_a_record(path: Path, line: bytes, what: str | None) -> None:
    """A bad line is named even where SHA-256 and trailer were made to fit it."""
    for number, before in ((2, b""), (3, ENTRY_LINE)):
        path.write_bytes(sealed(HEADER.line() + before + line, SMALL))
        message = fault(path)
        assert message.startswith(f"{path} line {number}: ")
        if what is not None:
            assert message == f"{path} line {number}: {what}"


def test_a_topic_nobody_knows(path: Path) -> None:
    """The remedy lists the topics that the header names, and is that of any other damage."""
    line = ENTRY_LINE.replace(b"turnstile.v1", b"turnstile.v9")
    path.write_bytes(sealed(HEADER.line() + line, SMALL))
    assert fault(path) == (
        f"{path} line 2: unknown topic 'org.chicago.cta.turnstile.v9'; its header names org.chicago.cta.stations.arrivals.v1, "
        f"org.chicago.cta.turnstile.v1, org.chicago.cta.weather.v1, org.chicago.cta.alerts.v1; {AGAIN}"
    )


@pytest.mark.parametrize("block_bytes", [1, 1 << 20])
def test_time_that_goes_back(path: Path, block_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records stand in the order of time, within what is read at once and beyond it."""
    monkeypatch.setattr(reader, "BLOCK_BYTES", block_bytes)  # in blocks of a line, the one before is of another block
    records = [(START_MS, ENTRY), (START_MS + 5, ENTRY), (START_MS + 4, ENTRY)]
    path.write_bytes(sealed(HEADER.line() + b"".join(as_lines(records)), records))
    assert fault(path) == f"{path} line 4: time goes back from {START_MS + 5} to {START_MS + 4}; {AGAIN}"


@pytest.mark.parametrize(
    "field, value",
    [
        ("records", {ARRIVALS.name: 3, TURNSTILE.name: 1, WEATHER.name: 1, ALERTS.name: 1}),
        ("total", 7),
        ("first_ms", START_MS - 1),
        ("last_ms", None),
        ("digest", "0" * 32),
        ("sha256", "0" * 64),
    ],
)
def test_a_trailer_that_does_not_fit(path: Path, field: str, value: Any) -> None:
    """Each figure of the last line is held against the contents, and the one that differs is named."""
    trailer = Recording.open(write(path, SMALL)).trailer
    wrong = msgspec.structs.replace(trailer, **{field: value})
    path.write_bytes(path.read_bytes().replace(trailer.line(), wrong.line()))
    assert fault(path) == (
        f"{path}: altered: its last line says {field} {value}, its contents come to {getattr(trailer, field)}; {AGAIN}"
    )


def test_a_record_swapped_within_its_key_is_found_by_the_sha(path: Path) -> None:
    """Two lines of one millisecond exchanged keep the digest when their keys differ, and not the SHA-256."""
    whole = write(path, SMALL).read_bytes()
    first, second = as_lines(SMALL)[:2]
    path.write_bytes(whole.replace(first + second, second + first))
    assert "altered: its last line says sha256" in fault(path)


@pytest.mark.parametrize(
    ("version", "told"), [(b'"9.1.0"', "upgrade cta: 9.1.0 wrote it"), (b"7", "upgrade cta"), (b"null", "upgrade cta")]
)
def test_a_newer_format(path: Path, version: bytes, told: str) -> None:
    """The error says which format this cta reads, and which cta reads it; nothing else of the line need make sense."""
    path.write_bytes(b'{"cta":"recording","format":2,"frames":true,"version":%s}\nwhatever' % version)
    assert fault(path) == f"{path} line 1: of format 2; cta {__version__} reads format 1; {told}"


@pytest.mark.parametrize(
    "content, what",
    [
        (b"", "empty; cta record SCENARIO -o FILE makes a recording"),
        (b'{"name":"rush_hour"}\n', "not a recording; cta record SCENARIO -o FILE makes one"),
        (b"\xff\xfe\x00", "not a recording; cta record SCENARIO -o FILE makes one"),
        (b'{"cta":"recording",', "cut short: no record is whole; record the run again, or use an unaltered copy"),
        (b'{"cta":"recording","format":0}\n', "damaged: Expected `int` >= 1 - at `$.format`; " + AGAIN),
        (b'{"cta":"recording","format":1}\n', "damaged: Object missing required field `version`; " + AGAIN),
        (b'{"cta":"recording","format":1,"x":' + NESTED + b"\n", None),
        (b'{"cta":"recording","x":"\xff"}\n', None),
        (b'{"cta":"recording",' + b" " * (16 << 20), "longer than 16777216 bytes; " + AGAIN),
    ],
)
def test_a_first_line_that_is_no_header(path: Path, content: bytes, what: str | None) -> None:
    """Anything but a recording is refused at its first line."""
    path.write_bytes(content)
    message = fault(path)
    place = str(path) if content == b"" else f"{path} line 1"
    assert message == f"{place}: {what}" if what else message.startswith(place)


def test_a_first_frame_that_is_lost_with_the_table(tmp_path: Path) -> None:
    """The header is; records behind it may be whole, and repair is advised."""
    path = tmp_path / "run.jsonl.zst"
    data = bytearray(write(path, SMALL).read_bytes())
    data[20] ^= 1
    path.write_bytes(data[:-1])
    assert fault(path) == f"{path}: its header is not whole; {AGAIN}"
    assert sum(len(found) for found in salvage(path) if isinstance(found, Batch)) == len(SMALL)


def test_a_damaged_last_line(path: Path) -> None:
    """A last line that cannot be read is said to be damaged, not missing."""
    write(path, SMALL)
    path.write_bytes(path.read_bytes().replace(b'"total":6', b'"total":x'))
    assert fault(path).startswith(f"{path} last line: damaged: JSON is malformed")


def test_cut_short_and_damaged_before(path: Path) -> None:
    """What comes after damage does not count as whole."""
    body = as_lines(SMALL)
    path.write_bytes(HEADER.line() + b"".join([*body[:3], b"{}\n", *body[3:]]))
    assert fault(path).startswith(f"{path} line 5: cut short: 3 records are whole")


def test_a_file_that_grew_shorter_meanwhile(either: Path) -> None:
    """Cut between opening and reading, it does not pass for whole."""
    recording = Recording.open(write(either, SMALL))
    for end in (len(HEADER.line()), len(HEADER.line()) + 10):
        os.truncate(either, end)
        with pytest.raises(RecordingError):
            list(recording.batches())
        write(either, SMALL)


# ------------------------------------------------------------------------------------------------------------------- places


def test_a_file_that_is_not_there(path: Path) -> None:
    """The system's own words for it."""
    assert fault(path) == f"{path}: no such file or directory; name a recording's file"


def test_a_directory(tmp_path: Path) -> None:
    """A directory is no recording."""
    assert fault(tmp_path) == f"{tmp_path}: a directory; name a recording's file"


def test_a_device_is_not_waited_for(path: Path) -> None:
    """A pipe would block and a device never end: neither is opened."""
    os.mkfifo(path)
    assert fault(path) == (f"{path}: not a regular file; a recording is read from its end, so write it to a file first")


def test_a_recording_is_told_from_a_scenario(tmp_path: Path) -> None:
    """By its first bytes, or by its name where they are damaged or there are none."""
    (tmp_path / "scenario.json").write_bytes(b'{"name":"rush_hour"}\n')
    (tmp_path / "damaged.jsonl").write_bytes(b"\x00")
    write(tmp_path / "named_otherwise", SMALL)
    names = ["scenario.json", "damaged.jsonl", "named_otherwise", "missing.jsonl", "."]
    assert [is_recording(tmp_path / name) for name in names] == [False, True, True, True, False]
