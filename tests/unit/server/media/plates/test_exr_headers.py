"""Headers by their bytes say what OpenImageIO says, and nothing where it might say more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvm_client.errors import InputError
from gvm_server.media.geometry import Box
from gvm_server.media.plates import image as image_module
from gvm_server.media.plates.exr_headers import parse
from gvm_server.media.plates.image import ImageFile, read_header, read_image
from tests.fakes.plates import ImageSpec, write_image

RATE = {
    "framesPerSecond": ("rational", (24000, 1001)),
    "smpte:TimeCode": ("timecode", (0x91020304, 0x80000005)),
    "DateTime": "2026:11:28 09:30:00",
}


def _pixels(height: int = 6, width: int = 8) -> np.ndarray:
    return np.random.default_rng(1).random((height, width, 3), np.float32)


def _by_openimageio(image: ImageFile, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as patch:
        patch.setattr(image_module, "parse", lambda _: None)
        return read_image(image)


@pytest.mark.parametrize("attributes", [{}, RATE, {"PixelAspectRatio": 2.0}])
def test_a_plain_header_is_openimageio_s(tmp_path, monkeypatch, attributes):
    """Windows, aspect, rate and timecode, and the pixels below them."""
    windows = {
        "data": Box(x=-2, y=3, width=8, height=6),
        "display": Box(x=0, y=0, width=20, height=10),
    }
    path = tmp_path / "a.0001.exr"
    write_image(path, _pixels(), ImageSpec(attributes=attributes, **windows))
    image = ImageFile(path=path, frame=1)
    assert parse(path.read_bytes()) is not None
    header, pixels = read_image(image)
    theirs, expected = _by_openimageio(image, monkeypatch)
    assert header == theirs == read_header(image)
    assert np.array_equal(pixels.astype(np.float32), expected)


@pytest.mark.parametrize(
    ("compression", "in_blocks"),
    [("none", False), ("rle", False), ("zips", False), ("zip", True), ("piz", True)],
)
def test_lines_that_are_compressed_together_are_known(tmp_path, compression, in_blocks):
    """Threads unpack such a file sooner, and any other one later."""
    path = tmp_path / "a.exr"
    write_image(path, _pixels(), ImageSpec(attributes={"compression": compression}))
    plain = parse(path.read_bytes())
    assert plain is not None
    assert plain.in_blocks is in_blocks


def test_files_of_one_layout_are_opened_by_openimageio_once(tmp_path, monkeypatch):
    """What differs from frame to frame is no other layout; another set of channels is one."""
    opened = []
    real = oiio.ImageInput.open
    monkeypatch.setattr(
        oiio.ImageInput, "open", lambda *words: opened.append(words[0]) or real(*words)
    )
    monkeypatch.setattr(image_module, "_layouts", image_module.Layouts())
    for frame in range(1, 9):
        box = Box(x=frame, y=0, width=8, height=6)
        path = tmp_path / f"a.{frame:04d}.exr"
        write_image(path, _pixels(), ImageSpec(data=box, attributes={"shot": str(frame)}))
        assert read_header(ImageFile(path=path, frame=frame)).data.x == frame
    assert len(opened) == 1
    other = tmp_path / "b.exr"
    write_image(other, _pixels(), ImageSpec(attributes={"view": "left"}))
    read_header(ImageFile(path=other, frame=9))
    assert len(opened) == 2


def test_a_frame_that_lacks_the_layer_is_refused_each_time(tmp_path):
    """What cannot be found is not remembered."""
    path = tmp_path / "a.exr"
    write_image(path, _pixels())
    for _ in range(2):
        with pytest.raises(InputError, match="no layer 'diffuse'"):
            read_header(ImageFile(path=path, frame=1, layer="diffuse"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A file's bytes."""
    path: Path = tmp_path_factory.mktemp("exr") / "a.exr"
    write_image(path, _pixels(), ImageSpec(attributes=RATE))
    return path.read_bytes()


@given(st.data())
def test_damaged_headers_raise_nothing(whole, data):
    """Any bytes are a header or none; a header that is cut is none."""
    at = data.draw(st.integers(0, 400))
    damaged = bytearray(whole)
    damaged[at] = data.draw(st.integers(0, 255))
    found = parse(bytes(damaged))
    assert found is None or found.header.data.area > 0
    assert parse(whole[: data.draw(st.integers(0, 300))]) is None
