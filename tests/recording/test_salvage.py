"""What is whole of a damaged recording is found, and what is lost is named."""

from __future__ import annotations

from itertools import combinations, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cta.model.batch import Batch, Content
from cta.model.errors import RecordingError
from cta.recording.format import Trailer
from cta.recording.salvage import HeaderLine, Loss, longest_rise, salvage
from tests.recording.records import ENTRY, HEADER, SMALL, START_MS, Records, ordered_streams, write

BAD_LINES = [b"junk", b"", b'{"t":1,"topic":"x","key":null,"value":null}', b"\xff\xfe", b'{"end":x', b'{"t":-5,']


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that a law's examples write anew."""
    return tmp_path_factory.mktemp("salvage") / "run.jsonl"


def records_of(path: Path) -> Records:
    return [record for found in salvage(path) if isinstance(found, Batch) for record in found]


def losses_of(path: Path) -> list[str]:
    return [found.what for found in salvage(path) if isinstance(found, Loss)]


@given(st.lists(st.integers(0, 9), max_size=9))
def test_the_fewest_records_go_for_the_rest_to_be_in_order(times: list[int]) -> None:
    """A longest run of times that never goes back, as trying all of them finds it."""
    rise = longest_rise(times)
    kept = [times[place] for place in rise]
    assert rise == sorted(set(rise))
    assert all(one <= other for one, other in pairwise(kept))
    longer = combinations(times, len(kept) + 1)
    assert not any(all(one <= other for one, other in pairwise(candidate)) for candidate in longer)


def wide(records: Records) -> Records:
    """With times in the header's window."""
    return [(START_MS + time_ms % 3_600_000, content) for time_ms, content in records]


@given(records=ordered_streams.map(wide).map(lambda rs: sorted(rs, key=lambda r: r[0])), data=st.data())
def test_every_other_line_is_saved(scratch: Path, records: Records, data: st.DataObject) -> None:
    """Lines put in, or put in a record's place, cost themselves and nothing else, and each is named by its number."""
    lines = write(scratch, records).read_bytes().splitlines()
    header, body, trailer = lines[0], lines[1:-1], lines[-1]
    kept: Records = []
    bad: list[int] = []
    damaged: list[bytes] = []
    for record, line in zip(records, body, strict=True):
        for junk in data.draw(st.lists(st.sampled_from(BAD_LINES), max_size=2)):
            bad.append(len(damaged) + 2)
            damaged.append(junk)
        if data.draw(st.booleans()):
            kept.append(record)
            damaged.append(line)
        else:
            bad.append(len(damaged) + 2)
            damaged.append(b"lost")
    scratch.write_bytes(b"".join(line + b"\n" for line in (header, *damaged, trailer)))
    assert records_of(scratch) == kept
    named: list[int] = []
    for loss in losses_of(scratch):
        numbers = loss.partition(":")[0].partition(",")[0].split()[1::2]
        named += range(int(numbers[0]), int(numbers[-1]) + 1)
    assert named == bad


def test_a_whole_file_has_its_header_records_and_trailer(either: Path) -> None:
    """In the order of the file, and no loss."""
    header, *batches, trailer = salvage(write(either, SMALL))
    assert header == HeaderLine(HEADER.line())
    assert [record for batch in batches if isinstance(batch, Batch) for record in batch] == SMALL
    assert isinstance(trailer, Trailer)
    assert not losses_of(either)


def test_a_time_in_the_window_but_too_late_at_the_end_of_a_block(tmp_path: Path) -> None:
    """The last line of a block waits for the next, so that it cannot cost all that follows."""
    records = [(START_MS + i, ENTRY) for i in range(20_000)]
    path = write(tmp_path / "run.jsonl", records)
    text = path.read_bytes()
    last = text.rindex(b"\n", 0, 1 << 20)  # what the first block ends with
    start = text.rindex(b"\n", 0, last) + 1
    path.write_bytes(text[: start + 5] + b"1778677199999" + text[start + 18 :])
    saved = records_of(path)
    assert len(saved) == len(records) - 1
    assert len(losses_of(path)) == 1


@pytest.mark.parametrize("lines_on", [-1, 0, 1])
def test_a_time_that_goes_back_behind_an_earlier_block(tmp_path: Path, lines_on: int) -> None:
    """What is saved is in order across blocks too, wherever about their border the time goes back."""
    records = [(START_MS + i, ENTRY) for i in range(20_000)]
    path = write(tmp_path / "run.jsonl", records)
    text = path.read_bytes()
    first = text.count(b"\n", 0, 1 << 20)  # of the second block, which begins within it
    start = text.index(b'{"t":%d' % (START_MS + first - 1 + lines_on))
    path.write_bytes(text[: start + 5] + b"%d" % START_MS + text[start + 18 :])
    times = [time_ms for time_ms, _ in records_of(path)]
    assert len(times) == len(records) - 1
    assert times == sorted(times)


def test_a_window_that_cannot_be_right_costs_no_records(tmp_path: Path) -> None:
    """Where most records lie outside the header's window, it is the window that is damaged."""
    path = write(tmp_path / "run.jsonl", SMALL, replace(HEADER, start_ms=0, end_ms=1))
    assert records_of(path) == SMALL


def test_a_topic_that_a_lost_header_named(tmp_path: Path) -> None:
    """Without a header a record may be of any topic."""
    from cta.model.raw import foreign, raw

    content = Content(foreign("shop.orders"), raw(b"1"), None)
    path = write(tmp_path / "run.jsonl", [(START_MS, content)], replace(HEADER, topics=("shop.orders",)))
    path.write_bytes(path.read_bytes().replace(b'"format"', b'"farmat"'))
    assert records_of(path) == [(START_MS, content)]


def test_a_newer_format_is_not_judged(tmp_path: Path) -> None:
    """It is for a newer cta to say what is damaged in it."""
    (path := tmp_path / "run.jsonl").write_bytes(b'{"cta":"recording","format":2}\n')
    with pytest.raises(RecordingError, match="of format 2"):
        list(salvage(path))
