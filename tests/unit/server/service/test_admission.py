"""Which jobs may not write at the same time."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from gvm_client.errors import ErrorCode, OutputError
from gvm_client.file_content import FileContent
from gvm_client.protocol.messages import JobContext, Matte
from gvm_client.settings import Depth, MatteKnobs, Priority
from gvm_server.media import file_access
from gvm_server.media.file_access import Roots, StallError
from gvm_server.media.outputs.alpha_files import AlphaFiles
from gvm_server.service.admission import (
    OutputReservation,
    check_configuration,
    refuse_conflict,
)
from tests.support.resources import request_in

LAYERS = FileContent(foreground=True, layers="separate")


def claim(
    request: Matte,
    output: Path | str,
    *,
    frames: tuple[int, ...] = (1, 2, 3),
    plate: str = "plate.%04d.exr",
) -> OutputReservation:
    """Return what a job writes to an output."""
    files = AlphaFiles.of(str(output), plate_name=f"/p/{plate}", roots=Roots())
    return OutputReservation.of(request, files, frames)


def test_other_settings_or_another_plate_into_the_same_files_are_refused(tmp_path: Path):
    """With the job that is there, the file, and what to do; another depth or shell is another."""
    asked = request_in(tmp_path)
    there = claim(asked, tmp_path / "out")
    (tmp_path / "link").symlink_to(tmp_path)
    for other in (
        replace(asked, job="1" * 32, knobs=MatteKnobs(blur=2.0)),
        replace(asked, job="1" * 32, plate=replace(asked.plate, layer="left")),
        replace(asked, job="1" * 32, output=replace(asked.output, depth=Depth.FLOAT)),
        replace(asked, job="1" * 32, output=replace(asked.output, content=LAYERS)),
        replace(asked, job="1" * 32, context=JobContext(ocio="/show/b.ocio")),
    ):
        for place in ("out", "x/../out", "link/out", "out/plate.%04d.exr"):
            with pytest.raises(OutputError, match=r"plate\.0001\.exr") as caught:
                refuse_conflict(claim(other, tmp_path / place), [there])
            assert asked.job in caught.value.message
            assert caught.value.code is ErrorCode.OUTPUT_IN_USE
            assert "another version" in caught.value.remedy


def test_rivals_are_told_apart_without_a_look_at_a_disk(tmp_path: Path, monkeypatch):
    """All jobs wait meanwhile, and who hears their clients: a stalled share silenced the server."""
    asked = request_in(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "link").symlink_to(tmp_path)
    there = claim(asked, tmp_path / "out")
    rival = claim(replace(asked, job="1" * 32, knobs=MatteKnobs(blur=2.0)), tmp_path / "link/out")

    def stalled(*_: object, **__: object) -> os.stat_result:
        raise AssertionError("the disk was asked")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "stat", stalled)
        patched.setattr(os, "stat", stalled)
        with pytest.raises(OutputError):
            refuse_conflict(rival, [there])


def test_a_folder_that_the_first_job_made_is_still_its_folder(tmp_path: Path):
    """It is not there when the first job is taken; the second finds it, also through a link."""
    asked = request_in(tmp_path)
    rival = replace(asked, job="1" * 32, knobs=MatteKnobs(blur=2.0))
    first = claim(asked, tmp_path / "out")
    (tmp_path / "out").mkdir()
    (tmp_path / "link").symlink_to(tmp_path)
    for folder in (tmp_path / "out", tmp_path / "link/out"):
        with pytest.raises(OutputError):
            refuse_conflict(claim(rival, folder), [first])


def test_a_layer_s_file_that_is_another_job_s_alpha_is_refused(tmp_path: Path):
    """Names of every file count, not the alphas' alone."""
    asked = request_in(tmp_path)
    there = claim(asked, tmp_path / "out", plate="plate.fg.%04d.exr")
    other = replace(asked, job="1" * 32, output=replace(asked.output, content=LAYERS))
    rival = claim(other, tmp_path / "out")
    rival = replace(rival, files=replace(rival.files, suffixes=("", "fg")))
    with pytest.raises(OutputError, match=r"plate\.fg\.0001\.exr"):
        refuse_conflict(rival, [there])


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("out", {"plate": "bg.%04d.exr"}),
        ("out", {"frames": (4, 5)}),
        ("out/plate.%05d.exr", {}),
        ("out_v002", {}),
        ("out/still.exr", {"frames": (1,)}),
    ],
)
def test_other_names_are_no_rivals(tmp_path: Path, output: str, words: dict):
    """Two clips of one shot, other frames, another padding, another version."""
    asked = request_in(tmp_path)
    other = replace(asked, job="1" * 32, knobs=MatteKnobs(blur=2.0))
    refuse_conflict(claim(other, tmp_path / output, **words), [claim(asked, tmp_path / "out")])


def test_paddings_that_write_the_same_names_are(tmp_path: Path):
    """From frame 1000 on, `%d` and `%04d` name the same file."""
    asked = request_in(tmp_path)
    other = replace(asked, job="1" * 32, knobs=MatteKnobs(blur=2.0))
    there = claim(asked, tmp_path / "out", frames=(999, 1000))
    with pytest.raises(OutputError, match=r"plate\.1000\.exr"):
        refuse_conflict(claim(other, tmp_path / "out/plate.%d.exr", frames=(999, 1000)), [there])


def test_other_frames_of_the_same_mattes_are_not(tmp_path: Path):
    """A farm's tasks, and the playhead beside its range."""
    asked = request_in(tmp_path)
    playhead = replace(asked, job="1" * 32, frames="3", priority=Priority.INTERACTIVE, playhead=3)
    refuse_conflict(
        claim(playhead, tmp_path / "out", frames=(3,)), [claim(asked, tmp_path / "out")]
    )


def test_a_configuration_on_a_share_that_stalls_ends_its_own_job(tmp_path: Path, monkeypatch):
    """Others' configurations are loaded meanwhile: every job waited for that share."""
    share, answers, real = tmp_path / "share", threading.Event(), Path.stat

    def stat(path: Path, **words: bool) -> os.stat_result:
        if path.is_relative_to(share):
            assert answers.wait(10)
        return real(path, **words)

    monkeypatch.setattr(Path, "stat", stat)
    monkeypatch.setattr(file_access, "STALL_SECONDS", 0.2)
    try:
        with pytest.raises(StallError, match="share has not answered"):
            check_configuration(JobContext(ocio=str(share / "show.ocio")), Roots())
        assert check_configuration(JobContext(), Roots()).digest
    finally:
        answers.set()
