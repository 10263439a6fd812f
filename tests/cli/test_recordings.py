"""`cta info`, `cat`, `cut`, `convert`, `repair`: recordings from the command line."""

from __future__ import annotations

import json
import re
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any

import fastavro
import pytest
import pyzstd
from hypothesis import given
from msgspec.structs import replace

from cta.model.batch import Content
from cta.model.raw import Origin, raw
from cta.model.records import Weather, WeatherKey
from cta.model.topics import ALERTS, ARRIVALS, TURNSTILE, WEATHER
from cta.recording.avro import write_avro
from cta.recording.format import MAX_HEADER_BYTES, MAX_TRAILER_BYTES, replaced
from cta.recording.reader import Recording
from cta.recording.writer import RecordingWriter
from tests.cli.running import CTA, cta, invoke, write_scenario
from tests.recording.records import ALERT, ARRIVAL, ENTRY, HEADER, PULL_OUT, READING, SMALL, START_MS, write
from tests.recording.test_foreign import CAPTURED, captured, captures

LINES = [b'{"t":%d,%b}' % (time_ms, content.fragment) for time_ms, content in SMALL]


@pytest.fixture(params=["run.jsonl", "run.jsonl.zst"], ids=["plain", "zst"])
def small(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Six records, in either form."""
    return write(tmp_path / str(request.param), SMALL)


def told(*args: str | Path) -> list[bytes]:
    """What ``cta cat`` prints; where that is nothing, it says so."""
    result = invoke("cat", *args)
    lines = result.stdout_bytes.splitlines()
    assert (result.exit_code, result.stderr) == (0, "" if lines else f"{args[0]}: none of its 6 records matches\n")
    return lines


# --------------------------------------------------------------------------------------------------------------- info


def test_info_says_what_the_recording_is(small: Path) -> None:
    """Run, window, records a topic, times, digest, SHA-256, and that it is complete; exit 0."""
    trailer = Recording.open(small).trailer
    result = invoke("info", small, "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found.pop("bytes") == small.stat().st_size
    assert found == {
        "file": str(small),
        "complete": True,
        "text_bytes": len(HEADER.line()) + sum(map(len, LINES)) + len(LINES) + len(trailer.line()),
        "frames": 3 if small.suffix == ".zst" else None,
        "format": 1,
        "version": "0.1.0",
        "scenario": None,
        "seed": 7,
        "start_ms": START_MS,
        "end_ms": START_MS + 3_600_000,
        "order": "time",
        "missing": [],
        "records": {ARRIVALS.name: 2, TURNSTILE.name: 2, WEATHER.name: 1, ALERTS.name: 1},
        "total": 6,
        "first_ms": START_MS,
        "last_ms": START_MS + 2_500,
        "digest": trailer.digest,
        "sha256": trailer.sha256,
        "partitions": {},
    }


def test_info_in_words(small: Path) -> None:
    """The same, a line a matter."""
    lines = invoke("info", small).stdout.splitlines()
    assert [line.split("  ")[0] for line in lines if not line.startswith(" ")] == [
        "file", "run", "written by", "records", "from, to", "digest", "sha256", "complete",
    ]  # fmt: skip
    assert lines[-1].split() == ["complete", "yes"]


def test_info_of_an_incomplete_recording(small: Path) -> None:
    """It says so, and what to do; exit 1."""
    cut = small.with_name("cut")
    cut.write_bytes(small.read_bytes()[:-1])
    result = invoke("info", cut)
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (
        1,
        f"complete      no: cut short; save what is whole: cta repair {cut} -o OUT",
    )
    found = json.loads(invoke("info", cut, "--json").stdout)
    assert (found["complete"], found["partitions"]) == (False, None)


def test_info_of_what_is_not_the_whole_run(small: Path) -> None:
    """A last line does not make a recording whole that says what it lacks: in words, as JSON and as exit code."""
    (damaged := small.with_name("damaged")).write_bytes(small.read_bytes()[:-200])
    saved = small.with_name("saved.jsonl")
    assert invoke("repair", damaged, "-o", saved).exit_code == 1
    words, found = invoke("info", saved), invoke("info", saved, "--json")
    assert (words.exit_code, found.exit_code) == (1, 1)
    assert re.search(r"^complete +no$", words.stdout, re.MULTILINE)
    assert (json.loads(found.stdout)["complete"], len(json.loads(found.stdout)["missing"]) > 0) == (False, True)


def test_info_of_times_that_no_calendar_has(tmp_path: Path) -> None:
    """A capture may hold any time; the number is shown as it is."""
    path = write(tmp_path / "run.jsonl", [(10**15 - 1, ENTRY), (-1, ENTRY)], CAPTURED)
    assert f"-1 ms, {10**15 - 1} ms" in invoke("info", path).stdout.replace("1969-12-31T17:59:59.999-06:00", "-1 ms")


# ---------------------------------------------------------------------------------------------------------------- cat


def test_cat_is_the_records_as_they_stand(small: Path) -> None:
    """All of them, without header and trailer."""
    assert told(small) == LINES


@pytest.mark.parametrize(
    "options, wanted",
    [
        (["--topic", "weather"], [READING]),
        (["--topic", ARRIVALS.name], [PULL_OUT, ARRIVAL]),
        (["--key", "BL104"], [ARRIVAL]),
        (["--key", "40380"], [ENTRY, ENTRY]),
        (["--key", '{"alert_id":"closure-40380"}'], [ALERT]),
        (["--line", "Blue Line"], [ENTRY, ENTRY, PULL_OUT, ARRIVAL]),
        (["--line", "red"], []),
        (["--train", "BLUE"], []),
        (["--station", "Clark/Lake"], [ALERT, ENTRY, ENTRY, ARRIVAL]),
        (["--station", "40380", "--topic", "arrivals"], [ARRIVAL]),
        (["--train", "BL105"], [PULL_OUT]),
    ],
)
def test_cat_of_some(small: Path, options: list[str], wanted: list[Content]) -> None:
    """By topic, key, line, station and train, and all that are given together."""
    assert [line.partition(b",")[2] for line in told(small, *options)] == [c.fragment + b"}" for c in wanted]


def test_nothing_to_match_is_nothing_missed(tmp_path: Path) -> None:
    """Of a recording without records, all of them are printed; of a part without any, none matches."""
    empty = write(tmp_path / "empty.jsonl", [])
    assert invoke("cat", empty).stderr == ""
    assert invoke("cat", empty, "--from", "07:30").stderr == f"{empty}: none of its 0 records matches\n"


def test_cat_of_a_window(small: Path) -> None:
    """The moment at --from is inside and that at --until is not."""
    assert told(small, "--from", "2026-05-13T12:00:01Z", "--until", "2026-05-13T12:00:02.5Z") == LINES[2:5]


def test_cat_of_a_capture_is_as_it_stands(tmp_path: Path) -> None:
    """Partition, offset and headers are printed too."""
    origin = Origin(partition=1, offset=2, headers=(("x", raw(b"y")),))
    with RecordingWriter(path := tmp_path / "run.jsonl.zst", CAPTURED) as writer:
        writer.write(captured([(START_MS, ENTRY, origin)]))
    [line] = told(path, "--topic", "turnstile")
    assert line.startswith(b'{"t":1778673600000,"partition":1,"offset":2,"headers":[["x",{"text":"y"}]],"topic":')


@pytest.mark.parametrize(
    "options, complaint",
    [
        (["--topic", "trams"], "no topic 'trams' in it; choose one of arrivals, turnstile, weather, alerts"),
        (["--topic", "turnstiles"], "error: --topic: no topic 'turnstiles' in it; did you mean turnstile?"),
        (["--topic", "org.chicago.cta.turnstile.v2"], "did you mean org.chicago.cta.turnstile.v1?"),
        (["--line", "bleu"], "no line 'bleu'"),
        (["--station", "Clark"], "no station 'Clark'"),
        (["--from", "11:00"], "error: --from: 2026-05-13T11:00:00-05:00 is outside the run"),
    ],
)
def test_cat_of_what_is_not_there(small: Path, options: list[str], complaint: str) -> None:
    """One line that says what is wrong; exit 2."""
    result = invoke("cat", small, *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert complaint in result.stderr


def test_a_closed_pipe_ends_cat_quietly(tmp_path: Path) -> None:
    """``cta cat FILE | head -1``: nothing on stderr, and the exit code that a shell gives to SIGPIPE; 1 is a verdict."""
    path = write(tmp_path / "run.jsonl.zst", [(START_MS + i, ENTRY) for i in range(50_000)])
    with subprocess.Popen([CTA, "cat", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline().startswith(b'{"t":1778673600000,')
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait() == 141


# ---------------------------------------------------------------------------------------------------------------- cut


@pytest.mark.parametrize("name", ["cut.jsonl", "cut.jsonl.zst"])
def test_a_cut_is_a_recording_again(small: Path, name: str) -> None:
    """Its window is the cut's, its records those of the window, and all else of its header is the recording's."""
    output = small.with_name(name)
    result = invoke("cut", small, "-o", output, "--from", "2026-05-13T12:00:01Z", "--until", "2026-05-13T12:00:02Z")
    recording = Recording.open(output)
    assert [record for batch in recording.batches() for record in batch] == SMALL[2:5]
    assert recording.header == replace(HEADER, start_ms=START_MS + 1_000, end_ms=START_MS + 2_000)
    assert result.stdout == f"{recording.trailer.digest}  {output}\n"
    assert result.stderr == f"{output}: 3 of 6 records\n"


def test_a_cut_of_a_line_keeps_what_is_of_every_line(small: Path) -> None:
    """Weather, and alerts of no line; the header says that others are missing, so that it is not judged as whole."""
    output = small.with_name("red.jsonl")
    assert invoke("cut", small, "-o", output, "--line", "red").exit_code == 0
    recording = Recording.open(output)
    assert [content for batch in recording.batches() for _, content in batch] == [READING, ALERT]
    assert recording.header.missing == ("records of other lines than red",)


def test_a_cut_equals_the_run_recorded_in_part(tmp_path: Path) -> None:
    """Cutting a recording and recording a part of the run are one."""
    scenario = write_scenario(tmp_path / "small.json")
    whole, cut, part = (tmp_path / f"{name}.jsonl.zst" for name in ("whole", "cut", "part"))
    invoke("record", scenario, "-o", whole)
    invoke("record", scenario, "-o", part, "--from", "07:02", "--until", "07:05")
    assert invoke("cut", whole, "-o", cut, "--from", "07:02", "--until", "07:05").exit_code == 0
    assert cut.read_bytes() == part.read_bytes()


def test_unknown_fields_of_the_header_are_kept(small: Path) -> None:
    """By cut and by convert, through every form."""
    later = small.with_name("later" + "".join(small.suffixes))
    with RecordingWriter(later, replaced(HEADER.line(), mood={"x": [1, 2.5, None]}, scenario={"name": "x"})) as writer:
        writer.write(next(Recording.open(small).batches()))
    line = Recording.open(later).header_line
    for command, name in (
        ("cut", "a.jsonl"),
        ("convert", "b.jsonl"),
        ("convert", "c.avro"),
        ("convert", "d.jsonl.zst"),
    ):
        output, source = small.with_name(name), small.with_name("c.avro") if name.startswith("d") else later
        assert invoke(command, source, "-o", output).exit_code == 0
        if not name.endswith("avro"):
            assert Recording.open(output).header_line == line


# ------------------------------------------------------------------------------------------------------------ convert


@given(records=captures)
def test_conversion_round_trips(tmp_path_factory: pytest.TempPathFactory, records: Any) -> None:
    """Any capture, from any form through any other: the file comes back byte for byte."""
    folder = tmp_path_factory.getbasetemp()
    plain, framed, avro, back = (folder / f"x{suffix}" for suffix in (".jsonl", ".jsonl.zst", ".avro", ".2.jsonl"))
    records = [record for record in records if not isinstance(record[1].value, Weather) or _float32(record[1].value)]
    with RecordingWriter(plain, CAPTURED) as writer:
        writer.write(captured(records))
    for source, output in ((plain, framed), (framed, avro), (avro, back), (avro, framed)):
        result = invoke("convert", source, "-o", output, "--force", "--quiet")
        assert (result.exit_code, result.stderr) == (0, "")
    assert back.read_bytes() == plain.read_bytes()
    assert invoke("convert", framed, "-o", back, "--force").exit_code == 0
    assert back.read_bytes() == plain.read_bytes()


def _float32(value: Weather) -> bool:
    return abs(value.temperature) < 1_000


def test_any_avro_tool_reads_it(small: Path) -> None:
    """A row a record; keys and values are Avro records of the topic's own schemas."""
    output = small.with_name("run.avro")
    assert invoke("convert", small, "-o", output).exit_code == 0
    with output.open("rb") as file:
        rows = list(fastavro.reader(file))
    assert rows[2] == {
        "t": START_MS + 1_000,
        "topic": TURNSTILE.name,
        "key": {"station_id": 40380},
        "value": {"station_id": 40380, "station_name": "Clark/Lake", "line": "blue"},
        "partition": None,
        "offset": None,
        "headers": [],
    }
    assert len(rows) == len(SMALL)


@pytest.mark.parametrize(
    "content",
    [
        Content(WEATHER, WeatherKey(START_MS), Weather(54.3, "sunny")),
        Content(TURNSTILE, ENTRY.key, replace(ENTRY.value, station_id=2**40)),
        Content(WEATHER, WeatherKey(2**63), READING.value),
    ],
)
def test_what_avro_cannot_hold_is_not_converted(tmp_path: Path, content: Content) -> None:
    """A double that is no float, an integer of more bits: an error with the record, and no file."""
    path, output = write(tmp_path / "run.jsonl", [(START_MS, content)]), tmp_path / "run.avro"
    result = invoke("convert", path, "-o", output)
    assert result.exit_code == 2
    assert "no Avro schema holds this record exactly" in result.stderr
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.jsonl"]


@pytest.mark.parametrize("options", [[], ["--force"]], ids=["unasked", "force"])
@pytest.mark.parametrize("place", ["the same", "symlink", "hard link", "partial"])
@pytest.mark.parametrize(
    "command", [["record"], ["cut"], ["convert"], ["repair"], ["plot", "--line", "blue"]], ids=lambda args: args[0]
)
def test_what_is_read_is_not_written_over(small: Path, command: list[str], place: str, options: list[str]) -> None:
    """Under no name for it, nor as the partial file of the output, which would be emptied before it is read."""
    if command[0] == "plot":
        small = small.rename(small.with_name("run.svg"))  # a recording is known by its first bytes, too
    form = "".join(small.suffixes)
    output = small if place == "the same" else small.with_name(f"out{form}")
    if place == "symlink":
        output.symlink_to(small)
    elif place == "hard link":
        output.hardlink_to(small)
    elif place == "partial":
        small = small.rename(small.with_name(f"out{form}.partial"))
    before = small.read_bytes()
    result = invoke(*command, small, "-o", output, *options)
    assert (result.exit_code, result.stderr) == (
        2,
        f"error: {output}: would be written over the file that is read; choose another name\n",
    )
    assert small.read_bytes() == before


@pytest.mark.parametrize("command", [["record"], ["plot", "--line", "yellow"]], ids=lambda args: args[0])
@pytest.mark.parametrize("place", ["symlink", "partial"])
def test_a_scenario_is_not_written_over(tmp_path: Path, command: list[str], place: str) -> None:
    """As little as a recording."""
    output = tmp_path / ("out.jsonl" if command[0] == "record" else "out.svg")
    scenario = write_scenario(tmp_path / "small.json")
    if place == "symlink":
        output.symlink_to(scenario)
    else:
        scenario = scenario.rename(f"{output}.partial")
    before = scenario.read_bytes()
    result = invoke(*command, scenario, "-o", output, "--force")
    assert (result.exit_code, "written over the file that is read" in result.stderr) == (2, True)
    assert scenario.read_bytes() == before


def test_no_form_has_the_ending(small: Path) -> None:
    """The endings are listed."""
    result = invoke("convert", small, "-o", small.with_name("run.csv"))
    assert (result.exit_code, result.stderr.split("; ")[1]) == (2, "end it with .jsonl, .jsonl.zst, .avro\n")


@pytest.mark.parametrize("command", ["replay", "info", "check", "cat", "cut", "repair", "record"])
def test_an_avro_file_is_for_convert(small: Path, command: str) -> None:
    """Any other command says so, and converting is what it says; whatever the file is called."""
    invoke("convert", small, "-o", avro := small.with_name("run.avro"))
    misnamed = avro.rename(small.with_name("misnamed.jsonl"))
    output = ["-o", f"{misnamed}.jsonl"] if command in ("cut", "repair", "record") else []
    result = invoke(command, misnamed, *output)
    told = f"error: {misnamed}: an Avro file; make it a recording: cta convert FILE -o NAME.jsonl.zst\n"
    assert (result.exit_code, result.stderr) == (2, told)
    back = small.with_stem(f"back-{small.stem}")
    assert invoke("convert", misnamed, "-o", back).exit_code == 0
    assert back.read_bytes() == small.read_bytes()


@pytest.mark.parametrize("content", [b"", b"junk", b"Obj\x01", b"Obj\x01" + bytes(10)])
def test_what_is_no_avro_file(tmp_path: Path, content: bytes) -> None:
    """One line, exit 2."""
    (path := tmp_path / "x.avro").write_bytes(content)
    result = invoke("convert", path, "-o", tmp_path / "x.jsonl")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: {path}: not a recording in Avro, or damaged")


def test_an_avro_file_of_something_else(tmp_path: Path) -> None:
    """It has no header of ours in its metadata."""
    with (path := tmp_path / "x.avro").open("wb") as file:
        fastavro.writer(file, "int", [1, 2])
    assert "an Avro file, but not of a recording" in invoke("convert", path, "-o", tmp_path / "x.jsonl").stderr


def test_an_avro_file_that_another_tool_has_written_anew(small: Path) -> None:
    """Other blocks, no codec, the same metadata: the same recording. Another schema: none of ours."""
    avro, again, output = (small.with_name(name) for name in ("run.avro", "again.avro", "out.jsonl"))
    invoke("convert", small, "-o", avro)
    with avro.open("rb") as file, again.open("wb") as other:
        reader = fastavro.reader(file, return_record_name=True)
        ours = {name: value for name, value in reader.metadata.items() if name.startswith("cta.")}
        rows = list(reader)
        fastavro.writer(other, reader.writer_schema, rows, codec="null", sync_interval=100, metadata=ours)
    assert invoke("convert", again, "-o", output).exit_code == 0
    assert output.read_bytes() == _plain(small)
    with again.open("wb") as other:
        fastavro.writer(other, "int", [1], metadata=ours)
    assert "its schema is not that of a recording's rows" in invoke("convert", again, "-o", output, "--force").stderr


def test_a_last_line_that_this_cta_does_not_know_all_of(small: Path) -> None:
    """Through every form, it stays as it stands; and so does one whose digest is none, which is refused in one line."""
    plain, avro, back = _plain(small), small.with_name("later.avro"), small.with_name("back.jsonl")
    (later := small.with_name("later.jsonl")).write_bytes(plain.removesuffix(b"}}\n") + b',"mood":"calm"}}\n')
    assert invoke("convert", later, "-o", avro).exit_code == 0
    assert invoke("convert", avro, "-o", back).exit_code == 0
    assert back.read_bytes() == later.read_bytes()
    later.write_bytes(plain.replace(b'"digest":"', b'"digest":"?'))
    result = invoke("convert", later, "-o", avro, "--force")
    assert (result.exit_code, "altered: its last line says digest ?" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("field", "old", "new"),
    [
        ("trailer", b"}}\n", b"}}"),
        ("trailer", b'{"end":', b'{ "end":'),
        ("trailer", b',"total":', b',\n"total":'),
        ("trailer", b"}}\n", b',"mood":"%b"}}\n' % (b"x" * MAX_TRAILER_BYTES)),
        ("trailer", b'"total":6', b'"total":7'),
        ("header", b',"seed":', b',\n"seed":'),
        ("header", b"}\n", b',"mood":"%b"}\n' % (b"x" * MAX_HEADER_BYTES)),
    ],
    ids=["no end", "another start", "two lines", "too long", "another total", "header of two", "header too long"],
)
def test_lines_of_an_avro_file_that_no_recording_has(small: Path, field: str, old: bytes, new: bytes) -> None:
    """What its other fields say makes no recording that a reader takes: refused, with the file's name."""
    recording, avro = Recording.open(small), small.with_name("other.avro")
    lines = {"header": recording.header_line, "trailer": recording.trailer_line}
    assert old in lines[field]
    lines[field] = lines[field].replace(old, new)
    lines["trailer"] = lines["trailer"].replace(
        recording.trailer.sha256.encode(), sha256(lines["header"] + b"\n".join([*LINES, b""])).hexdigest().encode()
    )
    write_avro(avro, lines["header"], lines["trailer"], recording.batches())
    result = invoke("convert", avro, "-o", small.with_name("out.jsonl"))
    assert (result.exit_code, result.stderr.startswith(f"error: {avro}")) == (2, True), result.stderr
    assert not small.with_name("out.jsonl").exists()


def test_a_damaged_source_is_not_converted(small: Path) -> None:
    """Nothing is written of a recording that is not what its trailer says."""
    avro, output = small.with_name("run.avro"), small.with_name("out.jsonl")
    invoke("convert", small, "-o", avro)
    data = bytearray(avro.read_bytes())
    for place in range(len(data) - 200, len(data), 7):
        damaged = bytes(data[:place]) + bytes([data[place] ^ 8]) + bytes(data[place + 1 :])
        avro.write_bytes(damaged)
        result = invoke("convert", avro, "-o", output)
        assert result.exit_code == 2 or output.read_bytes() == _plain(small)
        assert "Traceback" not in result.stderr
        output.unlink(missing_ok=True)


def _plain(recording: Path) -> bytes:
    plain = recording.with_name("plain.jsonl")
    invoke("convert", recording, "-o", plain, "--force")
    return plain.read_bytes()


# ------------------------------------------------------------------------------------------------------------- repair


def test_a_whole_recording_comes_back_as_it_is(small: Path) -> None:
    """Nothing is missing: the same bytes, exit 0."""
    output = small.with_name("saved" + "".join(small.suffixes))
    result = invoke("repair", small, "-o", output)
    assert (result.exit_code, result.stdout) == (0, f"{Recording.open(small).trailer.digest}  {output}\n")
    assert output.read_bytes() == small.read_bytes()


def test_what_a_killed_run_left_is_saved(small: Path) -> None:
    """Up to its last whole record or frame; what is missing is told and stands in the header; the original is as it was."""
    cut = small.with_name("run.partial")
    data = small.read_bytes()
    cut.write_bytes(
        before := data[: data.index(Recording.open(small).trailer.line())] if small.suffix == ".jsonl" else data[:-200]
    )
    output = small.with_name("saved.jsonl")
    result = invoke("repair", cut, "-o", output)
    recording = Recording.open(output)
    assert [record for batch in recording.batches() for record in batch] == SMALL
    assert result.exit_code == 1
    assert (
        "missing: the last line is missing: what was recorded after 2026-05-13T07:00:02.500-05:00 cannot be told"
        in result.stderr
    )
    assert recording.header.missing[-1].startswith("the last line is missing")
    assert cut.read_bytes() == before


def test_damage_in_the_middle(tmp_path: Path) -> None:
    """Lines before and after it are saved; the loss is told by line and between which moments."""
    path = write(tmp_path / "run.jsonl", SMALL)
    path.write_bytes(path.read_bytes().replace(LINES[2] + b"\n" + LINES[3], LINES[2] + b"\n" + b"junk\n" + b"more", 1))
    result = invoke("repair", path, "-o", tmp_path / "saved.jsonl")
    saved = [record for batch in Recording.open(tmp_path / "saved.jsonl").batches() for record in batch]
    assert saved == [*SMALL[:3], *SMALL[4:]]
    assert result.stderr.splitlines()[1:] == [
        'missing: lines 5 to 6: not a record: it does not begin with {"t":TIME,; '
        "after 2026-05-13T07:00:01-05:00, before 2026-05-13T07:00:01.834-05:00",
        "missing: 1 of 6 records are missing",
    ]


def test_a_record_whose_time_cannot_be_right(tmp_path: Path) -> None:
    """One time far ahead does not cost the records after it."""
    path = write(tmp_path / "run.jsonl", SMALL)
    path.write_bytes(path.read_bytes().replace(b'{"t":1778673601000', b'{"t":1778676601000', 1))
    result = invoke("repair", path, "-o", tmp_path / "saved.jsonl")
    saved = [record for batch in Recording.open(tmp_path / "saved.jsonl").batches() for record in batch]
    assert saved == [*SMALL[:2], *SMALL[3:]]
    assert "missing: line 4: its time cannot be right" in result.stderr


def test_a_header_that_is_lost(small: Path) -> None:
    """The records are saved under a header that says no more than they do."""
    data = small.read_bytes()
    damaged = small.with_name("damaged")
    damaged.write_bytes(data.replace(b'"seed":7', b'"seed":x') if small.suffix == ".jsonl" else b"x" + data[1:])
    result = invoke("repair", damaged, "-o", small.with_name("saved.jsonl"))
    recording = Recording.open(small.with_name("saved.jsonl"))
    if small.suffix == ".jsonl":
        assert [record for batch in recording.batches() for record in batch] == SMALL
    assert (recording.header.scenario, recording.header.seed) == (None, None)
    assert recording.header.missing
    assert result.exit_code == 1


def test_nothing_is_whole(tmp_path: Path) -> None:
    """Junk is refused, exit 2, and no file is made."""
    (path := tmp_path / "junk").write_bytes(b"junk\n" * 100)
    result = invoke("repair", path, "-o", tmp_path / "saved.jsonl")
    assert (result.exit_code, result.stderr) == (2, f"error: {path}: nothing in it is whole; record the run again\n")
    assert [entry.name for entry in tmp_path.iterdir()] == ["junk"]


@pytest.mark.parametrize("command", ["cut", "convert", "repair"])
def test_nothing_is_replaced_unasked(small: Path, command: str) -> None:
    """Without --force a file that is there stays."""
    output = small.with_name("out.jsonl")
    output.write_text("mine")
    result = invoke(command, small, "-o", output)
    assert (result.exit_code, output.read_text()) == (2, "mine")
    assert "is there already" in result.stderr
    assert invoke(command, small, "-o", output, "--force").exit_code == 0


def test_record_and_read_with_other_tools(tmp_path: Path) -> None:
    """``cta record -o X.jsonl.zst``, then ``zstd -dc | jq``, which are libzstd and JSON: they count what it says."""
    scenario, output = write_scenario(tmp_path / "small.json"), tmp_path / "out.jsonl.zst"
    recorded = cta("record", scenario, "-o", output)
    counted = sum("t" in json.loads(line) for line in pyzstd.decompress(output.read_bytes()).splitlines())
    assert recorded.stderr == f"{output}: {counted:,} records\n"
