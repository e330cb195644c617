"""The report's page in a real headless browser: frames flip exactly, nothing is asked of a network.

`make test-browser` runs these; they need Chromium (`apt install chromium`), or one that
GVM_TEST_BROWSER names.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from gvm_server.cli.main import main
from tests.support.browser import Page, browser, find_browser
from tests.support.shots import HEIGHT, WIDTH, figure, write_shot

pytestmark = pytest.mark.skipif(find_browser() is None, reason="no browser is installed")

FRAMES = range(1001, 1061)
ODD = 1046  # the one frame that has an island
RATE = (24000, 1001)  # where n / rate shows the frame before for half the frames

# The middle of the frame is solid in each matte: its grey there says which frame is shown.
GREYS = {frame: 0.55 + 0.04 * ((frame * 5) % 12) for frame in FRAMES}
GREY_SHOWN = """(() => {
    const canvas = document.getElementById("picture");
    const [x, y] = [canvas.width / 2, canvas.height / 2];
    return canvas.getContext("2d").getImageData(x, y, 1, 1).data[0];
})()"""


def _matte(frame: int) -> np.ndarray:
    matte = figure(frame) * np.float32(GREYS[frame])
    if frame == ODD:
        matte[4:8, 4:8] = 1.0
    return matte


def _with_rate(plate: str) -> None:
    """Write the frame rate into the plate's files."""
    for frame in FRAMES:
        picture = oiio.ImageBuf(plate % frame)
        pixels = picture.get_pixels(oiio.FLOAT)
        spec = oiio.ImageSpec(WIDTH, HEIGHT, 3, oiio.HALF)
        spec.attribute("FramesPerSecond", oiio.TypeDesc("rational"), RATE)
        file = oiio.ImageOutput.create("exr")
        assert file.open(plate % frame, spec)
        assert file.write_image(pixels)
        file.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    """A report of sixty frames, in a folder with nothing beside it."""
    folder = tmp_path_factory.mktemp("report")
    plate, matte = write_shot(folder / "shot", FRAMES, matte=_matte)
    _with_rate(plate)
    words = ["report", plate, matte, "-o", str(folder / "page" / "report.html"), "--max-blobs", "0"]
    assert main(words) == 1
    shutil.rmtree(folder / "shot")
    return folder / "page" / "report.html"


@pytest.fixture
def page(report: Path) -> Iterator[Page]:
    """The report, opened from disk, its first frame shown; nothing in it goes wrong."""
    with browser() as page:
        page.open(report)
        shows(page, FRAMES[0])
        yield page
        assert page.trouble == []


def shows(page: Page, frame: int) -> None:
    """Wait until a frame is shown."""
    page.until(f"document.body.dataset.shown === '{frame}'")


def is_seen(page: Page, frame: int) -> bool:
    """Return whether the picture's middle has the grey of a frame; its neighbours' are others."""
    return abs(page.run(GREY_SHOWN) / 255 - GREYS[frame]) < 0.015


def test_every_frame_is_shown_as_itself(page):
    """Forward by the key, to each in turn: the picture is that frame's, not its neighbour's."""
    page.press("2")  # the matte
    wrong = []
    for frame in FRAMES:
        shows(page, frame)
        if not is_seen(page, frame):
            wrong.append(frame)
        page.press("ArrowRight")
    assert wrong == []
    page.press("ArrowRight")  # the last one stays
    shows(page, FRAMES[-1])


def test_the_keys_go_where_they_say(page):
    """Arrows, with shift, home, end, and the next frame to look at; plots and scrubber follow."""
    for key, shift, frame in (
        ("End", False, FRAMES[-1]),
        ("ArrowLeft", False, FRAMES[-2]),
        ("ArrowLeft", True, FRAMES[-12]),
        ("Home", False, FRAMES[0]),
        ("ArrowLeft", False, FRAMES[0]),
        ("ArrowRight", True, FRAMES[10]),
        ("n", False, page.run(f"Math.min(...data.look_at.filter((f) => f > {FRAMES[10]}))")),
    ):
        page.press(key, shift=shift)
        shows(page, frame)
        at = frame - FRAMES[0]
        assert page.run("document.getElementById('scrub').value") == str(at)
        assert page.run("document.getElementById('frame').textContent") == str(frame)
        assert page.run("document.querySelector('#plot-flicker .now').x1.baseVal.value") == at + 0.5


def test_many_keys_at_once_end_at_the_right_frame(page):
    """Faster than a movie seeks."""
    page.press("2")
    for _ in range(25):
        page.press("ArrowRight")
    shows(page, FRAMES[25])
    assert is_seen(page, FRAMES[25])


def test_it_plays_and_stops(page):
    """By the space bar; where it stops the picture is the frame that is named."""
    page.press("2")
    page.press(" ")
    page.until(f"Number(document.getElementById('frame').textContent) > {FRAMES[8]}")
    page.press(" ")
    page.until("document.getElementById('proxy').paused")
    page.until("document.body.dataset.shown === document.getElementById('frame').textContent")
    frame = int(page.run("document.getElementById('frame').textContent"))
    assert is_seen(page, frame)


def test_looks_are_chosen_by_keys_and_buttons(page):
    """Over white the ground is white, over black it is black; of the edge the plate is dimmed."""
    corner = "document.getElementById('picture').getContext('2d').getImageData(2, 2, 1, 1).data[1]"
    page.press("5")
    assert page.run(corner) > 250
    page.press("4")
    assert page.run(corner) < 5
    page.run("document.querySelectorAll('#looks button')[4].click()")
    assert page.run(corner) > 250
    assert page.run("document.querySelectorAll('#looks button[aria-pressed=true]').length") == 1


def test_plots_are_there_and_lead_to_their_frame(page):
    """Six curves, the limit that was set; a click goes to the frame below it."""
    assert page.run("document.querySelectorAll('#plots .curve').length") == 6
    assert page.run("[...document.querySelectorAll('.curve')].every((c) => c.getTotalLength() > 0)")
    assert page.run("document.querySelectorAll('#plot-blobs .limit').length") == 1
    place = page.run("""(() => {
        const plot = document.querySelector('#plot-blobs svg');
        plot.scrollIntoView();
        const box = plot.getBoundingClientRect();
        return [box.left, box.top + box.height / 2, box.width];
    })()""")
    x = place[0] + place[2] * (20.5 / len(FRAMES))
    for kind in ("mousePressed", "mouseReleased"):
        page.send(
            "Input.dispatchMouseEvent", type=kind, x=x, y=place[1], button="left", clickCount=1
        )
    shows(page, FRAMES[20])


def test_frames_to_look_at_are_buttons(page):
    """The one with an island."""
    page.run(f"document.querySelector('button[data-go=\"{ODD}\"]').click()")
    shows(page, ODD)
    assert page.run("document.querySelector('[data-figure=blobs]').textContent") == "1"
    assert page.run("document.getElementById('sheet').naturalWidth") > 1000


def test_it_prints(page):
    """Without the controls, on a few pages."""
    made = page.pdf()
    assert made.startswith(b"%PDF")
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", made)) <= 8


def test_a_thousand_frames_open_in_two_seconds(tmp_path):
    """The movie as large as one of a thousand noisy frames may be; less than 25 MB in all."""
    plate, matte = write_shot(tmp_path / "shot", range(1, 1001))
    out = tmp_path / "report.html"
    assert main(["report", plate, matte, "-o", str(out)]) == 0
    # As much text as such a shot's movie would be.
    out.write_text(out.read_text().replace("</footer>", f"</footer><!--{'A' * 20_000_000}-->"))
    assert out.stat().st_size < 25_000_000
    with browser() as page:
        page.open(out)
        shows(page, 1)
        loaded = page.run("performance.getEntriesByType('navigation')[0].loadEventEnd")
        shown = page.run("performance.now()")
        page.press("End")
        shows(page, 1000)
        assert page.trouble == []
    assert loaded < 2000
    assert shown < 4000
