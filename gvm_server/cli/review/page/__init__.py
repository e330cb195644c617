"""The page of a report: HTML, style and script of its own, filled with one shot.

Nothing in it is fetched: pictures and movie are within, as text, and its policy forbids the rest.
"""

from __future__ import annotations

import io
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from html import escape
from importlib.resources import files
from pathlib import Path

from PIL import Image

from gvm_client import __version__
from gvm_client.frames import abbreviated_frames
from gvm_client.text import counted, printable
from gvm_server.cli.review.limits import by_limit
from gvm_server.cli.review.page.facts import facts_of
from gvm_server.cli.review.page.plots import PLOTS, plot
from gvm_server.cli.terminal import as_json
from gvm_server.measure.review import Review
from gvm_server.measure.verdict import Excess, unlike_frames
from gvm_server.media.outputs.looks import COLOUR
from gvm_server.media.outputs.sheet import MARK, Picture
from gvm_server.media.store.past import PastJob

ENDINGS = (".html", ".htm")

_FIELD = re.compile(r"\{\{(\w+)\}\}")
_MOST_BUTTONS = 60  # frames that are named one by one


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """What a page shows.

    Attributes:
        review: the shot's figures.
        notes: what a person should know, in whole sentences.
        limits: the most, by the figures' names.
        passed: what passes its limit.
        sheet: the contact sheet, [H, W, 3] of 8 bits.
        movie: an MP4 of plate above matte, each frame of the review in order.
        size: width and height of the plate in it.
        rate: its frames per second.
        job: what making the mattes took; None where that is not known.
    """

    review: Review
    notes: Sequence[str]
    limits: Mapping[str, float]
    passed: Sequence[Excess]
    sheet: Picture
    movie: bytes
    size: tuple[int, int]
    rate: Fraction
    job: PastJob | None


def html_of(page: Page) -> str:
    """Return the whole page."""
    review = page.review
    numbers = [frame.frame for frame in review.frames]
    unlike = unlike_frames(review)
    look_at = dict.fromkeys((*(excess.frame for excess in page.passed), *unlike))
    data = {
        "frames": numbers,
        "rate": [page.rate.numerator, page.rate.denominator],
        "colour": [round(255 * value) for value in COLOUR],
        "look_at": list(look_at),
        "figures": {
            name: [each.of(frame) for frame in review.frames] for name, each in PLOTS.items()
        },
    }
    title = Path(review.plate).name
    fields = {
        "generator": escape(f"{MARK} GVM Bridge {__version__}"),
        "title": escape(printable(title)),
        "style": _part("page.css"),
        "script": _part("page.js"),
        "summary": escape(
            f"{counted(len(numbers), 'frame')}: {abbreviated_frames(numbers)}."
            f" Engine {review.engine or 'not named'}."
        ),
        "width": str(page.size[0]),
        "height": str(page.size[1]),
        "last": str(len(numbers) - 1),
        "movie": b64encode(page.movie).decode(),
        "sheet": b64encode(_jpeg(page.sheet)).decode(),
        "verdict": _verdict(page, unlike),
        "plots": "\n".join(plot(name, review, page.limits.get(name)) for name in PLOTS),
        "facts": facts_of(review, page.job, page.notes),
        "footer": escape(f"Written by GVM Bridge {__version__}."),
        # No text of the data ends the script that holds it.
        "data": as_json(data).replace("<", "\\u003c"),
    }
    return _FIELD.sub(lambda found: fields[found[1]], _part("page.html"))


def _verdict(page: Page, unlike: Sequence[int]) -> str:
    """Return what is to be looked at, each frame a button."""
    lines = [
        f'<p class="alarm">{escape(each.says)}</p>{_buttons(each.frames)}'
        for each in by_limit(page.passed)
    ]
    if unlike:
        lines.append(f"<p>Unlike the others, the worst first:</p>{_buttons(unlike)}")
    seam = page.review.seam
    if seam.score is None:
        lines.append(f"<p>No seam score: {escape(seam.note)}</p>")
    else:
        of = f"{counted(seam.border, 'pair')} of frames at windows' borders, {seam.inner} within"
        lines.append(f"<p>Seam score {seam.score:.3f}, where 1 is perfect ({of}).</p>")
    if not page.passed and not unlike:
        lines.insert(0, "<p>No frame is unlike the others, and no limit is passed.</p>")
    return "\n".join(lines)


def _buttons(frames: Sequence[int]) -> str:
    made = [
        f'<button type="button" data-go="{frame}">{frame}</button>'
        for frame in frames[:_MOST_BUTTONS]
    ]
    more = f" and {len(frames) - _MOST_BUTTONS} more" if len(frames) > _MOST_BUTTONS else ""
    return f"<p>{' '.join(made)}{more}</p>"


def _jpeg(picture: Picture) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, format="JPEG", quality=85)
    return file.getvalue()


def _part(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8").rstrip("\n")
