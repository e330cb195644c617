"""The original guide's command lines, run as they stand, with the test engine and a tiny movie."""

from __future__ import annotations

import shlex

import av
import numpy as np
import pytest

from tests.fakes.plates import MovieSpec, write_image, write_movie
from tests.support import guide
from tests.support.plates import read_alpha, write_plate

FRAMES = 6
NAME = "Sony_Lens_Test"
TINY = ("--engine", "test", "--json")


@pytest.fixture
def plate(site):
    """The guide's movie, six small frames, where the guide has it."""
    (site.folder / "data").mkdir()
    return write_movie(site.folder / "data" / f"{NAME}.mp4", MovieSpec(frames=FRAMES))


def frames_in(path):
    """Return how many frames a movie has, and the first as 8-bit RGB."""
    with av.open(str(path)) as container:
        shown = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return len(shown), shown[0]


def notes(ran):
    """Return what was said besides the job's own events."""
    return [event["text"] for event in ran.events if event["type"] == "note"]


def test_every_scenario_of_the_guide_runs_as_it_stands(site, plate):
    """Alphas, matte movie and green comp in each output folder; just the alphas where asked."""
    commands = {
        "output": guide.BASIC,
        "output_lowmem": guide.LOW_MEMORY,
        "output_hq": guide.HIGH_QUALITY,
        "output_test": guide.FAST_TEST,
        "output_images": guide.SEQUENCE_ONLY,
    }
    for folder, text in commands.items():
        # The size of a real plate would cost the test engine its time: a later word wins.
        words = [*shlex.split(text), "--max-resolution", "64", *TINY]
        ran = site.gvm("matte", *words)
        assert ran.done["frames_written"] == FRAMES, folder
        out = site.folder / folder
        names = {path.name for path in out.iterdir()}
        movies = {f"{NAME}_matte.mp4", f"{NAME}_green.mp4"}
        assert names == {NAME} if "images" in folder else names == {NAME, *movies}, folder
        alphas = sorted(path.name for path in (out / NAME).iterdir())
        assert alphas == [f"{NAME}.{frame:04d}.exr" for frame in range(1, FRAMES + 1)]
        assert "--mode" in notes(ran)[0]
        assert "no adapter" in notes(ran)[1]
    count, first = frames_in(site.folder / "output" / f"{NAME}_matte.mp4")
    assert count == FRAMES
    alpha = read_alpha(site.folder / "output" / NAME / f"{NAME}.0001.exr")
    assert abs(first.mean() / 255 - alpha.mean()) < 0.02
    count, first = frames_in(site.folder / "output" / f"{NAME}_green.mp4")
    assert count == FRAMES
    # The plate's first frame is black: what is green in the comp is what the alpha leaves.
    assert abs(first[..., 1].mean() / 255 - (1 - alpha.mean())) < 0.02


def test_our_own_words_deliver_too_and_again(site):
    """A sequence with gaps: movies and PNG files of the frames that were asked for, twice."""
    plate = write_plate(site.folder / "plate", range(1001, 1005))
    words = ("--frames", "1001,1003", "--movie", "m.mov", "--comp", "sub/c.mkv", "--png", "png")
    for _ in range(2):
        ran = site.matte(plate, "alphas", *words, "--png-bits", "16")
        assert ran.code == 0, ran.stderr
        *written, gaps = sorted(notes(ran), key=lambda note: "gaps" in note)
        assert written == [
            f"{site.folder / name} is written." for name in ("m.mov", "sub/c.mkv", "png")
        ]
        assert gaps.startswith("Movies have no gaps: 2 frames of 1001-1003")
    pngs = sorted(path.name for path in (site.folder / "png").iterdir())
    assert pngs == ["plate.1001.png", "plate.1003.png"]
    assert frames_in(site.folder / "m.mov")[0] == 2
    assert frames_in(site.folder / "sub" / "c.mkv")[0] == 2
    assert ran.done["frames_kept"] == 2


def test_what_cannot_be_written_is_said_before_the_model_runs(site):
    """An unwritable movie and a foreign one: exit code 5, and no window was made for them."""
    plate = write_plate(site.folder / "plate", range(1, 3))
    (site.folder / "file").write_text("")
    ran = site.matte(plate, "alphas", "--movie", "file/m.mp4")
    assert ran.code == 5
    assert "file" in ran.stderr
    foreign = write_movie(site.folder / "foreign.mp4", MovieSpec(frames=2))
    before = foreign.read_bytes()
    ran = site.matte(plate, "alphas", "--comp", "foreign.mp4")
    assert ran.code == 5
    assert "--overwrite" in ran.stderr
    assert foreign.read_bytes() == before
    assert site.windows_denoised() == []
    assert site.server() is None


def test_a_still_gets_its_alpha_under_its_own_name(site):
    """One image, one alpha, and movies of one frame."""
    write_image(
        site.folder / "still.png",
        np.full((8, 12, 3), 0.5, np.float32),
    )
    ran = site.gvm("matte", "--data_dir", "still.png", "--output_dir", "out", "--size", "32", *TINY)
    assert ran.code == 0, ran.stderr
    found = sorted(
        str(p.relative_to(site.folder / "out")) for p in (site.folder / "out").rglob("*.*")
    )
    assert found == ["still/still.exr", "still_green.mp4", "still_matte.mp4"]
    assert frames_in(site.folder / "out" / "still_green.mp4")[0] == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--pretrain_type", "dav"), "neither ships nor imports"),
        (("--num_overlap_frames", "6"), "--num_overlap_frames is 6"),
    ],
)
def test_what_the_original_could_not_do_is_a_usage_error(site, plate, words, says):
    """`dav`, and an overlap above half the window: exit code 2, and nothing is started."""
    ran = site.gvm("matte", *shlex.split(guide.BASIC), *words, *TINY)
    assert ran.code == 2
    assert says in ran.stderr
    assert site.server() is None


def test_a_person_reads_the_notes_on_standard_error(site, plate):
    """Without --json the notes are lines, and the codec says nothing of its own."""
    ran = site.gvm("matte", *shlex.split(guide.LOW_MEMORY), "--size", "32", "--engine", "test")
    assert ran.code == 0, ran.stderr
    assert "Without effect here" in ran.stderr
    assert f"{NAME}_green.mp4 is written." in ran.stderr
    assert "x264" not in ran.stderr
