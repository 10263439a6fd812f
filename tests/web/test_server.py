from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from hashlib import blake2b
from http.client import HTTPConnection
from typing import Any

import msgspec
import numpy as np
import pytest
import requests

from cta.commands.target import Run
from cta.model.batch import Batch, Content
from cta.model.raw import foreign, raw
from cta.model.records import StationTableRow
from cta.model.time import parse_moment
from cta.model.topics import ALERTS, ARRIVALS, TURNSTILE
from cta.pipeline.board import Board
from cta.pipeline.stations import table_content
from cta.web.app import POLICY
from cta.web.feed import Feed
from cta.web.scene import Scene, changed, document_of
from cta.web.site import Site
from cta.web.trail import Trail
from tests.web.conftest import Served, serve

SCRIPT = "<script>alert(1)</script>"


def get(served: Served, path: str, **headers: str) -> requests.Response:
    return requests.get(served.url + path, headers=headers, timeout=10)


def events(served: Served, last_id: str | None = None) -> Iterator[dict[str, Any]]:
    """The stream's events as they come."""
    headers = {} if last_id is None else {"Last-Event-ID": last_id}
    with requests.get(f"{served.url}/events", headers=headers, stream=True, timeout=10) as answer:
        fields: dict[str, Any] = {}
        for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
            name, _, value = line.partition(": ")
            fields |= {name: value} if value else {}
            if not line and "data" in fields:
                yield fields | {"data": msgspec.json.decode(fields["data"])}
                fields = {}


def test_the_board_is_the_pipelines_and_bears_its_digest(served: Served, blue: Run) -> None:
    """Without a moment: what the feed was given, once clients are told of it. The ETag is the digest that replay prints."""
    board = Board.for_network(blue.network)
    for batch in blue.batches(blue.window):
        board.fold(batch)
        served.site.feed.fold(batch)
    before = get(served, "/api/board")
    served.update()
    answer = get(served, "/api/board")
    assert before.content == Board.for_network(blue.network).to_json()
    assert answer.content == board.to_json()
    assert answer.headers["ETag"].strip('"') == board.digest() == blake2b(answer.content, digest_size=16).hexdigest()


@pytest.mark.parametrize("moment", ["08:08", "07:00:30", "2026-05-13T08:08:00-05:00", "1778677680000"])
def test_the_board_of_a_moment(served: Served, blue: Run, moment: str) -> None:
    """A time of day, a timestamp and milliseconds say the same; nothing needs to have been folded."""
    time_ms = int(moment) if moment.isdecimal() else parse_moment(moment, blue.window.start_ms)
    board = Board.for_network(blue.network)
    for batch in blue.batches(blue.window):
        board.fold(batch.between(None, time_ms))
    answer = requests.get(f"{served.url}/api/board", params={"t": moment}, timeout=10)
    assert answer.json() == msgspec.json.decode(msgspec.json.encode(board.document(time_ms)))


@pytest.mark.parametrize(
    "path, why",
    [
        ("/api/board?t=25:00", "t: '25:00' is not a time of day"),
        ("/api/board?t=soon", "t: 'soon' is not a moment"),
        ("/api/board?t=10:00", "is outside the run"),
        ("/api/board?t=99999999999999999999999", "is not a moment"),
        ("/api/board?t=08:00&t=08:01", "t: it is given 2 times"),
        ("/api/board?time=08:00", "time: no such parameter; there are: t"),
        ("/?line=grey", "line: no line 'grey'"),
        ("/?t=08:00%00", "is not a moment"),
        ("/api/network?line=red", "line: no such parameter; there are: none"),
        ("/api/diagram/grey.svg", "line: no line 'grey'"),
    ],
)
def test_a_wrong_parameter_is_a_400_that_says_why(served: Served, path: str, why: str) -> None:
    """One JSON object with the reason; nothing of the server's inside."""
    answer = get(served, path)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert why in answer.json()["error"]


@pytest.mark.parametrize("path", ["/", "/rows", "/api/board", "/api/diagram/blue.svg", "/healthz", "/api/board?x=1"])
def test_nothing_can_be_written(served: Served, path: str) -> None:
    """Any other method than GET is a 405 that says so, whatever comes with it."""
    answer = requests.post(served.url + path, {"x": "1"}, timeout=10)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")
    assert answer.json() == {"error": "POST: this can only be read; GET it"}


def test_a_diagram_without_a_train_is_a_404_that_says_why(served: Served) -> None:
    """The line is one of the network's, and none of its trains runs."""
    answer = get(served, "/api/diagram/red.svg")
    assert (answer.status_code, answer.json()) == (
        404,
        {"error": "there is no train of the Red Line; there are trains of: blue"},
    )


def test_what_is_not_there_is_a_404(served: Served) -> None:
    """Also outside the folder of static files."""
    paths = ["/nothing", "/static/../app.py", "/static/%2e%2e/app.py", "/static/none.js"]
    assert [get(served, path).status_code for path in paths] == [404, 404, 403, 404]


@pytest.mark.parametrize(
    "path", ["/", "/?t=no", "/api/board", "/static/main.js", "/static/page.css", "/rows", "/nothing", "/healthz"]
)
def test_every_answer_bears_the_policy(served: Served, path: str) -> None:
    """No script and no style but the server's own files; types are not guessed; the server does not say what it is."""
    headers = get(served, path).headers
    wanted = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
    assert {name: headers.get(name) for name in wanted} == wanted
    assert "Server" not in headers


def test_the_style_is_one_file_with_the_lines_colors(served: Served, blue: Run) -> None:
    """Asked for once, and not sent again to who has it; the policy allows no other than the server's own."""
    named = re.findall(r'<link rel="stylesheet" href="(.*?)">', get(served, "/").text)
    answer = get(served, named[0])
    again = get(served, named[0], **{"If-None-Match": answer.headers["Etag"]})
    assert (named, answer.headers["Content-Type"]) == (["/static/page.css"], "text/css; charset=utf-8")
    assert [line for line in blue.network.lines.values() if f"--line: {line.color};" not in answer.text] == []
    assert ("style-src 'self'" in POLICY, again.status_code) == (True, 304)


def test_nothing_is_inline_and_nothing_comes_from_elsewhere(served: Served) -> None:
    """No style attribute, no handler, no script in the page, no address of another host in page or files."""
    page = get(served, "/?line=blue&t=08:08").text
    found = re.findall(r"\sstyle=|\son\w+=|<style|<script(?! type=\"module\" src=\"/static/main.js\"></script>)", page)
    assert found == []
    for path in ["/", "/static/page.css", "/static/main.js", "/static/map.js", "/static/table.js"]:
        found = re.findall(r"https?://(?!www\.w3\.org/)[^\"' ]+", get(served, path).text)
        assert found == [], path


def test_the_page_has_the_table_without_javascript(served: Served) -> None:
    """A row a station with its trains and entries, the weather, the alert in words; it comes again by itself."""
    page = get(served, "/?t=08:08").text
    assert get(served, "/").text.count('<meta http-equiv="refresh"') == 1
    assert page.count('<meta http-equiv="refresh"') == 0  # a moment that is past stands still
    row = re.search(
        r'<tr data-station="40380" class="alerted">.*?</tr>', page[page.index('data-line="blue">\n<tr') :], re.S
    )
    assert row is not None
    words = " ".join(re.sub(r"<[^>]+>", " ", row[0].replace("<wbr>", "")).split())
    assert words.startswith("Blue Line Clark/Lake Alert: Blue Line: train BL113 stands at Clark/Lake")
    assert "BL113 broken down" in words
    assert "44.5 °F, partly cloudy" in page
    assert '<dd id="state">time travel</dd>' in page


def test_a_script_in_a_topic_is_text(blue: Run) -> None:
    """Names of stations and lines, ids of trains and alerts' texts are escaped wherever they stand."""
    board = Board.for_network(blue.network)
    scene = Scene(board)
    start_ms = blue.window.start_ms
    batches = list(blue.batches(blue.window))
    alert = next(content for batch in batches for _, content in batch if content.topic is ALERTS)
    arrival = next(content for batch in batches for _, content in batch if content.topic is ARRIVALS)
    evil = [
        table_content(StationTableRow(40380, SCRIPT, 0, "blue")),
        table_content(StationTableRow(1, SCRIPT, 0, f'"{SCRIPT}')),
        Content(
            ALERTS, alert.key, msgspec.structs.replace(alert.value, text=SCRIPT, active_from=start_ms, active_to=None)
        ),
        Content(ARRIVALS, arrival.key, msgspec.structs.replace(arrival.value, train_id=SCRIPT)),
    ]
    scene.fold(Batch.of([(start_ms, content) for content in evil]))
    site = Site(blue.network, Feed(lambda: scene), None)
    with serve(site) as served:
        assert SCRIPT not in get(served, "/").text + get(served, "/rows").text
        assert get(served, "/").text.count("&lt;script&gt;") >= 3


def test_health_is_good_only_when_caught_up(served: Served) -> None:
    """503 while starting and catching up, 200 when live and when the run has ended."""
    feed, found = served.site.feed, []
    for state in ("starting", "catching up", "live", "ended"):
        feed.state = state
        found.append(get(served, "/healthz").status_code)
    assert found == [503, 503, 200, 200]


def test_a_poison_record_is_counted_and_shown(served: Served, blue: Run) -> None:
    """In the metrics, in the page's footer, and nowhere else."""
    poison = Content(foreign(ARRIVALS.name), raw(b"\xff"), raw(b"\x00"))
    served.site.feed.fold(Batch.of([(blue.window.start_ms, poison)] * 2))
    served.update()
    assert f'cta_unreadable_records_total{{topic="{ARRIVALS.name}"}} 2.0' in get(served, "/metrics").text
    assert '<dd id="unread">2</dd>' in get(served, "/").text
    assert get(served, "/api/moment").json()["records"] == {"topics": {}, "total": 0, "unread": 2, "missed": 0}


def test_lag_is_shown_of_now_and_not_of_a_moment(served: Served) -> None:
    """Without JavaScript, too: a page that is catching up does not say that it lacks nothing."""
    served.site.feed.lag = {ARRIVALS.name: 1000, TURNSTILE.name: 234}
    served.update()
    found = [re.findall(r'<dd id="lag">(.*?)</dd>', get(served, path).text) for path in ("/", "/?t=08:08")]
    assert found == [["1,234"], ["\u2013"]]


def test_missed_records_are_counted_and_shown(served: Served) -> None:
    """Those that a topic lost before they were read, as long as the run lasts."""
    shown = '<div><dt>Missed</dt><dd id="missed">2</dd>'
    before = shown in get(served, "/").text
    served.site.feed.miss(ARRIVALS.name, 2)
    served.update()
    page, metrics = get(served, "/").text, get(served, "/metrics").text
    served.site.feed.restart()
    served.update()
    after = shown in get(served, "/").text
    assert (before, shown in page, after) == (False, True, False)
    assert f'cta_missed_records_total{{topic="{ARRIVALS.name}"}} 2.0' in metrics


def test_metrics_count_records_clients_and_changes(served: Served, blue: Run) -> None:
    """The text that Prometheus reads."""
    for batch in blue.batches(blue.window):
        served.site.feed.fold(batch)
    served.site.feed.lag = {ARRIVALS.name: 7}
    served.update()
    stream = events(served)
    next(stream)
    lines = get(served, "/metrics").text.splitlines()
    wanted = [
        'cta_records_total{topic="org.chicago.cta.alerts.v1"} 1.0',
        f'cta_lag_records{{topic="{ARRIVALS.name}"}} 7.0',
        "cta_page_clients 1.0",
        "cta_page_changes_total 1.0",
        "cta_page_update_seconds_count 1.0",
    ]
    assert [line for line in wanted if line not in lines] == []


def test_metrics_time_each_batch_until_clients_are_told(served: Served, blue: Run) -> None:
    """From its coming to the update that shows it, once; an update without a batch adds nothing."""
    (batch, *_) = blue.batches(blue.window)
    began_s = time.monotonic()
    served.site.feed.fold(batch)
    time.sleep(0.02)  # what is to be measured
    served.site.feed.fold(batch)
    served.update()
    passed_s = time.monotonic() - began_s
    served.update()
    found = dict(line.rsplit(" ", 1) for line in get(served, "/metrics").text.splitlines())
    assert found["cta_event_to_board_seconds_count"] == "2.0"
    assert 0.02 < float(found["cta_event_to_board_seconds_sum"]) < 2 * passed_s


def test_events_are_a_snapshot_and_changes_that_lead_to_the_board(served: Served, blue: Run) -> None:
    """What a client makes of the events is the board at every update."""
    stream = events(served)
    slots = next(stream)["data"]["set"]
    for batch in blue.batches(blue.window):
        for part in np.array_split(np.arange(len(batch)), 5):
            served.site.feed.fold(batch[part])
            served.update()
            event = next(stream)
            slots = changed(slots, event["data"])
            assert document_of(slots) == get(served, "/api/board").json()


def test_events_resume_after_the_id_that_a_client_had(served: Served, blue: Run) -> None:
    """Closed and opened again with Last-Event-ID: the change since, not a snapshot."""
    batch = next(blue.batches(blue.window))
    first = next(events(served))
    served.site.feed.fold(batch)
    served.update()
    again = next(events(served, first["id"]))
    assert (first["event"], again["event"]) == ("snapshot", "change")
    assert document_of(changed(first["data"]["set"], again["data"])) == get(served, "/api/board").json()


def test_a_client_that_reads_nothing_costs_no_memory(served: Served, blue: Run) -> None:
    """However many updates pass it by, what waits for it is at most one write."""
    with socket.create_connection(("127.0.0.1", int(served.url.rsplit(":", 1)[1]))) as lazy:
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        lazy.sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
        lazy.recv(16)
        snapshot = len(msgspec.json.encode(served.site.feed.slots()))
        for batch in blue.batches(blue.window):
            for part in np.array_split(np.arange(len(batch)), 300):
                served.site.feed.fold(batch[part])
                served.update()
        client = next(iter(served.site.hub.clients))
        waiting = len(client.stream._stream._write_buffer)  # type: ignore[attr-defined]  # Tornado has no other way to ask
        assert waiting < 3 * snapshot


def test_the_network_says_where_stations_are_and_how_trains_run(served: Served, blue: Run) -> None:
    """Every station of the network, every line, and the run's window."""
    document = get(served, "/api/network").json()
    assert {station["station_id"] for station in document["stations"]} == set(blue.network.stations)
    assert [line["line"] for line in document["lines"]] == list(blue.network.lines)
    assert document["window"] == {"start": blue.window.start_ms, "end": blue.window.end_ms}


def test_without_a_run_the_last_hours_are_drawn(blue: Run) -> None:
    """As `cta serve` does: nothing to draw first, then each of the line's trains; a station of no line is passed over."""
    feed = Feed(lambda: Scene(Board.for_network(blue.network), trail=Trail()))
    with serve(Site(blue.network, feed)) as served:
        before = get(served, "/api/diagram/blue.svg")
        batches = list(blue.batches(blue.window))
        arrival = next(content for batch in batches for _, content in batch if content.topic is ARRIVALS)
        elsewhere = Content(ARRIVALS, arrival.key, msgspec.structs.replace(arrival.value, station_id=1))
        for batch in [*batches, Batch.of([(blue.window.end_ms, elsewhere)])]:
            feed.fold(batch)
        after = get(served, "/api/diagram/blue.svg")
    assert (before.status_code, before.json()) == (404, {"error": "there is nothing to draw yet"})
    assert (after.status_code, "37 trains, 07:00 to 09:00" in after.text) == (200, True)


def test_every_path_of_the_openapi_document_answers(served: Served) -> None:
    """What is described is there."""
    document = get(served, "/openapi.json").json()
    paths = [path.replace("{line}", "blue") for path in document["paths"] if path != "/events"]
    assert {path: get(served, path).status_code for path in paths} == dict.fromkeys(paths, 200)


def test_the_page_is_small(served: Served, blue: Run) -> None:
    """All that a first visit loads, compressed, is under 60 kB."""
    for batch in blue.batches(blue.window):
        served.site.feed.fold(batch)
    files = ["main", "alerts", "clock", "diagram", "live", "map", "store", "table", "travel"]
    paths = ["/", "/static/page.css", "/api/network", *(f"/static/{name}.js" for name in files)]
    sizes = {}
    with closing(HTTPConnection("127.0.0.1", int(served.url.rsplit(":", 1)[1]), timeout=10)) as connection:
        for path in paths:
            connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
            sizes[path] = len(connection.getresponse().read())
    assert sum(sizes.values()) < 60_000, sizes
