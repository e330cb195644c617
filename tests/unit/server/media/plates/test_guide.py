"""Guides on disk: which frame, which channel, and where it lies on the plate; real files."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import av
import numpy as np
import pytest

from gvm_client.errors import ErrorCode, InputError
from gvm_client.settings import Missing
from gvm_server.media.file_access import Roots
from gvm_server.media.geometry import Box, ClipGeometry
from gvm_server.media.plates.base import PlateOptions
from gvm_server.media.plates.guide import GuideClip, LaidGuide, open_guide
from gvm_server.media.store import file_keys
from tests.support.mattes import write_matte

WIDTH, HEIGHT = 48, 32
DISPLAY = Box(x=0, y=0, width=WIDTH, height=HEIGHT)
WHITE = np.ones((HEIGHT, WIDTH), np.float32)


def geometry(display: Box = DISPLAY, aspect: float = 1.0) -> ClipGeometry:
    """Return a plate's geometry."""
    return ClipGeometry(display=display, canvas=display, pixel_aspect=aspect)


PLATE = geometry()


def guide(
    path: Path | str, onto: ClipGeometry = PLATE, missing: Missing = Missing.FAIL
) -> GuideClip:
    """Open a garbage matte."""
    options = PlateOptions(path=str(path), missing=missing)
    return open_guide(options, "garbage", onto, roots=Roots())


def read(path: Path | str, frame: int = 1, onto: ClipGeometry = PLATE) -> LaidGuide:
    """Open a garbage matte and read a frame."""
    with closing(guide(path, onto)) as clip:
        laid = clip.read(frame)
    assert laid is not None
    return laid


def half() -> np.ndarray:
    """Return a matte whose left half is 1."""
    matte = np.zeros((HEIGHT, WIDTH), np.float32)
    matte[:, : WIDTH // 2] = 1.0
    return matte


@pytest.mark.parametrize(
    ("name", "planes", "names"),
    [
        ("grey.png", [half()], ()),
        ("alpha.png", [1 - half(), half()], ()),
        ("rgba.tif", [1 - half(), WHITE, WHITE, half()], ()),
        ("rgb.png", [half(), WHITE, WHITE], ()),
        ("rgba.exr", [1 - half(), WHITE, WHITE, half()], ()),
        ("only.exr", [half()], ("A",)),
        ("word.exr", [WHITE, WHITE, WHITE, half()], ("R", "G", "B", "alpha")),
        ("luma.exr", [half()], ("Y",)),
        ("two.exr", [half(), WHITE], ("R", "G")),
        ("others.exr", [half(), WHITE], ("G", "B")),
    ],
)
def test_it_is_the_alpha_else_the_first_channel(tmp_path, name, planes, names):
    """Of every kind of file that a painter or a keyer writes."""
    path = write_matte(tmp_path / name, *planes, names=names)
    np.testing.assert_array_equal(read(path).over(DISPLAY), half())


@pytest.mark.parametrize(
    ("name", "planes", "says"),
    [
        ("grey.png", [half()], ""),
        ("only.exr", [half()], ""),
        ("rgb.png", [half(), WHITE, WHITE], "the R channel counts"),
        ("alpha.png", [half(), WHITE], "the alpha counts"),
        ("opaque.png", [half(), half(), half(), WHITE], "the alpha counts"),
        ("opaque.exr", [half(), half(), half(), WHITE], "the alpha counts"),
        ("two.exr", [half(), WHITE], "the R channel counts"),
    ],
)
def test_the_channel_that_counts_is_said_where_there_are_several(tmp_path, name, planes, says):
    """A picture whose alpha is opaque forces everything, and its painter wonders why."""
    names = {"only.exr": ("A",), "two.exr": ("R", "G")}.get(name, ())
    with closing(guide(write_matte(tmp_path / name, *planes, names=names))) as clip:
        notes = " ".join(clip.notes)
    assert says in notes
    assert ("garbage matte" in notes) == bool(says)


def test_a_file_with_layers_and_no_alpha_has_a_remedy(tmp_path):
    """Neither of two layers is taken unasked."""
    path = write_matte(tmp_path / "layers.exr", WHITE, WHITE, names=("one.R", "two.R"))
    with pytest.raises(InputError, match="The garbage matte: ") as error:
        guide(path)
    assert "alpha" in error.value.remedy


def test_values_beyond_0_and_1_count_as_those(tmp_path):
    """Shapes that were added, filters that overshoot."""
    planes = half() * 2.5 - 0.25
    np.testing.assert_array_equal(read(write_matte(tmp_path / "a.exr", planes)).pixels, half())


def test_one_image_counts_for_every_frame(tmp_path):
    """Whatever number stands in its name; its key is one too."""
    path = write_matte(tmp_path / "core.0007.png", half())
    with closing(guide(path)) as clip:
        assert clip.check(range(-5, 5000)) == ()
        assert clip.key(1) == clip.key(4000)
        np.testing.assert_array_equal(clip.read(-3).pixels, half())


def test_a_sequence_is_matched_by_number(tmp_path):
    """One frame in a folder is a sequence too, not an image for all."""
    for frame in (3, 4, 8):
        write_matte(tmp_path / "g" / f"g.{frame:04d}.png", half() if frame == 4 else WHITE)
    for path in (tmp_path / "g", tmp_path / "g" / "g.####.png", tmp_path / "g" / "g.%04d.png"):
        with closing(guide(path)) as clip:
            np.testing.assert_array_equal(clip.read(4).pixels, half())
            assert clip.key(3) == clip.key(8) != clip.key(4), "by content"
            with pytest.raises(InputError, match="has no frames 5-7; it has 3-4, 8") as error:
                clip.check(range(3, 9))
            assert error.value.code is ErrorCode.PLATE_MISSING
            assert "from 1" in error.value.remedy


@pytest.mark.parametrize(("frame", "source"), [(1, 3), (3, 3), (5, 4), (7, 4), (8, 8), (1000, 8)])
def test_a_missing_frame_is_held_from_its_neighbour(tmp_path, frame, source):
    """The nearest earlier one, at the head the first; its key is its neighbour's."""
    for there in (3, 4, 8):
        write_matte(tmp_path / f"g.{there:04d}.exr", np.full_like(WHITE, there / 10))
    with closing(guide(tmp_path, missing=Missing.HOLD)) as clip:
        np.testing.assert_array_equal(clip.read(frame).pixels, np.float32(source / 10))
        assert clip.key(frame) == clip.key(source)
        said = clip.check([frame])
        assert bool(said) is (frame not in (3, 4, 8))
        assert all("garbage matte" in note and str(frame) in note for note in said)


def test_a_missing_frame_may_be_black(tmp_path):
    """It forces nothing, and has a key of its own."""
    write_matte(tmp_path / "g.0003.png", WHITE)
    with closing(guide(tmp_path, missing=Missing.BLACK)) as clip:
        assert clip.read(4) is None
        assert clip.key(4) == clip.key(5) != clip.key(3)
        (one,) = clip.check([3, 4])
        assert one.startswith("1 missing frame of the garbage matte is black: 4")
        (two,) = clip.check([3, 4, 5])
        assert two.startswith("2 missing frames of the garbage matte are black: 4-5")


@pytest.mark.parametrize("missing", [Missing.HOLD, Missing.BLACK])
def test_the_disk_is_asked_a_few_times_for_a_clip_of_guides(tmp_path, monkeypatch, missing):
    """Twice for all, whatever stands in; and each frame has the key that it has alone."""
    for there in range(10, 35, 2):
        write_matte(tmp_path / f"g.{there:04d}.exr", np.full_like(WHITE, there / 40))
    asked, answered, frames = [], file_keys.answered, range(1, 40)

    def counted(look, path, **words: object):
        asked.append(path)
        return answered(look, path, **words)

    with closing(guide(tmp_path, missing=missing)) as alone:
        keys = [alone.key(frame) for frame in frames]
    with closing(guide(tmp_path, missing=missing)) as together:
        monkeypatch.setattr(file_keys, "answered", counted)
        monkeypatch.setattr(file_keys, "_LOOK_SECONDS", 60.0)  # however busy the machine is
        together.look_ahead(frames)
        assert [together.key(frame) for frame in frames] == keys
    assert len(asked) <= 2


def test_a_movie_counts_from_1_and_its_white_is_white(tmp_path):
    """A codec that loses something leaves no rest of the plate behind, nor takes any away."""
    path = tmp_path / "roto.mp4"
    noisy = np.random.default_rng(0).integers(-1, 2, (3, HEIGHT, WIDTH))
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=24, options={"crf": "23"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for index in range(3):
            matte = half() if index == 1 else 1 - half()
            grey = np.clip(matte * 255 + noisy[index], 0, 255).astype(np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(grey, "gray")))
        file.mux(stream.encode())
    laid = read(path, 2)
    inner = np.abs(np.arange(WIDTH) - WIDTH / 2 + 0.5) > 6  # from the border, where it rings
    np.testing.assert_array_equal(laid.pixels[:, inner], half()[:, inner])
    with closing(guide(path)) as clip, pytest.raises(InputError, match="no frame 4; it has 1-3"):
        clip.check([4])


def test_a_movie_with_alpha_is_read_by_it(tmp_path):
    """As an image with alpha."""
    path = tmp_path / "roto.mov"
    image = np.full((HEIGHT, WIDTH, 4), 128, np.uint8)
    image[..., 3] = half() * 255
    with av.open(str(path), "w") as file:
        stream = file.add_stream("qtrle", rate=24)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "argb"
        file.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgba").reformat(format="argb")))
        file.mux(stream.encode())
    np.testing.assert_array_equal(read(path).pixels, half())
    with closing(guide(path)) as clip:
        assert "the alpha counts" in " ".join(clip.notes)


def test_it_lies_on_the_plates_display_window(tmp_path):
    """Wherever either one's origin is, with what it has beyond its own display window."""
    display = Box(x=10, y=-4, width=WIDTH, height=HEIGHT)
    own = Box(x=0, y=0, width=WIDTH, height=HEIGHT)
    data = Box(x=-3, y=2, width=20, height=9)
    part = np.ones((9, 20), np.float32)
    path = write_matte(tmp_path / "g.exr", part, data=data, display=own)
    laid = read(path, onto=geometry(display))
    assert laid.box == Box(x=7, y=-4, width=WIDTH + 3, height=HEIGHT)
    over = laid.over(Box(x=5, y=-10, width=60, height=60))
    ys, xs = np.nonzero(over)
    assert (xs.min() + 5, xs.max() + 5) == (7, 26)
    assert (ys.min() - 10, ys.max() - 10) == (-2, 6)
    assert (over[ys, xs] == 1).all()
    assert laid.over(Box(x=900, y=0, width=4, height=4)).max() == 0


@pytest.mark.parametrize(
    ("width", "height", "aspect", "plate_aspect"),
    [
        (96, 64, 1.0, 1.0),
        (24, 16, 1.0, 1.0),
        (25, 17, 1.0, 1.0),  # rounded sizes of a proxy
        (96, 32, 1.0, 2.0),  # square pixels for an anamorphic plate
        (24, 16, 1.0, 2.0),  # a proxy of it whose file lost the aspect
    ],
)
def test_one_of_the_plates_shape_is_scaled(tmp_path, width, height, aspect, plate_aspect):
    """0 and 1 stay 0 and 1 away from the border, and a sentence says both sizes."""
    matte = np.zeros((height, width), np.float32)
    matte[:, : width // 2] = 1.0
    path = write_matte(tmp_path / "g.exr", matte, aspect=aspect)
    onto = geometry(aspect=plate_aspect)
    laid = read(path, onto=onto)
    assert laid.box == DISPLAY
    assert (laid.pixels[:, :20] == 1.0).all()
    assert (laid.pixels[:, 28:] == 0.0).all()
    with closing(guide(path, onto)) as clip:
        assert clip.notes == (
            f"The garbage matte is scaled from {width}x{height} to the plate's {WIDTH}x{HEIGHT}.",
        )


@pytest.mark.parametrize(("width", "height"), [(48, 31), (47, 32), (32, 48), (1, 1), (96, 62)])
def test_one_of_another_shape_is_refused_with_both_sizes(tmp_path, width, height):
    """Nothing is stretched or cropped unasked."""
    path = write_matte(tmp_path / "g.png", np.ones((height, width), np.float32))
    with pytest.raises(InputError, match=rf"{width}x{height}, the plate 48x32") as error:
        guide(path)
    assert error.value.code is ErrorCode.PLATE_MISMATCH
    assert error.value.remedy


def test_a_frame_of_another_size_is_named_before_any_work(tmp_path):
    """Only where it is asked for."""
    for frame in (1, 2, 3):
        size = (20, 20) if frame == 2 else (HEIGHT, WIDTH)
        write_matte(tmp_path / f"g.{frame:04d}.png", np.ones(size, np.float32))
    with closing(guide(tmp_path)) as clip:
        assert clip.check([1, 3]) == ()
        with pytest.raises(InputError, match="The garbage matte: Frame 2"):
            clip.check([1, 2, 3])
