"""A movie's alpha: real codecs, to the bit."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import av
import numpy as np
import pytest

from gvm_client.errors import ErrorCode, InputError
from gvm_server.media.file_access import Roots
from gvm_server.media.plates.base import PlateOptions
from gvm_server.media.plates.open import open_plate

WIDTH, HEIGHT = 50, 34  # planes have lines that are longer than the picture's


def stored() -> np.ndarray:
    """Return an alpha [H, W] of 0, 128 and 255, another one on every line."""
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    alpha[:, 12:30], alpha[3:, 30:] = 128, 255
    return alpha


def write(path: Path, codec: str, kind: str, frames: int = 2, **options: str) -> Path:
    """Write grey pictures with that alpha; the second is turned upside down."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=24, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, kind
        for index in range(frames):
            image = np.full((HEIGHT, WIDTH, 4), 90, np.uint8)
            image[..., 3] = stored()[:: 1 - 2 * index]
            frame = av.VideoFrame.from_ndarray(image, "rgba")
            frame = frame.reformat(format=kind, threads=1)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path


def read(path: Path, frame: int, layer: str = "A") -> np.ndarray:
    """Return what a layer is at a frame: [H, W, 3]."""
    options = PlateOptions(path=str(path), layer=layer, colourspace="raw")
    with closing(open_plate(options, roots=Roots())) as plate:
        return plate.read(frame).pixels


@pytest.mark.parametrize(
    ("name", "codec", "kind", "options"),
    [
        ("a.mov", "prores_ks", "yuva444p10le", {"profile": "4444"}),
        ("b.mov", "qtrle", "argb", {}),
        ("c.mov", "png", "rgba", {}),
        ("d.mkv", "ffv1", "yuva420p", {}),
        ("e.mkv", "ffv1", "bgra", {}),
    ],
)
def test_an_alpha_is_what_was_written(tmp_path, name, codec, kind, options):
    """0 and 1 are exact, in planes of their own and interleaved; in all three channels."""
    path = write(tmp_path / name, codec, kind, **options)
    for frame in (1, 2):
        alpha, wanted = read(path, frame), stored()[:: 3 - 2 * frame]
        assert alpha.shape == (HEIGHT, WIDTH, 3)
        assert alpha.dtype == np.float32
        for channel in range(3):
            plane = alpha[..., channel]
            assert (plane[wanted == 255] == 1.0).all()
            assert (plane[wanted == 0] == 0.0).all()
            np.testing.assert_allclose(plane[wanted == 128], 128 / 255, atol=1e-2)


def test_more_than_eight_bits_stay(tmp_path):
    """Sixteen in a PNG, twelve in a big-endian plane."""
    ramp = np.linspace(0, 65535, WIDTH).astype(np.uint16)
    image = np.full((HEIGHT, WIDTH, 4), 9000, np.uint16)
    image[..., 3] = ramp
    path = tmp_path / "ramp.mov"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("png", rate=24)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "rgba64be"
        frame = av.VideoFrame.from_ndarray(image, "rgba64le").reformat(format="rgba64be")
        file.mux(stream.encode(frame))
        file.mux(stream.encode())
    np.testing.assert_array_equal(read(path, 1)[5, :, 0], ramp.astype(np.float32) / 65535)


def test_the_picture_stays_the_picture(tmp_path):
    """Without a layer, and with one of another name, which movies do not have."""
    path = write(tmp_path / "a.mov", "qtrle", "argb")
    for layer in ("", "fg"):
        np.testing.assert_allclose(read(path, 1, layer), 90 / 255, atol=1e-6)


@pytest.mark.parametrize("layer", ["", "RGB", "rgba", "alpha", "fg"])
def test_a_layer_that_no_movie_has_is_said(tmp_path, layer):
    """The picture is read in its place, which nobody asked for."""
    path = write(tmp_path / "a.mov", "qtrle", "argb")
    options = PlateOptions(path=str(path), layer=layer, colourspace="raw")
    with closing(open_plate(options, roots=Roots())) as plate:
        assert any("no layer 'fg'" in note for note in plate.notes) == (layer == "fg")


def test_an_alpha_that_is_not_there_is_said(tmp_path):
    """As an image without the layer; one in a stream of its own has another remedy."""
    with pytest.raises(InputError, match="no alpha channel") as none:
        read(write(tmp_path / "a.mkv", "ffv1", "gray"), 1)
    assert none.value.code is ErrorCode.PLATE_MISMATCH
    with pytest.raises(InputError, match="stream of its own") as hidden:
        read(write(tmp_path / "a.webm", "libvpx-vp9", "yuva420p"), 1)
    assert "ProRes 4444" in hidden.value.remedy
