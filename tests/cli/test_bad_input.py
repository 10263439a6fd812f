"""Bad input of every kind: one line with place and remedy, exit 2, nothing left behind."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cta.model import pipe
from tests.cli.running import CTA, SMALL, cta, invoke, write_scenario

SCENARIO = Path("scenarios/rush_hour.json")
BREAKDOWN = {"kind": "breakdown", "line": "blue", "station": "Clark/Lake", "direction": "b", "start": "07:02"}


def assert_refused(stderr: str, stdout: str, exit_code: int, *words: str) -> None:
    """Exit 2 and one line on stderr that has the words, a place before the first colon and a remedy after it."""
    assert exit_code == 2, stderr
    assert stdout == ""
    line = stderr.removesuffix("\n")
    assert "\n" not in line
    assert line.startswith("error: ")
    where, _, rest = line.removeprefix("error: ").partition(": ")
    assert where
    assert "; " in rest, line
    assert [word for word in words if word not in line] == [], line


def command_line(command: str, target: str | Path, folder: Path) -> list[str | Path]:
    """A command on the target; what it would write goes into the folder."""
    return [command, target, "-o", folder / "out.jsonl"] if command == "record" else [command, target]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"lanes": ["blue"]}, ["$.lanes", "lines"]),
        ({"faults": [{**BREAKDOWN, "duration": "PT5M", "until": "07:10"}]}, ["$.faults[0].until"]),
        ({"lines": ["bleu"]}, ["$.lines[0]", "bleu", "blue"]),
        ({"faults": [{"kind": "closure", "station": "Clark/Lak", "start": "07:02", "duration": "PT5M"}]}, ["$.faults[0].station", "Clark/Lake"]),
        ({"faults": [{"kind": "closure", "station": "Western", "start": "07:02", "duration": "PT5M"}]}, ["$.faults[0].station", "Western (Brown)"]),
        ({"faults": [{"kind": "closure", "station": 1, "start": "07:02", "duration": "PT5M"}]}, ["$.faults[0].station"]),
        ({"start": "2026-02-30T07:00:00-06:00"}, ["$.start", "2026-02-30"]),
        ({"start": "2026-05-13T07:00:00"}, ["$.start", "offset"]),
        ({"start": "1950-05-13T07:00:00-05:00"}, ["$.start", "2000"]),
        ({"start": "seven"}, ["$.start", "seven"]),
        ({"duration": "PT0S"}, ["$.duration"]),
        ({"duration": "-PT10M"}, ["$.duration"]),
        ({"duration": "two hours"}, ["$.duration", "PT2H"]),
        ({"duration": "P999999D"}, ["$.duration"]),
        ({"seed": -1}, ["$.seed"]),
        ({"seed": 2**60}, ["$.seed"]),
        ({"seed": 10**50}, ["51 digits"]),
        ({"seed": "7"}, ["$.seed"]),
        ({"seed": 7.5}, ["$.seed"]),
        ({"seed": None}, ["seed"]),
        ({"name": 7}, ["$.name"]),
        ({"name": "../etc"}, ["$.name"]),
        ({"lines": "blue"}, ["$.lines"]),
        ({"lines": []}, ["$.lines"]),
        ({"lines": [["blue"]]}, ["$.lines[0]"]),
        ({"ridership": "1999-01"}, ["$.ridership", "2019-10"]),
        ({"service": {"kind": "bus"}}, ["$.service"]),
        ({"service": {"kind": "headways", "trains": "ten", "headway": "PT5M"}}, ["$.service.trains"]),
        ({"faults": {}}, ["$.faults"]),
        ({"faults": [3]}, ["$.faults[0]"]),
        ({"faults": [{"kind": "meteor"}]}, ["$.faults[0]"]),
        ({"faults": [{**BREAKDOWN, "start": "25:00", "duration": "PT5M"}]}, ["$.faults[0].start"]),
        ({"faults": [{**BREAKDOWN, "start": "12:00", "duration": "PT5M"}]}, ["$.faults[0]"]),
        ({"faults": [{**BREAKDOWN, "line": "red", "duration": "PT5M"}], "lines": ["red"]}, ["$.faults[0]"]),
        ({"expect": [{"kind": "count", "topic": "arivals", "min": 1}]}, ["$.expect[0].topic"]),
        ({"expect": [{"kind": "count", "topic": "arrivals", "min": 9, "max": 1}]}, ["$.expect[0]"]),
    ],
    ids=lambda value: json.dumps(value)[:60] if isinstance(value, dict) else "",
)  # fmt: skip
def test_a_wrong_scenario_is_refused(tmp_path: Path, changes: dict[str, Any], words: list[str]) -> None:
    """The line names the file, the path in it, what is wrong and what to write."""
    path = write_scenario(tmp_path / "wrong.json", **changes)
    result = invoke("replay", path)
    assert_refused(result.stderr, result.stdout, result.exit_code, str(path), *words)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"   \n",
        b"{",
        b"rush hour",
        b"\xff\xfe{}",
        b"\x00" * 100,
        b"[]",
        b"null",
        b"7",
        b'"scenario"',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"{}",
        json.dumps(SMALL).encode() + b"{}",
    ],
    ids=["empty", "blank", "cut", "words", "utf16", "zeros", "list", "null", "number", "text", "deep", "deeper", "object", "two"],
)  # fmt: skip
@pytest.mark.parametrize("command", ["replay", "record"])
def test_a_file_that_is_no_scenario_is_refused(tmp_path: Path, command: str, content: bytes) -> None:
    """Whatever its bytes are, the line names the file; record leaves nothing."""
    path = tmp_path / "wrong.json"
    path.write_bytes(content)
    result = invoke(*command_line(command, path, tmp_path))
    assert_refused(result.stderr, result.stdout, result.exit_code, str(path))
    assert [file.name for file in tmp_path.iterdir()] == ["wrong.json"]


@pytest.mark.parametrize("command", ["replay", "record", "check", "diff"])
@pytest.mark.parametrize(
    ("name", "words"),
    [("fifo", ["a pipe through which nothing comes", "scenario"]), ("fifo.jsonl", ["not a regular file", "recording"])],
)
def test_a_pipe_that_nobody_writes_to_is_refused(
    tmp_path: Path, command: str, name: str, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a scenario after a moment, as a recording at once: nobody waits for ever."""
    monkeypatch.setattr(pipe, "WRITER_WAIT_S", 0.05)  # its five seconds would pass in each of four tests
    os.mkfifo(tmp_path / name)
    other: list[str | Path] = [SCENARIO] if command == "diff" else []
    result = invoke(*command_line(command, tmp_path / name, tmp_path), *other)
    assert_refused(result.stderr, result.stdout, result.exit_code, f"{tmp_path / name}: ", *words)
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("command", ["info", "cat", "repair", "cut", "convert"])
@pytest.mark.parametrize(("target", "words"), [("fifo", ["not a regular file"]), (".", ["a directory"])])
def test_a_recording_that_is_no_file_is_refused(tmp_path: Path, command: str, target: str, words: list[str]) -> None:
    """At once, and nothing is written."""
    os.mkfifo(tmp_path / "fifo")
    output: list[str | Path] = ["-o", tmp_path / "out.jsonl"] if command in ("repair", "cut", "convert") else []
    result = invoke(command, tmp_path / target, *output)
    assert_refused(result.stderr, result.stdout, result.exit_code, str(tmp_path), *words)
    assert [file.name for file in tmp_path.iterdir()] == ["fifo"]


@pytest.mark.parametrize("command", ["replay", "check"])
def test_a_scenario_through_a_pipe(tmp_path: Path, command: str) -> None:
    """It is read as from a file: ``jq ... | cta replay /dev/stdin``, and ``cta replay <(jq ...)``."""
    path = write_scenario(tmp_path / "small.json")
    for line in (f"cat {path} | {CTA} {command} /dev/stdin", f"{CTA} {command} <(cat {path})"):
        ended = subprocess.run(["/bin/bash", "-c", line], capture_output=True, text=True, timeout=60, check=False)
        assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("", ["TARGET: no file has an empty name"]),
        ("missing.json", ["missing.json: no such file; name a scenario's JSON file"]),
        ("missing.jsonl", ["missing.jsonl: no such file or directory; name a recording's file"]),
        ("missing.jsonl.zst", ["missing.jsonl.zst: no such file or directory; name a recording's file"]),
    ],
)
@pytest.mark.parametrize("command", ["replay", "record", "check"])
def test_a_missing_target_is_told_as_what_it_was_to_be(
    tmp_path: Path, command: str, target: str, words: list[str]
) -> None:
    """A recording by its name, else a scenario."""
    result = invoke(*command_line(command, target, tmp_path))
    assert_refused(result.stderr, result.stdout, result.exit_code, *words)


@pytest.mark.parametrize("command", ["replay", "record"])
@pytest.mark.parametrize(
    "target", ["missing.json", "missing.jsonl", ".", "wrong.json/scenario.json", "a\0b", "x" * 5000]
)
def test_a_target_that_is_no_file_is_refused(tmp_path: Path, command: str, target: str) -> None:
    """Missing, a directory, below a file, or no possible name."""
    (tmp_path / "wrong.json").write_text("{}")
    result = invoke(*command_line(command, f"{tmp_path}/{target}", tmp_path))
    assert_refused(result.stderr, result.stdout, result.exit_code, str(tmp_path))
    assert [file.name for file in tmp_path.iterdir()] == ["wrong.json"]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--speed", "0"], ["--speed", "max"]),
        (["--speed", "nan"], ["--speed", "max"]),
        (["--speed", "-1"], ["--speed", "max"]),
        (["--speed", "inf"], ["--speed", "max"]),
        (["--speed", "1e308"], ["--speed", "max"]),
        (["--speed", "fast"], ["--speed", "max"]),
        (["--speed", ""], ["--speed", "max"]),
        (["--partitions", "0"], ["--partitions", "from 1 to"]),
        (["--partitions", "1.5"], ["--partitions", "from 1 to"]),
        (["--partitions", "99999999999999999999"], ["--partitions", "from 1 to"]),
        (["--seed", "-1"], ["--seed", "from 0 to"]),
        (["--seed", "seven"], ["--seed", "from 0 to"]),
        (["--seed", str(2**53 + 1)], ["--seed", "from 0 to"]),
        (["--from", "06:59"], ["--from", "outside the run"]),
        (["--from", "07:10"], ["--from", "outside the run"]),
        (["--from", "7 o'clock"], ["--from", "08:15"]),
        (["--from", "25:00"], ["--from", "00 to 23"]),
        (["--from", "2026-05-13T07:05:00"], ["--from", "offset"]),
        (["--until", "07:00"], ["--until", "outside the run"]),
        (["--until", "07:11"], ["--until", "outside the run"]),
        (["--until", "2026-05-13T06:00:00-05:00"], ["--until", "outside the run"]),
        (["--from", "07:05", "--until", "07:05"], ["--until", "not after"]),
        (["--from", "07:06", "--until", "07:05"], ["--until", "not after"]),
        (["--to", "kafkaesque"], ["--to", "memory"]),
        (["--until"], ["--until"]),
        (["--partition", "2"], ["did you mean --partitions?"]),
        (["--spede", "2"], ["did you mean --speed?"]),
        (["-x"], ["-x", "cta replay --help"]),
        (["another.json"], ["another.json", "cta replay --help"]),
    ],
    ids=lambda value: " ".join(value)[:40],
)
def test_a_wrong_option_of_replay_is_refused(tmp_path: Path, args: list[str], words: list[str]) -> None:
    """The line names the option and what it takes, or the nearest one."""
    path = write_scenario(tmp_path / "small.json")
    result = invoke("replay", path, *args)
    assert_refused(result.stderr, result.stdout, result.exit_code, *words)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["reply"], ["cta: no such command: 'reply'", "did you mean 'replay'?"]),
        (["qqq"], ["cta: no such command: 'qqq'", "cta --help"]),
        (["--vresion"], ["--vresion", "did you mean --version?"]),
        (["replay"], ["cta replay: missing argument 'TARGET'"]),
        (["record", "x.json"], ["cta record: missing option"]),
        (["schema", "x"], ["cta schema:", "x"]),
        (["network", "Clark/Lak"], ["NAME: ", "Clark/Lake"]),
        (["network", "Western"], ["Western (Brown)"]),
        (["network", "Clark/Lake", "Howard"], ["cta network:", "Howard"]),
    ],
    ids=lambda value: " ".join(value)[:40],
)
def test_a_wrong_command_line_is_refused(args: list[str], words: list[str]) -> None:
    """Unknown commands and options name the nearest, missing and surplus arguments the help."""
    result = invoke(*args)
    assert_refused(result.stderr, result.stdout, result.exit_code, *words)


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("taken.jsonl", ["is there already", "--force"]),
        ("nowhere/out.jsonl", ["nowhere"]),
        ("taken.jsonl/out.jsonl", ["taken.jsonl"]),
        (".", ["a directory; name a file to write"]),
        ("small.json", ["ending"]),
        ("x" * 300 + ".jsonl", ["xxx"]),
        ("a\0b.jsonl", ["another name"]),
        ("out.zst", ["ending", ".jsonl, .jsonl.zst"]),
        ("out.jsonl.gz", ["ending"]),
        ("out.avro", ["ending"]),
    ],
    ids=["taken", "no folder", "below a file", "a directory", "no form", "long", "null", "zst", "gz", "avro"],
)
def test_an_output_that_cannot_be_written_is_refused(tmp_path: Path, output: str, words: list[str]) -> None:
    """The line names it; what was there stays as it was and nothing is added."""
    path = write_scenario(tmp_path / "small.json")
    (tmp_path / "taken.jsonl").write_text("mine")
    result = invoke("record", path, "-o", f"{tmp_path}/{output}")
    assert_refused(result.stderr, result.stdout, result.exit_code, *words)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["small.json", "taken.jsonl"]
    assert (tmp_path / "taken.jsonl").read_text() == "mine"


@pytest.mark.parametrize("options", [[], ["--force"]], ids=["unasked", "force"])
def test_only_a_file_is_replaced(tmp_path: Path, options: list[str]) -> None:
    """A directory and a device are refused as what they are: --force is for files, and is not advised."""
    path = write_scenario(tmp_path / "small.json")
    (folder := tmp_path / "folder.jsonl").mkdir()
    for output, what in ((folder, "a directory"), ("/dev/full", "not a regular file")):
        result = invoke("record", path, "-o", output, *options)
        assert_refused(result.stderr, result.stdout, result.exit_code, f"{output}: {what}; name a file to write")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["folder.jsonl", "small.json"]


@pytest.mark.parametrize("output", ["/", "", "."])
def test_no_file_has_such_a_name(tmp_path: Path, output: str) -> None:
    """The root, nothing, here: one line."""
    path = write_scenario(tmp_path / "small.json")
    result = invoke("record", path, "-o", output, "--force")
    assert_refused(result.stderr, result.stdout, result.exit_code, "name")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--line", "bleu"], ["--line: no line 'bleu'", "blue"]),
        (["--station", "Clark/Lak"], ["--station: no station 'Clark/Lak'", "Clark/Lake"]),
        (["--topic", "arivals"], ["--topic: ", "did you mean arrivals?"]),
    ],
)
def test_a_choice_of_what_is_not_there_is_refused(recording: Path, args: list[str], words: list[str]) -> None:
    """The line names the option."""
    result = invoke("cat", recording, *args)
    assert_refused(result.stderr, result.stdout, result.exit_code, *words)


@pytest.mark.parametrize("closed", [">&-", "2>&-"])
def test_a_closed_output_is_no_traceback(tmp_path: Path, closed: str) -> None:
    """The run goes its way, and nobody hears of it."""
    path = write_scenario(tmp_path / "small.json")
    ended = subprocess.run(
        ["/bin/sh", "-c", f"'{CTA}' replay '{path}' --board {closed}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_full_disk_is_one_line() -> None:
    """What cannot be printed is said once, without a traceback."""
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run([CTA, "schema"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert_refused(ended.stderr, "", ended.returncode, "No space left on device")


def test_a_terminal_without_the_letters_shows_their_numbers(recording: Path) -> None:
    """A name, or the sign that a line goes on, is no reason for a traceback."""
    path = recording.rename(recording.with_name("é.jsonl"))
    ended = cta("diff", path, path, PYTHONIOENCODING="ascii")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "\\xe9.jsonl, seed 7\n" in ended.stdout


def test_a_name_that_json_cannot_hold_is_refused(recording: Path) -> None:
    """It is not UTF-8, as all JSON is."""
    path = recording.rename(recording.with_name(os.fsdecode(b"\xff.jsonl")))
    for command in ("info", "check", "diff"):
        ended = cta(command, *([path] if command == "diff" else []), path, "--json")
        assert_refused(ended.stderr, ended.stdout, ended.returncode, "\\udcff", "utf-8", "rename")


def test_bad_input_of_the_real_command(tmp_path: Path) -> None:
    """The installed command ends as the one inside this process does."""
    ended = cta("replay", tmp_path / "missing.json")
    assert_refused(ended.stderr, ended.stdout, ended.returncode, "missing.json")


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A recording of `SMALL`, alone in its folder."""
    path = write_scenario(tmp_path / "small.json")
    folder = tmp_path / "folder"
    folder.mkdir()
    output = folder / "small.jsonl"
    assert invoke("record", path, "-o", output).exit_code == 0
    return output


@pytest.mark.parametrize("command", ["replay", "record"])
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda data: data.replace(b'"format":1', b'"format":99'), ["format 99", "upgrade cta"]),
        (lambda data: data[:-2000], ["cut short", "records are whole"]),
        (lambda data: data[:-1], ["small.jsonl"]),
        (lambda data: data[:100], ["cut short"]),
        (
            lambda data: data.replace(b'"train_status":"in_service"', b'"train_status":"in_srevice"', 1),
            ["small.jsonl line"],
        ),
        (lambda data: data.replace(b'"direction":"a"', b'"direction":"b"', 1), ["altered"]),
        (lambda data: b"", ["empty"]),
        (lambda data: data + b"more", ["small.jsonl"]),
        (lambda data: b"\n".join(data.split(b"\n")[:5] + data.split(b"\n")[6:]), ["altered"]),
    ],
    ids=["newer", "half", "no newline", "header cut", "unknown word", "changed", "emptied", "appended", "line lost"],
)
def test_a_damaged_recording_is_refused(recording: Path, command: str, damage: Any, words: list[str]) -> None:
    """Of a newer format, cut short or altered: the line says which and where."""
    recording.write_bytes(damage(recording.read_bytes()))
    result = invoke(*command_line(command, recording, recording.parent))
    assert_refused(result.stderr, result.stdout, result.exit_code, "small.jsonl", *words)
    assert [file.name for file in recording.parent.iterdir()] == ["small.jsonl"]


@pytest.mark.parametrize("form", [".jsonl", ".jsonl.zst"])
def test_the_remedy_for_damage_can_be_typed(tmp_path: Path, recording: Path, form: str) -> None:
    """It names the file, quoted where a shell would take it apart; and does what it says."""
    damaged = tmp_path / f"a day{form}"
    assert invoke("convert", recording, "-o", damaged).exit_code == 0
    data = bytearray(damaged.read_bytes())
    data[len(data) // 2] ^= 1
    damaged.write_bytes(data)
    for command, options in (("cat", []), ("cat", ["--from", "07:00"]), ("replay", [])):
        said = invoke(command, damaged, *options).stderr
        remedy = re.search(r"save what is whole: (cta repair .*) OUT\n$", said)
        assert remedy is not None, said
        assert shlex.split(remedy[1]) == ["cta", "repair", str(damaged), "-o"]
    assert invoke("repair", damaged, "-o", tmp_path / "saved.jsonl").exit_code == 1


def test_a_recording_keeps_its_seed(recording: Path) -> None:
    """--seed with a recording says why it makes no sense."""
    result = invoke("replay", recording, "--seed", "8")
    assert_refused(result.stderr, result.stdout, result.exit_code, "small.jsonl", "--seed", "replay the scenario")
