"""docs/recording-format.md is enough to write a reader: here is one, in the standard library alone."""

from __future__ import annotations

import json
import re
from hashlib import blake2b, sha256
from pathlib import Path

import pytest

from cta.recording.format import MAX_HEADER_BYTES, MAX_LINE_BYTES, MAX_TRAILER_BYTES, Header, Trailer
from cta.recording.reader import Recording
from tests.recording.records import SMALL, write

DOCUMENT = (Path(__file__).parents[2] / "docs" / "recording-format.md").read_text("utf-8")


def block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```$", DOCUMENT, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


def hashed(data: bytes) -> bytes:
    return blake2b(data, digest_size=16).digest()


def worked(recording: bytes) -> tuple[str, str]:
    """The document's steps over a recording's bytes: the table that it prints, and the digest."""
    rows = ["time              hash of the content               content"]
    chains: dict[bytes, bytes] = {}
    for line in recording.splitlines()[1:-1]:
        content = line[line.index(b'"topic":') : -1]
        time = json.loads(line)["t"].to_bytes(8, "little", signed=True)
        rows.append(f"{time.hex()}  {hashed(content).hex()}  {content.decode()}")
        key = content[: content.index(b',"value":')]
        chains[key] = chains.get(key, b"") + time + hashed(content)
    rows += ["", "length    count             chain                             chain key"]
    whole = b""
    for key, records in sorted(chains.items()):
        length, count = len(key).to_bytes(4, "little"), (len(records) // 24).to_bytes(8, "little")
        rows.append(f"{length.hex()}  {count.hex()}  {hashed(records).hex()}  {key.decode()}")
        whole += length + key + count + hashed(records)
    return "\n".join([*rows, "", "digest", hashed(whole).hex(), ""]), hashed(whole).hex()


def test_the_worked_example() -> None:
    """Every figure of the document comes out again, and its trailer is right."""
    recording = block("jsonl").encode()
    table, digest = worked(recording)
    end = json.loads(recording.splitlines()[-1])["end"]
    assert table == block("text")
    assert (end["digest"], end["sha256"]) == (digest, sha256(recording[: recording.rindex(b'{"end":')]).hexdigest())


def test_the_example_is_a_recording(tmp_path: Path) -> None:
    """Read by cta without complaint."""
    (tmp_path / "example.jsonl").write_text(block("jsonl"), "utf-8")
    assert [len(batch) for batch in Recording.open(tmp_path / "example.jsonl").batches()] == [3]


def test_a_reader_by_the_document_reads_what_cta_writes(tmp_path: Path) -> None:
    """The steps give cta's digest for records of every topic."""
    path = write(tmp_path / "run.jsonl", SMALL)
    assert worked(path.read_bytes())[1] == Recording.open(path).trailer.digest


@pytest.mark.parametrize("struct", [Header, Trailer])
def test_every_field_is_in_the_document(struct: type[Header | Trailer]) -> None:
    """The document's tables name each field of header and trailer."""
    table_heads = " ".join(re.findall(r"^\| (`.*?) \|", DOCUMENT, re.MULTILINE))
    assert set(struct.__struct_fields__) <= set(re.findall(r"`(\w+)`", table_heads))


def test_the_limits_are_in_the_document() -> None:
    """The lengths at which a line is refused."""
    limits = {"16 MiB": MAX_HEADER_BYTES, "8 MiB": MAX_LINE_BYTES, "256 KiB": MAX_TRAILER_BYTES}
    assert limits == {"16 MiB": 16 << 20, "8 MiB": 8 << 20, "256 KiB": 256 << 10}
    assert all(f"most {limit}" in DOCUMENT for limit in limits)
