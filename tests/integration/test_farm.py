"""A farm's job on one machine: `openjd run` with the real server."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT, Popen
from typing import Any

import psutil
import pytest

from gvm_server.matting.engines.maker import OVERRIDES
from tests.fakes.pyoutline import specification
from tests.support import forked
from tests.support.plates import read_alpha, write_plate
from tests.support.site import SMALL, Site, machine_for_hosts

BIN = Path(sys.executable).parent
FRAMES = 24


def files(folder: Path) -> dict[str, bytes]:
    """Return every alpha's file by its name: equal files, not only equal pixels."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.exr"))}


def submit(site: Site, plate: str, out: str, *words: str, gvm: Path | None = None) -> Path:
    """Write the template for a plate and return its path; its tasks are forked, or the command."""
    gvm = gvm or forked.program()
    template = site.folder / f"{out}.yaml"
    ran = site.gvm(
        *("farm", "submit-template", plate, "--out", out, "-o", str(template)),
        *("--gvm", str(gvm), *SMALL, *words),
    )
    assert ran.code == 0, ran.stderr
    return template


def openjd(site: Site, *words: str, cores: Sequence[int] = ()) -> Popen[str]:
    """Start `openjd`, in whose sessions no run-time folder is set, bound to cores."""
    environment = {**os.environ, **site.environment}
    del environment["GVM_RUNTIME_DIR"]
    bound = ["taskset", "-c", ",".join(map(str, cores))] if cores else []
    return Popen(
        [*bound, BIN / "openjd", *words],
        env=environment,
        cwd=site.folder,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        text=True,
    )


def start_job(site: Site, template: Path, out: str, *words: str, **bound: Any) -> Popen[str]:
    """Start the job as the submitter says."""
    folders = {"PlateFolder": site.folder / "plate", "MatteFolder": site.folder / out}
    values = [word for name, value in folders.items() for word in ("-p", f"{name}={value}")]
    return openjd(site, "run", str(template), *values, *words, **bound)


def run_job(
    site: Site, template: Path, out: str, *words: str, cores: Sequence[int] = ()
) -> tuple[int, str]:
    """Run a job to its end; return the exit code and what its session said."""
    process = start_job(site, template, out, *words, cores=cores)
    said, _ = process.communicate(timeout=150)
    return process.returncode, said


def written(said: str) -> int:
    """Return how many frames the tasks of a session wrote."""
    ends = [line for line in said.splitlines() if " frames written, " in line]
    return sum(int(line.split("openjd_status: ")[1].split()[0]) for line in ends)


def session_folder(said: str) -> Path:
    """Return the run-time folder that a session was told to use."""
    (folder,) = re.findall(r"openjd_env: GVM_RUNTIME_DIR=(\S+)", said)
    return Path(folder)


def session_of(site: Site, folder: Path) -> Site:
    """Return the worker session whose run-time folder this is."""
    environment = {**site.environment, "GVM_RUNTIME_DIR": str(folder)}
    return Site(folder=site.folder, runtime=folder, environment=environment)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A machine's folder with a plate and the alphas of one local job."""
    folder = tmp_path_factory.mktemp("artist")
    plate = write_plate(folder / "plate", range(1, FRAMES + 1))
    with machine_for_hosts(folder) as site:
        assert site.matte(plate, "local").code == 0
    return folder


@pytest.fixture
def whole(tmp_path, local) -> dict[str, bytes]:
    """The alphas of one local job on another machine, whose plate lies here too."""
    shutil.copytree(local / "plate", tmp_path / "plate")
    return files(local / "local")


def test_every_chunk_size_gives_the_local_job_s_bits_and_a_repeat_writes_nothing(
    site, tmp_path, whole
):
    """Two chunk sizes, each in a fresh cache; one server a session, gone with it."""
    for chunk in ("7", "10"):
        out = f"chunks{chunk}"
        template = submit(site, "plate", out, "--chunk", chunk)
        checked = openjd(site, "check", str(template))
        assert "passes validation" in checked.communicate(timeout=60)[0]
        code, said = run_job(site, template, out)
        assert code == 0, said
        assert written(said) == FRAMES
        assert said.count("The server is process") == said.count("The server has ended") == 1
        assert not session_folder(said).exists()
        assert "openjd_progress: 100.0" in said
        assert files(tmp_path / out) == whole
        code, said = run_job(site, template, out)
        assert (code, written(said)) == (0, 0), said
        assert site.gvm("cache", "clear").code == 0
    assert site.server() is None, "the artist's own server was started"


def test_a_killed_task_loses_nothing(site, tmp_path, whole, eventually):
    """Kill -9 in mid-task: the job fails, its server ends, a second run ends at the same bits."""
    site.environment["GVM_TEST_ENGINE_SECONDS"] = "0.1"  # a frame
    template = submit(site, "plate", "killed", "--chunk", "12", gvm=BIN / "gvm")
    job = start_job(site, template, "killed")
    eventually(lambda: files(tmp_path / "killed"))
    (task,) = [
        child
        for child in psutil.Process(job.pid).children(recursive=True)
        if "matte" in child.cmdline()[:4] and "--openjd" in child.cmdline()
    ]
    task.kill()
    said, _ = job.communicate(timeout=60)
    assert job.returncode != 0
    assert "The server has ended" in said
    assert len(files(tmp_path / "killed")) < FRAMES
    del site.environment["GVM_TEST_ENGINE_SECONDS"]
    code, said = run_job(site, template, "killed")
    assert code == 0, said
    assert 0 < written(said) < FRAMES, "what stood was made again"
    assert files(tmp_path / "killed") == whole


def test_one_core_and_two_give_the_local_job_s_files(site, tmp_path):
    """With a real network; the files are equal, byte for byte."""
    plate = write_plate(tmp_path / "plate", range(1, 9))
    small = ("--engine", "preview", "--size", "64")
    local = site.gvm("matte", plate, "--out", "local", *small)
    assert local.code == 0, local.stderr
    template = tmp_path / "cores.yaml"
    words = ("farm", "submit-template", "plate", "--out", "cores", "-o", str(template), *small)
    assert site.gvm(*words, "--gvm", str(BIN / "gvm"), "--chunk", "5").code == 0
    cores = sorted(os.sched_getaffinity(0))
    for count in range(1, min(len(cores), 2) + 1):
        assert site.gvm("cache", "clear").code == 0
        code, said = run_job(site, template, f"on{count}", cores=cores[:count])
        assert code == 0, said
        assert written(said) == 8
        assert files(tmp_path / f"on{count}") == files(tmp_path / "local")


def test_a_farm_that_maps_paths_and_carries_only_what_is_listed(site, tmp_path):
    """The bundle's files at another place, by a rule; the rest of the plate is not there."""
    plate = write_plate(tmp_path / "plate", range(1, FRAMES + 1))
    write_plate(tmp_path / "roto", range(1, FRAMES + 1))
    held = ("--holdout", str(tmp_path / "roto"), "--frames", "9-12")
    assert site.matte(plate, "local", *held).code == 0
    words = ("plate", "--out", "mattes", "--deadline-cloud", "bundle", *held, *SMALL)
    made = site.gvm("farm", "submit-template", *words)
    assert made.code == 0, made.stderr
    listed = json.loads((tmp_path / "bundle" / "asset_references.yaml").read_text())
    carried = listed["assetReferences"]["inputs"]["filenames"]
    assert len(carried) < FRAMES
    host = tmp_path / "host"
    for name in carried:
        place = host / Path(name).relative_to(tmp_path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(Path(name).read_bytes())  # at another time, as a farm does
    for name in ("plate", "roto"):
        shutil.rmtree(tmp_path / name)
    rule = {
        "source_path_format": "POSIX",
        "source_path": str(tmp_path),
        "destination_path": str(host),
    }
    rules = {"version": "pathmapping-1.0", "path_mapping_rules": [rule]}
    (tmp_path / "rules.json").write_text(json.dumps(rules))
    values = json.loads((tmp_path / "bundle" / "parameter_values.yaml").read_text())
    words = [f"{one['name']}={one['value']}" for one in values["parameterValues"]]
    ran = openjd(
        site,
        *("run", str(tmp_path / "bundle" / "template.yaml")),
        *(word for value in words for word in ("-p", value)),
        *("--path-mapping-rules", (tmp_path / "rules.json").as_uri()),
    )
    said, _ = ran.communicate(timeout=120)
    assert ran.returncode == 0, said
    assert not (tmp_path / "mattes").exists()
    mattes, local = files(host / "mattes"), files(tmp_path / "local")
    assert list(mattes) == list(local)
    for name in mattes:
        assert (read_alpha(host / "mattes" / name) == read_alpha(tmp_path / "local" / name)).all()


def test_tasks_of_farms_without_sessions_make_the_local_files(site, tmp_path, whole):
    """OpenCue's and Afanasy's commands, as their hosts run them: by a shell, in its own session."""
    words = ("plate", "--chunk", "10", *SMALL, "--opencue", "outline.py", "--afanasy", "job.json")
    gvm = str(forked.program())
    made = site.gvm("farm", "submit-template", *words, "--out", "mattes", "--gvm", gvm)
    assert made.code == 0, made.stderr
    job = json.loads((tmp_path / "job.json").read_text())["job"]
    (block,) = job["blocks"]
    afanasy = [block["command"].replace("@#@", task["command"]) for task in block["tasks"]]
    assert len(afanasy) == 3
    (layer,) = specification((tmp_path / "outline.py").read_text()).iter("layer")
    opencue = [
        layer.findtext("cmd").replace("#FRAMESPEC#", frames)
        for frames in ("1-10", "11-20", "21-24")
    ]
    for commands in (afanasy, opencue):
        assert site.gvm("cache", "clear").code == 0
        shutil.rmtree(tmp_path / "mattes", ignore_errors=True)
        for command in commands:
            # RQD's own, and what numbers are made by on this machine: that stands in the files.
            ours = {name: os.environ[name] for name in os.environ if name in ("LANG", *OVERRIDES)}
            environment = {"PATH": "/usr/bin:/bin", **ours, **site.environment}
            ran = subprocess.run(
                ["/bin/sh", "-c", command],
                env=environment,
                start_new_session=True,
                capture_output=True,
                text=True,
                timeout=120,
            )
            assert ran.returncode == 0, ran.stderr
        assert files(tmp_path / "mattes") == whole
    assert site.server() is None


def test_gaps_and_steps_reach_the_worker_as_they_were_meant(site, tmp_path, whole):
    """A step is `:2` to the farm and `x2` to the worker; only those frames are made."""
    template = submit(site, "plate", "gaps", "--frames", "1-15x2,20,23-24", "--chunk", "5")
    code, said = run_job(site, template, "gaps")
    assert code == 0, said
    wanted = [f"plate.{frame:04d}.exr" for frame in (*range(1, 16, 2), 20, 23, 24)]
    assert files(tmp_path / "gaps") == {name: whole[name] for name in wanted}


def test_a_plate_that_a_host_renders_first(site, tmp_path, whole):
    """Two steps: the plate's frames come from a command, then the mattes from them."""
    source = (tmp_path / "plate").rename(tmp_path / "source")
    (tmp_path / "plate").mkdir()
    render = f"cp -rp {source}/. {tmp_path}/plate"
    template = submit(
        site,
        *("plate/plate.%04d.exr", "rendered", "--first", "1", "--last", str(FRAMES)),
        *("--plate-step", render),
    )
    code, said = run_job(site, template, "rendered", "-p", f"PlateInput1={source}")
    assert code == 0, said
    assert files(tmp_path / "rendered") == whole


def test_a_task_that_fails_says_why_in_the_session(site, tmp_path):
    """One `openjd_fail` line with the remedy, a failed job, and the server ends all the same."""
    write_plate(tmp_path / "plate", range(1, 7))
    template = submit(site, "plate", "failed")
    (tmp_path / "plate" / "plate.0003.exr").unlink()
    code, said = run_job(site, template, "failed")
    assert code != 0
    (line,) = [line for line in said.splitlines() if "openjd_fail: " in line]
    assert "3" in line
    assert "The server has ended" in said


def test_the_server_s_stop_may_come_at_any_time(site):
    """Without a start, after a start, twice, and after the server was killed: exit 0."""
    assert site.gvm("farm", "server", "stop").code == 0
    started = site.gvm("farm", "server", "start")
    assert started.code == 0, started.stderr
    folder = session_folder(started.stdout)
    assert site.server() is None, "it started the artist's own"
    session = session_of(site, folder)
    session.kill_server()
    assert session.gvm("farm", "server", "stop").code == 0
    assert not folder.exists()
    assert session.gvm("farm", "server", "stop").code == 0


def test_a_server_that_does_not_start_fails_the_session_and_leaves_nothing(site):
    """Exit 4 after the folder was announced, so that `stop` can delete it."""
    site.environment["GVM_SERVER"] = f"{sys.executable} -c 'raise SystemExit(7)'"
    started = site.gvm("farm", "server", "start")
    assert started.code == 4
    assert "exit code 7" in started.stderr
    folder = session_folder(started.stdout)
    assert folder.is_dir()
    assert session_of(site, folder).gvm("farm", "server", "stop").code == 0
    assert not folder.exists()


def test_the_session_s_server_is_not_the_artist_s(site, tmp_path):
    """`stop` without a session's folder leaves a server that runs alone."""
    plate = write_plate(tmp_path / "plate", range(1, 3))
    assert site.matte(plate, "out").code == 0
    assert site.gvm("farm", "server", "stop").code == 0
    assert site.server() is not None


def test_validate_names_what_is_missing(site, tmp_path):
    """Exit 3 and the frames, by the windows of the frames asked for; else the room on the disk."""
    write_plate(tmp_path / "plate", range(1, FRAMES + 1))
    (tmp_path / "plate" / "plate.0020.exr").unlink()
    words = ("farm", "validate", "plate", "--out", "out", *SMALL)
    missing = site.gvm(*words)
    assert missing.code == 3
    assert "20" in missing.stderr
    assert site.gvm(*words, "--frames", "1-6").code == 0
    held = site.gvm(*words, "--missing", "hold")
    assert held.code == 0
    assert "free" in held.stdout


def test_a_dry_run_prints_the_template_and_writes_nothing(site, tmp_path):
    """What it prints is the whole template."""
    write_plate(tmp_path / "plate", range(1, 3))
    there = sorted(tmp_path.iterdir())
    ran = site.gvm(*shlex.split("farm submit-template plate --out out --dry-run"), *SMALL)
    assert ran.code == 0, ran.stderr
    assert json.loads(ran.stdout)["specificationVersion"] == "jobtemplate-2023-09"
    assert sorted(tmp_path.iterdir()) == there
