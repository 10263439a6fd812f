"""How the page looks in Chromium: on a desk and a phone, light and dark, crowded with alerts, to whoever wants no motion."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from cta.commands.target import Run, open_run
from cta.web.diagram import diagram_svg, strings
from cta.web.table import luminance
from tests.web.conftest import Served, serve, settled, site_of, visit

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: nox -s browser")

pytestmark = pytest.mark.browser


def colors(page: Any, places: list[tuple[str, str | None, str]]) -> list[str]:
    """What is drawn at (selector, part, property), as ``#rrggbb``, however the style puts it."""
    found: list[str] = page.evaluate(
        """places => {
          const canvas = new OffscreenCanvas(1, 1).getContext("2d");
          return places.map(([which, part, property]) => {
            canvas.fillStyle = getComputedStyle(document.querySelector(which), part)[property];
            canvas.fillRect(0, 0, 1, 1);
            const bytes = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
            return "#" + bytes.map(byte => byte.toString(16).padStart(2, "0")).join("");
          });
        }""",
        places,
    )
    return found


def contrast(one: str, other: str) -> float:
    """WCAG's, from 1 to 21."""
    dark, light = sorted(luminance(color) + 0.05 for color in (one, other))
    return light / dark


@pytest.fixture(scope="module")
def snow_day() -> Iterator[Served]:
    """Alerts on every line."""
    with serve(site_of(open_run("scenarios/snow_day.json"))) as running:
        yield running


@pytest.mark.parametrize("width, height", [(1280, 800), (390, 844)])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "none"])
def test_many_alerts_leave_the_page_to_the_trains(
    snow_day: Served, chromium: Any, width: int, height: int, scripts: bool
) -> None:
    """The newest are said, the others are counted and come when asked for; a line's are its own and its stations'."""
    more = "#alerts summary"
    with visit(chromium, viewport={"width": width, "height": height}, java_script_enabled=scripts) as page:
        for line, found, first in [
            ("", 11, "BR117"),
            ("brown", 3, "BR117"),
            ("blue", 2, "UIC-Halsted"),
            ("", 11, "BR117"),
        ]:
            if scripts and page.url != "about:blank":
                page.locator(f".lines a[data-line='{line}']").click()
            else:
                page.goto(f"{snow_day.url}/?t=07:45" + (f"&line={line}" if line else ""))
            if scripts:
                sync_api.expect(page.locator("#state")).to_have_text("time travel, paused")
            sync_api.expect(page.locator("#alerts .alert")).to_have_count(found)
            sync_api.expect(page.locator("#alerts .alert").first).to_contain_text(first)
            assert "Quincy" in " ".join(page.locator("#alerts .alert").all_text_contents()) or line == "blue"
            assert page.locator(more).is_visible() == (found > 3)
            tools = page.locator(".tools").bounding_box()
            assert tools["y"] + tools["height"] < height / 2
        sync_api.expect(page.locator(more)).to_have_text("8 more alerts")
        if width > 1000:
            heights = page.evaluate(
                "() => [...document.querySelectorAll('#alerts > div > p')].map(e => e.offsetHeight)"
            )
            assert max(heights) < 36
            chart, footer = page.locator(".maps").bounding_box(), page.locator("footer").bounding_box()
            assert chart["y"] + chart["height"] <= footer["y"]  # nothing of the map is behind it
        page.locator(more).focus()
        page.keyboard.press(" ")
        sync_api.expect(page.locator("#alerts .alert").last).to_be_visible()
        if scripts:
            for _ in range(2):
                page.keyboard.press("Shift+ArrowRight")  # what is open stays open, whatever comes
            settled(page, "08:05:00")
            sync_api.expect(page.locator("#alerts .alert")).to_have_count(10)
            sync_api.expect(page.locator("#alerts .alert").last).to_be_visible()


def test_a_phone_shows_it_all_without_scrolling_sideways(served: Served, chromium: Any) -> None:
    """390 units wide: nothing sticks out, and what is to be read or touched is large enough."""
    with visit(chromium, viewport={"width": 390, "height": 844}) as page:
        page.goto(f"{served.url}/?t=08:08&line=blue")
        sync_api.expect(page.locator("#state")).to_have_text("time travel, paused")
        sync_api.expect(page.locator("tr.alerted .name")).to_be_visible()
        sync_api.expect(page.locator("#diagram svg .now")).to_have_count(1)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
        letters = page.evaluate(
            "() => [...document.querySelectorAll('#diagram text')].map(e => e.getBoundingClientRect().height)"
        )
        assert min(letters) >= 10
        inside = page.evaluate(
            "() => [...document.querySelectorAll('.train')].every(e => e.getBoundingClientRect().right"
            " <= e.parentElement.getBoundingClientRect().right)"
        )
        assert inside
        sizes = page.evaluate(
            "() => [...document.querySelectorAll('button, .lines a')].map(e => e.getBoundingClientRect().height)"
        )
        assert min(sizes) >= 24


@pytest.mark.parametrize("width, height", [(1280, 800), (390, 844)])
def test_the_maps_names_can_be_read(served: Served, chromium: Any, width: int, height: int) -> None:
    """On a desk and on a phone: letters of eight units or more, no name outside its picture."""
    with visit(chromium, viewport={"width": width, "height": height}) as page:
        page.goto(f"{served.url}/?t=08:08")
        names = page.evaluate(
            """() => [...document.querySelectorAll(".chart .labels text")].map(text => {
              const drawn = text.getBoundingClientRect(), chart = text.ownerSVGElement.getBoundingClientRect();
              const letters = parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a;
              const inside = drawn.left >= chart.left && drawn.right <= chart.right
                && drawn.top >= chart.top && drawn.bottom <= chart.bottom;
              return [text.textContent, letters >= 8, inside];
            })"""
        )
    assert len(names) > 25
    assert [name for name in names if not all(name)] == []


def test_the_line_that_is_chosen_stands_in_a_phones_row_of_lines(served: Served, chromium: Any) -> None:
    """The last of them is beyond the edge until the row has moved."""
    with visit(chromium, viewport={"width": 390, "height": 844}) as page:
        page.goto(f"{served.url}/?t=08:08&line=yellow")
        page.wait_for_function(
            "() => document.querySelector('.lines a[aria-current]').getBoundingClientRect().right <= innerWidth"
        )
        assert page.evaluate("() => scrollY") == 0


@pytest.mark.parametrize("width", [1440, 1024, 820, 390])
def test_the_way_past_the_map_shows_the_tables_first_row(served: Served, chromium: Any, width: int) -> None:
    """By the keyboard: what stays at the top of the window, lines and the table's head, covers nothing below it."""
    with visit(chromium, viewport={"width": width, "height": 600}) as page:
        page.goto(f"{served.url}/?t=08:08")
        sync_api.expect(page.locator("#state")).to_have_text("time travel, paused")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_function("() => scrollY > 0")
        boxes = [page.locator(place).first.bounding_box() for place in (".tools", "thead th", "tbody th")]
    for upper, lower in pairwise(boxes):
        assert upper["y"] + upper["height"] <= lower["y"] + 1  # the window moves by whole pixels


@pytest.mark.parametrize("width", [1440, 390])
def test_stations_stand_on_their_line(served: Served, chromium: Any, width: int) -> None:
    """The table's strip goes through the middle of each station's ring."""
    with visit(chromium, viewport={"width": width, "height": 900}) as page:
        page.goto(f"{served.url}/?t=08:08")
        strip, ring = page.evaluate(
            """() => ["::before", "::after"].map(part => {
              const look = getComputedStyle(document.querySelector("td.track"), part);
              const border = look.boxSizing === "border-box" ? 0 : 2 * parseFloat(look.borderLeftWidth);
              return parseFloat(look.left) + (parseFloat(look.width) + border) / 2;
            })"""
        )
    assert strip == ring


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_lines_can_be_told_from_the_paper(snow_day: Served, chromium: Any, scheme: str) -> None:
    """The darkest of CTA's colours in the dark, too: 3 to 1 (WCAG AA, of graphics)."""
    with visit(chromium, color_scheme=scheme) as page:
        page.goto(f"{snow_day.url}/?t=08:08&line=brown")
        sync_api.expect(page.locator("#diagram svg .string").first).to_be_attached()
        paper, *lines = colors(
            page,
            [
                (".board", None, "backgroundColor"),
                ("#diagram .string", None, "stroke"),
                ("#map .line-brown path", None, "stroke"),
                ("td.track", "::before", "backgroundColor"),
            ],
        )
    assert min(contrast(paper, line) for line in lines) >= 3


def test_a_picture_in_a_file_is_drawn_lighter_in_the_dark(snow_day: Served, chromium: Any) -> None:
    """It has no page around it whose style would do so: `cta plot`'s brown line, 3 to 1 on its own dark paper."""
    site = snow_day.site
    assert site.history is not None
    found = strings(site.network, "brown", site.history.batches())
    with visit(chromium, color_scheme="dark") as page:
        page.set_content(diagram_svg(found, site.network, site.history.window))
        paper, line = colors(page, [(".paper", None, "fill"), (".string.b:not(.broken)", None, "stroke")])
    assert contrast(paper, line) >= 3


def test_a_phone_breaks_no_word_and_says_what_a_desk_says(served: Served, chromium: Any) -> None:
    """Stations' names go on in the next line after a space, a slash or a hyphen; the footer has its figures."""
    with visit(chromium, viewport={"width": 390, "height": 844}) as page:
        page.goto(f"{served.url}/?t=08:08")
        sync_api.expect(page.locator("#state")).to_have_text("time travel, paused")
        ends = page.evaluate(
            """() => [...document.querySelectorAll(".name")].flatMap(name => {
              const texts = [...name.childNodes].filter(node => node.nodeType === Node.TEXT_NODE);
              const letters = texts.flatMap(text => [...text.data].map((letter, i) => {
                const range = new Range();
                range.setStart(text, i);
                range.setEnd(text, i + 1);
                return [letter, range.getBoundingClientRect()];
              }));
              return letters.slice(1).map((at, i) => [letters[i], at]).filter(
                ([[, before], [, after]]) => after.height > 0 && after.top > before.top + 2).map(([[letter]]) => letter);
            })"""
        )
        assert {"/"} <= set(ends) <= set(" /-")
        words = [" ".join(text.split()) for text in page.locator("thead th").all_inner_texts()]
        assert words == ["Line and station", "Direction A", "Direction B", "Turnstile Entries"]
        for name in ("state", "records", "rate", "lag", "digest"):
            sync_api.expect(page.locator(f"#{name}")).to_be_visible()
        page.evaluate("() => scrollTo(0, document.body.scrollHeight)")
        rows, footer = page.locator(".board").bounding_box(), page.locator("footer").bounding_box()
        assert rows["y"] + rows["height"] <= footer["y"]  # and hides no row


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_serious(served: Served, chromium: Any, scheme: str, width: int) -> None:
    """Contrast, names, roles, structure: no serious or critical violation, at a desk and on a phone."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe is not installed: nox -s browser"
    ).Axe
    with visit(
        chromium, viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
    ) as page:
        page.goto(f"{served.url}/?t=08:08&line=blue")
        sync_api.expect(page.locator("#diagram svg .stood")).to_have_count(1)
        found = axe().run(page).response["violations"]
    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found if rule["impact"] in ("serious", "critical")] == []


def test_reduced_motion_stands_still(served: Served, blue: Run, chromium: Any) -> None:
    """Trains are where they are known to be and move only with news."""
    with visit(chromium, reduced_motion="reduce") as page:
        page.goto(served.url)
        served.site.feed.fold(next(blue.batches(blue.window)))
        served.update()
        dots = page.locator("#map .train-dot")
        sync_api.expect(dots.first).to_have_attribute("transform", re.compile("translate"))
        before = [dot.get_attribute("transform") for dot in dots.all()]
        page.wait_for_timeout(300)
        assert [dot.get_attribute("transform") for dot in dots.all()] == before
