"""A capture's file: what a first reading of the topics finds, and the header that is made of it."""

from __future__ import annotations

from pathlib import Path

from cta.commands.captured import Described, Survey, write
from cta.model.batch import Batch
from cta.recording.reader import Recording
from tests.recording.records import ENTRY, START_MS


def test_records_without_a_time_stand_as_they_came(tmp_path: Path) -> None:
    """Kafka's word for no time, -1, is none of a recording in the order of time."""
    batch = Batch.of([(-1, ENTRY), (START_MS, ENTRY)])
    survey = Survey()
    survey.see([batch])
    path = tmp_path / "captured.jsonl"
    write(str(path), Described([], []).header(survey, ordered=survey.ordered), [batch])
    recording = Recording.open(path)
    assert recording.header.order == "arrival"
    assert [time_ms for found in recording.batches() for time_ms, _ in found] == [-1, START_MS]
