"""Coverage-guided fuzzing of whatever reads a recording, by atheris. No part of the test set: it runs for an hour, once.

    python3.11 -m venv fuzz && fuzz/bin/pip install atheris hypothesis -e .
    mkdir corpus
    for stretch in $(seq 12); do fuzz/bin/python -m tests.reliability.fuzz corpus -max_total_time=300 || break; done

In stretches, since atheris itself keeps some 20 kB an input; the corpus carries on what was found.

An input is a byte for the form and a file's content: as it stands, as text in sound frames, as values in a sound Avro
block; so that checksums do not end most tries at once. It goes through the reader, a window, info, repair, check's
scan and convert. What is not an error of ours is a crash, as are twenty seconds and a gibibyte: libFuzzer writes the input
beside, and the next run with that file in place of the corpus shows it again.
"""

from __future__ import annotations

import struct
import sys
import tempfile
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import atheris  # type: ignore[import-not-found, import-untyped, unused-ignore]

with atheris.instrument_imports(include=["cta.commands", "cta.model", "cta.recording"]):
    from cta.commands.convert import convert, open_stored
    from cta.commands.info import about, as_json, summary
    from cta.commands.repair import repair
    from cta.model.errors import CtaError
    from cta.recording.avro import HEADER_KEY, TRAILER_KEY, is_avro, row_schema, write_avro
    from cta.recording.container import write_blocks, write_header
    from cta.recording.reader import Recording
    from cta.recording.scan import Scan
    from cta.recording.seekable import FrameWriter

from tests.recording.records import HEADER, SMALL, START_MS, write

AS_IT_STANDS, IN_FRAMES, IN_AVRO = 0, 1, 2
LIMITS = ("-timeout=20", "-rss_limit_mb=1024", "-max_len=20000")


def file_of(form: int, content: bytes, trailer_line: bytes) -> bytes:
    """The file that an input stands for. ``trailer_line``: of the Avro file's metadata."""
    file = BytesIO()
    if form == IN_FRAMES:
        frames = FrameWriter(file)
        frames.write(content or b"\n")
        frames.finish()
        return file.getvalue()
    if form == IN_AVRO:
        metadata = {HEADER_KEY: HEADER.line().decode(), TRAILER_KEY: trailer_line.decode()}
        write_header(file, row_schema(), bytes(16), metadata)
        # One block that says as many values as its first byte does.
        blocks = BytesIO()
        write_blocks(blocks, [content[1:]], bytes(16))
        values = content[:1] or b"\0"
        return file.getvalue() + values + blocks.getvalue()[1:]
    return content


def seeds(folder: Path) -> dict[str, bytes]:
    """Whole recordings in each form, to begin with."""
    plain = write(folder / "seed.jsonl", SMALL)
    framed = write(folder / "seed.jsonl.zst", SMALL)
    recording = Recording.open(plain)
    write_avro(avro := folder / "seed.avro", recording.header_line, recording.trailer_line, recording.batches())
    captured = plain.read_bytes().replace(b',"topic"', b',"partition":0,"offset":7,"headers":[["a",null]],"topic"')
    text = plain.read_bytes()
    return {
        "plain": bytes([AS_IT_STANDS]) + text,
        "framed": bytes([AS_IT_STANDS]) + framed.read_bytes(),
        "avro": bytes([AS_IT_STANDS]) + avro.read_bytes(),
        "text": bytes([IN_FRAMES]) + text,
        "captured": bytes([IN_FRAMES]) + captured,
        "block": bytes([IN_AVRO]) + struct.pack("B", 2) + b"\xc0\x86\xc4\xa3\xc3g\x02x\0\0\0\0\0",
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for seed, content in seeds(folder).items():
            for corpus in sys.argv[1:]:
                if Path(corpus).is_dir() and not (Path(corpus) / seed).exists():
                    (Path(corpus) / seed).write_bytes(content)
        trailer_line = (folder / "seed.jsonl").read_bytes().splitlines(keepends=True)[-1]
        path, output = folder / "input", str(folder / "output.jsonl")

        def try_each(data: bytes) -> None:
            path.write_bytes(file_of(data[0] % 3 if data else 0, data[1:], trailer_line))
            with suppress(CtaError):
                found = about(str(path))
                as_json(found), summary(found)
            with suppress(CtaError):
                recording = Recording.open(path)
                for _ in recording.batches(START_MS + 1_000, START_MS + 2_000):
                    pass
                for _ in recording.batches():
                    pass
            with suppress(CtaError):
                repair(str(path), output, force=True)
            with suppress(CtaError):
                for _ in Scan(path).parts():
                    pass
            with suppress(CtaError):
                if is_avro(path):
                    convert(open_stored(str(path)), output, force=True)

        atheris.Setup([*sys.argv, *LIMITS], try_each)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
