from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cta.commands.target import Run, open_run
from cta.model.records import Alert
from cta.web.diagram import Strings, diagram_svg, strings
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


def test_plot_writes_the_picture_and_says_so(tmp_path: Path) -> None:
    """The file, the words; not over a file that is there; not in another form."""
    output = str(tmp_path / "blue.svg")
    args = ["plot", "scenarios/blue_line_breakdown.json", "--line", "Blue Line", "-o"]
    first, second, other = invoke(*args, output), invoke(*args, output), invoke(*args, str(tmp_path / "blue.gif"))
    assert (first.exit_code, first.stdout) == (0, f"{output}: 37 trains of the Blue Line\n")
    assert (second.exit_code, "is there already" in second.stderr) == (2, True)
    assert (other.exit_code, "no form has this ending; end it with .svg, .png" in other.stderr) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["blue.svg"]


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
