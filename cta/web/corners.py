"""Where tracks turn between two stations: without these the Loop would be no rectangle on the map.

Streets that trains turn at, as (lat, lon), from the stations that stand in them; for drawing alone, nothing else knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CORNERS: Final[Mapping[str, tuple[float, float]]] = {
    "Lake and Wells": (41.88572, -87.63386),
    "Lake and Wabash": (41.88574, -87.62622),
    "Van Buren and Wabash": (41.87685, -87.62600),
    "Van Buren and Wells": (41.87678, -87.63371),
    "Lake and Dearborn": (41.88573, -87.62948),
    "Congress and Dearborn": (41.87556, -87.62926),
}

TURNS: Final[Mapping[tuple[int, int], str]] = {
    (40380, 40460): "Lake and Wells",  # Clark/Lake, Merchandise Mart
    (40380, 40730): "Lake and Wells",  # Clark/Lake, Washington/Wells
    (40380, 41160): "Lake and Wells",  # Clark/Lake, Clinton: straight on
    (40460, 40730): "Lake and Wells",  # Merchandise Mart, Washington/Wells: straight on
    (40730, 41160): "Lake and Wells",  # Washington/Wells, Clinton
    (40260, 41700): "Lake and Wabash",  # State/Lake, Washington/Wabash
    (40680, 40850): "Van Buren and Wabash",  # Adams/Wabash, Library
    (40680, 41400): "Van Buren and Wabash",  # Adams/Wabash, Roosevelt: straight on
    (40850, 41400): "Van Buren and Wabash",  # Library, Roosevelt
    (40040, 40160): "Van Buren and Wells",  # Quincy/Wells, LaSalle/Van Buren
    (40370, 40380): "Lake and Dearborn",  # Washington, Clark/Lake
    (40070, 41340): "Congress and Dearborn",  # Jackson, LaSalle
}
"""By two neighbouring stations, the smaller id first: the corner on the way."""
