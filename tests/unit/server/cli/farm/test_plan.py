"""What a job asks of its hosts, and the paths that it names."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from pathlib import Path

import pytest

from gvm_client.errors import InputError, SettingsError
from gvm_nodes.farm.job import FarmJob, PlateInput
from gvm_server.cli.farm.commands import submit_template
from gvm_server.cli.farm.plan import find_plate_inputs, parse_memory, plan_job, plate_words
from gvm_server.cli.main import build_parser
from tests.support.plates import write_plate

MIB = 1 << 20


def parsed(folder: Path, words: str) -> argparse.Namespace:
    """Return the parsed words of a submission of a small plate, for the preview engine."""
    plate = write_plate(folder / "plate", range(1, 4), width=16, height=16)
    line = f"farm submit-template {plate} --out {folder}/out --engine preview {words}"
    return build_parser().parse_args(shlex.split(line))


def job_of(folder: Path, words: str = "") -> FarmJob:
    """Return the job of those words."""
    return plan_job(parsed(folder, f"--dry-run {words}"))


def test_the_command_is_this_one_s_absolute_path_unless_another_is_named(tmp_path: Path):
    """A farm's worker has a search path of its own."""
    assert job_of(tmp_path).gvm == str(Path(sys.executable).with_name("gvm"))
    assert job_of(tmp_path, "--gvm gvm").gvm == "gvm"


def test_opencue_refuses_a_command_that_rqd_would_not_find(tmp_path: Path):
    """And nothing is written, of the other farms' files neither."""
    words = f"--gvm gvm -o {tmp_path}/job.yaml --opencue {tmp_path}/outline.py"
    with pytest.raises(SettingsError, match="RQD"):
        submit_template(parsed(tmp_path, words))
    assert not (tmp_path / "job.yaml").exists()


def test_memory_is_predicted_for_the_plate_s_size_and_may_be_said(tmp_path: Path):
    """A larger plate needs more; without a size nothing is asked for."""
    rendered = (
        f"{tmp_path}/p.%04d.exr --out {tmp_path}/o --dry-run --engine preview --first 1 --last 9"
        " --plate-step render"
    )
    sizes = ("", "--plate-size 1920x1080", "--plate-size 4096x2160")
    found = [
        plan_job(build_parser().parse_args(shlex.split(f"farm submit-template {rendered} {size}")))
        for size in sizes
    ]
    none, small, large = (job.needs.memory_mib for job in found)
    assert none == 0
    # One task of 16 frames and its server held 562 and 1179 MiB at these sizes (x86-64, 2 cores).
    assert 562 < small < 2 * 562
    assert 1179 < large < 2 * 1179
    assert job_of(tmp_path, "--memory 24G").needs.memory_mib == 24 << 10


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--roi 900,0,10,10", "outside the picture, whose pixels are x 0 to 15"),
        ("--roi 2:0,0,8,8", "no shot begins"),
        ("--roi 0,0,8,8 --roi 1:1,1,8,8", "both hold from frame 1"),
    ],
)
def test_a_region_that_no_task_could_use_is_refused_at_once(tmp_path: Path, words: str, says: str):
    """Else each of a thousand tasks would say so; what one costs is said, too."""
    with pytest.raises(InputError, match=says):
        job_of(tmp_path, words)
    (note,) = job_of(tmp_path, "--roi 0,0,8,8").notes
    assert "8x8 of 16x16 is matted" in note
    assert job_of(tmp_path).notes == ()


def test_a_region_that_is_seen_larger_needs_more_memory(tmp_path: Path):
    """Four times the scale is sixteen times the pixels; a small region asks for no less."""
    needs = [job_of(tmp_path, words).needs.memory_mib for words in ("", "--roi 0,0,4,4")]
    assert needs[0] == needs[1]
    larger = job_of(tmp_path, "--roi 0,0,16,16 --roi-scale 4").needs.memory_mib
    assert larger > 1.5 * needs[0]


@pytest.mark.parametrize(("text", "size"), [("900M", 900), ("900", 900), ("2g", 2048)])
def test_memory_is_written_with_a_letter(text: str, size: int):
    """M and G, of either case; a plain number counts MiB."""
    assert parse_memory(text) == size * MIB


@pytest.mark.parametrize("text", ["", "-1", "1.5G", "12T", "lots"])
def test_other_texts_are_no_memory(text: str):
    """With the text and an example."""
    with pytest.raises(SettingsError, match="24G"):
        parse_memory(text)


def test_what_a_td_sets_is_in_the_job(tmp_path: Path):
    """Repeated words once, variables by their last value."""
    words = (
        "--cores 4 --os any --tag gpu --tag gpu --limit gvm --env A=b=c --env A=d --env B="
        " --show bbb --shot a010"
    )
    job = job_of(tmp_path, words)
    assert (job.needs.cores, job.needs.os_family) == (4, "")
    assert (job.tags, job.limits) == (("gpu",), ("gvm",))
    assert job.environment == (("A", "d"), ("B", ""))
    assert (job.show, job.shot) == ("bbb", "a010")


@pytest.mark.parametrize("words", ["--cores -1", "--env A", "--env 1A=b", "--memory 1T"])
def test_a_bad_value_is_refused_with_its_option(tmp_path: Path, words: str):
    """Before anything is written."""
    with pytest.raises(SettingsError, match=words.split(maxsplit=1)[0][2:]):
        job_of(tmp_path, words)


@pytest.mark.parametrize("out", ["matte.mov", "one.exr", "m.%04d.png"])
def test_an_output_that_every_task_would_refuse_is_refused_at_once(tmp_path: Path, out: str):
    """A movie, one file for many frames, another kind of image: as `gvm matte` itself does."""
    with pytest.raises(SettingsError, match=r"\.exr"):
        job_of(tmp_path, f"--out {tmp_path / out}")


def test_the_files_of_a_plate_s_command_are_found(tmp_path: Path, monkeypatch):
    """By path, also behind a `=`; relative ones become absolute, plain words stay words."""
    monkeypatch.chdir(tmp_path)
    for name in ("comp.nk", "all", "tool"):
        (tmp_path / name).write_text("x")
    for name in ("lib", "plate", "plate/work"):
        (tmp_path / name).mkdir()
    words = ["./tool", "all", "--script=comp.nk", "-i", "lib/.", "plate/work", "comp.nk", "no.nk"]
    inputs, command = find_plate_inputs(words, str(tmp_path / "plate"))
    at = f"{tmp_path}/"
    assert list(command) == [
        *(f"{at}tool", "all", f"--script={at}comp.nk", "-i", f"{at}lib/."),
        *(f"{at}plate/work", f"{at}comp.nk", "no.nk"),
    ]
    assert inputs == (
        PlateInput(path=f"{at}tool", is_command=True),
        PlateInput(path=f"{at}comp.nk"),
        PlateInput(path=f"{at}lib", is_folder=True),
    )


def test_a_command_s_own_name_is_none_of_its_files(tmp_path: Path, monkeypatch):
    """`nuke`, though something of that name stands in the working folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nuke13.2").write_text("x")
    assert find_plate_inputs(["nuke13.2", "-x"], "/p") == ((), ("nuke13.2", "-x"))


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ("nuke -x 'comp.nk", "taken apart: no closing quotation"),
        ("  ", "--plate-step is empty"),
        (r"C:\Nuke\Nuke.exe -x comp.nk", r"lose the backslash of 'C:\\Nuke'"),
        (r"nuke -x \\srv\jobs\comp.nk", r"lose the backslash of '\\\\srv'"),
        ("nuke -F {{Task.Param.Frames}} comp.nk", "{{Task.Param.Frames}}"),
        ("render {{Param.ChunkSize}}", "all that a farm fills in is {{Task.Param.Frame}}"),
    ],
)
def test_a_plate_s_command_that_a_farm_could_not_run_is_refused(step: str, says: str):
    """It was a traceback, a job without the step, or a job whose hosts would render `{{`."""
    with pytest.raises(SettingsError, match=re.escape(says)):
        plate_words(step)


def test_the_frames_of_a_plate_s_command_may_have_spaces_in_their_braces():
    """Open Job Description knows them; Afanasy and OpenCue are told what they know."""
    assert plate_words("nuke -F={{ Task.Param.Frame }} 'a b.nk'") == [
        *("nuke", "-F={{Task.Param.Frame}}", "a b.nk")
    ]
    assert plate_words("") == []


def test_a_backslash_in_quotes_or_before_a_blank_is_kept():
    """As a shell has it."""
    step = r"""'C:\Nuke 16\nuke.exe' -x "C:\jobs\a.nk" my\ comp.nk"""
    assert plate_words(step) == [*(r"C:\Nuke 16\nuke.exe", "-x", r"C:\jobs\a.nk", "my comp.nk")]


def test_a_program_in_a_plate_s_command_is_no_file_however_long_it_is(tmp_path: Path):
    """A word longer than a file's name was an error of the disk."""
    words = ["python", "-c", "print(1/2)" + "#" * 300]
    assert find_plate_inputs(words, str(tmp_path)) == ((), tuple(words))
