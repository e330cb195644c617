"""What a comp is put over: drawn or read, mixed by the alpha, and refused where it is not there."""

from __future__ import annotations

import numpy as np
import OpenImageIO as oiio
import pytest

from gvm_client.errors import ErrorCode, GvmError, InputError, SettingsError
from gvm_server.media.colour.encodings import linear_from_srgb
from gvm_server.media.outputs.backgrounds import check, filling, opening, over

ALPHA = np.array([[0.0, 0.5, 1.0]], np.float32)
PICTURE = np.full((1, 3, 3), 0.8, np.float32)


def write(path, picture):
    """Write a picture as displayed, 8 bits."""
    assert oiio.ImageBuf(np.ascontiguousarray(picture, np.float32)).write(str(path), "uint8")
    return str(path)


def test_over_green_keeps_the_picture_where_the_alpha_is_1():
    """Alpha 1 is the picture, alpha 0 pure green, half is the mean of what is displayed."""
    with opening("green") as background:
        comp = background.under(PICTURE, ALPHA, 0)
    assert np.allclose(comp[0], [[0, 1, 0], [0.4, 0.9, 0.4], [0.8, 0.8, 0.8]])


def test_a_checkerboard_has_24_squares_from_the_top_to_the_bottom():
    """Two greys, square by square, whatever the picture's shape."""
    with opening("checker") as background:
        comp = background.under(np.zeros((240, 100, 3), np.float32), np.zeros((240, 100)), 0)
    assert np.unique(comp).tolist() == pytest.approx([0.4, 0.6])
    steps = np.flatnonzero(np.abs(np.diff(comp[:, 0, 0])))
    assert steps.tolist() == [10 * square - 1 for square in range(1, 24)]
    assert comp[0, 0, 0] != comp[0, 10, 0]


def test_nothing_leaves_the_subject_s_colours_alone():
    """They go with the alpha, straight."""
    with opening("none") as background:
        assert background.under(PICTURE, ALPHA, 0) is PICTURE


def test_a_picture_is_mixed_in_linear_light_and_fills(tmp_path):
    """Half of white over black is half the light, not half the code; the middle is taken."""
    picture = np.zeros((10, 40, 3), np.float32)
    picture[:, 15:25] = 0.2
    word = write(tmp_path / "bg.png", picture)
    with opening(word) as background:
        comp = background.under(
            np.ones((20, 20, 3), np.float32), np.full((20, 20), 0.5, np.float32), 7
        )
    dark = linear_from_srgb(np.float32([0.2]))[0]
    middle = linear_from_srgb(comp)[:, 2:-2]  # its sides are where the strip ends
    assert np.allclose(middle, 0.5 + 0.5 * dark, atol=2e-3)


def test_a_clip_goes_along_and_its_last_frame_stays(tmp_path):
    """The n-th picture lies over its n-th, whatever the numbers are."""
    for frame in range(1001, 1004):
        write(tmp_path / f"bg.{frame}.png", np.full((4, 4, 3), (frame - 1000) / 5))
    with opening(str(tmp_path / "bg.%04d.png")) as background:
        shown = [
            background.under(np.zeros((4, 4, 3), np.float32), np.zeros((4, 4)), index)[0, 0, 0]
            for index in range(5)
        ]
    assert shown == pytest.approx([0.2, 0.4, 0.6, 0.6, 0.6], abs=5e-3)


@pytest.mark.parametrize("size", [(3, 7), (7, 3), (40, 40), (5, 5), (1, 9)])
def test_every_shape_is_filled(size):
    """Larger, smaller, wider and higher ones."""
    assert filling(np.ones((10, 15, 3), np.float32), size).shape == (*size, 3)
    assert np.allclose(filling(np.full((10, 15, 3), 0.3, np.float32), size), 0.3, atol=1e-6)


def test_over_is_what_porter_and_duff_say():
    """A F + (1 - A) B in every pixel."""
    comp = over(PICTURE, ALPHA, np.zeros(3, np.float32))
    assert np.allclose(comp[0, :, 0], [0, 0.4, 0.8])


def test_a_background_that_is_not_there_is_refused(tmp_path):
    """With the words that there are; a file that is no picture as well."""
    with pytest.raises(SettingsError, match=r"gren is not there") as caught:
        check(str(tmp_path / "gren"))
    assert "checker" in caught.value.remedy
    with pytest.raises(InputError, match=r"gren\.png is not there") as missing:
        check(str(tmp_path / "gren.png"))  # no slip in a word: a file, as any that is read
    assert missing.value.code is ErrorCode.PLATE_MISSING
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(GvmError, match=r"text\.png"):
        check(str(tmp_path / "text.png"))
    check("checker")


def test_a_background_with_a_hole_is_refused_where_the_comp_shows_it(tmp_path):
    """Before a model runs: it was told when the comp came to that frame, after all mattes."""
    for frame in (1001, 1002, 1004, 1007):
        write(tmp_path / f"bg.{frame}.png", np.full((4, 4, 3), 0.2))
    word = str(tmp_path / "bg.%04d.png")
    check(word)
    check(word, (0, 1, 3, 6, 100))  # its last frame stays
    with pytest.raises(InputError, match=r"lacks 3 frames .*: 1003, 1005-1006") as caught:
        check(word, range(10))
    assert caught.value.frame == 1003
    assert "--comp-over" in caught.value.remedy
    check("green", range(10))


def test_a_background_that_cannot_be_looked_for_says_why(tmp_path):
    """It is not said to be missing: here its name is too long."""
    with pytest.raises(InputError, match="File name too long"):
        check(str(tmp_path / ("x" * 300)))
