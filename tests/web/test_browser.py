"""What the page does in Chromium; how it looks there is in test_look.py."""

from __future__ import annotations

import re
from typing import Any

import pytest

from cta.commands.target import Run, open_run
from cta.model.batch import Batch
from cta.model.records import StationTableRow
from cta.model.time import MINUTE_MS, parse_moment
from cta.pipeline.board import Board
from cta.pipeline.stations import table_content
from cta.web.feed import Feed
from cta.web.scene import Scene
from cta.web.site import Site
from cta.web.trail import Trail
from tests.web.conftest import Served, serve, settled, site_of, visit

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: nox -s browser")

SCRIPT = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"

pytestmark = pytest.mark.browser

READ_TABLE = """() => [...document.querySelectorAll("#table tbody")].filter(b => !b.hidden).map(body => ({
  line: body.dataset.line,
  stations: [...body.querySelectorAll("tr[data-station]")].filter(row => !row.hidden).map(row => [
    Number(row.dataset.station), row.querySelector(".name").textContent,
    ...["a", "b"].map(d => [...row.querySelectorAll(`td.${d} .train`)].map(train => train.textContent.trim())),
    Number(row.querySelector(".n").textContent.replaceAll(",", "")),
  ]),
}))"""


def words(train: dict[str, Any]) -> str:
    return (
        train["train_id"]
        if train["status"] == "in_service"
        else f"{train['train_id']} {train['status'].replace('_', ' ')}"
    )


def table_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    """What the table has to say for a board's document."""
    return [
        {
            "line": line["line"],
            "stations": [
                [row["station_id"], row["name"], *([words(train) for train in row[d]] for d in "ab"), row["entries"]]
                for row in line["stations"]
            ],
        }
        for line in document["lines"]
    ]


@pytest.mark.parametrize("name", ["rush_hour", "blue_line_breakdown", "loop_closure"])
def test_the_table_is_the_board_at_any_moment(chromium: Any, name: str) -> None:
    """Three moments of a run: what stands in the table is what the pure pipeline's board says."""
    run = open_run(f"scenarios/{name}.json")
    site = site_of(run)
    assert site.history is not None
    with serve(site) as served, visit(chromium) as page:
        page.goto(served.url)
        for quarter in (1, 2, 3):
            moment_ms = run.window.start_ms + run.window.duration_ms * quarter // 4
            page.goto(f"{served.url}/?t={moment_ms}")
            page.wait_for_function("() => document.querySelector('#state').textContent === 'time travel, paused'")
            page.wait_for_function("() => document.querySelector('.spark path').hasAttribute('d')")
            assert page.evaluate(READ_TABLE) == table_of(site.history.board(moment_ms))


def test_a_live_update_is_seen(served: Served, blue: Run, page: Any) -> None:
    """Records that come are in the table and on the map without a reload."""
    page.goto(served.url)
    sync_api.expect(page.locator("#state")).to_have_text("live")
    for batch in blue.batches(blue.window):
        served.site.feed.fold(batch)
    served.update()
    sync_api.expect(page.locator("#records")).to_have_text(f"{served.site.feed.slots()['records']['total']:,}")
    assert page.evaluate(READ_TABLE) == table_of(served.site.feed._scene.board.document())
    running = sum(
        len(row[i])
        for line in table_of(served.site.feed._scene.board.document())
        for row in line["stations"]
        for i in (2, 3)
    )
    sync_api.expect(page.locator("#map .train-dot")).to_have_count(running)


def test_an_alert_is_said_and_marked(served: Served, blue: Run, page: Any) -> None:
    """In words above, at its station in the table, on the map, and gone when it is over."""
    page.goto(f"{served.url}/?t=08:08")
    sync_api.expect(page.locator("#alerts .alert")).to_contain_text("stands at Clark/Lake")
    sync_api.expect(page.locator("tr.alerted .name")).to_have_text(["Clark/Lake"])
    sync_api.expect(page.locator("#map .stop.alerted")).to_have_count(1)
    sync_api.expect(page.locator(".train.broken")).to_have_text(["BL113 broken down"])
    page.goto(f"{served.url}/?t=08:30")
    sync_api.expect(page.locator("#state")).to_have_text("time travel, paused")
    assert page.locator(".alert, tr.alerted, .stop.alerted").count() == 0


def test_slider_and_keys_move_through_the_run(served: Served, page: Any) -> None:
    """The slider goes anywhere; arrows go a minute, with shift ten; space plays and pauses; the address says where."""
    page.goto(f"{served.url}/?t=08:00&line=blue")
    sync_api.expect(page.locator("#state")).to_have_text("time travel, paused")  # before that, keys mean nothing yet
    settled(page, "08:00:00")
    assert page.locator(".rate dd, .lag dd").all_text_contents() == ["\u2013", "\u2013"]  # those are the feed's
    page.keyboard.press("ArrowRight")
    settled(page, "08:01:00")
    page.keyboard.press("Shift+ArrowLeft")
    settled(page, "07:51:00")
    page.locator("#slider").fill(str(served.site.history.window.start_ms + 30 * MINUTE_MS))  # type: ignore[union-attr]
    settled(page, "07:30:00")
    page.wait_for_url("**/?t=07:30:00&line=blue")
    page.locator("h1").click()
    page.keyboard.press("]")
    sync_api.expect(page.locator("#speed")).to_have_text(re.compile("^120"))
    sync_api.expect(page.locator("#state")).to_have_text("time travel")
    page.keyboard.press(" ")
    sync_api.expect(page.locator("#state")).to_have_text("time travel, paused")
    page.locator("#live").click()
    sync_api.expect(page.locator("#state")).to_have_text("live")
    page.wait_for_url("**/?line=blue")


@pytest.mark.parametrize("path", ["/", "/?t=07:10"], ids=["live", "travelling"])
def test_a_pause_stands_at_the_moment_that_is_shown(served: Served, blue: Run, page: Any, path: str) -> None:
    """The clock stands at once and for good; until the server has said what that moment's records are, none are shown."""
    held: list[Any] = []
    holding = False
    page.route("**/api/moment*", lambda route: held.append(route) if holding else route.continue_())
    page.goto(served.url + path)
    if path == "/":
        sync_api.expect(page.locator("#state")).to_have_text("live")
        served.site.feed.fold(next(blue.batches(blue.window)).between(None, blue.window.start_ms + 10 * MINUTE_MS))
        served.update()
        sync_api.expect(page.locator("#clock")).to_have_text(re.compile("^07:1"))
    else:
        sync_api.expect(page.locator("#state")).to_have_text("time travel, paused")
        page.keyboard.press(" ")
        sync_api.expect(page.locator("#clock")).not_to_have_text("07:10:00")
    holding = True
    if path != "/":  # one answer is under way when it is stopped, of a moment that is past by then
        while not held:
            page.wait_for_timeout(10)
    page.keyboard.press(" ")
    shown = page.locator("#clock").text_content()
    assert page.locator("#records, #digest").all_text_contents() == ["\u2013", "\u2013"]
    page.evaluate(
        "() => { window.clocks = new Set(); const look = () => (window.clocks.add(document.querySelector('#clock')"
        ".textContent), requestAnimationFrame(look)); look() }"
    )
    page.wait_for_timeout(500)  # as long as it ran on before
    holding = False
    for route in held:
        route.continue_()
    assert served.site.history is not None
    moment_ms = parse_moment(shown, blue.window.start_ms)
    sync_api.expect(page.locator("#digest")).to_have_text(served.site.history.slots(moment_ms)["digest"])
    assert page.evaluate("() => [...window.clocks]") == [shown]
    assert page.evaluate(READ_TABLE)[0]["stations"] == table_of(served.site.history.board(moment_ms))[0]["stations"]


def test_the_slider_goes_on_with_the_clock_after_it_was_moved(served: Served, page: Any) -> None:
    """It has the keyboard then; what a key does shows on it all the same."""
    page.goto(f"{served.url}/?t=08:00")
    sync_api.expect(page.locator("#state")).to_have_text("time travel, paused")
    slider = page.locator("#slider")
    sync_api.expect(slider).to_have_attribute("aria-valuetext", "08:00:00")
    slider.focus()
    for key, clock in [("Home", "07:00:00"), ("ArrowRight", "07:01:00")]:
        page.keyboard.press(key)
        settled(page, clock)
        moment_ms = parse_moment(clock, served.site.history.window.start_ms)  # type: ignore[union-attr]
        assert (slider.input_value(), slider.get_attribute("aria-valuetext")) == (str(moment_ms), clock)


def test_the_slider_stands_where_a_link_says_before_the_answer_has_come(served: Served, page: Any) -> None:
    """Else a key would move it from somewhere else."""
    page.route("**/api/moment*", lambda route: route.abort())
    page.goto(f"{served.url}/?t=08:00")
    sync_api.expect(page.locator("#slider")).to_have_attribute("aria-valuetext", "08:00:00")


def test_a_moment_that_had_no_answer_is_asked_for_again(served: Served, page: Any) -> None:
    """Though the page stands: it would show another moment than its slider does, and for ever."""
    page.goto(f"{served.url}/?t=08:00")
    settled(page, "08:00:00")
    sync_api.expect(page.locator("#state")).to_have_text("time travel, paused")
    page.route("**/api/moment*", lambda route: route.abort(), times=1)
    page.keyboard.press("ArrowRight")
    settled(page, "08:01:00")


def test_a_line_and_a_station_can_be_looked_for(served: Served, page: Any) -> None:
    """One line: its rows, its diagram, its trains. A name: the stations that have it, on every line."""
    page.goto(f"{served.url}/?t=08:08")
    page.locator(".lines a[data-line=blue]").click()
    assert [line["line"] for line in page.evaluate(READ_TABLE)] == ["blue"]
    sync_api.expect(page.locator("#diagram svg .stood")).to_have_count(1)
    page.locator(".lines a[data-line='']").click()
    page.keyboard.press("/")
    page.keyboard.type("clark/l")
    found = page.evaluate(READ_TABLE)
    assert {row[1] for line in found for row in line["stations"]} == {"Clark/Lake"}
    assert [line["line"] for line in found] == ["blue", "brown", "green", "orange", "pink", "purple"]
    sync_api.expect(page.locator("#map .stop.found")).to_have_count(1)


def test_without_javascript_the_table_is_there(served: Served, blue: Run, chromium: Any) -> None:
    """The same table, made by the server, of one line if asked; it comes again by itself."""
    for batch in blue.batches(blue.window):
        served.site.feed.fold(batch)
    served.update()
    with visit(chromium, java_script_enabled=False) as page:
        page.goto(f"{served.url}/?line=blue")
        rows = page.locator("#table tr[data-station]")
        shown = next(line for line in table_of(served.site.feed._scene.board.document()) if line["line"] == "blue")
        assert rows.locator(".n").all_text_contents() == [f"{row[4]:,}" for row in shown["stations"]]
        assert rows.locator(".train").all_text_contents() == [
            train for row in shown["stations"] for cell in row[2:4] for train in cell
        ]
        assert page.locator("noscript").count() >= 1
        sync_api.expect(page.locator("#map text").first).to_be_visible()  # a frame later than the rest


def test_a_script_in_a_stations_name_is_text(served: Served, blue: Run, page: Any) -> None:
    """A name that comes on the topic while the page is open: shown as it is, never run."""
    page.goto(served.url)
    sync_api.expect(page.locator("#state")).to_have_text("live")
    row = table_content(StationTableRow(40380, SCRIPT, 16, "blue"))
    served.site.feed.fold(Batch.of([(blue.window.start_ms, row)]))
    served.update()
    sync_api.expect(page.locator("tbody[data-line=blue] tr[data-station='40380'] .name")).to_have_text(SCRIPT)
    assert page.title() == "Transit status"


def test_the_page_finds_a_server_that_was_restarted(blue: Run, page: Any) -> None:
    """The connection is lost and said to be; a new server on the port is followed from a snapshot of its own."""
    with serve(site_of(blue)) as first:
        port = int(first.url.rsplit(":", 1)[1])
        page.goto(first.url)
        sync_api.expect(page.locator("#state")).to_have_text("live")
    sync_api.expect(page.locator("#state")).to_have_text("no connection, trying again")
    site = site_of(blue)
    site.feed.fold(next(blue.batches(blue.window)))
    with serve(site, port) as second:
        second.update()
        sync_api.expect(page.locator("#state")).to_have_text("live")
        sync_api.expect(page.locator("#records")).to_have_text(f"{site.feed.slots()['records']['total']:,}")


def test_a_server_that_is_away_for_a_moment_is_asked_again(served: Served, page: Any) -> None:
    """The network and the rows of one line's page: without them the page would stand still and look alive."""
    failed: list[str] = []

    def once(route: Any) -> None:
        if route.request.url in failed:
            route.continue_()
        else:
            failed.append(route.request.url)
            route.abort()

    page.route(re.compile("/(api/network|rows)$"), once)
    page.goto(f"{served.url}/?line=blue")
    sync_api.expect(page.locator("body")).to_have_class(re.compile(r"\blive\b"))  # by the script, not the server
    page.locator(".lines a[data-line='']").click()
    sync_api.expect(page.locator("#table tbody:not([hidden])")).to_have_count(len(served.site.network.lines))
    assert [url.rsplit("/", 1)[1] for url in failed] == ["network", "rows"]


def test_a_page_without_a_run_to_travel_through_has_no_slider(blue: Run, page: Any) -> None:
    """As `cta serve` shows it: live, with a line to choose and the last hours of its trains, without time travel."""
    feed = Feed(lambda: Scene(Board.for_network(blue.network), trail=Trail()))
    feed.state = "live"
    feed.fold(next(blue.batches(blue.window)))
    with serve(Site(blue.network, feed)) as served:
        page.goto(f"{served.url}/?line=blue")
        sync_api.expect(page.locator("#state")).to_have_text("live")
        sync_api.expect(page.locator("#map .train-dot.shown").first).to_have_attribute(
            "transform", re.compile("translate")
        )
        sync_api.expect(page.locator("#travel")).to_be_hidden()
        sync_api.expect(page.locator("#diagram svg")).to_contain_text("O'Hare")
        page.locator(".lines a[data-line='']").click()
        sync_api.expect(page.locator("#diagram")).to_be_hidden()
