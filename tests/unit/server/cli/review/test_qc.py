"""`gvm qc` as a person and a farm run it: real files, limits, exit codes, frames to look at."""

from __future__ import annotations

import csv
import io
import json
import shutil
import tracemalloc
from itertools import accumulate, pairwise
from pathlib import Path

import av
import numpy as np
import OpenImageIO as oiio
import pytest

from gvm_client.process import Exit
from gvm_client.windows import Plan, windows_covering
from gvm_server.cli.main import main
from tests.support.mattes import write_matte
from tests.support.shots import FAULTY, FRAMES, HEIGHT, WIDTH, figure, with_faults, write_shot


@pytest.fixture
def good(tmp_path) -> tuple[str, str]:
    """A shot without faults."""
    return write_shot(tmp_path / "good")


@pytest.fixture
def faulty(tmp_path) -> tuple[str, str]:
    """A shot one of whose frames has every fault."""
    return write_shot(tmp_path / "faulty", matte=with_faults)


def told(capsys, *words: object) -> dict:
    """Return what a call with --json says, and its exit code."""
    code = main(["qc", *map(str, words), "--json"])
    return {**json.loads(capsys.readouterr().out), "code": code}


def test_a_good_shot_has_nothing_to_look_at(good, capsys):
    """Every figure is there, frame by frame."""
    limits = ("--max-flicker", 0.001, "--max-blobs", 0, "--max-holes", 0, "--min-coverage", 0.1)
    said = told(capsys, *good, *limits)
    assert (said["code"], said["look_at"], said["unlike"]) == (Exit.DONE, [], [])
    assert [each["frame"] for each in said["figures"]] == list(FRAMES)
    assert said["figures"][1]["flicker"] == 0.0
    assert said["figures"][1]["coverage"] == pytest.approx(0.213, abs=0.005)
    assert said["figures"][0]["flicker"] is None  # nothing is before it


@pytest.mark.parametrize(
    ("limit", "frames"),
    [
        (("--max-flicker", 0.01), [FAULTY, FAULTY + 1]),
        (("--max-coverage-change", 0.01), [FAULTY, FAULTY + 1]),
        (("--max-blobs", 1), [FAULTY]),
        (("--max-holes", 0), [FAULTY]),
        (("--min-coverage", 0.22), [frame for frame in FRAMES if frame != FAULTY]),
    ],
)
def test_a_limit_that_is_passed_names_the_frames(faulty, capsys, limit, frames):
    """Exit code 1; without the limit it is 0, and the frame is named as unlike the others."""
    said = told(capsys, *faulty, *limit)
    assert (said["code"], said["look_at"]) == (Exit.CHECK_FAILED, frames)
    assert {excess["limit"] for excess in said["passed"]} == {limit[1]}
    without = told(capsys, *faulty)
    assert (without["code"], without["look_at"]) == (Exit.DONE, [])
    assert without["unlike"][0] == FAULTY
    assert main(["qc", *faulty, *map(str, limit)]) == Exit.CHECK_FAILED
    assert f"{FAULTY}" in capsys.readouterr().out.partition("Passed:")[2]


def test_a_layer_is_read_from_files_of_its_own(good, capsys):
    """By the name that it has in the alphas' files; errors name this command's option."""
    alphas = sorted(Path(good[1]).glob("*.exr"))
    for alpha in alphas:
        head, frame, _ = alpha.name.rsplit(".", 2)
        alone = alpha.with_name(f"{head}.matte_raw.{frame}.exr")
        write_matte(alone, np.full((HEIGHT, WIDTH), 0.5, np.float32), names=("A",))
    said = told(capsys, *good, "--matte-layer", "matte.raw")
    assert {each["coverage"] for each in said["figures"]} == {0.5}
    write_matte(alphas[0], np.full((HEIGHT, WIDTH), 9.0, np.float32), names=("A",))
    assert main(["qc", *good]) == Exit.INPUT
    assert "Name the channel of the matte with --matte-layer" in capsys.readouterr().err


def seamed(step: float):
    """Return texts of windows of 8, overlap 1, and mattes that jump by so much at their borders."""
    plan = Plan(first=FRAMES[0], last=FRAMES[-1], frames_per_window=8, overlap=1)

    def texts(frame: int) -> dict[str, str]:
        names = [f"{each.first}-{each.last}" for each in windows_covering(plan, frame)]
        return {"gvm:windows": " ".join(names), "gvm:engine": "gvm"}

    def matte(frame: int):
        windows = windows_covering(plan, frame)
        first = (windows[0].first - FRAMES[0]) // 7 + (len(windows) - 1) / 2
        return figure(frame) * (0.8 - 0.002 * (frame % 2) - step * (first % 2))

    return {"matte": matte, "texts": texts}


def test_seams_are_found_and_their_frames_named(tmp_path, capsys):
    """The frames at windows' borders, and only those."""
    shot = write_shot(tmp_path / "seams", **seamed(0.1))
    said = told(capsys, *shot, "--max-seam", 1.05)
    assert said["code"] == Exit.CHECK_FAILED
    assert said["seam"]["score"] > 5
    assert set(said["look_at"]) <= {1008, 1009, *range(1015, 1024)}
    assert {1008, 1009} <= set(said["look_at"])
    smooth = write_shot(tmp_path / "smooth", **seamed(0.0))
    said = told(capsys, *smooth, "--max-seam", 1.2)
    assert said["code"] == Exit.DONE
    assert said["seam"]["score"] == pytest.approx(1.0, abs=0.2)


def test_a_limit_that_nothing_was_compared_with_is_said(good, tmp_path, capsys):
    """A farm's check passed without a word; the table said no note at all."""
    limits = ("--max-flicker", 0.1, "--max-coverage-change", 0.1, "--max-seam", 2)
    said = told(capsys, *good, *limits, "--frames", "1001,1003")
    assert said["code"] == Exit.DONE
    unchecked = [note for note in said["notes"] if note.startswith("Not checked: ")]
    assert [note[13:20] for note in unchecked] == ["flicker", "coverag", "seam. T"]
    assert main(["qc", *good, *map(str, limits), "--frames", "1001", "--csv"]) == Exit.DONE
    assert "Not checked: flicker, which no frame of these has." in capsys.readouterr().err
    seen = told(capsys, *good, "--max-flicker", 0.1)
    assert not any("Not checked" in note for note in seen["notes"])


def test_a_limit_on_seams_below_one_is_passed_too(tmp_path, capsys):
    """By a shot whose borders change less than what is within; nothing was named, and it held."""
    made = seamed(0.0)
    spans = [made["texts"](frame)["gvm:windows"] for frame in FRAMES]
    within = [one == two and " " not in one for one, two in pairwise(spans)]
    turns = [0, *accumulate(within)]  # the matte changes within windows only

    def matte(frame: int):
        return figure(frame) * (0.8 - 0.1 * (turns[frame - FRAMES[0]] % 2))

    shot = write_shot(tmp_path / "still", **{**made, "matte": matte})
    score = told(capsys, *shot)["seam"]["score"]
    assert score < 0.5
    said = told(capsys, *shot, "--max-seam", score / 2)
    assert said["code"] == Exit.CHECK_FAILED
    assert said["look_at"]


def test_the_preview_engine_says_that_it_has_no_windows(tmp_path, capsys):
    """A limit on seams is held where there are none."""
    said = {"gvm:engine": "preview (preview)", "gvm:windows": "1001-1008 1008-1015"}
    shot = write_shot(tmp_path / "shot", texts=lambda _: said)
    assert main(["qc", *shot, "--max-seam", "1.05"]) == Exit.DONE
    heard = capsys.readouterr()
    assert "do not depend on windows" in heard.out
    assert "Not checked" not in heard.err
    assert not any(frame["border"] for frame in told(capsys, *shot)["figures"])


def test_one_island_in_a_shot_that_has_none_is_unlike_the_others(tmp_path, capsys):
    """However small the clip."""

    def matte(frame: int):
        made = figure(frame)
        if frame == FAULTY:
            made[4:8, 4:8] = 1.0
        return made

    shot = write_shot(tmp_path / "shot", matte=matte)
    assert told(capsys, *shot)["unlike"][0] == FAULTY


def test_a_table_has_a_line_for_each_frame(faulty, capsys):
    """With a head; what a frame does not have is empty."""
    assert main(["qc", *faulty, "--csv", "--max-holes", "0"]) == Exit.CHECK_FAILED
    said = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(said.out)))
    assert [int(row["frame"]) for row in rows] == list(FRAMES)
    assert rows[0]["flicker"] == ""
    assert rows[FAULTY - FRAMES[0]]["blobs"] == "2"
    assert "Passed: holes is 1, the limit 0. Look at 1009." in said.err


def test_a_cut_is_compared_with_nothing(faulty, capsys):
    """Where a new shot begins the matte may jump."""
    cuts = ("--cut", FAULTY, "--cut", FAULTY + 1)
    said = told(capsys, *faulty, "--max-flicker", 0.01, *cuts)
    assert said["code"] == Exit.DONE
    assert said["figures"][FAULTY - FRAMES[0]]["flicker"] is None


def test_frames_that_are_not_made_yet_are_said(good, capsys):
    """What is there is looked at; a range that names one of them is refused."""
    plate, matte = good
    for frame in (1005, 1006):
        (Path(matte) / f"shot.{frame}.exr").unlink()
    said = told(capsys, plate, matte)
    assert said["count"] == len(FRAMES) - 2
    assert "Not made yet: 1005-1006." in said["notes"]
    assert said["figures"][4]["frame"] == 1007
    assert said["figures"][4]["flicker"] is None  # its neighbour is not there
    assert main(["qc", plate, matte, "--frames", "1004-1006"]) == Exit.INPUT
    assert "no frame 1005-1006" in capsys.readouterr().err


def test_a_movie_of_mattes_is_looked_at_from_where_it_begins(good, tmp_path, capsys):
    """Else one beside a sequence was refused, and a part of a movie was taken for its beginning."""
    plate, matte = good
    movie, clip = str(tmp_path / "mattes.mov"), str(tmp_path / "clip.mov")
    images = [Path(matte) / f"shot.{frame}.exr" for frame in FRAMES]
    write_movie(movie, images[4:10])
    assert main(["qc", plate, movie]) == Exit.INPUT
    assert f"--offset {FRAMES[0] - 1} has both begin together" in capsys.readouterr().err
    said = told(capsys, plate, movie, "--offset", FRAMES[4] - 1)
    assert said["frames"] == f"{FRAMES[4]}-{FRAMES[9]}"
    write_movie(clip, images)
    said = told(capsys, clip, movie)
    assert any("from frame 1 on; if they begin elsewhere" in note for note in said["notes"])
    said = told(capsys, clip, movie, "--offset", 4)
    assert said["frames"] == "5-10"
    assert not any("elsewhere" in note for note in said["notes"])


def write_movie(path: str, images: list[Path]) -> None:
    """Write the mattes of EXR files as grey pictures, without loss."""
    with av.open(path, "w") as movie:
        stream = movie.add_stream("png", rate=24)
        stream.pix_fmt = "rgb24"
        for image in images:
            alpha = oiio.ImageBuf(str(image)).get_pixels()[..., :1]
            grey = np.repeat((alpha * 255).round().astype(np.uint8), 3, axis=2)
            if image == images[0]:
                stream.height, stream.width = grey.shape[:2]
            movie.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        movie.mux(stream.encode())


def test_a_folder_of_several_mattes_is_looked_at_by_the_plate_s_name(good, capsys):
    """As `gvm matte -o` names its files; another clip's may lie beside them."""
    plate, matte = good
    shutil.copy(Path(matte) / "shot.1001.exr", Path(matte) / "other.0007.exr")
    assert told(capsys, plate, matte)["count"] == len(FRAMES)


def test_what_cannot_be_looked_at_is_an_error_with_its_remedy(good, tmp_path, capsys):
    """No matte, one of another size, one that is cut short, a limit that is none."""
    plate, matte = good
    assert main(["qc", plate, str(tmp_path / "nothing")]) == Exit.INPUT
    assert "There is no matte at" in capsys.readouterr().err
    _, other = write_shot(tmp_path / "other", [1], matte=with_faults)
    assert main(["qc", plate, other]) == Exit.INPUT
    assert "has none of the plate's frames 1001-1024; it has 1" in capsys.readouterr().err
    assert main(["qc", plate, matte, "--max-flicker", "-1"]) == Exit.USAGE
    assert "it must be 0 or more" in capsys.readouterr().err
    damaged = Path(matte) / "shot.1010.exr"
    damaged.write_bytes(damaged.read_bytes()[:-400])
    assert main(["qc", plate, matte]) == Exit.INPUT
    assert "Frame 1010 cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("ending", ["exr", "png"])
def test_frames_of_a_few_pixels_are_looked_at(tmp_path, capsys, ending):
    """They have no lines to look for flicker on; a plate that is no EXR is read whole."""
    for frame in (1, 2):
        matte = np.ones((2, 3), np.float32)
        write_matte(tmp_path / "matte" / f"a.{frame}.exr", matte, names=("A",))
        write_matte(tmp_path / "plate" / f"a.{frame}.{ending}", matte, matte, matte)
    said = told(capsys, tmp_path / "plate", tmp_path / "matte")
    assert [each["coverage"] for each in said["figures"]] == [1.0, 1.0]
    assert said["figures"][1]["flicker"] is None


def test_plates_of_every_kind_give_the_same_figures(faulty, tmp_path, capsys):
    """In lines, in tiles, and with a data window that is not the display's."""
    plate, matte = faulty
    expected = told(capsys, plate, matte)["figures"]
    for name, change in (("tiles", {"tile": 32}), ("window", {"grow": 2})):
        (tmp_path / name).mkdir()
        for frame in FRAMES:
            rewrite(Path(plate % frame), tmp_path / name / f"shot.{frame}.exr", **change)
        assert told(capsys, tmp_path / name, matte)["figures"] == expected, name


def rewrite(source: Path, target: Path, *, tile: int = 0, grow: int = 0) -> None:
    """Write a picture again in tiles, or with so many pixels around its display window."""
    picture = oiio.ImageBuf(str(source))
    pixels = np.pad(picture.get_pixels(oiio.FLOAT), ((grow, grow), (grow, grow), (0, 0)))
    height, width, _ = pixels.shape
    spec = oiio.ImageSpec(width, height, 3, oiio.HALF)
    spec.tile_width = spec.tile_height = tile
    spec.x = spec.y = -grow
    spec.full_width, spec.full_height = width - 2 * grow, height - 2 * grow
    file = oiio.ImageOutput.create("exr")
    assert file.open(str(target), spec), file.geterror()
    assert file.write_image(np.ascontiguousarray(pixels))
    file.close()


def test_memory_does_not_grow_with_the_clip(good, tmp_path, capsys):
    """All frames take no more than a third of them; a frame in hand is some 100 KB."""
    plate, matte = good

    def peak(last: int) -> int:
        tracemalloc.start()
        assert main(["qc", plate, matte, "--frames", f"1001-{last}"]) == Exit.DONE
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(1024)
    assert peak(1024) < peak(1008) + 500_000  # sixteen frames more were 1.6 MB
    capsys.readouterr()


@pytest.mark.parametrize("command", ["qc", "sheet", "report"])
def test_a_cut_outside_the_clip_is_refused_as_where_it_is_matted(good, command, capsys):
    """It did nothing: the slip in its number was not told."""
    assert main([command, *good, "--cut", "2001"]) == Exit.USAGE
    assert "The cut at frame 2001 lies outside the clip 1001-1024" in capsys.readouterr().err


def test_another_colour_configuration_than_the_one_that_is_named_is_refused(good, capsys):
    """As where it is matted: the option did nothing here."""
    assert main(["qc", *good, "--ocio-digest", "abcd"]) == Exit.USAGE
    assert "the job was made for abcd" in capsys.readouterr().err
