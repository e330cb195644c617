"""Writes regions.json: run `python -m tests.golden.make_regions` after a deliberate change."""

from __future__ import annotations

import json
from dataclasses import astuple
from pathlib import Path

from gvm_client.errors import SettingsError
from gvm_client.regions import HostRectangle, region_of

PATH = Path(__file__).parent / "regions.json"

HD = (0.0, 0.0, 1920.0, 1080.0)
PAL_16_9 = 64 / 45  # a pixel aspect, as PAL's wide format has it

# Each with the drawn rectangle, the display window (left, bottom, right, top), a pixel aspect.
DRAWN: dict[str, tuple[tuple[float, ...], tuple[float, ...], float]] = {
    "the whole window": (HD, HD, 1.0),
    "the lower left corner": ((0.0, 0.0, 100.0, 50.0), HD, 1.0),
    "the upper right corner": ((1820.0, 1030.0, 1920.0, 1080.0), HD, 1.0),
    "somewhere": ((1200.0, 120.0, 1840.0, 780.0), HD, 1.0),
    "parts of pixels go outward": ((10.2, 20.7, 30.1, 40.9), HD, 1.0),
    "what floats leave of a whole number is none": ((10.0000001, 19.9999999, 30.0, 40.0), HD, 1.0),
    "less than a pixel": ((10.25, 10.25, 10.5, 10.5), HD, 1.0),
    "overscan on every side": ((-8.0, -4.0, 1930.0, 1090.0), HD, 1.0),
    "below the window": ((0.0, -50.5, 10.0, -10.0), HD, 1.0),
    "a window away from the origin": ((100.0, 50.0, 150.0, 75.0), (96.0, 40.0, 288.0, 148.0), 1.0),
    "a window below the origin": ((-20.0, -30.0, 0.0, -5.0), (-64.0, -36.0, 64.0, 36.0), 1.0),
    "wide pixels": ((0.0, 0.0, 1024.0, 576.0), (0.0, 0.0, 720.0, 576.0), PAL_16_9),
    "a part of wide pixels": ((100.0, 0.0, 200.0, 1.0), (0.0, 0.0, 720.0, 576.0), PAL_16_9),
    "narrow pixels": ((10.0, 10.0, 20.0, 20.0), (4.0, 0.0, 100.0, 50.0), 0.5),
    "no area": ((10.0, 10.0, 10.0, 20.0), HD, 1.0),
    "no height": ((10.0, 10.0, 20.0, 10.0), HD, 1.0),
    "drawn from right to left": ((20.0, 10.0, 10.0, 20.0), HD, 1.0),
    "too wide": ((0.0, 0.0, 70000.0, 10.0), HD, 1.0),
    "too far": ((-70000.0, 0.0, -69990.0, 10.0), HD, 1.0),
}


def rectangle(edges: tuple[float, ...]) -> HostRectangle:
    """Return a rectangle of its left, bottom, right and top edge."""
    left, bottom, right, top = edges
    return HostRectangle(left=left, bottom=bottom, right=right, top=top)


def vector(name: str) -> dict[str, object]:
    """Return a drawn rectangle and its region, x, y, width and height; None where it is refused."""
    drawn, window, pixel_aspect = DRAWN[name]
    try:
        region = region_of(rectangle(drawn), rectangle(window), pixel_aspect)
    except SettingsError:
        region = None
    return {
        "name": name,
        "drawn": list(drawn),
        "window": list(window),
        "pixel_aspect": pixel_aspect,
        "region": region and list(astuple(region)[:4]),
    }


def document() -> str:
    """Return the file's text, one rectangle on a line."""
    lines = ",\n".join(json.dumps(vector(name)) for name in DRAWN)
    return f'{{"regions": [\n{lines}\n]}}\n'


if __name__ == "__main__":
    PATH.write_text(document(), encoding="utf-8")
