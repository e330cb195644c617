"""`gvm report`: one page with everything in it; tests/browser/ opens it in a real browser."""

from __future__ import annotations

import base64
import io
import json
import re
import time
from dataclasses import dataclass, field
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from gvm_client.process import Exit
from gvm_server.cli.main import main
from gvm_server.media.outputs import proxy
from gvm_server.media.store.memo import Memo
from gvm_server.media.store.past import PastJob, remember
from tests.support.shots import FAULTY, FRAMES, HEIGHT, WIDTH, with_faults, write_shot

SAID = {
    "gvm:engine": "gvm",
    "gvm:licence": "academic use",
    "gvm:settings": '{"frames_per_window": 8, "overlap": 2}',
}


@dataclass
class Parsed(HTMLParser):
    """A page, taken apart: its elements with their attributes, and the text of each."""

    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        self._inside = ""

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.elements.append((tag, found))
        self._inside = found.get("id") or tag

    def handle_data(self, data):
        self.texts[self._inside] = self.texts.get(self._inside, "") + data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def shot(tmp_path) -> tuple[str, str]:
    """A shot with one faulty frame, whose files say how they were made."""
    return write_shot(tmp_path / "shot", matte=with_faults, texts=lambda _: SAID)


@pytest.fixture
def page(shot, tmp_path) -> Parsed:
    """Its page."""
    out = tmp_path / "report.html"
    assert main(["report", *shot, "-o", str(out)]) == Exit.DONE
    return parsed(out)


def parsed(path: Path) -> Parsed:
    """Return a page taken apart."""
    found = Parsed()
    found.feed(path.read_text(encoding="utf-8"))
    return found


def movie_of(page: Parsed) -> list[np.ndarray]:
    """Return the frames of a page's movie, [2 h, w, 3] of 8 bits."""
    source = page.of("video")[0]["src"] or ""
    data = base64.b64decode(source.removeprefix("data:video/mp4;base64,"), validate=True)
    with av.open(io.BytesIO(data)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_nothing_is_fetched(page):
    """All sources are within; the page's own policy forbids the rest."""
    sources = [
        attributes[name]
        for _, attributes in page.elements
        for name in ("src", "href", "poster", "data", "srcset")
        if name in attributes
    ]
    assert len(sources) == 2
    assert all((source or "").startswith("data:") for source in sources)
    policy = page.of("meta")[2]["content"] or ""
    assert policy.startswith("default-src 'none'")
    assert not re.search(
        r"url\(|@import|fetch\(|import\(", page.texts["style"] + page.texts["script"]
    )


def test_the_movie_has_every_frame_plate_above_matte(page):
    """In order, each once, at the plate's shape."""
    frames = movie_of(page)
    assert len(frames) == len(FRAMES)
    for frame, picture in zip(FRAMES, frames, strict=True):
        assert picture.shape == (2 * HEIGHT, WIDTH, 3)
        assert np.abs(picture[HEIGHT:, :, 1] / 255 - with_faults(frame)).mean() < 0.02
    assert len({picture[HEIGHT:].tobytes() for picture in frames}) > 1


def test_the_figures_of_every_frame_are_there(page):
    """For the script, and as curves."""
    data = json.loads(page.texts["data"])
    assert data["frames"] == list(FRAMES)
    assert set(data["figures"]) == {
        "coverage", "flicker", "coverage_change", "blobs", "holes", "seam"
    }  # fmt: skip
    assert all(len(values) == len(FRAMES) for values in data["figures"].values())
    assert data["figures"]["blobs"][FAULTY - FRAMES[0]] == 2
    assert data["rate"] == [24, 1]
    curves = [each["d"] or "" for each in page.of("path")]
    assert len(curves) == 6
    assert all(curve.count("L") >= len(FRAMES) - 2 for curve in curves)


def test_the_worst_frame_is_named_and_the_sheet_is_within(page):
    """As a button that leads there."""
    assert page.of("button")[1]["data-go"] == str(FAULTY)
    source = page.of("img")[0]["src"] or ""
    data = base64.b64decode(source.removeprefix("data:image/jpeg;base64,"), validate=True)
    assert Image.open(io.BytesIO(data)).size[0] > 1000


def test_how_it_was_made_stands_there(page, shot, tmp_path):
    """What the files say; and of the job that made them what this machine knows."""
    text = page.texts["td"]
    for said in ("academic use", "frames per window 8, overlap 2", "does not know the job"):
        assert said in text
    job = PastJob(
        ended=time.time(),
        output=f"{shot[1]}/shot.%04d.exr",
        revision="gvm3",
        working_width=1024,
        working_height=576,
        frames=24,
        windows=4,
        seconds=93.0,
        stages={"encode": 12.5, "write": 0.0},
        memory_bytes=3 << 30,
        device="cuda",
    )
    memo = Memo(tmp_path / "cache")
    remember(memo, job)
    memo.close()
    out = tmp_path / "known.html"
    assert main(["report", *shot, "-o", str(out)]) == Exit.DONE
    text = parsed(out).texts["td"]
    for said in (
        "24 frames, 4 windows run, 1 min 33 s",
        "encode 12.5 s",
        "3.0 GiB",
        "1024x576 on cuda",
    ):
        assert said in text
    assert "write 0.0 s" not in text


def test_a_limit_that_is_passed_ends_with_1_and_the_page_is_written(shot, tmp_path):
    """With the limit's line, and the frames as buttons."""
    out = tmp_path / "report.html"
    assert main(["report", *shot, "-o", str(out), "--max-holes", "0"]) == Exit.CHECK_FAILED
    page = parsed(out)
    assert [each["class"] for each in page.of("line")].count("limit") == 1
    assert "holes is 1, the limit 0" in page.texts["p"]


def test_the_sheet_is_written_besides(shot, tmp_path, capsys):
    """As a picture; one that is not ours is refused before anything is looked at."""
    out, picture = tmp_path / "report.html", tmp_path / "sheet.png"
    words = ["report", *shot, "-o", str(out), "--sheet", str(picture)]
    assert main(words) == Exit.DONE
    with Image.open(picture) as written:
        assert written.size[0] > 1000
    picture.write_bytes(b"somebody's")
    out.unlink()
    assert main(words) == Exit.OUTPUT
    assert "sheet.png" in capsys.readouterr().err
    assert not out.exists()


def test_names_cannot_leave_their_place(tmp_path):
    """A folder and a text of a file that look like HTML."""
    nasty = "</script><script>alert(1)</script>"
    folder = tmp_path / "a<b>&'\"<img src=x>"
    shot = write_shot(folder, [1, 2, 3], texts=lambda _: {"gvm:roi": nasty, "gvm:engine": nasty})
    out = tmp_path / "report.html"
    assert main(["report", *shot, "-o", str(out)]) == Exit.DONE
    page = parsed(out)
    assert len(page.of("script")) == 2
    assert len(page.of("img")) == 1
    assert "alert(1)" in page.texts["td"]


def test_what_is_not_ours_is_not_replaced(shot, tmp_path, capsys):
    """A page of ours is."""
    out = tmp_path / "report.html"
    out.write_text("<p>somebody's</p>")
    assert main(["report", *shot, "-o", str(out)]) == Exit.OUTPUT
    assert "not made by this program" in capsys.readouterr().err
    assert main(["report", *shot, "-o", str(out), "--overwrite"]) == Exit.DONE
    assert main(["report", *shot, "-o", str(out)]) == Exit.DONE
    assert main(["report", *shot, "-o", str(tmp_path / "report.pdf")]) == Exit.USAGE


def test_a_long_noisy_shot_s_movie_stays_within_its_bytes(monkeypatch):
    """However much there is to see."""
    monkeypatch.setattr(proxy, "MOST_BYTES", 200_000)
    random = np.random.default_rng(4)
    movie = proxy.ProxyMovie((160, 90), 200, Fraction(24))
    for _ in range(200):
        movie.add(random.integers(0, 256, (180, 160, 3), np.uint8))
    assert len(movie.finish()) < 200_000


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((1920, 1080, 1.0), (640, 360)),
        ((1080, 1920, 1.0), (360, 640)),
        ((2048, 1716, 2.0), (640, 268)),
        ((100, 51, 1.0), (100, 52)),
        ((1, 1, 1.0), (2, 2)),
        ((8000, 3, 1.0), (640, 2)),
    ],
)
def test_proxies_have_square_pixels_and_even_sides(shape, expected):
    """As H.264 wants them; small plates are not made larger."""
    assert proxy.proxy_size(*shape, 640) == expected
