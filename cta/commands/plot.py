"""A line's trains over time, as a picture in a file."""

from __future__ import annotations

from pathlib import Path

from cta.commands.record import check_output
from cta.commands.target import Run
from cta.model.errors import at
from cta.network.lookup import find_line
from cta.recording.newfile import NewFile
from cta.simulation.plan import Window
from cta.web.diagram import diagram_svg, strings
from cta.web.picture import png

FORMS = (".svg", ".png")


def plot(run: Run, window: Window, line: str, output: str, *, force: bool) -> str:
    """Write the time-distance diagram of ``line`` to ``output``; returns what was drawn, in words.

    Errors: NetworkError for a line that is none, InputError where no train of it runs or the package that draws a .png is
    missing, OutputError as of `check_output`, or where it cannot be written.
    """
    check_output(output, force=force, source=run.path, forms=FORMS)
    with at("--line"):
        shown = find_line(run.network, line)
        found = strings(run.network, shown.line, run.batches(window))
    title = f"{shown.name}, {run.name.replace('_', ' ')}"
    svg = diagram_svg(found, run.network, window, title=title)
    drawn = svg.encode() if output.endswith(".svg") else png(svg)
    with NewFile(Path(output)).whole() as file:
        file.write(drawn)
    return f"{output}: {len(found.trains)} trains of the {shown.name}"
