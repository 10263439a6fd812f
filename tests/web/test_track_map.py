from __future__ import annotations

import xml.etree.ElementTree as ET
from itertools import pairwise
from math import dist

import pytest

from cta.network.load import chicago
from cta.web.drawing import loop_svg, map_svg
from cta.web.table import colors_css, luminance
from cta.web.track_map import TrackMap, loop, network_document, routes, whole

SVG = "{http://www.w3.org/2000/svg}"
STATION = {station.name: number for number, station in chicago().stations.items()}


def test_the_purple_express_runs_along_the_red_lines_tracks() -> None:
    """It passes stations: its way goes through them, in order."""
    way = routes(chicago())["purple", STATION["Howard"], STATION["Wilson"]]
    names = [chicago().stations[number].name for number in way]
    assert names[:3] + names[-2:] == ["Howard", "Jarvis", "Morse", "Lawrence", "Wilson"]


def test_lines_that_share_a_track_stand_side_by_side() -> None:
    """The Loop's lines over Lake Street, a gap apart each."""
    chart = TrackMap(chicago(), loop())
    hop = (STATION["Clark/Lake"], STATION["State/Lake"])
    ys = sorted(chart.way(line, hop)[0][1] for line in ("brown", "green", "orange", "pink", "purple"))
    gaps = [after - before for before, after in pairwise(ys)]
    assert gaps == pytest.approx([chart.frame.gap] * 4, rel=0.05)


def test_lines_turn_the_loops_corners_side_by_side() -> None:
    """From Lake Street into Wabash Avenue: straight to the corner and straight on, no line crosses another."""
    chart = TrackMap(chicago(), loop())
    hop = (STATION["State/Lake"], STATION["Washington/Wabash"])
    ways = {line: chart.way(line, hop) for line in ("brown", "green", "orange", "pink", "purple")}
    corners = [way[1] for way in ways.values()]
    assert {len(way) for way in ways.values()} == {3}
    assert all(inner[0] < outer[0] and inner[1] > outer[1] for inner, outer in pairwise(corners))


def test_a_service_is_one_line_without_a_notch() -> None:
    """Where a line goes on, it goes on from where it was: no step of its way is about as long as lines are apart."""
    chart = TrackMap(chicago(), loop())
    stations = ["Clark/Lake", "State/Lake", "Washington/Wabash", "Adams/Wabash"]
    way = chart.way("brown", [STATION[name] for name in stations])
    steps = [dist(one, other) / chart.frame.gap for one, other in pairwise(way)]
    assert [step for step in steps if 0.3 < step < 4] == []


def test_every_station_is_in_the_frame() -> None:
    """North is up, west is left, nothing is cut off."""
    chart = TrackMap(chicago(), whole(chicago()))
    points = chart.points
    assert all(chart.frame.holds(point) for point in points.values())
    assert points[STATION["Howard"]][1] < points[STATION["95th/Dan Ryan"]][1]
    assert points[STATION["O'Hare"]][0] < points[STATION["Jackson"]][0]


def test_a_hop_is_known_where_trains_have_one_way_to_go() -> None:
    """From Garfield towards 63rd Street they have two: there is no hop to draw a train along."""
    hops = network_document(chicago())["hops"]
    assert ("green/40510/a" in hops, "green/40510/b" in hops) == (True, False)
    hop = hops[f"blue/{STATION['Clark/Lake']}/b"]
    assert (hop["to"], len(hop["way"]), hop["travel_s"] > 0) == (40370, 3, True)  # by the corner of Lake and Dearborn


def test_the_drawings_are_sound_xml_with_every_station_once() -> None:
    """As many stops as stations; the inset holds the Loop's."""
    stops = [
        {stop.get("data-station") for stop in ET.fromstring(svg).iter("circle")}
        for svg in (map_svg(chicago()), loop_svg(chicago()))
    ]
    loop_names = {"Clark/Lake", "State/Lake", "Adams/Wabash", "Washington/Wells", "LaSalle/Van Buren"}
    assert stops[0] == {str(number) for number in chicago().stations}
    assert {str(STATION[name]) for name in loop_names} <= stops[1]


def test_every_station_of_the_loop_bears_its_name() -> None:
    """The longest, too: it goes on in the next line. No two names cover each other."""
    svg = ET.fromstring(loop_svg(chicago()))
    stops = [chicago().stations[int(stop.attrib["data-station"])].name for stop in svg.iter("circle")]
    texts = [[span.text or "" for span in text.iter("tspan")] for text in svg.iter("text")]
    assert sorted("".join(text).replace(" ", "") for text in texts if text) == sorted(
        name.replace(" ", "") for name in stops
    )
    assert max(len(line) for text in texts for line in text) <= 18


def test_words_on_a_lines_colour_can_be_read() -> None:
    """Black or white, whichever has more contrast: at least 4.5 to 1 on each of CTA's colours (WCAG AA)."""
    for line in chicago().lines.values():
        rule = next(rule for rule in colors_css(chicago().lines).splitlines() if rule.startswith(f".line-{line.line} "))
        light = luminance(line.color) + 0.05
        contrast = light / 0.05 if "--on-line: #000" in rule else 1.05 / light
        assert contrast >= 4.5, line
