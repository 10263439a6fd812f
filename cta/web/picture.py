"""An SVG of ours as a PNG: the light one of its two looks, twice its size, and the same on every machine.

The renderer knows no custom properties and no media, so the properties' values are put where they are used. The letters
are Roboto's, the Latin ones, from beside this module: a machine may have no fonts, or others.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from cta.model.errors import InputError

FONTS: Final = [str(path) for path in sorted((Path(__file__).parent / "fonts").glob("*.ttf"))]
SCALE: Final = 2


def png(svg: str) -> bytes:
    """The picture in pixels. Errors: InputError where the renderer is not installed."""
    try:
        from resvg_py import svg_to_bytes
    except ImportError:
        raise InputError(
            "a PNG needs a package that is not installed",
            where="--output",
            remedy="pip install 'cta[png]', or draw an .svg",
        ) from None
    return svg_to_bytes(_plain(svg), zoom=SCALE, font_files=FONTS, skip_system_fonts=True)


def _plain(svg: str) -> str:
    light = re.sub(r"@media[^{]*\{[^{}]*\{[^}]*\}\s*\}", "", svg)
    values = dict(re.findall(r"--([\w-]+):\s*([^;}]+?)\s*[;}]", light))
    drawn = re.sub(r"var\(--([\w-]+)\)", lambda used: values[used[1]], light)
    return re.sub(r"font: (\d+px) [^;]+;", r"font-size: \1; font-family: Roboto;", drawn)
