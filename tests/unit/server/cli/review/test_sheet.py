"""`gvm sheet`: one picture of a shot, the worst frames first, and what it does not replace."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from gvm_client.process import Exit
from gvm_server.cli.main import main
from gvm_server.measure.review import ENGINE
from gvm_server.media.outputs.looks import COLOUR, LOOKS
from tests.support.shots import FAULTY, FRAMES, HEIGHT, WIDTH, with_faults, write_shot

CELL = 128  # so that a cell has the plate's own pixels
HEAD, FOOT = 24, 24


@pytest.fixture
def shot(tmp_path) -> tuple[str, str]:
    """A shot with one faulty frame."""
    return write_shot(tmp_path / "shot", matte=with_faults)


def sheet(path: Path, *words: object) -> np.ndarray:
    """Write a sheet and return its pixels, [H, W, 3] of 8 bits."""
    assert main(["sheet", *map(str, words), "-o", str(path), "--width", str(CELL)]) == Exit.DONE
    return np.asarray(oiio.ImageBuf(str(path)).get_pixels(oiio.UINT8))


def cell(picture: np.ndarray, row: int, look: str) -> np.ndarray:
    """Return one cell, [HEIGHT, WIDTH, 3]."""
    top, left = HEAD + row * (HEIGHT + FOOT), list(LOOKS).index(look) * (CELL + 2)
    return picture[top : top + HEIGHT, left : left + WIDTH]


@pytest.mark.parametrize("ending", [".png", ".jpg"])
def test_the_worst_frame_is_the_first_line(shot, tmp_path, ending):
    """It has every look; so many lines as were asked for."""
    picture = sheet(tmp_path / f"sheet{ending}", *shot, "--rows", 4)
    assert picture.shape == (HEAD + 4 * (HEIGHT + FOOT), len(LOOKS) * (CELL + 2), 3)
    shown = cell(picture, 0, "matte")[..., 0] / 255
    assert np.abs(shown - with_faults(FAULTY)).mean() < 0.01
    assert np.abs(cell(picture, 1, "matte")[..., 0] / 255 - with_faults(FAULTY)).mean() > 0.01


def test_each_look_is_what_its_name_says(shot, tmp_path):
    """At the ground, in the figure, and on its edge."""
    picture = sheet(tmp_path / "sheet.png", *shot, "--frames", "1001", "--rows", 1)
    ground, middle = (4, 60), (HEIGHT // 2, WIDTH // 2)
    plate = cell(picture, 0, "plate")
    for look, expected in (
        ("over colour", np.array(COLOUR) * 255),
        ("over black", (0, 0, 0)),
        ("over white", (255, 255, 255)),
        ("matte", (0, 0, 0)),
    ):
        assert cell(picture, 0, look)[ground] == pytest.approx(expected, abs=1), look
    for look in ("over colour", "over black", "over white"):
        assert cell(picture, 0, look)[middle] == pytest.approx(plate[middle], abs=1), look
    red = cell(picture, 0, "edge")[..., 0] > 240
    soft = (with_faults(1001) > 0.05) & (with_faults(1001) < 0.95)
    assert red[soft].all()
    assert not red[ground]
    assert not red[middle]


def test_mattes_of_preview_grade_are_said_to_be_so_in_the_picture(tmp_path):
    """Above them, in the colour of what is to be looked at; others have their name alone."""
    heads = []
    for engine in ("preview (preview)", "gvm"):
        shot = write_shot(tmp_path / engine, FRAMES[:2], texts=lambda _, of=engine: {ENGINE: of})
        heads.append(sheet(tmp_path / f"{engine}.png", *shot, "--rows", 1)[:HEAD].astype(int))
    preview, plain = (head[..., 0] - head[..., 2] > 40 for head in heads)  # as no other text is
    columns = np.flatnonzero(preview.any(axis=0))
    start = list(LOOKS).index("matte") * (CELL + 2)
    assert start < columns.min() < columns.max() < start + CELL
    assert not plain.any()


def test_more_lines_than_frames_are_as_many_as_there_are(shot, tmp_path):
    """Each frame once."""
    picture = sheet(tmp_path / "sheet.png", *shot, "--frames", "1001-1003", "--rows", 50)
    assert picture.shape[0] == HEAD + 3 * (HEIGHT + FOOT)


def test_what_is_not_ours_is_not_replaced(shot, tmp_path, capsys):
    """A picture of ours is; the plate's own files never are."""
    plate, matte = shot
    out = tmp_path / "sheet.png"
    sheet(out, *shot)
    sheet(out, *shot)  # ours
    out.write_bytes(b"somebody's")
    assert main(["sheet", *shot, "-o", str(out)]) == Exit.OUTPUT
    assert "not made by this program" in capsys.readouterr().err
    assert out.read_bytes() == b"somebody's"
    sheet(out, *shot, "--overwrite")
    pngs = tmp_path / "pngs"
    pngs.mkdir()
    picture = oiio.ImageBuf(plate % FRAMES[0])
    picture.write(str(pngs / f"shot.{FRAMES[0]}.png"))
    words = ["sheet", str(pngs / "shot.%04d.png"), matte, "--overwrite"]
    assert main([*words, "-o", str(pngs / f"shot.{FRAMES[0]}.png")]) == Exit.OUTPUT
    assert "would replace the plate's own file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("-o", "sheet.tif"), "ends with '.tif'"),
        (("--rows", "0"), "--rows is 0; it must be from 1 to 200"),
        (("--width", "8"), "--width is 8; it must be from 64 to 2048"),
    ],
)
def test_what_cannot_be_done_is_said_before_the_shot_is_looked_at(shot, capsys, words, says):
    """With the value and the range."""
    assert main(["sheet", *shot, *words]) == Exit.USAGE
    assert says in capsys.readouterr().err
