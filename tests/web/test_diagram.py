from __future__ import annotations

import itertools
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cta.commands.target import Run, open_run
from cta.model.records import Alert
from cta.model.time import MINUTE_MS
from cta.network.load import chicago
from cta.web.diagram import Strings, diagram_svg, strings
from cta.web.towards import towards
from tests.cli.running import invoke

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def found(blue: Run) -> Strings:
    return strings(blue.network, "blue", blue.batches(blue.window))


def drawn(run: Run, found: Strings) -> ET.Element:
    return ET.fromstring(diagram_svg(found, run.network, run.window))


def test_every_arrival_is_on_its_trains_string(blue: Run, found: Strings) -> None:
    """Nothing is left out, nothing is invented, and each string's times never go back."""
    arrivals = [
        (content.value.train_id, time_ms, content.value.station_id)
        for batch in blue.batches(blue.window)
        for time_ms, content in batch
        if content.topic.short == "arrivals"
    ]
    stops = [
        (train.train_id, time, station)
        for train in found.trains
        for piece in train.pieces
        for time, station, _ in piece
    ]
    assert sorted(stops) == sorted(arrivals)
    assert all(piece == sorted(piece, key=lambda stop: stop[0]) for train in found.trains for piece in train.pieces)


def test_the_broken_train_stands_for_twenty_minutes(blue: Run, found: Strings) -> None:
    """One heavy flat stroke at Clark/Lake, as long as the breakdown on the axis of time, and one band for its alert."""
    strokes = [path for path in drawn(blue, found).iter(f"{SVG}path") if path.get("class") == "stood"]
    (match,) = [re.fullmatch(r"M([\d.]+) [\d.]+H([\d.]+)", path.get("d", "")) for path in strokes]
    assert match is not None
    minutes = (float(match[2]) - float(match[1])) / (1280 - 168 - 24) * 120
    assert minutes == pytest.approx(20, abs=0.5)
    assert len([rect for rect in drawn(blue, found).iter(f"{SVG}rect") if rect.get("class") == "span"]) == 1


def test_strings_stay_inside_the_picture(blue: Run, found: Strings) -> None:
    """Every point lies between the first and the last station and moment."""
    svg = drawn(blue, found)
    paths = [path.get("d", "") for path in svg.iter(f"{SVG}path") if path.get("class", "").startswith("string")]
    points = [tuple(map(float, point.split())) for d in paths for point in re.split("[ML]", d)[1:]]
    left, right, top, bottom = (float(svg.get(f"data-{side}", "nan")) for side in ("left", "right", "top", "bottom"))
    assert all(left <= x <= right and top - 0.1 <= y <= bottom + 0.6 for x, y in points)
    assert len(points) > 1000


def test_no_stations_name_sticks_out(blue: Run) -> None:
    """The Loop has a name of 41 letters; it is cut where there is no room for it, and says so."""
    names = [
        text.text or ""
        for text in drawn(blue, Strings("brown", [], [])).iter(f"{SVG}text")
        if text.get("text-anchor") == "end"
    ]
    assert max(map(len, names)) * 6.3 <= 168 - 10
    assert [name for name in names if name.endswith("\u2026")] == ["Harold Washington Librar\u2026"]


@pytest.mark.parametrize("line", ["red", "blue", "brown", "green", "orange", "pink", "purple", "yellow"])
def test_every_line_can_be_drawn(line: str) -> None:
    """Branches, the Loop and the express as well: a string for each of its trains."""
    run = open_run("scenarios/rush_hour.json")
    found = strings(run.network, line, run.batches(run.window))
    assert len(list(drawn(run, found).iter(f"{SVG}title"))) == len(found.trains) > 0


def test_texts_from_topics_are_escaped(blue: Run) -> None:
    """An alert's text is text in the picture too."""
    alert = Alert("NO_SERVICE", "OTHER_CAUSE", "blue", None, None, blue.window.start_ms, None, "<script>&")
    svg = drawn(blue, Strings("blue", [], [alert]))
    assert [text.text for text in svg.iter(f"{SVG}text") if text.get("class") == "note"] == ["<script>&"]


@given(
    st.lists(st.tuples(st.integers(-60, 130), st.none() | st.integers(1, 200), st.integers(1, 300)), max_size=12),
    st.booleans(),
)
def test_alerts_can_be_read_however_many_there_are(spans: list[tuple[int, int | None, int]], on_page: bool) -> None:
    """No text stands on another, on the title, on the clock's ticks or outside the picture, long as it may be."""
    run = open_run("scenarios/blue_line_breakdown.json")
    alerts = [
        Alert(
            "NO_SERVICE",
            "OTHER_CAUSE",
            None,
            None,
            None,
            run.window.start_ms + begin * MINUTE_MS,
            None if minutes is None else run.window.start_ms + (begin + minutes) * MINUTE_MS,
            "n" * length,
        )
        for begin, minutes, length in spans
    ]
    svg = ET.fromstring(diagram_svg(Strings("blue", [], alerts), run.network, run.window, on_page=on_page))
    texts = list(svg.iter(f"{SVG}text"))
    notes = [
        (float(text.get("y", "")), float(text.get("x", "")), text.text or "")
        for text in texts
        if text.get("class") == "note"
    ]
    others = [float(text.get("y", "")) for text in texts if text.get("class") != "note"]
    assert len(notes) == len([span for span in svg.iter(f"{SVG}rect") if span.get("class") == "span"])
    assert all(abs(y - other) >= 14 for y, _, _ in notes for other in others)
    assert all(x >= 0 and x + 6.6 * len(text) <= float(svg.get("viewBox", "").split()[2]) for _, x, text in notes)
    for (y, x, text), (other_y, other_x, _) in itertools.pairwise(sorted(notes)):
        assert other_y - y >= 14 or (other_y == y and x + 6.6 * len(text) <= other_x)


def test_an_alert_of_a_station_elsewhere_is_not_the_lines() -> None:
    """Quincy/Wells is closed: the Brown Line's trains stop there, the Blue Line's do not."""
    run = open_run("scenarios/snow_day.json")
    batches = list(run.batches(run.window))
    texts = {
        line: [alert.text for alert in strings(run.network, line, batches).alerts if "Quincy" in alert.text]
        for line in ("blue", "brown")
    }
    assert {line: len(found) for line, found in texts.items()} == {"blue": 0, "brown": 1}


def test_every_direction_is_named_by_where_its_trains_go() -> None:
    """As in the timetable: of two terminals both, and the Loop for trains that go around it and come back."""
    network = chicago()
    found = {line: (towards(network, line, "a"), towards(network, line, "b")) for line in network.lines}
    assert found == {
        "red": ("Howard", "95th/Dan Ryan"),
        "blue": ("O'Hare", "Forest Park or UIC-Halsted"),
        "brown": ("Kimball", "Loop"),
        "green": ("Harlem/Lake", "Ashland/63rd or Cottage Grove"),
        "orange": ("Midway", "Loop"),
        "pink": ("54th/Cermak", "Loop"),
        "purple": ("Linden", "Howard or Loop"),
        "yellow": ("Dempster-Skokie", "Howard"),
    }


def test_plot_writes_the_picture_and_says_so(tmp_path: Path) -> None:
    """The file, the words; not over a file that is there; not in another form."""
    output = str(tmp_path / "blue.svg")
    args = ["plot", "scenarios/blue_line_breakdown.json", "--line", "Blue Line", "-o"]
    first, second, other = invoke(*args, output), invoke(*args, output), invoke(*args, str(tmp_path / "blue.gif"))
    assert (first.exit_code, first.stdout) == (0, f"{output}: 37 trains of the Blue Line\n")
    assert (second.exit_code, "is there already" in second.stderr) == (2, True)
    assert (other.exit_code, "no form has this ending; end it with .svg, .png" in other.stderr) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["blue.svg"]


def test_a_line_without_a_train_is_bad_input(tmp_path: Path) -> None:
    """No empty picture: one line that names the lines of the run, and nothing written."""
    output = tmp_path / "red.svg"
    result = invoke("plot", "scenarios/blue_line_breakdown.json", "--line", "red", "-o", str(output))
    assert (result.exit_code, result.stderr) == (
        2,
        "error: --line: there is no train of the Red Line; there are trains of: blue\n",
    )
    assert not output.exists()


def test_plot_draws_in_pixels_too(tmp_path: Path) -> None:
    """The same picture, twice the size, in its light colours; with letters, for its font comes with the package."""
    output = tmp_path / "blue.png"
    result = invoke("plot", "scenarios/blue_line_breakdown.json", "--line", "blue", "-o", str(output))
    picture = np.asarray(Image.open(output).convert("RGB"))
    title, corner = picture[2 * 16 : 2 * 36, 2 * 24 : 2 * 300], picture[:20, :20]
    assert (result.exit_code, picture.shape[1]) == (0, 2 * 1280)
    for color in [(0x00, 0xA1, 0xDE), (0xC1, 0x12, 0x1F)]:  # the line's; the breakdown's
        assert (picture == color).all(axis=2).sum() > 1000
    assert (corner == 255).all()
    assert 0.05 < (title == (0x1B, 0x24, 0x30)).all(axis=2).mean() < 0.3


def test_a_png_without_its_package_is_bad_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line that says what to install; nothing is written."""
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    output = tmp_path / "blue.png"
    result = invoke("plot", "scenarios/blue_line_breakdown.json", "--line", "blue", "-o", str(output))
    assert (result.exit_code, result.stderr) == (
        2,
        "error: --output: a PNG needs a package that is not installed; pip install 'cta[png]', or draw an .svg\n",
    )
    assert not output.exists()
