"""The layers of real EXR files: parts, views, ids and luminance with chroma."""

from __future__ import annotations

import Imath
import numpy as np
import OpenEXR
import pytest
from PIL import Image

from gvm_client.errors import ErrorCode, InputError
from gvm_server.media.file_access import Roots
from gvm_server.media.plates.base import PlateOptions
from gvm_server.media.plates.open import open_plate
from tests.fakes.plates import ImageSpec, write_image, write_parts

TWO_LAYERS = tuple(f"{layer}.{name}" for layer in ("AO", "Combined") for name in "RGB")


def opened(path, layer: str = ""):
    """Open a plate, reading a layer."""
    return open_plate(PlateOptions(path=str(path), layer=layer), roots=Roots())


def flat(value: float, channels: int = 3):
    """Return a picture of one value."""
    return np.full((6, 8, channels), value, np.float32)


def test_a_view_is_read_by_its_name(tmp_path):
    """Parts that are called alike are told apart by the view that each says it is."""
    path = write_parts(
        tmp_path / "a.1.exr",
        [
            (flat(0.25), ImageSpec(part="rgba.left", attributes={"view": "left"})),
            (flat(0.75), ImageSpec(part="other", attributes={"view": "right"})),
            (flat(0.5), ImageSpec(part="normals", attributes={"view": "right"})),
        ],
    )
    for layer, value in (("left", 0.25), ("right", 0.75), ("normals", 0.5)):
        plate = opened(path, layer)
        assert np.all(plate.read(1).pixels == np.float32(value))


def test_channels_without_a_view_are_of_the_first(tmp_path):
    """Nuke's stereo in one part: left is bare, and right stands before the others."""
    values = {"R": 0.25, "right.R": 0.75, "N.R": 0.5}
    channels = {
        name[:-1] + colour: OpenEXR.Channel(np.full((6, 8), value, np.float16))
        for name, value in values.items()
        for colour in "RGB"
    }
    header = {"type": OpenEXR.scanlineimage, "multiView": ["left", "right"]}
    with OpenEXR.File(header, channels) as file:
        file.write(str(tmp_path / "a.1.exr"))
    for layer, value, view in (
        ("left", 0.25, "left"),
        ("right", 0.75, "right"),
        ("", 0.25, "left"),
    ):
        plate = opened(tmp_path / "a.1.exr", layer)
        assert np.all(plate.read(1).pixels == np.float32(value))
        assert plate.header(1).view == plate.read(1).header.view == view


def test_frames_with_other_layers_are_named(tmp_path):
    """A clip is one layer: a frame that would be read from another one ends with its number."""
    channels = np.concatenate([flat(0.1), flat(0.9)], axis=2)
    write_image(tmp_path / "a.1.exr", channels, ImageSpec(channels=TWO_LAYERS))
    write_image(tmp_path / "a.2.exr", flat(0.5))
    plate = opened(tmp_path / "a.%d.exr")
    assert np.all(plate.read(1).pixels == np.float32(np.float16(0.9)))
    assert any("Combined" in note and "AO" in note for note in plate.notes)
    with pytest.raises(InputError, match=r"Frame 2 .*Combined") as caught:
        plate.read(2)
    assert caught.value.code is ErrorCode.PLATE_MISMATCH
    assert caught.value.frame == 2


def test_ids_are_never_a_picture(tmp_path):
    """Channels of 32-bit whole numbers are passed by, and said where there is nothing else."""
    path = str(tmp_path / "a.1.exr")
    ids = {name: OpenEXR.Channel(np.zeros((6, 8), np.uint32)) for name in "RGB"}
    with OpenEXR.File({"type": OpenEXR.scanlineimage}, ids) as file:
        file.write(path)
    with pytest.raises(InputError, match="no picture"):
        opened(path)


def test_luminance_with_chroma_is_refused_with_advice_that_fits(tmp_path):
    """OpenEXR's own way to store half the colours; rendering it again the same way helps nobody."""
    path = str(tmp_path / "a.1.exr")
    half = Imath.PixelType(Imath.PixelType.HALF)
    header = OpenEXR.Header(8, 6)
    header["channels"] = {
        "Y": Imath.Channel(half, 1, 1),
        "RY": Imath.Channel(half, 2, 2),
        "BY": Imath.Channel(half, 2, 2),
    }
    luminance, chroma = np.full((6, 8), 0.5, np.float16), np.zeros((3, 4), np.float16)
    file = OpenEXR.OutputFile(path, header)
    file.writePixels({"Y": luminance.tobytes(), "RY": chroma.tobytes(), "BY": chroma.tobytes()}, 6)
    file.close()
    with pytest.raises(InputError, match="ubsampled") as caught:
        opened(path)
    assert "RGB" in caught.value.remedy


@pytest.mark.parametrize("pages", [1, 2])
def test_pages_of_a_tiff_behind_the_first_are_said_to_be_left(tmp_path, pages):
    """The first is the plate; a clip that lies in one file would be a still in silence."""
    shades = [np.full((6, 8, 3), 0.2 * (page + 1), np.float32) for page in range(pages)]
    first, *others = [Image.fromarray((shade * 255).astype(np.uint8)) for shade in shades]
    first.save(tmp_path / "a.tif", save_all=True, append_images=others)
    plate = open_plate(PlateOptions(path=str(tmp_path / "a.tif")), roots=Roots())
    assert np.allclose(plate.read(plate.first).pixels, 0.2, atol=0.01)
    assert any("page 1 alone is read" in note for note in plate.notes) == (pages > 1)
