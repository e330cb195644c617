"""`gvm metrics` as a person runs it: real files, figures by hand, errors with remedies."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from gvm_client.process import Exit
from gvm_client.settings import Depth
from gvm_server.cli.main import main
from gvm_server.measure.meter import METRICS
from gvm_server.media.geometry import Box, FrameHeader
from tests.support.alphas import write_alpha

HEIGHT, WIDTH = 24, 40
DISPLAY = Box(x=0, y=0, width=WIDTH, height=HEIGHT)
TENTH = HEIGHT * WIDTH // 10  # pixels


def matte(error: float = 0.0) -> np.ndarray:
    """Return a hard-edged matte whose first tenth of pixels, which are 0, is wrong by so much."""
    made = np.zeros((HEIGHT, WIDTH), np.float32)
    made[:, WIDTH // 2 :] = 1.0
    wrong = np.argwhere(made == 0)[:TENTH]
    made[wrong[:, 0], wrong[:, 1]] = error
    return made


def png(path: Path, *planes: np.ndarray) -> None:
    """Write planes as 8-bit PNG: grey, grey with alpha, or RGB with alpha."""
    path.parent.mkdir(exist_ok=True)
    steps = [np.rint(plane * 255).astype(np.uint8) for plane in planes]
    Image.fromarray(steps[0] if len(steps) == 1 else np.stack(steps, axis=-1)).save(path)


def exr(path: Path, pixels: np.ndarray, data: Box = DISPLAY) -> None:
    """Write an alpha as the program does."""
    path.parent.mkdir(exist_ok=True)
    header = FrameHeader(display=DISPLAY, data=data)
    write_alpha(path, pixels, header=header, depth=Depth.FLOAT, attributes={})


@pytest.fixture
def truth(tmp_path) -> Path:
    """Three frames, 1001 to 1003, of grey PNG."""
    for frame in (1001, 1002, 1003):
        png(tmp_path / "truth" / f"t.{frame}.png", matte())
    return tmp_path / "truth"


@pytest.fixture
def pred(tmp_path) -> Path:
    """Three alphas; in the middle one a tenth of the pixels is 0.5 off."""
    for frame, error in ((1001, 0.0), (1002, 0.5), (1003, 0.0)):
        exr(tmp_path / "pred" / f"p.{frame}.exr", matte(error))
    return tmp_path / "pred"


@pytest.fixture
def measured(capsys):
    """A function that measures with --json and returns each metric's value."""

    def run(*words: object) -> dict[str, float | None]:
        assert main(["metrics", *map(str, words), "--json"]) == Exit.DONE
        said = json.loads(capsys.readouterr().out)
        return {key: metric["value"] for key, metric in said["metrics"].items()}

    return run


@pytest.fixture
def refused(capsys):
    """A function that returns what a call that fails says."""

    def run(*words: object) -> str:
        assert main(["metrics", *map(str, words)]) == Exit.INPUT
        said = capsys.readouterr()
        assert not said.out
        return " ".join(said.err.split())

    return run


def test_the_figures_are_those_of_the_hand(measured, pred: Path, truth: Path):
    """A tenth of one frame of three is 0.5 off: MAD 50/3, MSE 25/3, dtSSD 2 * 15.81 / 3."""
    figures = measured(pred, truth)
    assert figures["mad"] == pytest.approx(50 / 3, rel=1e-6)
    assert figures["mse"] == pytest.approx(25 / 3, rel=1e-6)
    assert figures["dtssd"] == pytest.approx(2 * 100 * np.sqrt(0.1 * 0.25) / 3, rel=1e-6)
    assert set(figures) == set(METRICS)


def test_a_person_reads_each_figure_with_its_variant(capsys, pred: Path, truth: Path):
    """Each line has the metric, its value and which of the published ones it is."""
    assert main(["metrics", str(pred), str(truth)]) == Exit.DONE
    said = capsys.readouterr().out
    assert "3 frames: 1001-1003" in said
    for metric in METRICS.values():
        assert metric.name in said
        assert metric.variant in said
    assert "16.6667" in said


def test_frames_are_matched_by_number(measured, pred: Path, truth: Path):
    """A range measures those frames only; an offset compares other ones with the truth."""
    assert measured(pred, truth, "--frames", "1002")["mad"] == pytest.approx(50.0)
    shifted = measured(pred, truth, "--offset", "-1", "--frames", "1001")
    assert shifted["mad"] == pytest.approx(50.0)


def test_frames_without_a_truth_are_named(capsys, pred: Path, truth: Path):
    """A truth of some frames measures those; the others are said to be left out."""
    (truth / "t.1002.png").unlink()
    assert main(["metrics", str(pred), str(truth)]) == Exit.DONE
    said = capsys.readouterr()
    assert "Not measured, for there is no truth: 1002." in said.err
    assert "2 frames" in said.out


def test_a_missing_frame_is_an_error_with_a_way_on(refused, pred: Path, truth: Path):
    """The frame is named, and the frames that both have."""
    (pred / "p.1002.exr").unlink()
    said = refused(pred, truth)
    assert "has no frame 1002" in said
    assert "--frames 1001,1003" in said


def test_clips_that_share_no_number_are_told_of_the_offset(refused, measured, pred, truth):
    """A movie's numbers count from 1: the remedy is the very offset, and it works."""
    for path in pred.iterdir():
        path.rename(path.with_name(path.name.replace(".100", ".000")))
    said = refused(pred, truth, "--offset", "5")
    assert "it has 6-8" in said
    assert "--offset 1000." in said
    assert measured(pred, truth, "--offset", "1000")["mad"] == pytest.approx(50 / 3)


def test_frames_that_neither_has_are_refused(refused, pred: Path, truth: Path):
    """A range beyond the clips names what is lacking."""
    assert "has no frame 1004-1005" in refused(pred, truth, "--frames", "1001-1005")


def test_another_size_is_refused(refused, tmp_path, truth: Path):
    """Both sizes are said."""
    for frame in (1001, 1002, 1003):
        png(tmp_path / "small" / f"s.{frame}.png", matte()[::2, ::2])
    said = refused(tmp_path / "small", truth)
    assert "is 20x12" in said
    assert "is 40x24" in said


def test_values_that_are_no_matte_are_refused(refused, pred: Path, truth: Path):
    """A float file of 0..255 is named with its range."""
    exr(pred / "p.1002.exr", matte() * 255)
    assert "from 0 to 255" in refused(pred, truth)


def test_a_cropped_alpha_is_measured_over_the_display_window(measured, tmp_path):
    """Outside of its data window an alpha is 0, as a compositor sees it."""
    right = Box(x=WIDTH // 2, y=0, width=WIDTH // 2, height=HEIGHT)
    exr(tmp_path / "one.exr", np.ones((HEIGHT, WIDTH // 2), np.float32), data=right)
    png(tmp_path / "true.png", matte())
    assert measured(tmp_path / "one.exr", tmp_path / "true.png")["mad"] == 0.0


def test_two_images_are_one_frame_however_numbered(measured, tmp_path):
    """A still has no time: `a.0007.png` is measured by `b.0009.png`."""
    png(tmp_path / "a.0007.png", matte(0.5))
    png(tmp_path / "b.0009.png", matte())
    figures = measured(tmp_path / "a.0007.png", tmp_path / "b.0009.png")
    assert figures["mad"] == pytest.approx(50.0, rel=0.01)
    assert figures["messddt"] is None


def test_alpha_is_measured_before_colour_and_a_layer_before_both(measured, tmp_path):
    """Of an RGBA picture it is the alpha; `--layer R` is its red."""
    png(tmp_path / "rgba.png", matte(1.0), matte(), matte(), matte())
    png(tmp_path / "true.png", matte())
    assert measured(tmp_path / "rgba.png", tmp_path / "true.png")["mad"] == 0.0
    red = measured(tmp_path / "rgba.png", tmp_path / "true.png", "--layer", "R")
    assert red["mad"] == pytest.approx(100.0)
    green = measured(tmp_path / "true.png", tmp_path / "rgba.png", "--truth-layer", "G")
    assert green["mad"] == 0.0


def test_layers_in_files_of_their_own_are_read_by_their_names(measured, refused, pred, truth):
    """`--layers separate` puts them beside the alphas: the folder was refused as several plates."""
    for frame in (1001, 1002, 1003):
        exr(pred / f"p.matte_raw.{frame}.exr", matte(1.0))
        exr(pred / f"p.fg.{frame}.exr", matte(0.0))
    assert measured(pred, truth)["mad"] == pytest.approx(1e3 * 0.05 / 3, abs=0.01)
    for of in (pred, pred / "p.%04d.exr"):
        assert measured(of, truth, "--layer", "matte.raw")["mad"] == pytest.approx(100, abs=0.1)
    assert measured(truth, pred, "--truth-layer", "matte.raw")["mad"] == pytest.approx(100, abs=0.1)
    assert "no layer 'matte.edge'" in refused(pred, truth, "--layer", "matte.edge")


def test_a_wrong_truth_is_told_by_its_own_option(refused, pred, truth, tmp_path):
    """The matte's option was named, which does not help."""
    exr(tmp_path / "depth" / "z.1001.exr", matte(9.0))
    said = refused(pred, tmp_path / "depth")
    assert "Name the channel of the matte with --truth-layer" in said


def test_an_alpha_that_says_nothing_is_pointed_at(capsys, tmp_path):
    """A grey matte saved with an opaque alpha measures that alpha: a sentence says so."""
    png(tmp_path / "opaque.png", *[matte()] * 3, np.ones_like(matte()))
    png(tmp_path / "true.png", matte())
    assert main(["metrics", str(tmp_path / "opaque.png"), str(tmp_path / "true.png")]) == Exit.DONE
    assert "is 1 everywhere" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("frames", "name"), [((1001, 1002, 1003), "m.%04d.png"), ((7,), "m.7.png")]
)
def test_a_trimap_is_the_band(measured, pred, truth, tmp_path, frames, name):
    """Half the band is wrong by 0.5 in the middle frame: 250 there, 0 in the others."""
    trimap = np.where(matte(0.5) == 0.5, np.float32(128 / 255), matte())
    trimap[-1, :TENTH] = 128 / 255
    for frame in frames:
        png(tmp_path / "trimap" / f"m.{frame}.png", trimap)
    path = tmp_path / "trimap" / name
    band = TENTH + np.count_nonzero(trimap[-1] == np.float32(128 / 255))
    figures = measured(pred, truth, "--trimap", path)
    assert figures["mad_unknown"] == pytest.approx(500 * TENTH / band / 3, rel=1e-5)


def test_a_trimap_that_lacks_a_frame_is_refused(refused, pred: Path, truth: Path, tmp_path):
    """The frame and the ones there are said."""
    for frame in (1001, 1002):
        png(tmp_path / "trimap" / f"m.{frame}.png", matte())
    assert "has no frame 1003; it has 1001-1002" in refused(
        pred, truth, "--trimap", tmp_path / "trimap"
    )


def movie(path: Path, codec: str, kind: str) -> None:
    """Write three frames of the truth as a movie."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=24)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, kind
        for _ in range(3):
            grey = np.rint(matte() * 255).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(grey, format="gray").reformat(format=kind)
            for packet in stream.encode(frame):
                file.mux(packet)
        for packet in stream.encode():
            file.mux(packet)


def test_a_movie_is_measured_by_its_picture(measured, truth: Path, tmp_path):
    """A lossless grey movie of the truth has no error; its frames count from 1."""
    movie(tmp_path / "grey.mkv", "ffv1", "gray")
    assert measured(tmp_path / "grey.mkv", truth, "--offset", "1000")["mad"] == 0.0


def test_a_movie_with_alpha_is_measured_by_it(measured, truth: Path, tmp_path):
    """Its picture is not its matte: an alpha of 1 over the true picture is as wrong as white."""
    movie(tmp_path / "alpha.mov", "qtrle", "argb")
    figures = measured(tmp_path / "alpha.mov", truth, "--offset", "1000")
    assert figures["mad"] == pytest.approx(1000 * (1 - matte()).mean(), rel=1e-5)


def test_an_alpha_in_a_stream_of_its_own_is_refused(refused, truth: Path, tmp_path):
    """As VP9 writes it: no figure, not a wrong one."""
    movie(tmp_path / "alpha.webm", "libvpx-vp9", "yuva420p")
    said = refused(tmp_path / "alpha.webm", truth, "--offset", "1000")
    assert "alpha channel" in said
    assert "ProRes 4444" in said


def test_what_is_not_there_is_an_error(refused, truth: Path, tmp_path):
    """Either side, and the trimap."""
    assert "nowhere.png" in refused(tmp_path / "nowhere.png", truth)
    assert "nowhere.png" in refused(truth, tmp_path / "nowhere.png")
    assert "nowhere.png" in refused(truth, truth, "--trimap", tmp_path / "nowhere.png")


def test_memory_does_not_grow_with_the_clip(tmp_path):
    """Thirty frames take no more than five, give or take two frames' pixels."""
    large = np.kron(matte(0.3), np.ones((8, 8), np.float32))
    for frame in range(1, 31):
        png(tmp_path / "clip" / f"c.{frame:04d}.png", large)

    def peak(frames: str) -> int:
        tracemalloc.start()
        words = ["metrics", str(tmp_path / "clip"), str(tmp_path / "clip"), "--frames", frames]
        assert main(words) == Exit.DONE
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    peak("1-2")  # what is loaded once
    assert peak("1-30") < peak("1-5") + 2 * large.nbytes
