"""From the words of `gvm farm submit-template` to a job, and what its worker makes of them."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path

import numpy as np
import PyOpenColorIO as ocio
import pytest

from gvm_client.errors import ErrorCode, GvmError, InputError, SettingsError
from gvm_client.guides import Guides
from gvm_nodes.farm.job import FarmJob
from gvm_server.cli.farm.commands import submit_template
from gvm_server.cli.farm.plan import plan_job
from gvm_server.cli.farm.task_options import farm_request
from gvm_server.cli.main import build_parser, main
from gvm_server.cli.matte.display import OpenJdLines
from gvm_server.cli.matte.original import translate
from gvm_server.cli.matte.request import request_from
from gvm_server.media.colour.ocio import BUILT_IN, load_config
from tests.support.mattes import write_matte
from tests.support.messages import SAMPLES
from tests.support.plates import write_plate
from tests.support.tree import DOCS


def parsed(words: str) -> argparse.Namespace:
    """Return the parsed words of `gvm farm submit-template`."""
    return build_parser().parse_args(["farm", "submit-template", *shlex.split(words)])


def job_of(folder: Path, words: str = "") -> FarmJob:
    """Return the job for a plate of 12 frames with the preview engine, or as the words say."""
    plate = write_plate(folder / "plate", range(1, 13), width=16, height=16)
    return plan_job(parsed(f"{plate} --out {folder}/out --dry-run --engine preview {words}"))


def test_the_worker_asks_for_what_was_submitted(tmp_path):
    """Its words, understood again, give the same settings as the submitter's own."""
    words = (
        "--preset low_memory --overlap 2 --black 0.1 --gamma 1.25 --invert --cut 7 --cut 4"
        " --weights w --missing hold --depth float --overwrite"
    )
    job = job_of(tmp_path, words)
    task = ["matte", "plate", "--out", "out", *(one.word for one in job.paths), *job.words]
    worker = build_parser().parse_args(task)
    submitted = farm_request(parsed(f"plate --out out --dry-run --engine preview {words}"))
    asked = request_from(translate(worker))
    for name in ("window", "knobs", "model", "engine", "output", "priority"):
        assert getattr(asked, name) == getattr(submitted, name), name
    for name in ("cuts", "missing", "keys"):
        assert getattr(asked.plate, name) == getattr(submitted.plate, name), name
    assert asked.plate.colourspace == "Linear Rec.709 (sRGB)"  # what auto is, for every host
    assert asked.context.ocio_digest == load_config("").digest.hex()


def test_the_shells_context_variables_are_the_jobs(tmp_path, monkeypatch):
    """A host of the farm has another shell; it is told what this one has."""
    config = tmp_path / "show.ocio"
    built_in = ocio.Config.CreateFromFile(BUILT_IN)
    config.write_text(f"# $SHOT\n{built_in.serialize()}")
    monkeypatch.setenv("OCIO", str(config))
    monkeypatch.setenv("SHOT", "a=010")
    job = job_of(tmp_path)
    monkeypatch.delenv("SHOT")
    worker = build_parser().parse_args(["matte", "plate", "--out", "out", *job.words])
    assert request_from(translate(worker)).context.ocio_variables == ("SHOT=a=010",)


def test_a_preset_s_number_of_frames_is_the_job_s_and_not_each_task_s(tmp_path):
    """Every task would else stop after so many frames of its own."""
    job = job_of(tmp_path, "--max-frames 5")
    assert job.frames == (1, 2, 3, 4, 5)
    assert not [word for word in job.words if "max-frames" in word or "preset" in word]


def test_the_clip_s_extent_is_pinned_when_the_job_is_written(tmp_path):
    """A frame that appears later does not move the grid under tasks that wait."""
    job = job_of(tmp_path, "--frames 3-9x2")
    assert (job.first, job.last, job.frames) == (1, 12, (3, 5, 7, 9))
    assert (job.plate_folder, job.plate_name) == (str(tmp_path / "plate"), "plate.%04d.exr")


def test_mattes_may_have_a_pattern_of_their_own(tmp_path):
    """The folder is a parameter, the pattern stands in the template."""
    job = job_of(tmp_path, f"--out {tmp_path}/mattes/m.%04d.exr")
    assert (job.matte_folder, job.matte_name) == (str(tmp_path / "mattes"), "m.%04d.exr")


@pytest.mark.parametrize("words", ["--engine auto", "--preset auto", "--on-oom backoff"])
def test_what_lets_a_host_choose_is_refused(tmp_path, words):
    """Two hosts may choose differently, and one clip would have two mattes."""
    with pytest.raises(SettingsError, match="different mattes"):
        job_of(tmp_path, words)


def test_a_frame_outside_the_clip_is_refused_before_a_farm_is_asked(tmp_path):
    """With the code that the worker would fail with."""
    with pytest.raises(InputError) as caught:
        job_of(tmp_path, "--frames 12-13")
    assert caught.value.code is ErrorCode.RANGE_OUTSIDE


def test_a_plate_to_be_rendered_is_taken_at_the_user_s_word():
    """Its extent must be said; it renders what the windows of the asked frames see."""
    words = "/jobs/p.####.exr --out /jobs/o --dry-run --engine preview --plate-step 'render it'"
    with pytest.raises(SettingsError, match="extent"):
        plan_job(parsed(words))
    job = plan_job(parsed(f"{words} --first 1 --last 100 --frames 50-51"))
    assert job.plate_command == ("render", "it")
    # Two windows of 8 share frame 50, and the preview engine looks two frames further.
    assert job.plate_frames == tuple(range(41, 60))
    assert job.needs.gpu_mib is None
    with pytest.raises(SettingsError, match="no frame number"):
        plan_job(parsed(words.replace("p.####.exr", "p.mov")))


def test_gvm_s_memory_follows_the_settings():
    """More frames in a window need more; the plate's size must be known."""
    words = (
        "/jobs/p.####.exr --out /jobs/o --dry-run --first 1 --last 9 --plate-step r"
        " --max-resolution 512"
    )
    with pytest.raises(SettingsError, match="size"):
        plan_job(parsed(words))
    small, large = (
        plan_job(
            parsed(f"{words} --plate-size 1920x1080 --frames-per-window {frames}")
        ).needs.gpu_mib
        for frames in (4, 16)
    )
    assert small is not None
    assert large is not None
    assert 2000 < small < large


def test_guides_are_found_and_looked_over_where_they_are_named(tmp_path, capsys):
    """A folder stands for its sequence; missing frames and another shape are said here."""
    white = np.ones((16, 16), np.float32)
    for frame in range(1, 13):
        write_matte(tmp_path / "roto" / f"g.{frame:04d}.png", white)
    still = write_matte(tmp_path / "core.png", white)
    words = f"--garbage {tmp_path}/roto --holdout {still} --guide-feather 3.5"
    job = job_of(tmp_path, words)
    assert [(one.name, one.folder, one.file) for one in job.paths] == [
        ("garbage", f"{tmp_path}/roto", "g.%04d.png"),
        ("holdout", str(tmp_path), "core.png"),
    ]
    task = ["matte", "plate", "--out", "out", *(one.word for one in job.paths), *job.words]
    asked = request_from(translate(build_parser().parse_args(task)))
    assert asked.guides == Guides(
        garbage=f"{tmp_path}/roto/g.%04d.png", holdout=str(still), guide_feather=3.5
    )
    (tmp_path / "roto" / "g.0005.png").unlink()
    with pytest.raises(InputError, match=r"garbage matte .* has no frame 5"):
        job_of(tmp_path, words)
    assert job_of(tmp_path, f"{words} --frames 1-4").paths, "other frames need it not"
    other = write_matte(tmp_path / "other.png", np.ones((10, 16), np.float32))
    with pytest.raises(InputError, match="16x10, the plate 16x16"):
        job_of(tmp_path, f"--holdout {other}")
    with pytest.raises(InputError, match="The holdout matte: No plate"):
        job_of(tmp_path, f"--holdout {tmp_path}/nowhere.png")

    plate = f"{tmp_path}/plate/plate.%04d.exr --out {tmp_path}/out"
    held = shlex.split(f"farm validate {plate} --engine preview {words} --missing hold")
    assert main(held) == 0
    said = capsys.readouterr().out
    assert "1 missing frame of the garbage matte is held" in said
    assert "The holdout matte is there." in said


@pytest.mark.parametrize(
    "words",
    [
        "-o job.txt",
        "--dry-run --deadline jobs",
        "-o job.yaml --deadline jobs --plate-step render",
        "--dry-run -o job.yaml",
        "--name nothing",
    ],
)
def test_what_cannot_be_written_is_refused_first(words):
    """Before the plate is looked at, and nothing is left behind."""
    with pytest.raises(SettingsError):
        submit_template(parsed(f"plate --out out {words}"))


def test_a_task_says_its_progress_as_a_session_reads_it(capsys):
    """Percent of the task's own frames; a failure in one line with its remedy."""
    lines = OpenJdLines()
    accepted = SAMPLES["accepted"]["full"]
    lines.show(accepted)
    lines.show(SAMPLES["frame_ready"]["full"])
    with pytest.raises(GvmError), lines:
        raise GvmError("It\nbroke.", remedy="Mend it.")
    said = capsys.readouterr().out.splitlines()
    assert f"openjd_progress: {100 / accepted.frames_total:.1f}" in said
    assert all(line.startswith(("openjd_status: ", "openjd_progress: ")) for line in said[:-1])
    assert said[-1] == "openjd_fail: It broke. Mend it."


def test_every_command_line_of_the_farm_s_document_is_understood():
    """What a reader types works: each `gvm` line of docs/farm.md."""
    text = (DOCS / "farm.md").read_text(encoding="utf-8")
    blocks = "\n".join(re.findall(r"^```sh\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE))
    lines = [shlex.split(line) for line in blocks.replace("\\\n", " ").splitlines()]
    found = [words[1:] for words in lines if words[:1] == ["gvm"]]
    assert len(found) == 3
    for words in found:
        build_parser().parse_args(words)
