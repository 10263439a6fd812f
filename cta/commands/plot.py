"""A line's trains over time, as a picture in a file."""

from __future__ import annotations

from pathlib import Path

from cta.commands.target import Run
from cta.model.errors import InputError, OutputError
from cta.network.lookup import find_line
from cta.recording.newfile import NewFile
from cta.simulation.plan import Window
from cta.web.diagram import diagram_svg, strings
from cta.web.picture import png


def plot(run: Run, window: Window, line: str, output: str, *, force: bool) -> str:
    """Write the time-distance diagram of ``line`` to ``output``; returns what was drawn, in words.

    Errors: NetworkError for a line that is none, InputError for another ending than .svg and .png or where the package
    that draws a .png is missing, OutputError for a file that is there (without ``force``) or cannot be written.
    """
    path = Path(output)
    if path.suffix not in (".svg", ".png"):
        raise InputError(f"{output!r} ends neither in .svg nor in .png", where="--output", remedy="name one of the two")
    if path.exists() and not force:
        raise OutputError("is there already", where=output, remedy="choose another name, or --force to replace it")
    shown = find_line(run.network, line)
    found = strings(run.network, shown.line, run.batches(window))
    title = f"{shown.name}, {run.name.replace('_', ' ')}"
    svg = diagram_svg(found, run.network, window, title=title)
    drawn = svg.encode() if path.suffix == ".svg" else png(svg)
    file = NewFile(path)
    file.open()
    try:
        file.file.write(drawn)
    except OSError as error:
        file.discard()
        raise file.refused(error) from None
    file.finish()
    return f"{output}: {len(found.trains)} trains of the {shown.name}"
