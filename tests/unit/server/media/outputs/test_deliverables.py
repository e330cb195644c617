"""Deliverables: movies and PNG files made from finished alphas, whole or not at all."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import OpenImageIO as oiio
import pytest
from PIL import Image
from pymediainfo import MediaInfo

from gvm_client.errors import ErrorCode, InputError, OutputError, SettingsError
from gvm_client.settings import Depth
from gvm_server.media.alphas.stamp import STAMP
from gvm_server.media.colour.encodings import linear_from_srgb, srgb_from_linear
from gvm_server.media.file_access import Roots
from gvm_server.media.geometry import Box, FrameHeader, on_display
from gvm_server.media.outputs import codecs as codecs_module
from gvm_server.media.outputs.alpha_files import AlphaFiles
from gvm_server.media.outputs.deliverables import Deliverables, deliver, write_png
from gvm_server.media.outputs.movie import MovieShape, is_our_movie, writing_movie
from gvm_server.media.plates.base import PlateOptions
from gvm_server.media.plates.open import open_plate
from tests.fakes.plate import DrawnPlate
from tests.fakes.plates import MovieSpec, write_movie
from tests.support.alphas import write_alpha

KEY = bytes(range(16))
FRAMES = (3, 4, 6)
SHAPE = MovieShape(width=12, height=8)


def names(folder):
    """Return the names in a folder, hidden ones too."""
    return sorted(path.name for path in folder.iterdir())


def read_movie(path):
    """Return a movie's pictures [N, H, W, 3] of 8 bits, and its stream's facts."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        shown = [
            frame.reformat(
                format="rgb24",
                src_colorspace=1,
                dst_colorspace=1,
                src_color_range=1,
                dst_color_range=2,
            ).to_ndarray()
            for frame in container.decode(stream)
        ]
        return np.stack(shown), (stream.average_rate, stream.sample_aspect_ratio)


def read_png(path):
    """Return a PNG's integers [H, W]."""
    file = oiio.ImageInput.open(str(path))
    pixels = file.read_image(str(file.spec().format))[..., 0]
    file.close()
    return pixels


@pytest.fixture
def job(tmp_path):
    """A drawn plate of frames 1-9 and the finished alphas of three: flat, 0.25 apart."""
    plate = DrawnPlate(1, 9)
    plate.name = "clip"
    alphas = AlphaFiles.of(str(tmp_path / "alphas"), plate_name=plate.name, roots=Roots())
    alphas.check(FRAMES, overwrite=False)
    for index, frame in enumerate(FRAMES):
        alpha = np.full((8, 12), 0.25 * (index + 1), np.float32)
        header = plate.header(frame)
        write_alpha(
            alphas.path(frame),
            alpha,
            header=header,
            depth=Depth.HALF,
            attributes={STAMP: KEY.hex()},
        )
    return plate, alphas


def make(job, wanted, *, overwrite=False):
    """Make deliverables of the job and return the frames that were yielded."""
    return list(deliver(wanted, *job, FRAMES, overwrite=overwrite))


def test_the_matte_movie_holds_the_alphas_in_order(job, tmp_path):
    """Grey is the alpha within two steps of 8 bits, at 24 frames a second; gaps close."""
    path = tmp_path / "matte.mp4"
    assert make(job, Deliverables(movie=path)) == list(FRAMES)
    shown, (rate, aspect) = read_movie(path)
    assert shown.shape == (3, 8, 12, 3)
    for index in range(3):
        assert np.abs(shown[index] / 255 - 0.25 * (index + 1)).max() < 2.5 / 255
    assert (rate, aspect) == (24, 1)


def test_the_comp_is_the_plate_over_pure_green(job, tmp_path):
    """Each frame against the formula, by its mean colour: 4:2:0 blurs colours between pixels."""
    path = tmp_path / "green.mov"
    make(job, Deliverables(comp=path))
    shown, _ = read_movie(path)
    plate, _ = job
    for index, frame in enumerate(FRAMES):
        cover = 0.25 * (index + 1)
        expected = cover * plate.read(frame).pixels + (1 - cover) * np.array([0, 1, 0])
        means = shown[index].mean(axis=(0, 1)) / 255
        assert np.abs(means - expected.mean(axis=(0, 1))).max() < 0.02


def test_a_frame_has_its_background_whichever_frames_are_asked_for(job, tmp_path):
    """The background goes along from the clip's first frame, not from the first one delivered."""
    for frame in range(1, 10):
        grey = np.full((8, 12, 3), frame * 25, np.uint8)
        Image.fromarray(grey).save(tmp_path / f"behind.{frame:04d}.png")
    comp, behind = tmp_path / "comp.mov", str(tmp_path / "behind.%04d.png")
    shown = {}
    for frames in (FRAMES, FRAMES[1:]):
        wanted = Deliverables(comp=comp, background=behind)
        list(deliver(wanted, *job, frames, overwrite=False))
        shown[frames] = dict(zip(frames, read_movie(comp)[0].mean(axis=(1, 2, 3)), strict=True))
    plate, _ = job
    for frame, mean in shown[FRAMES[1:]].items():
        assert abs(mean - shown[FRAMES][frame]) < 2
    under = linear_from_srgb(np.float32([FRAMES[0] * 25 / 255])) * 0.75
    over = linear_from_srgb(plate.read(FRAMES[0]).pixels) * 0.25
    expected = srgb_from_linear(under + over).mean() * 255
    assert abs(shown[FRAMES][FRAMES[0]] - expected) < 4


@pytest.mark.parametrize(("bits", "largest"), [(8, 255), (16, 65_535)])
def test_png_files_are_rounded_alphas_with_the_alphas_names(job, tmp_path, bits, largest):
    """`clip.0003.png` of `clip.0003.exr`, 8 or 16 bits, and ours to be replaced."""
    wanted = Deliverables(png=tmp_path / "png", png_bits=bits)
    for _ in range(2):
        make(job, wanted)
    assert names(wanted.png) == ["clip.0003.png", "clip.0004.png", "clip.0006.png"]
    for index, name in enumerate(names(wanted.png)):
        assert np.all(read_png(wanted.png / name) == round(0.25 * (index + 1) * largest))


def test_png_values_outside_0_and_1_are_clipped(tmp_path):
    """An alpha below 0 or above 1 neither wraps nor fails."""
    write_png(tmp_path / "a.png", np.array([[-0.5, 0.5, 1.5]], np.float32), bits=16, key=KEY)
    assert read_png(tmp_path / "a.png").tolist() == [[0, 32768, 65535]]


def test_the_movie_takes_the_plate_s_rate_and_pixel_aspect(tmp_path):
    """24000/1001 and 2:1 come back; a rate that no codec's clock holds comes close."""
    header = FrameHeader(
        display=Box(x=0, y=0, width=12, height=8),
        data=Box(x=0, y=0, width=12, height=8),
        pixel_aspect=2.0,
        frame_rate=(24000, 1001),
    )
    path = tmp_path / "a.mp4"
    with writing_movie(path, MovieShape.of(header)) as movie:
        for _ in range(3):
            movie.write(np.zeros((8, 12), np.float32))
    assert read_movie(path)[1] == (Fraction(24000, 1001), 2)
    odd = MovieShape.of(replace(header, frame_rate=(41_300_001, 1_720_331))).rate
    assert odd.numerator <= 65_535
    assert abs(odd / Fraction(41_300_001, 1_720_331) - 1) < 1e-6


@pytest.mark.parametrize("codecs", [{"libx264", "mpeg4"}, {"mpeg4"}])
def test_odd_sides_grow_by_a_copy_of_the_edge(tmp_path, monkeypatch, codecs):
    """11 x 7 becomes 12 x 8, with H.264 and with the MPEG-4 of builds that lack it."""
    monkeypatch.setattr(codecs_module.av, "codecs_available", codecs)
    picture = np.full((7, 11), 0.2, np.float32)
    picture[-1], picture[:, -1] = 0.9, 0.9
    path = tmp_path / "a.mkv"
    with writing_movie(path, MovieShape(width=11, height=7)) as movie:
        movie.write(picture)
    shown, _ = read_movie(path)
    assert shown.shape == (1, 8, 12, 3)
    assert abs(shown[0, -1, -1, 0] / 255 - 0.9) < 0.05


def test_deliverables_cover_the_display_window():
    """A data window that reaches out on one side and not to the other is cut and filled with 0."""
    header = FrameHeader(
        display=Box(x=0, y=0, width=5, height=3), data=Box(x=-1, y=1, width=4, height=4)
    )
    pixels = np.arange(1, 17, dtype=np.float32).reshape(4, 4)
    shown = on_display(pixels, header.data, header.display)
    assert shown.tolist() == [[0, 0, 0, 0, 0], [2, 3, 4, 0, 0], [6, 7, 8, 0, 0]]
    outside = Box(x=9, y=9, width=4, height=4)
    assert not on_display(pixels, outside, header.display).any()


def test_a_movie_that_is_not_finished_leaves_no_trace(job, tmp_path):
    """The iterator is closed after one frame, as Ctrl-C does: neither movie has a name."""
    folder = tmp_path / "movies"
    folder.mkdir()
    made = deliver(
        Deliverables(movie=folder / "m.mp4", comp=folder / "c.mp4"), *job, FRAMES, overwrite=False
    )
    next(made)
    assert len(names(folder)) == 2
    made.close()
    assert names(folder) == []


def test_an_alpha_that_went_away_fails_and_the_old_movie_stays(job, tmp_path):
    """What stood under the final name is replaced only by a whole movie."""
    path = tmp_path / "m.mp4"
    make(job, Deliverables(movie=path))
    before = path.read_bytes()
    job[1].path(4).unlink()
    with pytest.raises(InputError):
        make(job, Deliverables(movie=path))
    assert path.read_bytes() == before
    assert names(tmp_path) == ["alphas", "m.mp4"]


def test_an_alpha_that_another_program_replaced_is_not_passed_on_as_ours(job, tmp_path):
    """A PNG carries the key of its alpha; a file without one is refused."""
    _, alphas = job
    path = alphas.path(3)
    spec = oiio.ImageSpec(12, 8, 1, "half")
    file = oiio.ImageOutput.create("exr")
    file.open(str(path), spec)
    file.write_image(np.zeros((8, 12, 1), np.float32))
    file.close()
    with pytest.raises(InputError, match="no longer"):
        make(job, Deliverables(png=tmp_path / "png"))


def test_a_movie_s_name_is_checked_before_anything_runs(tmp_path):
    """An ending of no known container, and two movies of one name."""
    with pytest.raises(SettingsError, match="gif"):
        Deliverables(movie=tmp_path / "a.gif").check_names("clip", overwrite=False)
    both = Deliverables(movie=tmp_path / "a.mp4", comp=tmp_path / "a.mp4")
    with pytest.raises(SettingsError, match="both"):
        both.check_names("clip", overwrite=False)


def test_a_png_file_s_name_is_no_folder_s(tmp_path):
    """`--png a.png` made a folder of that name; one that is there is taken."""
    wanted = Deliverables(png=tmp_path / "a.png")
    with pytest.raises(SettingsError, match="--png names a folder"):
        wanted.check_names("plate.exr", overwrite=False)
    wanted.png.mkdir()
    wanted.check_names("plate.exr", overwrite=False)


def test_a_folder_that_cannot_be_made_is_refused_before_anything_runs(tmp_path):
    """The path leads through a file; a folder that can be made is."""
    (tmp_path / "file").write_text("")
    for wanted in (
        Deliverables(movie=tmp_path / "file" / "a.mp4"),
        Deliverables(png=tmp_path / "file" / "png"),
    ):
        with pytest.raises(OutputError) as caught:
            wanted.prove_folders()
        assert caught.value.code is ErrorCode.OUTPUT_UNWRITABLE
    Deliverables(movie=tmp_path / "new" / "a.mp4").prove_folders()
    assert names(tmp_path / "new") == []


def test_files_of_others_are_kept_unless_overwrite_is_said(tmp_path):
    """A foreign movie stays; ours is replaced; the plate never is, nor a folder."""
    foreign, ours = tmp_path / "foreign.mp4", tmp_path / "ours.mkv"
    write_movie(foreign, MovieSpec(frames=2))
    with writing_movie(ours, SHAPE) as movie:
        movie.write(np.zeros((8, 12), np.float32))
    assert (is_our_movie(foreign), is_our_movie(ours)) == (False, True)
    Deliverables(movie=ours).check_names("clip", overwrite=False)
    with pytest.raises(OutputError, match="not made by") as caught:
        Deliverables(movie=foreign).check_names("clip", overwrite=False)
    assert caught.value.code is ErrorCode.OUTPUT_NOT_OURS
    Deliverables(movie=foreign).check_names("clip", overwrite=True)
    with pytest.raises(OutputError, match="the plate"):
        Deliverables(comp=foreign).check_names(str(foreign), overwrite=True)
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(OutputError, match="A folder stands where"):
        Deliverables(movie=tmp_path / "folder.mp4").check_names("clip", overwrite=True)


def test_png_files_never_replace_the_plate_s_own(tmp_path, job):
    """A PNG plate in the folder that was named for the PNG alphas, even with overwrite."""
    folder = tmp_path / "plates"
    folder.mkdir()
    for frame in FRAMES:
        write_png(folder / f"a.{frame:04d}.png", np.zeros((8, 12), np.float32), bits=8, key=KEY)
    pattern = str(folder / "a.%04d.png")
    plate = open_plate(PlateOptions(path=pattern, first=3, last=6), roots=Roots())
    alphas = AlphaFiles.of(str(tmp_path / "alphas"), plate_name=plate.name, roots=Roots())
    with pytest.raises(OutputError, match="plate's own"):
        list(deliver(Deliverables(png=folder), plate, alphas, FRAMES, overwrite=True))


def test_what_else_a_job_reads_is_never_replaced(tmp_path, job):
    """A guide or a background, ours or not, though it was said that files may be replaced."""
    _, alphas = job
    movie, folder = tmp_path / "roto.mov", tmp_path / "core"
    with writing_movie(movie, SHAPE) as ours:
        ours.write(np.zeros((8, 12), np.float32))
    wanted = Deliverables(movie=movie, kept=(("garbage matte", str(movie)),))
    with pytest.raises(OutputError, match="would replace the garbage matte"):
        wanted.check_names("clip", overwrite=True)
    wanted = Deliverables(png=folder, kept=(("background", str(folder / "clip.%04d.png")),))
    folder.mkdir()
    with pytest.raises(OutputError, match="replace the background's own file"):
        wanted.check_pngs(alphas, FRAMES, overwrite=True)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 32 KiB; needs the right to mount."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32k", "none", str(folder)]
    if not sys.platform.startswith("linux") or subprocess.run(mount, check=False).returncode:
        pytest.skip("needs the right to mount a tmpfs: run as root in a container")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_said_and_nothing_stays(small_disk):
    """A movie and a PNG of noise that don't fit."""
    noise = np.random.default_rng(1).random((256, 256), dtype=np.float32)

    def write_noise():
        with writing_movie(small_disk / "a.mp4", MovieShape(width=256, height=256)) as movie:
            for _ in range(4):
                movie.write(noise)

    def write_noisy_png():
        write_png(small_disk / "a.png", noise, bits=16, key=KEY)

    for attempt in (write_noise, write_noisy_png):
        with pytest.raises(OutputError, match="No space") as caught:
            attempt()
        assert caught.value.code is ErrorCode.DISK_FULL
        assert names(small_disk) == []


@pytest.mark.parametrize("name", ["matte.mp4", "matte.mov", "matte.mkv"])
def test_a_movies_header_is_read_by_another_reader(tmp_path, name):
    """Size, count, rate, pixel aspect and colours, as MediaInfo finds them without FFmpeg."""
    shape = MovieShape(width=64, height=48, rate=Fraction(24000, 1001), pixel_aspect=2.0)
    with writing_movie(tmp_path / name, shape) as writer:
        for index in range(10):
            writer.write(np.full((48, 64), index / 10, np.float32))
    tracks = MediaInfo.parse(tmp_path / name)
    (video,) = tracks.video_tracks
    (general,) = tracks.general_tracks
    assert (video.width, video.height, int(video.frame_count)) == (64, 48, 10)
    assert float(video.frame_rate) == pytest.approx(23.976, abs=0.001)
    assert float(video.pixel_aspect_ratio) == 2.0
    assert video.color_range == "Limited"
    colours = video.color_primaries, video.transfer_characteristics, video.matrix_coefficients
    assert colours == ("BT.709", "BT.709", "BT.709")
    assert general.comment == "Made by GVM Bridge."


@pytest.mark.parametrize("bits", [8, 16])
def test_a_pngs_header_is_read_by_another_reader(tmp_path, bits):
    """One grey channel of these bits and its key as text, as OpenImageIO finds them."""
    write_png(tmp_path / "a.png", np.full((8, 12), 0.5, np.float32), bits=bits, key=KEY)
    file = oiio.ImageInput.open(str(tmp_path / "a.png"))
    spec = file.spec()
    file.close()
    assert (spec.width, spec.height, spec.nchannels) == (12, 8, 1)
    assert str(spec.format) == ("uint8" if bits == 8 else "uint16")
    assert spec.getattribute(STAMP) == KEY.hex()
