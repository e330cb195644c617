"""`gvm weights` as a person, a script and a studio with a mirror use it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gvm_server.matting.engines.gvm.checkpoint import STEM
from gvm_server.matting.engines.gvm.download import PARTS
from gvm_server.matting.engines.gvm.weights_folder import MANIFEST
from tests.fakes.hub import FakeHub
from tests.support import forked
from tests.tools.make_tiny_checkpoint import make_checkpoint

VAE = f"vae/{STEM}.safetensors"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny checkpoint."""
    return make_checkpoint(tmp_path_factory.mktemp("tiny"))


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody at a machine whose Hub is ours, and whose way to any other host is watched."""

    hub: FakeHub
    others: FakeHub
    folder: Path
    home: Path

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment of a command."""
        mine = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        elsewhere = {f"{kind}_proxy": self.others.endpoint for kind in ("http", "https", "all")}
        return {
            **mine,
            **elsewhere,
            "no_proxy": "127.0.0.1,localhost",
            "HF_ENDPOINT": self.hub.endpoint,
            "HF_HOME": str(self.home),
            **more,
        }

    def words(self, *words: str) -> list[str]:
        """Return the command line of `gvm weights`."""
        weights = ("--weights", str(self.folder))
        return [sys.executable, "-m", "gvm_server", "weights", *words, *weights]

    def run(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run `gvm weights` with no terminal, in a forked process."""
        own = self.words(*words)
        ran = forked.run(own[3:], self.environment(**more), self.folder.parent, timeout=60)
        return subprocess.CompletedProcess(own, *ran)


@pytest.fixture
def person(checkpoint: Path, tmp_path: Path) -> Iterator[Person]:
    """A person with a Hub that has the tiny checkpoint."""
    with FakeHub() as hub, FakeHub() as others:
        hub.push(checkpoint)
        yield Person(hub=hub, others=others, folder=tmp_path / "w", home=tmp_path / "hf")


def test_pull_show_and_verify(person: Person):
    """A mirror in HF_ENDPOINT gives the weights, no other host hears of it, and they are good."""
    ran = person.run("show", "--json")
    assert ran.returncode == 4
    assert len(json.loads(ran.stdout)["missing"]) == 5

    ran = person.run("pull", "--accept-licence", "--json")
    assert ran.returncode == 0, ran.stderr
    assert "chhshen@gmail.com" in ran.stderr
    pulled = json.loads(ran.stdout)
    assert pulled["revision"] == person.hub.branches["main"]
    assert person.others.asked == []
    assert {asked.path.split("/")[1] for asked in person.hub.asked} == {"api", "geyongtao", "cdn"}

    ran = person.run("show", "--json")
    assert ran.returncode == 0, ran.stderr
    shown = json.loads(ran.stdout)
    assert (shown["engine"], shown["missing"]) == (pulled["engine"], [])

    ran = person.run("verify")
    assert (ran.returncode, "whole GVM checkpoint" in ran.stdout) == (0, True), ran.stderr


def test_verify_says_what_is_wrong_and_a_pull_mends_it(person: Person):
    """A flipped byte is found by its hash; the next pull fetches that file alone."""
    assert person.run("pull", "--accept-licence").returncode == 0
    path = person.folder / VAE
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    ran = person.run("verify", "--json")
    assert ran.returncode == 4
    (problem,) = json.loads(ran.stdout)["problems"]
    assert problem["where"] == str(path)
    assert "gvm weights pull" in problem["remedy"]
    person.hub.asked.clear()
    assert person.run("pull", "--accept-licence").returncode == 0
    assert person.hub.fetched() == [VAE]
    assert person.run("verify").returncode == 0


def test_copied_weights_keep_their_revision_and_verify_takes_their_times(person: Person):
    """A copy with new times is told by its content; after a look at it the record is believed."""
    pulled = json.loads(person.run("pull", "--accept-licence", "--json").stdout)
    recorded = (person.folder / MANIFEST).read_text()
    os.utime(person.folder / VAE, (0, 0))
    assert json.loads(person.run("show", "--json").stdout)["engine"] == pulled["engine"]
    assert (person.folder / MANIFEST).read_text() == recorded
    assert person.run("verify").returncode == 0
    assert json.loads((person.folder / MANIFEST).read_text())["files"][VAE]["mtime_ns"] == 0
    assert json.loads(person.run("show", "--json").stdout)["engine"] == pulled["engine"]


def test_a_killed_pull_goes_on(person: Person, eventually):
    """Of what a killed program had, no byte is asked for twice."""
    person.hub.faults.stall_after = 11_000_000
    command = subprocess.Popen(
        person.words("pull", "--accept-licence"),
        env=person.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    parts = person.folder / PARTS
    eventually(lambda: any(part.stat().st_size >= 10_000_000 for part in parts.glob("*.part")))
    command.kill()
    command.wait(timeout=20)
    person.hub.faults.stall_after = 0
    person.hub.asked.clear()
    ran = person.run("pull", "--accept-licence")
    assert ran.returncode == 0, ran.stderr
    assert "unet/config.json" not in person.hub.fetched()
    (span,) = {asked.range for asked in person.hub.asked if asked.range}
    assert int(span.removeprefix("bytes=").removesuffix("-")) >= 10_000_000
    assert person.run("verify").returncode == 0


def test_no_terminal_and_no_word_means_no_byte(person: Person):
    """A script that accepts nothing is told how to, after it was shown the terms."""
    ran = person.run("pull")
    assert ran.returncode == 2
    assert "--accept-licence" in ran.stderr
    assert "Stable Video Diffusion" in ran.stderr
    assert person.hub.fetched() == []


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(("answer", "code"), [(b"n\n", 2), (b"yes\n", 0)])
def test_a_person_is_asked(person: Person, answer: bytes, code: int):
    """At a terminal the terms are shown and the answer is taken; anything but yes is no."""
    master, slave = os.openpty()
    os.write(master, answer)
    ran = subprocess.run(
        person.words("pull"),
        env=person.environment(),
        stdin=slave,
        capture_output=True,
        text=True,
        timeout=60,
    )
    os.close(slave)
    os.close(master)
    assert ran.returncode == code, ran.stderr
    assert "Do you accept these terms?" in ran.stderr
    assert bool(person.hub.fetched()) is (code == 0)


def test_offline_and_unknown_revisions_are_told_apart(person: Person):
    """HF_HUB_OFFLINE asks nobody and tells what to copy where; a wrong revision is bad usage."""
    ran = person.run("pull", "--accept-licence", HF_HUB_OFFLINE="1")
    assert ran.returncode == 4
    assert "HF_HUB_OFFLINE" in ran.stderr
    assert f"unet/{STEM}.safetensors" in ran.stderr
    assert str(person.folder) in ran.stderr
    assert person.hub.asked == []
    ran = person.run("pull", "--accept-licence", "--revision", "v9")
    assert ran.returncode == 2
    assert "no revision 'v9'" in ran.stderr
    assert person.others.asked == []


def test_help_is_light():
    """`gvm weights --help` answers at once: neither rich nor the Hub's library is loaded."""
    code = (
        "import sys; from gvm_server.cli.main import main\n"
        "try: main(['weights', 'pull', '--help'])\n"
        "finally: print(sorted({'rich', 'huggingface_hub', 'numpy'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert "--revision" in ran.stdout
    assert ran.stdout.splitlines()[-1] == "[]"
