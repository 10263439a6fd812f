"""Commands that need services, as far as they go without any: bad input is one line, exit 2, and nothing is asked first."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cta.commands.verify import first_difference
from tests.cli.running import cta, invoke, write_scenario
from tests.cli.test_bad_input import assert_refused


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return write_scenario(tmp_path / "small.json")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["replay", "TARGET", "--fresh"], ["--to kafka"]),
        (["replay", "TARGET", "--namespace", "a."], ["--to kafka"]),
        (["replay", "TARGET", "--resume"], ["--to kafka"]),
        (["replay", "TARGET", "--serve", "--port", "0", "--fresh"], ["--to kafka"]),
        (["replay", "TARGET", "--to", "kafka", "--fresh", "--resume"], ["--fresh", "--resume"]),
        (["replay", "TARGET", "--via", "services"], ["--via", "--to kafka"]),
        (["replay", "TARGET", "--to", "kafka", "--via", "services", "--resume"], ["--resume", "--via services"]),
        (["replay", "TARGET", "--to", "kafka", "--via", "mail"], ["--via", "broker", "services"]),
        (["stations", "set", "30001", "station_name"], ["'station_name'", "COLUMN=VALUE"]),
        (["stations", "set", "30001", "stop_id=1"], ["column stop_id", "set another column"]),
        (["replay", "TARGET", "--to", "kafka", "--namespace", "a b"], ["CTA_NAMESPACE", "letters"]),
        (["replay", "TARGET", "--to", "kafka", "--schema-registry-url", "nowhere"], ["CTA_SCHEMA_REGISTRY_URL"]),
        (["replay", "TARGET", "--to", "rabbit"], ["--to", "kafka"]),
        (["replay", "missing.json", "--to", "kafka"], ["missing.json"]),
        (["verify", "missing.json"], ["missing.json"]),
        (["verify", "TARGET", "--namespace", "ä"], ["CTA_NAMESPACE"]),
        (["verify", "TARGET", "--wait", "soon"], ["--wait", "from 0 to"]),
        (["verify", "TARGET", "--from", "23:00"], ["--from", "outside the run"]),
        (["capture"], ["--output"]),
        (["capture", "-o", "TARGET"], ["no form has this ending"]),
        (["capture", "-o", "out.avro"], ["out.avro", ".jsonl.zst"]),
        (["capture", "-o", "a\0b.jsonl"], ["no file can have this name"]),
        (["capture", "-o", "out.jsonl", "--namespace", "*"], ["CTA_NAMESPACE"]),
        (["capture", "-o", "out.jsonl", "--group", ""], ["--group"]),
        (["doctor", "--namespace", "/"], ["CTA_NAMESPACE"]),
        (["doctor", "--schema-registry-url", "ftp://here"], ["CTA_SCHEMA_REGISTRY_URL", "http://host:port"]),
        (["stack", "up", "--file", "missing.yml"], ["missing.yml", "checkout"]),
        (["stack", "logs", "--tail", "0"], ["--tail"]),
    ],
    ids=" ".join,
)
def test_what_cannot_be_meant_is_refused(
    small: Path, monkeypatch: pytest.MonkeyPatch, args: list[str], words: list[str]
) -> None:
    """The line names the option, the variable or the file, and what to write."""
    monkeypatch.chdir(small.parent)
    result = invoke(*[str(small) if arg == "TARGET" else arg for arg in args])
    assert_refused(result.stderr, result.stdout, result.exit_code, *words)
    assert [file.name for file in small.parent.iterdir()] == ["small.json"]


def test_a_secret_in_a_setting_that_is_refused_is_not_shown(small: Path) -> None:
    """A DSN that cannot be read: the variable is named, its value isn't."""
    told = cta("doctor", CTA_BOOTSTRAP_SERVERS="127.0.0.1:1", CTA_POSTGRES_DSN="nonsense://me:s3cret@host")
    assert "s3cret" not in told.stdout + told.stderr
    assert "problem      Postgres: the DSN cannot be read" in told.stdout


def test_an_engine_that_is_not_there_is_exit_code_3(tmp_path: Path) -> None:
    """Without docker: which program, and where to read on."""
    (tmp_path / "compose.yml").write_text("services: {}\n")
    ended = cta("stack", "status", "--file", tmp_path / "compose.yml", PATH=str(tmp_path))
    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr.startswith("error: docker: cannot be run: No such file or directory; install Docker")


def test_the_embedded_replay_needs_no_client_of_any_service(small: Path) -> None:
    """What runs without services loads none of their libraries."""
    program = (
        "import sys\nfrom cta.cli import cli\n"
        f"try: cli(['replay', {str(small)!r}, '--quiet'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'confluent_kafka', 'fastavro', 'requests', 'psycopg2', 'faust'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("expected", "actual", "difference"),
    [
        ({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}, None),
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, "$.a[1].b is 3 where 2 is expected"),
        ({"a": 1}, {"a": 1, "b": 2}, '$ is {"a":1,"b":2} where {"a":1} is expected'),
        ([1], [1, 2], "$ is [1,2] where [1] is expected"),
        ([1, 2, 3], [0, 2, 4], "$[0] is 0 where 1 is expected"),
        ("x" * 200, "y", '$ is "y" where "' + "x" * 99 + "... is expected"),
    ],
)
def test_where_two_documents_differ_first(expected: object, actual: object, difference: str | None) -> None:
    """The path of the first value that is another, and both values, long ones cut."""
    assert first_difference(expected, actual) == difference
