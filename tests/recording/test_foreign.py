"""Any Kafka record goes into a recording and comes out of it as it was: bytes, nulls, headers, partition, offset."""

from __future__ import annotations

import base64
from hashlib import sha256
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cta.model.batch import Batch, Content
from cta.model.errors import RecordError, RecordingError
from cta.model.raw import Foreign, Origin, Raw, foreign, raw
from cta.model.records import AlertKey
from cta.model.topics import ALERTS, RECORDED, TURNSTILE
from cta.pipeline.board import Board
from cta.recording.digest import Digest
from cta.recording.format import Header, Trailer
from cta.recording.lines import LineReader
from cta.recording.partitions import PartitionChains
from cta.recording.reader import Recording
from cta.recording.writer import MAX_CONTENT_BYTES, RecordingWriter
from tests.recording.records import ENTRY, HEADER, START_MS, Records, contents, streams, write
from tests.recording.test_digest import reference_digest

ORDERS = "shop.orders"
OTHERS = (ORDERS, 'любой "topic":')
CAPTURED = replace(HEADER, topics=(*HEADER.topics, *OTHERS), order="arrival")

datas = st.none() | st.binary(max_size=12) | st.text(max_size=8).map(str.encode)
names = st.text(st.characters(codec="utf-8"), max_size=8) | st.just('"topic":')
foreign_contents = st.builds(
    lambda name, key, value: Content(foreign(name), raw(key), raw(value)),
    st.sampled_from([*OTHERS, *HEADER.topics]),
    datas,
    datas,
)
tombstones = st.builds(lambda content: Content(foreign(content.topic.name), content.key, None), contents)
origins = st.builds(
    Origin,
    partition=st.none() | st.integers(0, 100),
    offset=st.none() | st.integers(0, 2**63 - 1),
    headers=st.lists(st.tuples(names, datas.map(raw)), max_size=3).map(tuple),
)
captures = st.lists(
    st.tuples(st.integers(-1, 10**15 - 1), contents | foreign_contents | tombstones, origins), max_size=20
)


def captured(records: list[tuple[int, Content, Origin]]) -> Batch:
    batch = Batch.of([(time_ms, content) for time_ms, content, _ in records])
    batch.origins = np.empty(len(records), np.object_)
    batch.origins[:] = [origin for _, _, origin in records]
    return batch


def read(path: Path) -> list[tuple[int, Content, Origin]]:
    records = []
    for batch in Recording.open(path).batches():
        origins = [Origin()] * len(batch) if batch.origins is None else batch.origins.tolist()
        records += [(time_ms, content, origin) for (time_ms, content), origin in zip(batch, origins, strict=True)]
    return records


@given(datas)
def test_bytes_come_back(data: bytes | None) -> None:
    """As text where they are UTF-8 and as base64 where not, and a null is a null."""
    told = raw(data)
    document = msgspec.json.decode(msgspec.json.encode(told))
    if data is None or told is None:
        assert (told, document) == (None, None)
        return
    assert told.data == data
    assert document in ({"text": data.decode(errors="replace")}, {"base64": base64.b64encode(data).decode()})
    assert ("base64" in document) == ("\ufffd" in data.decode(errors="replace") and "\ufffd".encode() not in data)


@given(captures)
def test_what_is_captured_is_what_is_read(either_scratch: Path, records: list[tuple[int, Content, Origin]]) -> None:
    """Any topic, key, value, headers, partition and offset, in the order of arrival, times as they come."""
    with RecordingWriter(either_scratch, CAPTURED) as writer:
        writer.write(captured(records))
    found = read(either_scratch)
    assert [(t, c.topic.name, c.key, c.value, o) for t, c, o in found] == [
        (t, c.topic.name, c.key, c.value, o) for t, c, o in records
    ]
    assert all(found.topic is content.topic for (_, found, _), (_, content, _) in zip(found, records, strict=True))


@given(captures)
def test_the_digest_does_not_see_where_a_record_was_captured(
    either_scratch: Path, records: list[tuple[int, Content, Origin]]
) -> None:
    """It is that of the same records without partition, offset and headers: of topic, key and value alone."""
    with RecordingWriter(either_scratch, CAPTURED) as writer:
        writer.write(captured(records))
    assert writer.digest.hexdigest() == reference_digest([(time_ms, content) for time_ms, content, _ in records])
    assert Recording.open(either_scratch).trailer.digest == writer.digest.hexdigest()


@given(records=streams)
def test_a_capture_of_our_topics_has_our_digest(either_scratch: Path, records: Records) -> None:
    """Times may go back where the header says so; the digest follows the order of each key as ever."""
    write(either_scratch, records, CAPTURED)
    assert [record for batch in Recording.open(either_scratch).batches() for record in batch] == records
    assert Recording.open(either_scratch).trailer.digest == reference_digest(records)


@given(records=streams, window=st.tuples(st.integers(-1, 6_000), st.integers(-1, 6_000)))
def test_a_window_of_a_capture(either_scratch: Path, records: Records, window: tuple[int, int]) -> None:
    """Wherever they stand in it, the records of the window and no other."""
    from_ms, until_ms = START_MS + min(window), START_MS + max(window)
    write(either_scratch, records, CAPTURED)
    cut = [record for batch in Recording.open(either_scratch).batches(from_ms, until_ms) for record in batch]
    assert cut == [record for record in records if from_ms <= record[0] < until_ms]


def test_the_lines(tmp_path: Path) -> None:
    """As the document says."""
    origin = Origin(partition=3, offset=17, headers=(("trace", raw(b"a1")), ("none", None), ("bin", raw(b"\xff\x00"))))
    records = [
        (START_MS, Content(foreign(ORDERS), raw(b"\x00\x00\x00\x9d"), raw(b'{"id":1}')), origin),
        (-1, Content(foreign(ORDERS), None, None), Origin()),
        (START_MS - 5, Content(foreign(ALERTS.name), AlertKey("closure"), None), Origin(partition=0, offset=0)),
    ]
    with RecordingWriter(path := tmp_path / "run.jsonl", CAPTURED) as writer:
        writer.write(captured(records))
    assert path.read_text("utf-8").splitlines()[1:-1] == [
        '{"t":1778673600000,"partition":3,"offset":17,"headers":[["trace",{"text":"a1"}],["none",null],'
        '["bin",{"base64":"/wA="}]],"topic":"shop.orders","key":{"text":"\\u0000\\u0000\\u0000\x9d"},'.replace(
            '{"text":"\\u0000\\u0000\\u0000\x9d"}', '{"base64":"AAAAnQ=="}'
        )
        + '"value":{"text":"{\\"id\\":1}"}}',
        '{"t":-1,"topic":"shop.orders","key":null,"value":null}',
        '{"t":1778673599995,"partition":0,"offset":0,"topic":"org.chicago.cta.alerts.v1",'
        '"key":{"alert_id":"closure"},"value":null}',
    ]
    assert Recording.open(path).trailer.records == dict.fromkeys(CAPTURED.topics, 0) | {ORDERS: 2, ALERTS.name: 1}


@pytest.mark.parametrize(
    "line",
    [
        b'{"t":1,"partition":-0,"topic":"shop.orders","key":null,"value":null}',
        b'{"t":1,"offset":1,"partition":1,"topic":"shop.orders","key":null,"value":null}',
        b'{"t":1,"partition":null,"topic":"shop.orders","key":null,"value":null}',
        b'{"t":1,"headers":[],"topic":"shop.orders","key":null,"value":null}',
        b'{"t":1,"headers":[["x",{"base64":"YQ=="}]],"topic":"shop.orders","key":null,"value":null}',
        b'{"t":1,"mood":1,"topic":"shop.orders","key":null,"value":null}',
        b'{"t":1,"partition":1}',
        b'{"t":1,',
        b'{"t":1,"topic":"shop.orders","key":{"base64":"YQ=="},"value":null}',
        b'{"t":1,"topic":"shop.orders","key":{"base64":"YQ"},"value":null}',
        b'{"t":1,"topic":"shop.orders","key":{"text":"a","base64":"/w=="},"value":null}',
        b'{"t":1,"topic":"shop.orders","key":{},"value":null}',
        b'{"t":1,"topic":"shop.orders","key":{"text":null},"value":null}',
        b'{"t":1,"topic":"shop.orders","key":{"id":1},"value":null}',
        b'{"t":1,"topic":"shop.orders","key":1,"value":null}',
        b'{"t":1,"topic":"shop.orders","key":null}',
        b'{"t":1,"topic":"shop.other","key":null,"value":null}',
        b'{"t":-1,"topic":"shop.orders","key":null,"value":null}',
        b'{"t":1,"topic":"shop.orders","key":null,"value":null,"partition":1}',
    ],
)
def test_one_form_only(line: bytes) -> None:
    """A record that is told in any other way is refused."""
    with pytest.raises(RecordingError):
        LineReader("x", CAPTURED.topics).batch([line], 2)


def test_the_header_says_that_times_go_back(either: Path) -> None:
    """Where it does not, they must not."""
    with pytest.raises(ValueError, match="order of time"):
        write(either, [(START_MS, ENTRY), (START_MS - 1, ENTRY)])
    assert b'"order":"arrival"' in CAPTURED.line()
    assert b'"order"' not in HEADER.line()


def test_a_topic_that_the_header_does_not_name_is_a_bug_of_the_caller(either: Path) -> None:
    """What the reader would refuse is not written."""
    with pytest.raises(ValueError, match=r"does not name: shop\.orders"):
        write(either, [(START_MS, Content(foreign(ORDERS), None, None))])


def test_a_record_that_no_line_holds(either: Path) -> None:
    """Larger than a line may be: refused, with its size."""
    big = Content(foreign(ORDERS), None, raw(b"x" * MAX_CONTENT_BYTES))
    with pytest.raises(RecordError, match="a record of 7,340,0"):
        write(either, [(START_MS, big)], CAPTURED)


def test_long_records_do_not_stay_in_memory() -> None:
    """What is remembered of lines is bounded in bytes too."""
    reader = LineReader("x", [ORDERS])
    for number in range(100):
        value = b"%d" % number + b"x" * (1 << 20)
        reader.batch([b'{"t":1,"topic":"shop.orders","key":null,"value":{"text":"%b"}}' % value], 2)
    assert sum(map(len, reader._codes)) < 80 << 20


def test_a_foreign_record_under_a_name_of_ours_is_not_taken_for_ours() -> None:
    """A tombstone or an unreadable value passes the board by."""
    board, before = Board(), Board().to_json()
    for topic in RECORDED:
        board.fold(Batch.of([(START_MS, Content(foreign(topic.name), raw(b"x"), raw(b"\xff")))]))
    board.fold(Batch.of([(START_MS, Content(foreign(ALERTS.name), AlertKey("closure"), None))]))
    assert board.to_json() == before


@given(contents)
def test_no_record_of_ours_looks_like_bytes(content: Content) -> None:
    """No key or value of our schemas is an object that begins with ``text`` or ``base64``."""
    for part in (content.key, content.value):
        assert not msgspec.json.encode(part).startswith((b'{"text":', b'{"base64":'))


def test_a_foreign_topic_is_one_object() -> None:
    """Contents compare their topics by identity; the entity is the whole key."""
    assert foreign(ORDERS) is foreign(ORDERS)
    assert isinstance(foreign(TURNSTILE.name), Foreign)
    assert foreign(TURNSTILE.name) != TURNSTILE
    assert Content(foreign(ORDERS), Raw(text="a"), None).entity == '{"text":"a"}'


def test_the_sha_covers_what_the_digest_does_not(tmp_path: Path) -> None:
    """An offset changed is found."""
    with RecordingWriter(path := tmp_path / "run.jsonl", CAPTURED) as writer:
        writer.write(captured([(START_MS, ENTRY, Origin(partition=0, offset=12))]))
    path.write_bytes(path.read_bytes().replace(b'"offset":12', b'"offset":13'))
    with pytest.raises(RecordingError, match="says sha256"):
        read(path)


def test_the_header_of_a_capture() -> None:
    """Our topics, those beside them once each, and the order of arrival."""
    header = Header.of(
        scenario=None, seed=None, start_ms=1, end_ms=2, others=[ORDERS, TURNSTILE.name, ORDERS], order="arrival"
    )
    assert header.topics == (*(topic.name for topic in RECORDED), ORDERS)
    assert header.order == "arrival"


def test_a_trailer_counts_the_topics_of_its_header() -> None:
    """All of them and no other."""
    assert Trailer.of(Digest(), sha256().hexdigest(), [ORDERS], PartitionChains()).records == {ORDERS: 0}
