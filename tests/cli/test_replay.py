"""`cta replay`: what it prints where, how it ends, and that the ways to one digest meet."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests

from cta.commands.pace import Stop
from cta.commands.replay import replay
from cta.commands.target import cut, open_run
from cta.model.batch import Content
from cta.model.raw import foreign
from cta.simulation.plan import Window
from tests.cli.running import CTA, cta, interrupted, invoke, write_scenario
from tests.recording.records import HEADER, SMALL, START_MS, write
from tests.web.test_commands import running, stopped

FAILING = [{"kind": "count", "topic": "arrivals", "max": 0, "name": "no train moves"}]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Ten minutes of the Yellow Line."""
    return write_scenario(tmp_path / "small.json")


def replayed(*args: str | Path) -> dict[str, Any]:
    """The object that ``cta replay --json`` prints, without its wall time."""
    result = invoke("replay", "--json", *args)
    assert result.exit_code == 0, result.stderr
    outcome: dict[str, Any] = json.loads(result.stdout)
    del outcome["wall_s"]
    return outcome


def test_the_summary(small: Path) -> None:
    """A whole run prints every matter of the summary on stdout, nothing on stderr off a terminal, and exits 0."""
    ended = cta("replay", small)
    assert (ended.returncode, ended.stderr) == (0, "")
    labels = [line.split("  ")[0].strip() for line in ended.stdout.splitlines()]
    assert [label for label in labels if label] == [
        "scenario",
        "records",
        "trains run",
        "entries",
        "weather",
        "alerts",
        "digest",
        "board digest",
        "wall time",
        "expect",
    ]
    assert "2026-05-13T07:00:00-05:00 to 07:10:00" in ended.stdout


def test_an_end_on_another_day_or_by_another_clock_is_told_in_full(tmp_path: Path) -> None:
    """A day is not "03:00:00 to 03:00:00", and the hour that comes twice says which."""
    day = write_scenario(tmp_path / "day.json", start="2026-05-13T03:00:00-05:00", duration="P1D")
    night = write_scenario(tmp_path / "night.json", start="2026-11-01T01:30:00-05:00", duration="PT1H")
    assert "2026-05-13T03:00:00-05:00 to 2026-05-14T03:00:00-05:00\n" in invoke("replay", day).stdout
    assert "2026-11-01T01:30:00-05:00 to 2026-11-01T01:30:00-06:00\n" in invoke("replay", night).stdout


def test_json_is_one_object_of_the_agreed_form(small: Path) -> None:
    """Stdout holds exactly the object; its total is the sum of its records."""
    ended = cta("replay", small, "--json")
    outcome = json.loads(ended.stdout)
    assert list(outcome) == [
        "scenario",
        "seed",
        "records",
        "total",
        "digest",
        "board_digest",
        "board_from_ms",
        "wall_s",
        "expect",
    ]
    assert (outcome["scenario"], outcome["seed"]) == ("small", 7)
    assert list(outcome["records"]) == [
        "org.chicago.cta.stations.arrivals.v1",
        "org.chicago.cta.turnstile.v1",
        "org.chicago.cta.weather.v1",
        "org.chicago.cta.alerts.v1",
    ]
    assert outcome["total"] == sum(outcome["records"].values())
    assert [list(result) for result in outcome["expect"]] == [["name", "ok", "expected", "actual"]]
    assert ended.stdout.count("\n") == 1
    assert ended.stderr == ""


def test_quiet_is_the_digest_and_the_name(small: Path) -> None:
    """One line as checksum tools print it, and its digest is the one of --json."""
    result = invoke("replay", small, "--quiet")
    assert result.stdout == f"{replayed(small)['digest']}  small\n"
    assert result.stderr == ""


def test_python_m_cta_is_cta(small: Path) -> None:
    """Both ways to start it give the same."""
    ended = subprocess.run(
        [sys.executable, "-m", "cta", "replay", str(small), "--quiet"], capture_output=True, text=True, check=True
    )
    assert ended.stdout == invoke("replay", small, "--quiet").stdout


def test_a_failed_expectation_is_exit_1_with_expected_and_actual(tmp_path: Path) -> None:
    """The summary shows it; with --json and --quiet it is a line on stderr."""
    failing = write_scenario(tmp_path / "failing.json", expect=FAILING)
    actual = next(iter(replayed(write_scenario(tmp_path / "small.json"))["records"].values()))

    result = invoke("replay", failing)
    assert result.exit_code == 1
    [line] = [line for line in result.stdout.splitlines() if "FAILED" in line]
    assert "no train moves: expected" in line
    assert line.endswith(f"actual {actual}")

    result = invoke("replay", failing, "--json")
    assert result.exit_code == 1
    [expectation] = json.loads(result.stdout)["expect"]
    assert (expectation["ok"], expectation["actual"]) == (False, actual)
    assert result.stderr.startswith("expectation failed: no train moves: expected")

    assert invoke("replay", failing, "--quiet").stderr == result.stderr


def test_an_expectation_without_a_name_says_once_what_is_expected(tmp_path: Path) -> None:
    """Its name is made of that."""
    expect = [{"kind": "count", "topic": "alerts", "equals": 1}]
    failing = write_scenario(tmp_path / "failing.json", expect=expect)
    assert invoke("replay", failing, "--quiet").stderr == "expectation failed: alerts exactly 1: actual 0\n"


def test_a_cut_run_is_not_judged_and_says_so(tmp_path: Path) -> None:
    """What would fail over the whole run is passed over, in the summary and on stderr."""
    failing = write_scenario(tmp_path / "failing.json", expect=FAILING)
    result = invoke("replay", failing, "--until", "07:05")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (
        0,
        "expect        not judged: the run was cut by --from or --until",
    )
    result = invoke("replay", failing, "--until", "07:05", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["expect"] == []
    assert result.stderr == "expectations not judged: the run was cut by --from or --until\n"


def test_another_seed_is_another_run_that_is_judged(small: Path) -> None:
    """--seed changes the digest, is named in the result, and the scenario's expectations still count."""
    own, other = replayed(small), replayed(small, "--seed", "8")
    assert other["seed"] == 8
    assert other["digest"] != own["digest"]
    assert [result["ok"] for result in other["expect"]] == [True]
    assert replayed(small, "--seed", "7") == own


@pytest.mark.parametrize("partitions", ["2", "7", "1024"])
def test_partitions_change_nothing(small: Path, partitions: str) -> None:
    """Any number of partitions gives the same object."""
    assert replayed(small, "--partitions", partitions) == replayed(small)


def test_three_ways_one_digest(small: Path, tmp_path: Path) -> None:
    """Simulated, recorded, and read from the recording; the recording's replay is judged too."""
    recording = tmp_path / "small.jsonl"
    recorded = invoke("record", small, "-o", recording)
    assert recorded.exit_code == 0
    assert recorded.stdout.split() == [replayed(small)["digest"], "small"]
    assert replayed(recording) == replayed(small)


def test_a_cut_is_the_same_from_a_scenario_and_from_its_recording(small: Path, tmp_path: Path) -> None:
    """--from and --until mean the same moments of both, as times of day or timestamps."""
    recording = tmp_path / "small.jsonl"
    invoke("record", small, "-o", recording)
    part = replayed(small, "--from", "07:02", "--until", "07:05:30")
    assert 0 < part["total"] < replayed(small)["total"]
    assert replayed(recording, "--from", "07:02", "--until", "07:05:30") == part
    assert replayed(small, "--from", "2026-05-13T12:02:00Z", "--until", "2026-05-13T07:05:30-05:00") == part


@pytest.mark.parametrize("name", ["scenario", "run.jsonl", "run.jsonl.zst"])
@pytest.mark.parametrize(
    "from_, until", [("07:05", "07:10"), ("07:03:30", "07:07"), ("07:00", "07:06"), ("07:09:59", "07:10")]
)
def test_from_a_moment_the_board_is_that_of_the_run_from_its_start(
    small: Path, tmp_path: Path, name: str, from_: str, until: str
) -> None:
    """Counts and digest are of the records from there; the board has what was before, and says from when."""
    target = small
    if name != "scenario":
        invoke("record", small, "-o", target := tmp_path / name)
    from_start, from_there = replayed(target, "--until", until), replayed(target, "--from", from_, "--until", until)
    assert from_there["board_digest"] == from_start["board_digest"]
    assert from_there["board_from_ms"] == from_start["board_from_ms"] == 1_778_673_600_000
    if from_ != "07:00":
        assert from_there["total"] < from_start["total"]
        text = invoke("replay", target, "--from", from_, "--until", until).stdout
        assert "(of all records from 2026-05-13T07:00:00-05:00 on)" in text
    else:
        assert from_there == from_start


def test_a_recording_with_something_missing_is_not_judged(tmp_path: Path) -> None:
    """What a repair could not save may be what the scenario expects."""
    failing, whole, saved = (
        write_scenario(tmp_path / "failing.json", expect=FAILING),
        tmp_path / "x.jsonl",
        tmp_path / "y.jsonl",
    )
    invoke("record", failing, "-o", whole)
    lines = whole.read_bytes().splitlines(keepends=True)
    whole.write_bytes(b"".join(lines[:-1]))
    assert invoke("repair", whole, "-o", saved).exit_code == 1
    result = invoke("replay", saved, "--quiet")
    assert (result.exit_code, result.stderr) == (
        0,
        "expectations not judged: the recording holds a part of the scenario's run\n",
    )


def test_the_recording_of_a_part_is_not_judged(tmp_path: Path) -> None:
    """It lacks what the scenario expects."""
    failing, part = write_scenario(tmp_path / "failing.json", expect=FAILING), tmp_path / "part.jsonl"
    invoke("record", failing, "-o", part, "--until", "07:05")
    result = invoke("replay", part, "--quiet")
    assert (result.exit_code, result.stderr) == (
        0,
        "expectations not judged: the recording holds a part of the scenario's run\n",
    )


def test_an_end_at_the_run_s_end_is_the_whole_run(small: Path) -> None:
    """--from the start --until the end cuts nothing and is judged."""
    assert replayed(small, "--from", "07:00", "--until", "07:10") == replayed(small)


def test_until_the_start_s_time_of_day_is_the_next_day_s(tmp_path: Path) -> None:
    """A run of a day can be asked for until the time at which it began."""
    run = open_run(str(write_scenario(tmp_path / "day.json", duration="P1D")))
    assert cut(run, None, "07:00") == run.window


def test_the_board(small: Path) -> None:
    """--board prints a row a line and station after the summary; with --json it goes to stderr."""
    result = invoke("replay", small, "--board")
    assert "board digest" in result.stdout
    assert "Dempster" in result.stdout
    result = invoke("replay", small, "--board", "--json")
    assert json.loads(result.stdout)["scenario"] == "small"
    assert "Dempster" in result.stderr


class StopAfter:
    """Progress that asks for a stop once so many batches are done, as Ctrl+C does."""

    def __init__(self, batches: int) -> None:
        self.stop = Stop()
        self._left = batches

    def __call__(self, time_ms: int, records: int, lag: Callable[[], str] = str) -> None:
        self._left -= 1
        self.stop.asked = self._left == 0


def test_a_stopped_run_is_the_run_cut_there(tmp_path: Path) -> None:
    """Stopped after the first of three hours, digest and board are those of --until that hour; exit 130, not judged."""
    path = write_scenario(tmp_path / "hours.json", duration="PT3H", expect=FAILING)
    run = open_run(str(path))
    progress = StopAfter(batches=1)
    stopped = replay(run, run.window, stop=progress.stop, progress=progress)
    first_hour = replay(run, Window(run.window.start_ms, run.window.start_ms + 3_600_000))
    assert stopped.digest.total > 0
    assert stopped.digest.hexdigest() == first_hour.digest.hexdigest()
    assert stopped.board.to_json() == first_hour.board.to_json()
    assert (stopped.exit_code, stopped.not_judged) == (130, "the run was interrupted")


def test_an_interrupted_cut_is_interrupted_first(tmp_path: Path) -> None:
    """That it would not have been judged anyhow is the lesser news."""
    path = write_scenario(tmp_path / "hours.json", duration="PT3H", expect=FAILING)
    run = open_run(str(path))
    progress = StopAfter(batches=1)
    part = Window(run.window.start_ms + 60_000, run.window.end_ms)
    stopped = replay(run, part, stop=progress.stop, progress=progress)
    assert (stopped.exit_code, stopped.not_judged) == (130, "the run was interrupted")


def test_an_interrupted_run_says_so_also_where_nothing_is_expected(tmp_path: Path) -> None:
    """On stderr, with how far it came."""
    path = write_scenario(tmp_path / "long.json", duration="P300D", lines=None, expect=None)
    ended, stdout, terminal = interrupted("replay", path)
    assert (ended, stdout.splitlines()[-1]) == (130, "expect        nothing")
    assert re.search(r"interrupted after [1-9][0-9,]* records\r\n$", terminal), terminal


@pytest.mark.parametrize(
    ("expect", "code"), [(None, 0), (FAILING, 1)], ids=["as it should be", "an expectation failed"]
)
def test_a_served_run_that_has_ended_ends_as_replay_does(tmp_path: Path, expect: Any, code: int) -> None:
    """Ctrl+C only closes the page then; the code is the run's."""
    path = write_scenario(tmp_path / "short.json", expect=expect)
    with running("replay", str(path), "--serve", "--port", "0") as (process, address):
        with requests.get(f"{address}events", stream=True, timeout=20) as stream:
            assert any('"state":"ended"' in line for line in stream.iter_lines(chunk_size=1, decode_unicode=True))
        ended, stdout, stderr = stopped(process, signal.SIGINT)
    assert (ended, "digest" in stdout, stderr) == (code, True, "")


def test_a_served_run_that_is_not_at_its_end_is_interrupted(tmp_path: Path) -> None:
    """As without --serve: 130, whatever it is expected to come to."""
    path = write_scenario(tmp_path / "long.json", duration="P300D")
    with running("replay", str(path), "--serve", "--port", "0", "--speed", "60") as (process, _):
        ended, stdout, stderr = stopped(process, signal.SIGINT)
    assert (ended, "not judged: the run was interrupted" in stdout) == (130, True)
    assert re.fullmatch(r"interrupted after [0-9,]+ records\n", stderr), stderr


def test_a_run_that_no_scenario_made_has_no_seed(tmp_path: Path) -> None:
    """The summary names the file and the window."""
    path = write(tmp_path / "captured.jsonl", SMALL, header=msgspec.structs.replace(HEADER, seed=None))
    first = invoke("replay", path).stdout.splitlines()[0]
    assert first == "scenario      captured, 2026-05-13T07:00:00-05:00 to 08:00:00"


def test_records_of_no_run_are_refused(tmp_path: Path) -> None:
    """A capture of anybody's topics has no page; the line says what takes it."""
    header = msgspec.structs.replace(HEADER, topics=(*HEADER.topics, "shop.orders", "shop.mail"))
    records = [*SMALL, (START_MS + 3_000, Content(foreign("shop.orders"), None, None))]
    path = write(tmp_path / "captured.jsonl", records, header=header)
    result = invoke("replay", path)
    what = f"{path}: holds records of shop.orders, which no run has; cta cat, check and diff take it\n"
    assert (result.exit_code, result.stderr) == (2, f"error: {what}")


def altered(tmp_path: Path) -> Path:
    """A recording of ten minutes in which one entry's line is another; only at its end is that known."""
    path = tmp_path / "altered.jsonl"
    assert invoke("record", write_scenario(tmp_path / "small.json"), "-o", path).exit_code == 0
    path.write_bytes(path.read_bytes().replace(b'"line":"yellow"', b'"line":"purple"', 1))
    return path


@pytest.mark.parametrize("command", ["replay TARGET --serve", "demo --no-browser --speed 1000000 --scenario TARGET"])
def test_a_page_ends_with_its_damaged_recording(tmp_path: Path, command: str) -> None:
    """As without a page: exit 2 and the one line, no traceback of a thread, no page that stands still."""
    path = altered(tmp_path)
    args = [str(path) if word == "TARGET" else word for word in command.split()]
    ended = cta(*args, "--port", "0")
    assert (ended.returncode, ended.stderr) == (2, invoke("replay", path).stderr)


def test_the_bar_of_a_paced_run_says_how_far_it_is_behind(small: Path) -> None:
    """Under the records a second; of a run at full speed there is no such thing."""
    paced, free = (interrupted("replay", small, "--speed", speed)[2] for speed in ("1", "max"))
    assert re.search(r"/s\s+\d+\.\d s behind the clock", paced)
    assert "behind" not in free


@pytest.mark.parametrize("speed", ["1", "max"])
def test_ctrl_c_ends_with_the_summary_so_far(tmp_path: Path, speed: str) -> None:
    """On a terminal there is a bar; interrupted while it sleeps or works: the summary, exit 130, no traceback."""
    path = write_scenario(tmp_path / "long.json", duration="P300D", lines=None)
    ended, stdout, terminal = interrupted("replay", path, "--speed", speed)
    assert ended == 130
    assert stdout.splitlines()[-1] == "expect        not judged: the run was interrupted"
    assert "records" in terminal
    assert "Traceback" not in terminal


@pytest.mark.parametrize(
    "command",
    [
        "schema",
        "--help",
        "network",
        "network --json",
        "replay SMALL --board",
        "diff SMALL SMALL --seed-b 8",
        "check SMALL",
    ],
)
def test_a_reader_that_has_seen_enough_is_no_error(small: Path, command: str) -> None:
    """``cta ... | head -1``: nothing on stderr, and 141, as a shell says of one that SIGPIPE ended; 1 is a verdict."""
    args = [str(small) if word == "SMALL" else word for word in command.split()]
    with subprocess.Popen([CTA, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as showing:
        assert showing.stdout is not None
        assert showing.stderr is not None
        showing.stdout.close()
        assert showing.stderr.read() == b""
        assert showing.wait(timeout=30) == 141
