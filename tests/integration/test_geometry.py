"""Plates whose windows change, through the command line: the whole picture is matted."""

from __future__ import annotations

import numpy as np
import OpenImageIO as oiio

from gvm_server.media.alphas.exr import read_alpha_file
from gvm_server.media.geometry import Box
from tests.fakes.plates import ImageSpec, pixels, write_image

DISPLAY = Box(x=0, y=0, width=96, height=64)
WINDOWS = {
    1001: Box(x=0, y=0, width=1, height=1),  # how renderers write an empty frame
    1002: Box(x=30, y=20, width=40, height=30),
    1003: DISPLAY,
    1004: Box(x=-8, y=-8, width=112, height=80),
    1005: Box(x=100, y=70, width=4, height=2),  # all of it outside of the picture
}

ALONE = ("--frames-per-window", "1", "--overlap", "0")


def test_every_frame_is_matted_whole_and_inverted_to_the_display_window(site, tmp_path):
    """Whatever range is asked for; movies and PNG files are 1 where the inverted matte is."""
    (tmp_path / "plate").mkdir()
    for frame, data in WINDOWS.items():
        picture = pixels(data.height, data.width)
        write_image(
            tmp_path / f"plate/a.{frame}.exr", picture, ImageSpec(data=data, display=DISPLAY)
        )
    (tmp_path / "plate/a.1006.exr").write_bytes(b"not rendered yet")
    plate = str(tmp_path / "plate/a.####.exr")
    some, alone = ("--frames", "1001-1003", *ALONE), ("--frames", "1002", *ALONE)
    whole = ("--frames", "1001-1005", *ALONE)
    assert site.matte(plate, "some", *some).code == 0
    assert site.gvm("cache", "clear").code == 0
    assert site.matte(plate, "out", *whole).code == 0
    assert (
        site.matte(plate, "inverted", *whole, "--invert", "--png", str(tmp_path / "png")).code == 0
    )
    assert site.matte(plate, "grown", *alone, "--grow", "2").code == 0
    for frame, data in WINDOWS.items():
        plain = read_alpha_file(tmp_path / f"out/a.{frame}.exr")
        assert (plain.data, plain.display) == (data, DISPLAY)
        if frame <= 1003:
            same = read_alpha_file(tmp_path / f"some/a.{frame}.exr").pixels
            assert same.tobytes() == plain.pixels.tobytes()
        inverted = read_alpha_file(tmp_path / f"inverted/a.{frame}.exr")
        window = DISPLAY.united(data)
        assert inverted.data == window
        top, left = data.y - window.y, data.x - window.x
        inside = np.s_[top : top + data.height, left : left + data.width]
        assert np.abs(inverted.pixels[inside] - (1 - plain.pixels)).max() <= 1 / 1024
        inverted.pixels[inside] = 1
        assert (inverted.pixels == 1).all()
        png = oiio.ImageInput.open(str(tmp_path / f"png/a.{frame}.png"))
        shown = png.read_image(oiio.FLOAT)[..., 0]
        assert shown.shape == (64, 96)
        assert shown[0, -1] == 1 or frame in (1003, 1004)
    assert read_alpha_file(tmp_path / "grown/a.1002.exr").data == DISPLAY
