"""What becomes of a record, kind by kind, and of one that several strike."""

from __future__ import annotations

from msgspec import UNSET

from cta.model import scenario as written
from cta.model.topics import TURNSTILE
from tests.faults.deliveries import HOUR, contents, plan_of, struck_by, with_faults


def test_a_copy_comes_right_behind_its_record_or_later() -> None:
    """The delay is the copy's alone."""
    beside = contents(with_faults(written.Duplicate(topic="weather")).batches())
    later = contents(with_faults(written.Duplicate(topic="weather", delay="PT5M")).batches())
    readings = [
        [at for at, (_, content) in enumerate(came) if content.topic.short == "weather"] for came in (beside, later)
    ]
    assert [len(at) for at in readings] == [2, 2]
    assert readings[0][1] == readings[0][0] + 1
    assert all(time_ms - later[readings[1][0]][0] <= 300_000 for time_ms, _ in later[: readings[1][1]])
    assert later[readings[1][1] + 1][0] >= later[readings[1][0]][0] + 300_000


def test_all_that_befalls_one_record_adds_up() -> None:
    """Copies come as late as their record, and are cut where it is; a dropped one has none."""
    faults: list[written.AnyStreamFault] = [
        written.Duplicate(topic="weather"),
        written.Delay(topic="weather", delay="PT1M"),
        written.Delay(topic="weather", delay="PT2M"),
        written.Corrupt(topic="weather"),
    ]
    came = contents(with_faults(*faults).batches())
    (first, one), (second, other) = [(at, c) for at, (_, c) in enumerate(came) if "weather" in c.topic.name]
    assert (second, other) == (first + 1, one)
    assert came[second + 1][0] >= came[first][0] + 180_000 > came[first - 1][0]
    gone = with_faults(*faults, written.Drop(topic="weather"))
    assert not any("weather" in content.topic.name for _, content in contents(gone.batches()))


def test_a_value_that_two_faults_cut_ends_where_the_first_of_them_cuts_it() -> None:
    """Whichever stands first in the scenario."""
    both = with_faults(written.Corrupt(topic="turnstile"), written.Corrupt(topic="turnstile", station="Clark/Lake"))
    one, other = plan_of(both).stream_faults
    assert struck_by(both, [one, other]) == struck_by(both, [other, one]) != struck_by(both, [one])


def test_a_fault_is_of_the_records_that_it_names() -> None:
    """A line's, a station's, a train's, in its time and no other."""
    for fault, named in (
        (written.Drop(topic="arrivals", train="BL103"), '"train_id":"BL103"'),
        (written.Drop(topic="turnstile", station="Clark/Lake"), '"station_id":40380'),
        (written.Drop(topic="arrivals", line="blue"), '"line":"blue"'),
    ):
        topic = fault.topic
        left = [c.fragment.decode() for _, c in contents(with_faults(fault).batches()) if c.topic.short == topic]
        whole = [c.fragment.decode() for _, c in contents(HOUR.batches()) if c.topic.short == topic]
        assert left == [fragment for fragment in whole if named not in fragment] != whole
    spell = written.Drop(topic="turnstile", start="07:30", duration="PT10M")
    times = [time_ms for time_ms, c in contents(with_faults(spell).batches()) if c.topic is TURNSTILE]
    start_ms = plan_of(HOUR).window.start_ms
    assert not any(600_000 <= time_ms - start_ms < 1_200_000 for time_ms in times)
    assert len(times) == sum(
        c.topic is TURNSTILE and not 600_000 <= time_ms - start_ms < 1_200_000
        for time_ms, c in contents(HOUR.batches())
    )
    assert HOUR.scenario.stream_faults is UNSET
