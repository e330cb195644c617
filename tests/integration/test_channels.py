"""What the EXR files hold beside the alpha: the same bits in every channel, whatever was asked."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import OpenEXR
import OpenImageIO as oiio
import pytest
from numpy.typing import NDArray

from gvm_server.matting.layers import SOLID
from gvm_server.media.colour.encodings import REC709
from tests.support.layered import draw, recomposite
from tests.support.plates import moving_disc, write_anamorphic, write_exr, write_plate

ALL = "A,matte.raw,matte.edge,matte.core,fg,RGBA"
NAMES = {"A", "R", "G", "B", "fg.R", "fg.G", "fg.B", "matte.raw", "matte.edge", "matte.core"}
SEPARATE = {"": "A", "fg": "RGB", "rgba": "RGBA", "matte_raw": "A", "matte_edge": "A"}

Planes = dict[str, NDArray[np.generic]]


def read(path: Path) -> Planes:
    """Return every channel of a file as the format's own library, which is not the writer, has it.

    Args:
        path: of an EXR file of one part.
    """
    with OpenEXR.File(str(path), separate_channels=True) as file:
        (part,) = file.parts
        return {name: np.array(channel.pixels) for name, channel in part.channels.items()}


def header(path: Path) -> Mapping[str, object]:
    """Return a file's header as the format's own library has it."""
    return OpenEXR.File(str(path), header_only=True).parts[0].header


def bits(folder: Path) -> dict[str, dict[str, bytes]]:
    """Return the bytes of every channel of every file in a folder."""
    return {
        path.name: {name: plane.tobytes() for name, plane in read(path).items()}
        for path in sorted(folder.glob("*.exr"))
    }


def test_one_file_holds_every_layer(site, tmp_path):
    """Each is what the alpha, the raw matte and the plate make of it, by the words of the guide."""
    plate = write_plate(tmp_path / "plate", range(1, 4))
    ran = site.matte(plate, "out", "--channels", ALL, "--depth", "float", "--black", "0.3")
    assert ran.code == 0, ran.stderr
    held = read(tmp_path / "out/plate.0002.exr")
    assert set(held) == NAMES
    assert {plane.dtype for plane in held.values()} == {np.dtype(np.float32)}
    assert site.matte(plate, "raw", "--depth", "float").code == 0
    raw = held["matte.raw"]
    assert np.array_equal(raw, read(tmp_path / "raw/plate.0002.exr")["A"])  # without the knob
    assert not np.array_equal(raw, held["A"])
    band = (raw > SOLID) & (raw < 1 - SOLID)
    assert np.array_equal(held["matte.edge"], band.astype(np.float32))
    assert np.array_equal(held["matte.core"], np.where(band, 0, raw))
    assert np.array_equal(raw, held["matte.core"] + held["matte.edge"] * raw)
    for name in "RGB":
        assert np.array_equal(held[name], held[f"fg.{name}"] * held["A"])
    assert site.matte(plate, "plain").code == 0
    assert set(read(tmp_path / "plain/plate.0002.exr")) == {"A"}


@pytest.mark.parametrize(("compression", "depth"), [("htj2k256", "half"), ("piz", "float")])
def test_no_compression_loses_a_bit(site, tmp_path, compression, depth):
    """Both readers see the same planes as in a file of another compression."""
    plate = write_plate(tmp_path / "plate", range(1, 3))
    words = ("--channels", ALL, "--depth", depth)
    assert site.matte(plate, "zips", *words).code == 0
    assert site.matte(plate, "other", *words, "--compression", compression).code == 0
    path = tmp_path / "other/plate.0001.exr"
    held = read(path)
    assert bits(tmp_path / "other") == bits(tmp_path / "zips")
    assert str(header(path)["compression"]).startswith(f"Compression.{compression.upper()}_")
    file = oiio.ImageInput.open(str(path))
    names, second = file.spec().channelnames, file.read_image(0, 0, 0, len(held), depth)
    file.close()
    assert set(names) == set(held)
    for at, name in enumerate(names):
        assert np.array_equal(second[..., at], held[name]), name


def test_ranges_orders_and_a_restart_give_the_same_bits_in_every_channel(site, tmp_path):
    """1-14 at once, in two parts, one by one in any order, and by a new server without a cache."""
    plate = write_plate(tmp_path / "plate", range(1, 15))
    words = ("--channels", ALL, "--grow", "1.5", "--despill", "green")
    assert site.matte(plate, "whole", *words).code == 0

    def anew(out: str, frames: str) -> None:
        site.gvm("cache", "clear")
        assert site.gvm("release").code == 0
        assert site.matte(plate, out, *words, "--frames", frames).code == 0

    anew("halves", "1-5")
    anew("halves", "6-14")
    frames = list(range(1, 15))
    random.Random(3).shuffle(frames)
    for start in range(0, 14, 5):
        anew("single", ",".join(map(str, frames[start : start + 5])))
    assert site.gvm("stop").code == 0
    assert site.gvm("cache", "clear").code == 0
    assert site.matte(plate, "restarted", *words).code == 0
    expected = bits(tmp_path / "whole")
    assert len(expected) == 14
    for folder in ("halves", "single", "restarted"):
        assert bits(tmp_path / folder) == expected, folder


def test_each_layer_in_a_file_of_its_own_has_the_same_pixels(site, tmp_path):
    """Mattes are `A`, colours R, G, B; the alpha's file is the one that is made without layers."""
    plate = write_plate(tmp_path / "plate", range(1, 4))
    words = ("--channels", "matte.raw,matte.edge,fg,RGBA")
    assert site.matte(plate, "one", *words).code == 0
    assert site.matte(plate, "own", *words, "--layers", "separate").code == 0
    assert site.matte(plate, "plain").code == 0
    one = read(tmp_path / "one/plate.0003.exr")
    files = {name: f"own/plate.{name}{'.' * bool(name)}0003.exr" for name in SEPARATE}
    own = {name: read(tmp_path / file) for name, file in files.items()}
    assert {name: "".join(sorted(planes)) for name, planes in own.items()} == {
        name: "".join(sorted(channels)) for name, channels in SEPARATE.items()
    }
    assert len(list((tmp_path / "own").iterdir())) == 3 * len(SEPARATE)
    for name in "RGB":
        assert np.array_equal(own["fg"][name], one[f"fg.{name}"])
        assert np.array_equal(own["rgba"][name], one[name])
    assert np.array_equal(own["matte_raw"]["A"], one["matte.raw"])
    assert np.array_equal(own["matte_edge"]["A"], one["matte.edge"])
    alpha, plain = header(tmp_path / files[""]), header(tmp_path / "plain/plate.0003.exr")
    ours = {name for name in (*alpha, *plain) if name.startswith("gvm:")} - {"gvm:checksum"}
    assert {name: alpha[name] for name in ours} == {name: plain[name] for name in ours}
    fg = header(tmp_path / files["fg"])
    assert (fg["gvm:channels"], fg["gvm:despill"]) == ("fg", "none")
    assert fg["gvm:fg-colourspace"] == fg["gvm:colourspace"]
    said = header(tmp_path / "one/plate.0003.exr")
    assert said["gvm:channels"] == "matte.raw,matte.edge,fg,RGBA"
    assert tuple(said["chromaticities"]) == pytest.approx(REC709)
    assert "chromaticities" not in plain


def test_another_choice_of_channels_writes_the_files_anew_and_runs_no_model(site, tmp_path):
    """What a file holds is part of its key; the same choice again writes nothing."""
    plate = write_plate(tmp_path / "plate", range(1, 9))
    assert site.matte(plate, "out").done["windows_run"] > 0
    choices = (
        ("--channels", "A,fg"),
        ("--channels", "A,fg", "--despill", "blue"),
        ("--channels", "A,fg", "--compression", "piz"),
        ("--channels", "A,matte.raw"),
        ("--channels", "A"),
    )
    keys = set()
    for words in choices:
        done = site.matte(plate, "out", *words).done
        assert (done["windows_run"], done["frames_written"]) == (0, 8), words
        keys.add(header(tmp_path / "out/plate.0005.exr")["gvm:key"])
        assert site.matte(plate, "out", *words).done["frames_kept"] == 8, words
    assert len(keys) == len(choices)


def test_files_of_an_earlier_choice_are_named_and_stay(site, tmp_path):
    """Layers that are not asked for any more, of other alphas: said, also by a dry run."""
    plate = write_plate(tmp_path / "plate", range(1, 4))
    apart = ("--channels", "A,fg,matte.raw", "--layers", "separate")
    assert site.matte(plate, "out", *apart).code == 0
    stranger = tmp_path / "out/plate.rgba.0001.exr"
    stranger.write_bytes(b"not ours")

    def said(*words: str) -> list[str]:
        ran = site.matte(plate, "out", "--json", *words)
        assert ran.code == 0, ran.stderr
        (accepted,) = [event for event in ran.events if event["type"] == "accepted"]
        return [note for note in accepted["notes"] if "earlier choice" in note]

    assert said() == []  # of the same alphas: they are theirs
    assert said("--channels", "fg", "--layers", "separate") == []
    layers = [*(tmp_path / "out").glob("plate.fg.*"), *(tmp_path / "out").glob("plate.matte*")]
    before = {path: path.read_bytes() for path in layers}
    foretold = site.matte(plate, "out", "--dry-run", "--black", "0.2")
    assert "6 files of an earlier choice of --channels stay in" in foretold.stdout
    (note,) = said("--black", "0.2")
    assert note.startswith("6 files of an earlier choice of --channels stay in")
    assert "plate.fg.0001.exr" in note
    assert "rgba" not in note
    assert {path: path.read_bytes() for path in layers} == before
    (note,) = said("--black", "0.2", "--channels", "fg", "--layers", "separate")
    assert note.startswith("3 files")
    assert "matte_raw" in note
    assert stranger.read_bytes() == b"not ours"
    assert said("--black", "0.2", "--channels", "fg,matte.raw", "--layers", "separate") == []


def test_a_separate_file_that_is_lost_or_damaged_is_made_again_alone(site, tmp_path):
    """From the cache, from windows where the cache lost it too; the alpha's own file stays."""
    plate = write_plate(tmp_path / "plate", range(1, 7))
    words = ("--channels", "fg,matte.core", "--layers", "separate")
    assert site.matte(plate, "out", *words).code == 0
    before = bits(tmp_path / "out")
    alpha, fg = (tmp_path / f"out/plate.{name}0003.exr" for name in ("", "fg."))
    stood = alpha.stat().st_mtime_ns
    fg.unlink()
    done = site.matte(plate, "out", *words).done
    assert (done["frames_written"], done["windows_run"]) == (1, 0)
    assert bits(tmp_path / "out") == before
    data = bytearray(fg.read_bytes())
    data[-20] ^= 1
    fg.write_bytes(data)
    for path in (tmp_path / "cache/alphas").glob("*/*.exr"):
        path.unlink()
    alpha_before = alpha.stat().st_mtime_ns
    done = site.matte(plate, "out", *words).done
    assert (done["frames_written"], done["windows_run"]) == (1, 0)
    assert bits(tmp_path / "out") == before
    assert alpha.stat().st_mtime_ns == alpha_before >= stood


def test_overscan_aspect_timecode_rate_view_and_part_are_kept(site, tmp_path):
    """Of every file; the knob that reaches out covers the display window, colours are 0 there."""
    said = {"oiio:subimagename": "rgba.left", "view": "left"}
    plate = write_anamorphic(tmp_path / "plate", range(1001, 1004), name="hero", said=said)
    assert site.matte(plate, "own", "--channels", ALL, "--layers", "separate").code == 0
    assert site.matte(plate, "one", "--channels", ALL).code == 0
    named = [*(tmp_path / "own").glob("*.1002.exr"), tmp_path / "one/hero.1002.exr"]
    assert len(named) == 7
    for path in named:
        said = header(path)
        assert [tuple(corner) for corner in said["dataWindow"]] == [(-8, 4), (71, 63)]
        assert [tuple(corner) for corner in said["displayWindow"]] == [(0, 0), (95, 63)]
        assert said["pixelAspectRatio"] == 2.0
        assert (said["framesPerSecond"].numerator, said["timeCode"].frame) == (24000, 1)
        assert (said["view"], said["name"]) == ("left", "rgba.left")
        assert oiio.ImageInput.open(str(path)).spec().getattribute("view") == "left"
    assert site.matte(plate, "out", "--channels", ALL, "--blur", "3").code == 0
    wide = read(tmp_path / "out/hero.1002.exr")
    assert wide["A"].shape == wide["fg.G"].shape == (64, 104)
    assert not wide["fg.G"][:, 80:].any()
    assert not wide["matte.raw"][:, 80:].any()


def test_views_of_one_file_keep_their_names(site, tmp_path):
    """The layer that is matted says the view, and its part's name is the alpha's."""
    folder = tmp_path / "plate"
    folder.mkdir()
    for frame in (1, 2):
        parts = [
            OpenEXR.Part(
                {"name": f"rgba.{view}", "view": view, "type": OpenEXR.scanlineimage},
                {"RGB": moving_disc(frame + at, 48, 32).astype(np.float16)},
                f"rgba.{view}",
            )
            for at, view in enumerate(("left", "right"))
        ]
        with OpenEXR.File(parts) as file:
            file.write(str(folder / f"s.{frame:04d}.exr"))
    plate = str(folder / "s.####.exr")
    assert site.matte(plate, "out", "--layer", "right").code == 0
    said = header(tmp_path / "out/s.0001.exr")
    assert (said["view"], said["name"]) == ("right", "rgba.right")


def test_brighter_light_than_half_holds_is_its_largest_number(site, tmp_path):
    """A lamp of 1e6 is no infinity in a half foreground; in float it is itself."""
    folder = tmp_path / "plate"
    folder.mkdir()
    picture = moving_disc(1, 96, 64)
    picture[30:34, 40:50] = 1e6
    image = oiio.ImageBuf(picture)
    assert image.write(str(folder / "lamp.0001.exr"), "float")
    plate = str(folder / "lamp.####.exr")
    for depth, most in (("half", 65504.0), ("float", 1e6)):
        assert site.matte(plate, depth, "--channels", "fg,RGBA", "--depth", depth).code == 0
        held = read(tmp_path / depth / "lamp.0001.exr")
        assert all(np.isfinite(plane).all() for plane in held.values())
        assert held["fg.R"].max() == most


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--channels", "A,matte.hair"), "There is no channel 'matte.hair'."),
        (("--compression", "dwaa"), "invalid choice: 'dwaa'"),
        (("--despill", "red"), "invalid choice: 'red'"),
    ],
)
def test_what_is_unknown_is_refused(site, tmp_path, words, says):
    """Before anything is made, with the words that there are."""
    plate = write_plate(tmp_path / "plate", range(1, 3))
    ran = site.gvm("matte", plate, "-o", "out", "--engine", "test", *words)
    assert ran.code == 2
    assert says in ran.stderr
    assert "RGBA" in ran.stderr or "zips" in ran.stderr or "green" in ran.stderr
    assert not (tmp_path / "out").exists()


def test_a_layer_s_file_never_replaces_the_plate_or_a_strangers(site, tmp_path):
    """Names that only a layer would have are looked at too."""
    plate = write_plate(tmp_path / "plate", range(1, 3))
    theirs = tmp_path / "out/plate.fg.0002.exr"
    theirs.parent.mkdir()
    theirs.write_bytes(b"an artist's own")
    words = ("--channels", "fg", "--layers", "separate")
    ran = site.matte(plate, "out", *words)
    assert ran.code != 0
    assert "plate.fg.0002.exr" in ran.stderr + ran.stdout
    assert theirs.read_bytes() == b"an artist's own"
    assert site.matte(plate, "out", *words, "--overwrite").code == 0
    assert set(read(theirs)) == set("RGB")


def test_a_keyed_green_screen_s_foreground_beats_the_plate_over_a_new_background(site, tmp_path):
    """Strands before a lit screen, keyed by colour difference; the key is the clip's alpha."""
    scene = draw("strands")
    rng = np.random.default_rng(7)
    share = scene.alpha[..., None]
    screen = np.float32((0.04, 0.62, 0.09)) * (0.9 + 0.1 * rng.random((384, 384, 1), np.float32))
    grain = rng.normal(0, 0.005, (384, 384, 3)).astype(np.float32)
    folders = {name: tmp_path / name for name in ("plate", "key")}
    for folder in folders.values():
        folder.mkdir()
    plates, keys = [], []
    for frame in (1, 2):
        plate = scene.premultiplied + (1 - share) * screen + np.roll(grain, frame, axis=0)
        apart = plate[..., 1] - np.maximum(plate[..., 0], plate[..., 2])
        key = 1 - np.clip((apart - 0.04) / (0.92 * 0.53 - 0.04), 0, 1)
        write_exr(folders["plate"] / f"g.{frame:04d}.exr", plate)
        write_exr(folders["key"] / f"g.{frame:04d}.exr", key[..., None].repeat(3, axis=-1))
        plates.append(plate)
        keys.append(key)
    ran = site.matte(
        str(folders["plate"] / "g.%04d.exr"),
        "out",
        *("--channels", "fg", "--despill", "green", "--depth", "float"),
        *("--black", "0.99", "--holdout", str(folders["key"] / "g.%04d.exr")),
        *("--input-colorspace", "scene_linear", "--frames-per-window", "2", "--overlap", "1"),
    )
    assert ran.code == 0, ran.stderr
    for frame, (plate, key) in enumerate(zip(plates, keys, strict=True), start=1):
        held = read(tmp_path / f"out/g.{frame:04d}.exr")
        assert np.abs(held["A"] - key).max() < 0.02
        fg = np.stack([held[f"fg.{name}"] for name in "RGB"], axis=-1)
        made = recomposite(scene, fg, held["A"])
        assert made < 0.9 * recomposite(scene, plate, held["A"])
