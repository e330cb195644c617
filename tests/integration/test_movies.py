"""Movies that leave the tool, through the command line: each codec, each background."""

from __future__ import annotations

import av
import numpy as np
import OpenImageIO as oiio
import pytest

from tests.support.plates import read_alpha, write_plate

WIDTH, HEIGHT, COUNT = 264, 132, 5


@pytest.fixture
def plate(tmp_path) -> str:
    """A clip that is large enough for every codec."""
    return write_plate(tmp_path / "plate", range(1, COUNT + 1), width=WIDTH, height=HEIGHT)


def decoded(path, layout):
    """Return a movie's pictures in one of FFmpeg's layouts of 16 bits, as 0..1."""
    with av.open(str(path)) as container:
        return [
            picture.reformat(
                format=layout, src_colorspace=1, dst_colorspace=1, src_color_range=1,
                dst_color_range=2,
            ).to_ndarray().astype(np.float64) / 65535
            for picture in container.decode(video=0)
        ]  # fmt: skip


def test_prores_holds_each_frame_s_matte_in_its_alpha(site, tmp_path, plate):
    """The n-th picture's alpha is the n-th file's, within a step of 10 bits."""
    ran = site.matte(plate, "out", "--movie", "m.mov", "--movie-codec", "prores4444")
    assert ran.code == 0, ran.stderr
    shown = decoded(site.folder / "m.mov", "rgba64le")
    assert len(shown) == COUNT
    for frame, picture in enumerate(shown, start=1):
        alpha = read_alpha(tmp_path / f"out/plate.{frame:04d}.exr")
        assert np.abs(picture[..., 3] - alpha).max() < 1.5 / 1023, frame
        assert np.abs(picture[..., 0] - alpha).mean() < 4 / 1023, frame


def test_a_subject_alone_goes_with_its_alpha(site, tmp_path, plate):
    """`--comp-over none`: the foreground's own colours, straight; other codecs hold no alpha."""
    layers = ("--channels", "fg", "--layers", "separate")
    words = ("--comp", "c.mov", "--comp-over", "none", *layers)
    refused = site.matte(plate, "out", *words)
    assert refused.code == 2
    assert "prores4444" in refused.stderr
    assert not (tmp_path / "out").exists()
    assert site.matte(plate, "out", *words, "--movie-codec", "prores4444").code == 0
    picture = decoded(site.folder / "c.mov", "rgba64le")[2]
    alpha = read_alpha(tmp_path / "out/plate.0003.exr")
    assert np.abs(picture[..., 3] - alpha).max() < 1.5 / 1023
    file = oiio.ImageInput.open(str(tmp_path / "out/plate.fg.0003.exr"))
    linear = np.clip(file.read_image(0, 0, 0, 3, "float"), 0, 1)
    file.close()
    shown = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    assert np.abs(picture[..., :3] - shown).mean() < 0.01


def test_a_comp_over_a_picture_shows_it_where_there_is_no_subject(site, tmp_path, plate):
    """A picture of another shape fills the frame; without a subject it is all there is."""
    behind = np.zeros((100, 400, 3), np.float32)
    behind[..., 2] = 0.8
    assert oiio.ImageBuf(behind).write(str(tmp_path / "sky.png"), "uint8")
    words = ("--comp", "c.mov", "--movie-codec", "dnxhr444", "--comp-over", "sky.png")
    assert site.matte(plate, "out", *words, "--black", "0.999").code == 0  # no subject is left
    for picture in decoded(site.folder / "c.mov", "rgb48le"):
        assert np.abs(picture - [0, 0, 0.8]).max() < 0.02
    words = ("--comp", "h.mp4", "--comp-over", "checker")
    assert site.matte(plate, "out", *words, "--black", "0.999").code == 0
    (first, *_) = decoded(site.folder / "h.mp4", "rgb48le")
    assert np.percentile(first, [10, 90]) == pytest.approx([0.4, 0.6], abs=0.03)


def test_what_cannot_be_is_refused_before_anything_runs(site, tmp_path, plate):
    """A container that a codec does not go into, and a background that is not there."""
    for words, says in (
        (("--movie", "m.mp4", "--movie-codec", "prores4444"), "ends with '.mp4'"),
        (("--comp", "c.mp4", "--comp-over", "gren"), "gren is not there"),
    ):
        ran = site.gvm("matte", plate, "-o", "out", "--engine", "test", *words)
        assert ran.code == 2
        assert says in ran.stderr
    assert site.windows_denoised() == []
    assert not (tmp_path / "out").exists()
