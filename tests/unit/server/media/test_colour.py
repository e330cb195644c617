"""Colour by name, and the way to display-referred sRGB."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvm_client.errors import ErrorCode, InputError
from gvm_server.media import colour
from gvm_server.media.colour import FileHint, config_version, resolve_colourspace, to_display
from gvm_server.media.confine import Roots
from gvm_server.media.curves import linear_from_cineon, srgb_from_linear
from gvm_server.media.open import open_plate
from gvm_server.media.plate import PlateOptions
from tests.fakes.plates import ImageSpec, write_image

FLOAT = FileHint(kind="openexr", is_float=True)
LINEAR = "Linear Rec.709 (sRGB)"
SRGB = "sRGB Encoded Rec.709 (sRGB)"
AP1 = (0.713, 0.293, 0.165, 0.830, 0.128, 0.044, 0.32168, 0.33767)
AP0 = (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, 0.32168, 0.33767)
REC709 = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)

pytestmark = pytest.mark.skipif("OCIO" in os.environ, reason="needs the built-in configuration")


def wide(height=8, width=64):
    """Return values from far below black to far above white."""
    ramp = np.linspace(-0.5, 4.0, height * width * 3, dtype=np.float32)
    return np.random.default_rng(0).permutation(ramp).reshape(height, width, 3)


def by_ocio(pixels, space):
    """Convert with OpenImageIO alone."""
    converted = oiio.ImageBufAlgo.colorconvert(oiio.ImageBuf(pixels), space, SRGB)
    return np.clip(converted.get_pixels(oiio.FLOAT), 0, 1)


@pytest.mark.parametrize(
    ("name", "resolved"),
    [
        ("scene_linear", LINEAR),
        ("acescg", "ACEScg"),
        ("lin_ap1", "ACEScg"),
        ("ACEScct", "ACEScct"),
        (LINEAR, LINEAR),
        ("srgb", "srgb"),
        ("rec709", "rec709"),
        ("raw", "raw"),
        ("cineon", "cineon"),
    ],
)
def test_names_resolve_to_one_name_for_one_space(name, resolved):
    """Aliases share a name, so they share keys; a named space needs no note."""
    choice = resolve_colourspace(name, FLOAT)
    assert (choice.name, choice.note) == (resolved, "")


def test_an_unknown_name_lists_close_ones():
    """A typing error finds its way."""
    with pytest.raises(InputError) as caught:
        resolve_colourspace("acesgc", FLOAT)
    assert caught.value.code is ErrorCode.COLOURSPACE_UNKNOWN
    assert "acesgc" in caught.value.message
    assert "ACEScg" in caught.value.remedy or "acescg" in caught.value.remedy
    with pytest.raises(InputError, match="scene_linear"):
        resolve_colourspace("qqqqqqqq", FLOAT)


@pytest.mark.parametrize(
    ("hint", "name"),
    [
        (FLOAT, LINEAR),
        (FileHint(kind="openexr", is_float=True, chromaticities=REC709), LINEAR),
        (FileHint(kind="openexr", is_float=True, chromaticities=AP1), "ACEScg"),
        (FileHint(kind="openexr", is_float=True, chromaticities=AP0), "ACES2065-1"),
        (FileHint(kind="openexr", is_float=True, chromaticities=(0.1,) * 8), LINEAR),
        (FileHint(kind="openexr", is_float=True, is_aces=True), "ACES2065-1"),
        (FileHint(kind="openexr", is_float=True, colourspace="lin_ap1_scene"), "ACEScg"),
        (FileHint(kind="openexr", is_float=True, colourspace="no such"), LINEAR),
        (FileHint(kind="tiff", is_float=True), LINEAR),
        (FileHint(kind="tiff", is_float=False, bits=16), "srgb"),
        (FileHint(kind="png", is_float=False), "srgb"),
        (FileHint(kind="movie", is_float=False), "rec709"),
        (FileHint(kind="dpx", is_float=False, bits=10), "cineon"),
        (FileHint(kind="dpx", is_float=False, bits=16), "srgb"),
        (FileHint(kind="dpx", is_float=False, transfer="Printing density"), "cineon"),
        (FileHint(kind="dpx", is_float=False, bits=10, transfer="ITU-R 709-4"), "rec709"),
        (FileHint(kind="dpx", is_float=False, bits=10, transfer="Linear"), LINEAR),
        (FileHint(kind="cineon", is_float=False), "cineon"),
    ],
)
def test_auto_goes_by_type_and_metadata_and_says_so(hint, name):
    """The note names the choice and the option that overrides it."""
    choice = resolve_colourspace("auto", hint)
    assert choice.name == name
    assert name in choice.note
    assert "--input-colorspace" in choice.note


@pytest.mark.parametrize(
    ("file", "spec", "name"),
    [
        ("a.exr", ImageSpec(), LINEAR),
        ("a.exr", ImageSpec(attributes={"chromaticities": ("float[8]", AP1)}), "ACEScg"),
        ("a.png", ImageSpec(depth="uint16"), "srgb"),
        ("a.hdr", ImageSpec(depth="float"), LINEAR),
        (
            "a.dpx",
            ImageSpec(
                depth="uint16",
                attributes={"oiio:BitsPerSample": 10, "dpx:Transfer": "Printing density"},
            ),
            "cineon",
        ),
    ],
)
def test_auto_reads_real_files(tmp_path, file, spec, name):
    """The hints come out of the files as they are written."""
    path = write_image(tmp_path / file, spec=spec)
    plate = open_plate(PlateOptions(path=str(path)), roots=Roots())
    assert plate.colourspace == name
    assert any(name in note for note in plate.notes)


@pytest.mark.parametrize("space", [LINEAR, "ACEScg", "ACES2065-1", "Linear Rec.2020", "ACEScct"])
def test_conversions_are_ocios(space):
    """Our short cuts for linear spaces differ from OCIO by less than its own approximations."""
    assert np.abs(to_display(wide(), space) - by_ocio(wide(), space)).max() < 2e-5


@pytest.mark.parametrize("space", ["srgb", "rec709", "raw", SRGB, "Raw"])
def test_display_referred_pixels_are_only_clipped(space):
    """What is displayed already is not changed."""
    assert np.array_equal(to_display(wide(), space), np.clip(wide(), 0, 1))


@pytest.mark.parametrize("space", [LINEAR, "ACEScg", "cineon", "ACEScct", "srgb"])
def test_what_comes_out_lies_in_0_to_1_and_is_finite(space):
    """Negative and huge values do no harm."""
    pixels = wide()
    pixels[0, 0] = (-65504.0, 65504.0, 1e-30)
    before = pixels.copy()
    display = to_display(pixels, space)
    assert display.dtype == np.float32
    assert display.min() >= 0
    assert display.max() <= 1
    assert np.array_equal(pixels, before)


def test_primaries_are_converted_before_anything_is_clipped():
    """An ACEScg value above one, out of Rec.709's gamut, keeps its share in the other channels."""
    pixel = np.array([[[1.8, 0.2, 0.1]]], np.float32)
    clipped_first = to_display(np.clip(pixel, 0, 1), "ACEScg")
    assert np.abs(to_display(pixel, "ACEScg") - by_ocio(pixel, "ACEScg")).max() < 2e-5
    assert np.abs(to_display(pixel, "ACEScg") - clipped_first).max() > 1e-2


@given(st.floats(0, 1, width=32))
def test_the_srgb_curve_is_the_standards(value):
    """IEC 61966-2-1, to 1e-5, with its straight part."""
    expected = 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055
    encoded = srgb_from_linear(np.full((1, 1, 3), value, np.float32))
    assert abs(float(encoded[0, 0, 0]) - expected) < 1e-5


def test_the_cineon_curve_meets_kodaks_points():
    """Code 95 is black and 685 white; 300 codes are a factor of ten in light."""
    codes = np.array([95, 445, 685, 1023], np.float32)
    black = 10 ** ((95 - 685) / 300)
    expected = (10 ** ((codes.astype(np.float64) - 685) / 300) - black) / (1 - black)
    assert linear_from_cineon(codes / 1023) == pytest.approx(expected, rel=1e-5, abs=1e-6)
    assert expected[[0, 2]] == pytest.approx([0.0, 1.0])


@pytest.mark.parametrize("space", [LINEAR, "ACEScg", "cineon", "ACEScct"])
def test_the_same_pixels_give_the_same_bits(space):
    """Wherever they lie in memory: keys promise it."""
    pixels = wide(31, 37)
    inside = np.pad(pixels, ((1, 2), (3, 1), (0, 0)))[1:-2, 3:-1]
    assert np.array_equal(to_display(inside, space), to_display(pixels, space))


def test_a_studios_configuration_decides_what_linear_means(tmp_path):
    """With $OCIO, `scene_linear` is that configuration's role, for files without metadata too."""
    config = tmp_path / "config.ocio"
    config.write_text(
        "ocio_profile_version: 2\n"
        "roles: {scene_linear: studio_lin, default: studio_lin}\n"
        "displays: {d: [!<View> {name: v, colorspace: my_srgb}]}\n"
        "colorspaces:\n"
        "  - !<ColorSpace> {name: studio_lin, encoding: scene-linear}\n"
        "  - !<ColorSpace>\n"
        "    name: my_srgb\n"
        "    aliases: [srgb_tx]\n"
        "    from_scene_reference: !<ExponentTransform>"
        " {value: [2, 2, 2, 1], direction: inverse}\n"
    )
    script = (
        "import numpy as np\n"
        "from gvm_server.media.colour import FileHint, resolve_colourspace, to_display\n"
        "hint = FileHint(kind='openexr', is_float=True)\n"
        "print(resolve_colourspace('scene_linear', hint).name)\n"
        "print(resolve_colourspace('auto', hint).name)\n"
        "print(to_display(np.full((1, 1, 3), 0.25, np.float32), 'studio_lin')[0, 0, 0])\n"
        "print(resolve_colourspace('srgb', hint).name)\n"
    )
    root = Path(colour.__file__).parents[2]
    environment = {
        **os.environ,
        "OCIO": str(config),
        "PYTHONPATH": f"{root}{os.pathsep}{root / 'nodes'}",
    }
    words = [sys.executable, "-c", script]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    role, auto, encoded, srgb = done.stdout.split()
    assert (role, auto, srgb) == ("studio_lin", "studio_lin", "srgb")
    assert float(encoded) == pytest.approx(0.5, abs=1e-4)


def test_an_edited_configuration_has_another_version(monkeypatch, tmp_path):
    """The built-in one never changes; a file does with its size and time."""
    monkeypatch.delenv("OCIO", raising=False)
    monkeypatch.chdir(tmp_path)
    builtin = config_version()
    (tmp_path / "more").touch()
    assert config_version() == builtin
    config = tmp_path / "config.ocio"
    config.write_text("one")
    monkeypatch.setenv("OCIO", str(config))
    first = config_version()
    config.write_text("another")
    assert config_version() not in (first, builtin)
