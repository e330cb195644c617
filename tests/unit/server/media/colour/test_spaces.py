"""Colour by name, and the way to display-referred sRGB."""

from __future__ import annotations

import os
import zipfile

import numpy as np
import OpenImageIO as oiio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvm_client.context import read_text
from gvm_client.errors import ErrorCode, InputError
from gvm_client.settings import Highlights
from gvm_server.media.colour import spaces as colour
from gvm_server.media.colour.encodings import linear_from_cineon, srgb_from_linear
from gvm_server.media.colour.hints import FileHint
from gvm_server.media.colour.ocio import load_config
from gvm_server.media.colour.tone_mapping import NO_TONE_MAPPING, ToneMapping
from gvm_server.media.file_access import Roots
from gvm_server.media.pixels import HALVES
from gvm_server.media.plates.base import PlateOptions
from gvm_server.media.plates.open import open_plate
from tests.fakes.plates import ImageSpec, write_image

FLOAT = FileHint(kind="openexr", is_float=True)
LINEAR = "Linear Rec.709 (sRGB)"
SRGB = "sRGB Encoded Rec.709 (sRGB)"
P3_D65 = (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.3127, 0.3290)
ADOBE_RGB = (0.64, 0.33, 0.21, 0.71, 0.15, 0.06, 0.3127, 0.3290)
REC2020 = (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290)
AP1 = (0.713, 0.293, 0.165, 0.830, 0.128, 0.044, 0.32168, 0.33767)
AP0 = (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, 0.32168, 0.33767)
REC709 = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)

pytestmark = pytest.mark.skipif("OCIO" in os.environ, reason="needs the built-in configuration")


def wide(height=8, width=64):
    """Return values from far below black to far above white."""
    ramp = np.linspace(-0.5, 4.0, height * width * 3, dtype=np.float32)
    return np.random.default_rng(0).permutation(ramp).reshape(height, width, 3)


def resolve_colour(name, hint, source=""):
    """Resolve a name by the configuration that a path stands for now."""
    return colour.resolve_colour(name, hint, load_config(source))


def to_display(pixels, space):
    """Return what a plate in this space looks like."""
    return resolve_colour(space, FLOAT).to_display(pixels)


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
    choice = resolve_colour(name, FLOAT)
    assert (choice.name, choice.note) == (resolved, "")


def test_an_unknown_name_lists_close_ones():
    """A typing error finds its way."""
    with pytest.raises(InputError) as caught:
        resolve_colour("acesgc", FLOAT)
    assert caught.value.code is ErrorCode.COLOURSPACE_UNKNOWN
    assert "acesgc" in caught.value.message
    assert "ACEScg" in caught.value.remedy or "acescg" in caught.value.remedy
    with pytest.raises(InputError, match="scene_linear"):
        resolve_colour("qqqqqqqq", FLOAT)


@pytest.mark.parametrize(
    ("hint", "name"),
    [
        (FLOAT, LINEAR),
        (FileHint(kind="openexr", is_float=True, chromaticities=REC709), LINEAR),
        (FileHint(kind="openexr", is_float=True, chromaticities=AP1), "ACEScg"),
        (FileHint(kind="openexr", is_float=True, chromaticities=AP0), "ACES2065-1"),
        (FileHint(kind="openexr", is_float=True, chromaticities=REC2020), "Linear Rec.2020"),
        (FileHint(kind="openexr", is_float=True, chromaticities=P3_D65), "Linear P3-D65"),
        (FileHint(kind="openexr", is_float=True, chromaticities=ADOBE_RGB), "Linear AdobeRGB"),
        (FileHint(kind="openexr", is_float=True, interop_id="lin_ap1_scene"), "ACEScg"),
        (FileHint(kind="openexr", is_float=True, is_aces=True), "ACES2065-1"),
        (FileHint(kind="openexr", is_float=True, colourspace="lin_ap1_scene"), "ACEScg"),
        (FileHint(kind="openexr", is_float=True, colourspace="no such"), LINEAR),
        (FileHint(kind="tiff", is_float=True), LINEAR),
        (FileHint(kind="tiff", is_float=False, bits=16), "srgb"),
        (FileHint(kind="png", is_float=False), "srgb"),
        (FileHint(kind="movie", is_float=False), "rec709"),
        (FileHint(kind="movie", is_float=False, curve=1, primaries=1), "rec709"),
        (FileHint(kind="movie", is_float=False, curve=16, primaries=9), "pq"),
        (FileHint(kind="movie", is_float=False, curve=18, primaries=9), "hlg"),
        (FileHint(kind="movie", is_float=False, curve=14, primaries=9), "rec2020"),
        (FileHint(kind="movie", is_float=False, curve=1, primaries=12), "p3"),
        (FileHint(kind="movie", is_float=False, curve=8), LINEAR),
        (FileHint(kind="png", is_float=False, curve=16, primaries=9), "pq"),
        (FileHint(kind="png", is_float=False, curve=13, primaries=12), "p3"),
        (FileHint(kind="png", is_float=False, curve=1, primaries=9), "rec2020"),
        (FileHint(kind="png", is_float=False, curve=8, primaries=1), LINEAR),
        (FileHint(kind="png", is_float=False, colourspace="lin_rec709_scene"), LINEAR),
        (FileHint(kind="png", is_float=False, colourspace="lin_p3d65_scene"), "Linear P3-D65"),
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
    choice = resolve_colour("auto", hint)
    assert choice.name == name
    assert name in choice.note
    assert "--input-colorspace" in choice.note


@pytest.mark.parametrize(
    ("said", "passed_over"),
    [
        ({"profile": "Adobe RGB (1998)"}, "its ICC profile 'Adobe RGB (1998)' is not read"),
        ({"colourspace": "g18_rec709_scene"}, "its colour space 'g18_rec709_scene' is not read"),
        ({"profile": "sRGB IEC61966-2.1", "colourspace": "srgb_rec709_scene"}, ""),
        ({"colourspace": "g22_rec709_scene"}, ""),
    ],
)
def test_colours_of_integers_that_are_passed_over_are_said(said, passed_over):
    """A photograph in another space than sRGB is not taken for sRGB in silence."""
    choice = resolve_colour("auto", FileHint(kind="jpeg", is_float=False, **said))
    assert choice.name == "srgb"
    assert passed_over in choice.note
    assert bool(passed_over) == ("is not read" in choice.note)


def test_integers_of_a_curve_that_is_not_read_are_refused():
    """As movies are: a logarithmic PNG would be taken for what is displayed."""
    with pytest.raises(InputError, match="The file says") as caught:
        resolve_colour("auto", FileHint(kind="png", is_float=False, curve=9))
    assert caught.value.code is ErrorCode.COLOURSPACE_UNKNOWN
    assert "--input-colorspace" in caught.value.remedy


@pytest.mark.parametrize(
    ("file", "spec", "name"),
    [
        ("a.exr", ImageSpec(), LINEAR),
        ("a.exr", ImageSpec(attributes={"chromaticities": ("float[8]", AP1)}), "ACEScg"),
        ("a.png", ImageSpec(depth="uint16"), "srgb"),
        (
            "a.png",
            ImageSpec(depth="uint16", attributes={"oiio:ColorSpace": "lin_rec709_scene"}),
            LINEAR,
        ),
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
    assert plate.colour.name == name
    assert any(name in note for note in plate.notes)


@pytest.mark.parametrize("space", [LINEAR, "ACEScg", "ACES2065-1", "Linear Rec.2020", "ACEScct"])
def test_conversions_are_ocios(space):
    """Our short cuts for linear spaces differ from OCIO by less than its own approximations."""
    assert np.abs(to_display(wide(), space) - by_ocio(wide(), space)).max() < 2e-5


@pytest.mark.parametrize("space", [LINEAR, "ACEScg", "ACEScct", "srgb", "rec709", "raw", "Raw"])
def test_the_way_back_gives_the_plate_s_own_pixels(space):
    """Into light and back, within a quarter of a step of 10 bits; linear ones bit for bit."""
    own = np.random.default_rng(4).random((8, 8, 3), np.float32)
    plate = colour.resolve_colour(space, FileHint(kind="exr", is_float=True))
    again = plate.way_back()(plate.to_linear(own))
    assert np.abs(again - own).max() < 0.25 / 1023
    if plate.conversion.is_linear:
        assert np.array_equal(again, own)


@pytest.mark.parametrize("space", ["cineon", "pq", "hlg", "rec2020", "p3"])
def test_a_space_that_is_only_read_has_no_way_back(space):
    """It is named, with what to do."""
    plate = colour.resolve_colour(space, FileHint(kind="exr", is_float=True))
    with pytest.raises(InputError, match=f"into {space} again") as caught:
        plate.way_back()
    assert "--channels fg" in caught.value.remedy


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


@pytest.mark.parametrize("space", [LINEAR, "ACEScg", "cineon", "ACEScct", "srgb", "hlg", SRGB])
@pytest.mark.parametrize(
    "mapping",
    [NO_TONE_MAPPING, ToneMapping(exposure=-1.5, highlights=Highlights.ROLLOFF)],
    ids=["plain", "mapped"],
)
def test_halves_become_what_floats_of_their_values_become(space, mapping):
    """To the bit, every finite one of them, by a table where the space allows one."""
    finite = HALVES[np.isfinite(HALVES)]
    halves = np.random.default_rng(0).permutation(np.resize(finite, 192 * 1024 * 3))
    halves = halves.reshape(192, 1024, 3)
    found = resolve_colour(space, FLOAT)
    with np.errstate(all="ignore"):
        expected = found.to_display(halves.astype(np.float32), mapping)
        assert np.array_equal(found.to_display(halves, mapping), expected, equal_nan=True)


STUDIO = (
    "ocio_profile_version: 2\n"
    "search_path: luts\n"
    "roles: {scene_linear: studio_lin, default: studio_lin}\n"
    "displays: {d: [!<View> {name: v, colorspace: my_srgb}]}\n"
    "colorspaces:\n"
    "  - !<ColorSpace> {name: studio_lin, encoding: scene-linear}\n"
    "  - !<ColorSpace>\n"
    "    name: my_srgb\n"
    "    aliases: [srgb_tx]\n"
    "    from_scene_reference: !<ExponentTransform> {value: [2, 2, 2, 1], direction: inverse}\n"
    "  - !<ColorSpace>\n"
    "    name: graded\n"
    "    to_scene_reference: !<FileTransform> {src: a.spi1d}\n"
)


def studio(folder, *, white=0.5, text=STUDIO):
    """Write a configuration with a lookup table whose white is a value."""
    (folder / "luts").mkdir(exist_ok=True)
    table = f"Version 1\nFrom 0.0 1.0\nLength 2\nComponents 1\n{{\n0.0\n{white}\n}}\n"
    (folder / "luts" / "a.spi1d").write_text(table)
    (folder / "config.ocio").write_text(text)
    return str(folder / "config.ocio")


def test_a_studios_configuration_decides_what_linear_means(tmp_path):
    """With $OCIO, `scene_linear` is that configuration's role, for files without metadata too."""
    config = studio(tmp_path)
    assert resolve_colour("scene_linear", FLOAT, config).name == "studio_lin"
    auto = resolve_colour("auto", FLOAT, config)
    assert auto.name == "studio_lin"
    encoded = auto.to_display(np.full((1, 1, 3), 0.25, np.float32))
    assert encoded[0, 0, 0] == pytest.approx(0.5, abs=1e-4)
    assert resolve_colour("srgb", FLOAT, config).name == "srgb"


def test_an_edit_of_a_configuration_or_its_table_moves_key_and_pixels_together(tmp_path):
    """In one process, as a warm server is: nothing is remembered by a path."""
    white = np.ones((1, 1, 3), np.float32)
    seen = {}
    for value in (0.25, 0.81, 0.25):
        graded = resolve_colour("graded", FLOAT, studio(tmp_path, white=value))
        shown = float(graded.to_display(white)[0, 0, 0])
        assert shown == pytest.approx(value**0.5, abs=1e-3)
        seen.setdefault(graded.digest, set()).add(round(shown, 3))
    assert len(seen) == 2
    assert all(len(values) == 1 for values in seen.values())
    first = resolve_colour("studio_lin", FLOAT, studio(tmp_path))
    cubed = studio(tmp_path, text=STUDIO.replace("[2, 2, 2, 1]", "[3, 3, 3, 1]"))
    other = resolve_colour("studio_lin", FLOAT, cubed)
    assert other.digest != first.digest
    assert other.to_display(white * np.float32(0.5))[0, 0, 0] == pytest.approx(0.5 ** (1 / 3), 1e-3)


def test_a_colour_that_was_resolved_keeps_its_pixels(tmp_path):
    """A job that runs is not changed by an edit: its key stands for what it began with."""
    half = np.full((1, 1, 3), 0.5, np.float32)
    before = resolve_colour("studio_lin", FLOAT, studio(tmp_path))
    expected = before.to_display(half)
    studio(tmp_path, text=STUDIO.replace("[2, 2, 2, 1]", "[3, 3, 3, 1]"))
    resolve_colour("studio_lin", FLOAT, str(tmp_path / "config.ocio"))
    assert np.array_equal(before.to_display(half), expected)


def test_what_no_configuration_defines_keeps_its_key(tmp_path):
    """`srgb` is `srgb` in every show: an edit costs nothing there."""
    built_in = resolve_colour("srgb", FLOAT)
    assert resolve_colour("srgb", FLOAT, studio(tmp_path)).digest == built_in.digest
    assert resolve_colour("pq", FLOAT).digest != built_in.digest


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "No such file"),
        ("not a configuration", "profile failed"),
        (STUDIO.replace("version: 2", "version: 9"), "version"),
        ("", "cannot be loaded"),
    ],
)
def test_a_configuration_that_cannot_be_loaded_is_refused_with_its_reason(tmp_path, text, reason):
    """Nothing stands in for it: the file's name and OpenColorIO's own words."""
    config = tmp_path / "config.ocio"
    if text is not None:
        config.write_text(text)
    with pytest.raises(InputError, match=reason) as caught:
        resolve_colour("srgb", FLOAT, str(config))
    assert caught.value.code is ErrorCode.COLOURSPACE_UNKNOWN
    assert str(config) in caught.value.message
    assert caught.value.remedy


def test_a_table_that_is_edited_between_hashing_and_reading_is_refused(tmp_path):
    """Its pixels would not be those that the digest stands for; asked again, all is well.

    OpenColorIO 2.6.0 opens the file by itself when our reader refuses it.
    """
    path = studio(tmp_path, white=0.25)
    config = load_config(path)
    studio(tmp_path, white=0.81)
    with pytest.raises(InputError, match=r"a\.spi1d was edited"):
        config.converter("graded", "my_srgb")
    white = resolve_colour("graded", FLOAT, path).to_display(np.ones((1, 1, 3), np.float32))
    assert white == pytest.approx(0.9, abs=1e-3)


def test_an_archive_is_read_and_a_damaged_one_is_refused(tmp_path):
    """By its content; a bad sum in a member is a sentence and no defect."""
    studio(tmp_path, white=0.25)
    archive = tmp_path / "show.ocioz"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(tmp_path / "config.ocio", "config.ocio")
        packed.write(tmp_path / "luts" / "a.spi1d", "luts/a.spi1d")
    colour = resolve_colour("graded", FLOAT, str(archive))
    shown = colour.to_display(np.ones((1, 1, 3), np.float32))
    assert shown == pytest.approx(0.5, abs=1e-3)
    whole = archive.read_bytes()
    archive.write_bytes(whole.replace(b"Version 1", b"Version 2"))
    with pytest.raises(InputError) as caught:
        resolve_colour("graded", FLOAT, str(archive))
    assert str(archive) in caught.value.message


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_archive_that_is_damaged_in_its_packed_bytes_is_refused(tmp_path, packing):
    """Each way of packing has errors of its own; clients look into archives too."""
    studio(tmp_path, white=0.25)
    archive, refused = tmp_path / "show.ocioz", []
    with zipfile.ZipFile(archive, "w", packing) as packed:
        packed.writestr("config.ocio", (tmp_path / "config.ocio").read_text() + "\n# more" * 99)
        packed.write(tmp_path / "luts" / "a.spi1d", "luts/a.spi1d")
    whole = archive.read_bytes()
    for at in range(30, 90):
        archive.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        read_text(str(archive))
        try:
            load_config(str(archive))
        except InputError as error:
            refused.append(error.message)
    assert len(refused) > 30
    assert all(str(archive) in message for message in refused)


@pytest.mark.parametrize("place", ["config.ocio", "luts/a.spi1d"])
def test_what_is_no_regular_file_is_refused_and_never_waited_for(tmp_path, place):
    """A pipe would hold every other job's colours too."""
    config = studio(tmp_path)
    (tmp_path / place).unlink()
    os.mkfifo(tmp_path / place)
    with pytest.raises(InputError, match="no regular file"):
        resolve_colour("graded", FLOAT, config)


def test_a_table_that_is_missing_is_an_error_for_those_who_use_it(tmp_path):
    """Other spaces of the configuration work on."""
    config = studio(tmp_path)
    (tmp_path / "luts" / "a.spi1d").unlink()
    assert resolve_colour("studio_lin", FLOAT, config).name == "studio_lin"
    with pytest.raises(InputError, match=r"a\.spi1d"):
        resolve_colour("graded", FLOAT, config)


def test_primaries_that_no_configuration_names_are_read_by_their_numbers():
    """Any red, green and blue: here those of Rec.709 moved by little, and white stays white."""
    own = (0.645, 0.33, 0.30, 0.60, 0.15, 0.065, 0.3127, 0.3290)
    hint = FileHint(kind="openexr", is_float=True, chromaticities=own)
    colour = resolve_colour("auto", hint)
    assert colour.name.startswith("linear(0.645 ")
    assert resolve_colour(colour.name, FLOAT).digest == colour.digest
    white = colour.to_display(np.ones((1, 1, 3), np.float32))
    assert white == pytest.approx(1.0, abs=1e-4)
    grey = np.full((1, 1, 3), 0.18, np.float32)
    assert np.abs(colour.to_display(grey) - to_display(grey, LINEAR)).max() < 1e-4


def test_our_matrices_are_the_configurations():
    """Rec.2020 by our own numbers and by OpenColorIO."""
    numbers = " ".join(map(str, REC2020))
    ours = to_display(wide(), f"linear({numbers})")
    assert np.abs(ours - to_display(wide(), "Linear Rec.2020")).max() < 2e-3


def test_primaries_of_no_colours_are_refused():
    """Three times the same point spans nothing."""
    hint = FileHint(kind="openexr", is_float=True, chromaticities=(0.1,) * 8)
    with pytest.raises(InputError, match="no primaries"):
        resolve_colour("auto", hint)


def test_an_interoperability_name_that_is_not_known_is_said():
    """The file knows better than the default; the artist hears of it."""
    hint = FileHint(kind="openexr", is_float=True, interop_id="lin_camera_of_tomorrow")
    colour = resolve_colour("auto", hint)
    assert colour.name == LINEAR
    assert "lin_camera_of_tomorrow" in colour.note


@pytest.mark.parametrize("curve", [9, 10, 17])
def test_a_movies_curve_that_is_not_read_here_is_refused(curve):
    """Never as Rec.709 in silence; a name makes it readable."""
    hint = FileHint(kind="movie", is_float=False, curve=curve)
    with pytest.raises(InputError, match="The movie says") as caught:
        resolve_colour("auto", hint)
    assert "--input-colorspace" in caught.value.remedy
    assert resolve_colour("rec709", hint).name == "rec709"


@pytest.mark.parametrize(
    ("space", "signal"),
    # ITU-R BT.2408-7, table 1: reference white is 58 % in PQ, 75 % in HLG; black is black.
    [("pq", 0.5806), ("hlg", 0.75)],
)
def test_hdr_white_is_displayed_white(space, signal):
    """Diffuse white comes out as 1, black as 0, what is brighter is clipped."""
    pixels = np.array([[[signal] * 3, [0.0] * 3, [1.0] * 3]], np.float32)
    shown = to_display(pixels, space)[0, :, 1]
    assert shown == pytest.approx([1.0, 0.0, 1.0], abs=6e-3)
    half = to_display(np.full((1, 1, 3), signal * 0.8, np.float32), space)
    assert 0.3 < half.mean() < 0.9


def test_wide_display_colours_keep_their_greys():
    """Only the primaries move: red of Rec.2020 leaves Rec.709's gamut and is clipped."""
    grey = np.full((1, 1, 3), 0.5, np.float32)
    red = np.array([[[0.8, 0.2, 0.2]]], np.float32)
    for space in ("rec2020", "p3"):
        assert to_display(grey, space) == pytest.approx(0.5, abs=1e-4)
        assert to_display(red, space)[0, 0, 0] > 0.8


BRIGHT = np.array([[[-0.25, 0.0, 0.18], [0.5, 1.0, 12.0]]], np.float32)


@pytest.mark.parametrize(
    "name", ["scene_linear", "acescg", "linear(0.7 0.3 0.2 0.7 0.1 0.1 0.3 0.3)"]
)
def test_a_linear_plate_s_linear_space_is_its_own(name):
    """Not a bit changes, whatever its primaries, below black and above white."""
    found = colour.resolve_colour(name, FileHint(kind="openexr", is_float=True))
    assert found.linear == found.name
    assert np.array_equal(found.to_linear(BRIGHT), BRIGHT)
    assert np.array_equal(found.display_of_linear(BRIGHT), found.to_display(BRIGHT))
    own = (0.7, 0.3, 0.2, 0.7, 0.1, 0.1, 0.3, 0.3)
    assert found.chromaticities == {"scene_linear": REC709, "acescg": AP1}.get(name, own)


@pytest.mark.parametrize(
    ("name", "most"),
    [("srgb", 1.0), ("rec709", 1.0), ("raw", 1.0), ("p3", 1.0), ("cineon", 13.0), ("pq", 49.3)],
)
def test_another_plate_s_is_linear_rec709_up_to_its_own_white(name, most):
    """A displayed picture's light ends at white, a log curve's does not; shown, it is as before."""
    found = colour.resolve_colour(name, FileHint(kind="png", is_float=False))
    codes = np.linspace(0, 1, 33, dtype=np.float32)[None, :, None].repeat(3, axis=2)
    light = found.to_linear(codes)
    assert (found.linear, found.chromaticities) == ("lin_rec709_scene", REC709)
    assert light.max() == pytest.approx(most, rel=0.05)
    assert np.allclose(found.display_of_linear(light), found.to_display(codes), atol=2e-4)
