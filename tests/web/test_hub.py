from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cta.web import hub as module
from cta.web.hub import Client, Hub
from cta.web.scene import Slots, changed


class Wire:
    """A client's connection: takes bytes while it is quick, leaves them lying while it is slow."""

    def __init__(self) -> None:
        self.slow = False
        self.open = True
        self.waiting: list[bytes] = []
        self.taken: list[bytes] = []

    def writing(self) -> bool:
        return bool(self.waiting)

    def write(self, data: bytes) -> None:
        self.waiting.append(data)
        self.catch_up()

    def catch_up(self) -> None:
        if not self.slow:
            self.taken += self.waiting
            self.waiting.clear()

    def closed(self) -> bool:
        return not self.open

    def close(self) -> None:
        self.open = False


class Browser:
    """What a page makes of the events it is sent."""

    def __init__(self) -> None:
        self.slots: Slots = {}
        self.last_id: str | None = None
        self.kinds: list[str] = []

    def read(self, wire: Wire) -> None:
        for event in b"".join(wire.taken).decode().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in event.splitlines() if not line.startswith(":"))
            if "data" not in fields:
                continue
            body: dict[str, Any] = msgspec.json.decode(fields["data"])
            self.slots = body["set"] if fields["event"] == "snapshot" else changed(self.slots, body)
            self.last_id = fields["id"]
            self.kinds.append(fields["event"])
        wire.taken.clear()


def joined(hub: Hub, last_id: str | None = None) -> tuple[Client, Wire]:
    wire = Wire()
    client = Client(wire, hub.number_of(last_id))
    hub.clients.add(client)
    hub.bring(client)
    return client, wire


def test_a_new_client_gets_a_snapshot_and_then_changes() -> None:
    """First all slots, then what changed, each with the id to come back with."""
    hub, browser = Hub("m", {"a": 1, "b": 2}), Browser()
    _, wire = joined(hub)
    hub.publish({"a": 1, "c": 3})
    browser.read(wire)
    assert (browser.kinds, browser.slots, browser.last_id) == (["snapshot", "change"], {"a": 1, "c": 3}, "m.1")


def test_an_update_is_serialised_once_for_all_clients() -> None:
    """A thousand clients are written the same bytes object."""
    hub = Hub("m", {})
    wires = [joined(hub)[1] for _ in range(1000)]
    for wire in wires:
        wire.taken.clear()
    hub.publish({"a": 1})
    assert len({id(wire.taken[0]) for wire in wires}) == 1


def test_nothing_new_is_nothing_sent() -> None:
    """The same slots again make no event."""
    hub = Hub("m", {"a": 1})
    _, wire = joined(hub)
    wire.taken.clear()
    hub.publish({"a": 1})
    assert (wire.taken, hub.number) == ([], 0)


def test_last_event_id_resumes_without_a_gap() -> None:
    """Who comes back with an id gets the changes since, in order, and no snapshot."""
    hub, browser = Hub("m", {"n": 0}), Browser()
    client, wire = joined(hub)
    hub.publish({"n": 1})
    browser.read(wire)
    hub.clients.discard(client)
    for n in (2, 3, 4):
        hub.publish({"n": n})
    _, again = joined(hub, browser.last_id)
    browser.read(again)
    assert (browser.kinds, browser.slots) == (["snapshot", "change", "change", "change", "change"], {"n": 4})


@pytest.mark.parametrize("missed, kinds", [(module.KEPT, {"change"}), (module.KEPT + 1, {"snapshot"})])
def test_as_many_changes_are_resumed_as_are_kept(missed: int, kinds: set[str]) -> None:
    """The oldest change that is kept is still of use; with one more than those missed there is only a snapshot."""
    hub, browser = Hub("m", {"n": 0}), Browser()
    for n in range(1, missed + 1):
        hub.publish({"n": n})
    browser.read(joined(hub, "m.0")[1])
    assert (set(browser.kinds), browser.slots) == (kinds, {"n": missed})


def test_an_id_of_before_a_restart_gets_a_snapshot() -> None:
    """Another server's numbers mean nothing here, whatever they look like."""
    hub = Hub("new", {"n": 5})
    for last_id in ("old.0", "new.7", "new.x", "new.-1", "", "0", None):
        browser = Browser()
        browser.read(joined(hub, last_id)[1])
        assert (browser.kinds, browser.slots) == (["snapshot"], {"n": 5})


def test_a_slow_client_never_holds_more_than_was_last_written() -> None:
    """While it takes nothing it is written nothing; when it is back, one snapshot brings it to the newest."""
    hub, browser = Hub("m", {"n": 0}), Browser()
    _, wire = joined(hub)
    wire.slow = True
    for n in range(1, 10 * module.KEPT):
        hub.publish({"n": n})
        assert len(wire.waiting) <= 1
    wire.slow = False
    wire.catch_up()
    hub.publish({"n": -1})
    browser.read(wire)
    assert (browser.kinds, browser.slots) == (["snapshot", "change", "snapshot"], {"n": -1})


def test_a_client_that_closed_is_forgotten() -> None:
    """The next update leaves it out."""
    hub = Hub("m", {})
    _, wire = joined(hub)
    wire.open = False
    hub.publish({"a": 1})
    assert hub.clients == set()


@given(
    st.lists(
        st.one_of(
            st.dictionaries(st.sampled_from("abc"), st.integers(0, 3)), st.sampled_from(["slow", "quick", "reconnect"])
        ),
        max_size=40,
    )
)
def test_however_a_client_fares_it_ends_with_the_newest_slots(story: list[Any]) -> None:
    """Slow, quick, gone and back: once it is quick and an update comes, it has what the server has."""
    hub, browser = Hub("m", {}), Browser()
    client, wire = joined(hub)
    for step in [*story, "quick", {"z": 9}]:
        if step == "slow":
            wire.slow = True
        elif step == "quick":
            wire.slow = False
            wire.catch_up()
        elif step == "reconnect":
            browser.read(wire)
            hub.clients.discard(client)
            client, wire = joined(hub, browser.last_id)
        else:
            hub.publish(step)
    browser.read(wire)
    assert browser.slots == hub.slots
