"""Scanning reads as far as there is anything to read, and names everything that is wrong with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cta.model.batch import Content
from cta.model.errors import RecordingError
from cta.recording.scan import Flaw, Lines, Scan
from tests.recording.records import SMALL, Records, ordered_streams, write


def scanned(path: Path) -> tuple[list[tuple[int, int, Content]], list[Flaw]]:
    """(line, time, content) of every record, and the flaws."""
    records: list[tuple[int, int, Content]] = []
    flaws: list[Flaw] = []
    for part in Scan(path).parts():
        if isinstance(part, Lines):
            records += [(part.line + row, *record) for row, record in enumerate(part.batch)]
        else:
            flaws.append(part)
    return records, flaws


def damaged(path: Path, line: int, text: bytes | None) -> Path:
    """The file with a line (from 1) replaced, or left out."""
    lines = path.read_bytes().split(b"\n")
    lines[line - 1 : line] = [] if text is None else [text]
    path.write_bytes(b"\n".join(lines))
    return path


@pytest.fixture(params=["small.jsonl", "small.jsonl.zst"])
def small(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write(tmp_path / request.param, SMALL)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return write(tmp_path / "small.jsonl", SMALL)


@given(ordered_streams)
def test_a_whole_recording_has_no_flaw(tmp_path_factory: pytest.TempPathFactory, records: Records) -> None:
    """Its records stand in the lines after the header, in order."""
    path = write(tmp_path_factory.mktemp("scan") / "whole.jsonl", records)
    assert scanned(path) == ([(line, *record) for line, record in enumerate(records, 2)], [])


def test_both_forms_are_scanned_alike(small: Path) -> None:
    """Plain or in frames."""
    assert scanned(small) == ([(line, *record) for line, record in enumerate(SMALL, 2)], [])


@given(st.data())
def test_every_damaged_line_is_named_and_every_other_read(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Whichever lines are no records, the records of all others come, with their lines."""
    path = write(tmp_path_factory.mktemp("scan") / "damaged.jsonl", SMALL)
    bad = data.draw(st.sets(st.integers(2, len(SMALL) + 1), min_size=1))
    for line in bad:
        damaged(path, line, b'{"t":1,"oops"')
    records, flaws = scanned(path)
    assert records == [(line, *record) for line, record in enumerate(SMALL, 2) if line not in bad]
    assert [(flaw.line, flaw.kind, flaw.loses) for flaw in flaws] == [
        *((line, "schema", True) for line in sorted(bad)),
        (len(SMALL) + 2, "bytes", False),
    ]


def test_a_line_left_out_is_told_by_the_last(plain: Path) -> None:
    """Its SHA-256, digest, counts and total are those of more."""
    _, flaws = scanned(damaged(plain, 4, None))
    assert [flaw.line for flaw in flaws] == [len(SMALL) + 1] * 4
    assert flaws[0].what == "altered after it was written: the lines do not have the SHA-256 of the last one"
    assert flaws[-1].what == "the last line says total 6, the lines before it come to 5"


def test_a_file_without_its_last_line_says_where_it_stopped(plain: Path) -> None:
    """All records are there, and the line is named at which the last should stand."""
    records, flaws = scanned(damaged(plain, len(SMALL) + 2, None))
    what = f"cut short: {len(SMALL)} records, and here the last line should stand"
    assert (len(records), flaws) == (len(SMALL), [Flaw(len(SMALL) + 2, "bytes", what, loses=True)])


def test_truncation_at_every_byte(small: Path) -> None:
    """However short, a file gives a prefix of its records and a flaw, or an error where not even the header is whole."""
    whole = small.read_bytes()
    for size in range(len(whole)):
        small.write_bytes(whole[:size])
        try:
            records, flaws = scanned(small)
        except RecordingError:
            continue
        assert [(time_ms, content) for _, time_ms, content in records] == SMALL[: len(records)]
        assert flaws


def test_a_frame_lost_is_a_gap(tmp_path: Path) -> None:
    """A bit flipped in a frame of a larger file loses that frame, and the file is read on behind it."""
    many = [(SMALL[0][0] + i, SMALL[2][1]) for i in range(20_000)]
    path = write(tmp_path / "many.jsonl.zst", many)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    records, flaws = scanned(path)
    assert 0 < len(records) < len(many)
    assert (records[0][1], records[-1][1]) == (many[0][0], many[-1][0])
    assert [(flaw.kind, flaw.loses, flaw.what[:20]) for flaw in flaws] == [("bytes", True, "no whole frame in by")]


def test_a_second_last_line(plain: Path) -> None:
    """Whatever stands behind the last line is named, and read."""
    text = plain.read_bytes()
    record, trailer = text.split(b"\n")[-3:-1]
    plain.write_bytes(text + record + b"\n" + trailer + b"\n")
    records, flaws = scanned(plain)
    assert len(records) == len(SMALL) + 1
    assert [flaw.what for flaw in flaws][:2] == ["more lines behind the last", "a second last line"]


def test_a_damaged_last_line(plain: Path) -> None:
    """It is named as such; that there is none follows."""
    _, flaws = scanned(damaged(plain, len(SMALL) + 2, b'{"end":{"records":{}}}'))
    assert [flaw.line for flaw in flaws] == [len(SMALL) + 2, len(SMALL) + 3]
    assert flaws[0].what.startswith("the last line is damaged: ")


@pytest.mark.parametrize("data", [b"", b"\n", b"x", b'{"cta":"recording"}\n', b"\x28\xb5\x2f\xfd"])
def test_without_a_header_there_is_nothing_to_scan(tmp_path: Path, data: bytes) -> None:
    """An error and no verdict: whatever it is, it is not a recording that this cta reads."""
    path = tmp_path / "no.jsonl"
    path.write_bytes(data)
    with pytest.raises(RecordingError):
        Scan(path)


@given(st.data())
def test_no_flipped_bit_is_silent(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Anywhere in a file, plain or in frames, a flip is an error, a flaw, or harmless (a frame's header has an unused bit)."""
    name = data.draw(st.sampled_from(["flip.jsonl", "flip.jsonl.zst"]))
    path = write(tmp_path_factory.mktemp("scan") / name, SMALL)
    content = bytearray(path.read_bytes())
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
    try:
        records, flaws = scanned(path)
    except RecordingError:
        return
    assert flaws or records == [(line, *record) for line, record in enumerate(SMALL, 2)]
