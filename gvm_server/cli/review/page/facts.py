"""How a shot's mattes were made, as a table: settings, engine, licence, timings, memory."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from types import MappingProxyType

from gvm_client.text import counted, printable
from gvm_server.cli.terminal import duration_in_words, size_in_words
from gvm_server.measure.review import Review
from gvm_server.media.store.past import PastJob

_LABELS: Mapping[str, str] = MappingProxyType(
    {
        "gvm:engine": "Engine",
        "gvm:revision": "Revision",
        "gvm:settings": "Windows",
        "gvm:knobs": "Knobs",
        "gvm:colourspace": "Plate read as",
        "gvm:maker": "Made by",
        "Software": "Program",
    }
)
_LICENCE = "gvm:licence"
_OF_ONE_FRAME = ("gvm:key", "gvm:plateKey", "gvm:checksum", "gvm:windows", "gvm:roi-cut")


def facts_of(review: Review, job: PastJob | None, notes: Sequence[str]) -> str:
    """Return the table as HTML.

    Args:
        review: a shot's figures, with what its files say.
        job: what making them took; None where that is not known.
        notes: what a person should know, in whole sentences.
    """
    rows = [*_rows(review, job), *(("Note", note) for note in notes)]
    cells = (
        f"<tr><th>{escape(name)}</th><td>{escape(printable(text))}</td></tr>" for name, text in rows
    )
    return f"<table>{''.join(cells)}</table>"


def _rows(review: Review, job: PastJob | None) -> Iterator[tuple[str, str]]:
    texts = review.texts
    yield "Plate", review.plate
    yield "Matte", review.matte
    yield "Licence", texts.get(_LICENCE) or "The files do not state one."
    for name, label in _LABELS.items():
        if name in texts:
            yield label, _in_words(texts[name])
    for name, text in texts.items():
        own = name.startswith("gvm:") and name not in (*_OF_ONE_FRAME, *_LABELS, _LICENCE)
        if own:
            yield name.removeprefix("gvm:").replace("-", " ").capitalize(), text
    if job is None:
        yield "Timings, memory", "This machine does not know the job that made them."
        return
    stages = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in job.stages.items() if seconds)
    ended = time.strftime("%Y-%m-%d %H:%M", time.localtime(job.ended))
    made = f"{counted(job.frames, 'frame')}, {counted(job.windows, 'window')} run"
    yield "Last job", f"{made}, {duration_in_words(job.seconds)}, done {ended}"
    yield "Busy", stages
    yield "The model saw", f"{job.working_width}x{job.working_height} on {job.device or 'cpu'}"
    yield "Server's memory", size_in_words(job.memory_bytes)


def _in_words(text: str) -> str:
    """Return settings that a file holds as JSON as words; other texts as they are."""
    try:
        values = json.loads(text)
    except ValueError:
        return text
    if not isinstance(values, dict):
        return text
    return ", ".join(f"{str(name).replace('_', ' ')} {value}" for name, value in values.items())
