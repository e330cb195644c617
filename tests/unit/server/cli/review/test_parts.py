"""A long shot is looked at by several processes, and says what one says."""

from __future__ import annotations

import json
import os
import signal
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import active_children, get_context
from pathlib import Path

import pytest

from gvm_client.process import Exit
from gvm_server.cli.main import main
from gvm_server.cli.review import parts
from tests.support.shots import FAULTY, FRAMES, with_faults, write_shot


@pytest.fixture
def shot(tmp_path) -> tuple[str, str]:
    """A shot one of whose frames has every fault."""
    return write_shot(tmp_path / "shot", matte=with_faults)


def told(capsys, shot, *words: str) -> tuple[int, str]:
    """Return the exit code of `gvm qc --json`, and what it prints."""
    code = main(["qc", *shot, "--json", *words])
    return code, capsys.readouterr().out


def in_parts(monkeypatch, part: int, *, forking: bool = True) -> list[int]:
    """Have parts be of so many frames on two cores; return how many processes are made, as made.

    They are forked from one that has their modules, or started anew as they are without tests.
    """
    made: list[int] = []

    def pool(processes, context, **options: object):
        made.append(processes)
        if forking:
            context = get_context("forkserver")
            context.set_forkserver_preload(["gvm_server.cli.review.parts"])
        return ProcessPoolExecutor(processes, context, **options)

    monkeypatch.setattr(parts, "PART", part)
    monkeypatch.setattr(parts, "usable_cores", lambda: 2)
    monkeypatch.setattr(parts, "ProcessPoolExecutor", pool)
    return made


@pytest.mark.parametrize("words", [(), ("--cut", str(FAULTY)), ("--max-blobs", "1")])
def test_several_processes_say_what_one_says(shot, capsys, monkeypatch, words):
    """Every figure, also of the frames between two parts, at a cut, and where a limit is passed."""
    alone = told(capsys, shot, *words)
    shared = in_parts(monkeypatch, len(FRAMES) // 2 - 1, forking=bool(words))
    assert told(capsys, shot, *words) == alone
    assert len(json.loads(alone[1])["figures"]) == len(FRAMES)
    assert shared == [2]


def test_what_cannot_be_read_is_said_as_by_one(shot, capsys, monkeypatch):
    """By its frame and its file, with exit code 3."""
    damaged = sorted(Path(shot[1]).iterdir())[-2]
    damaged.write_bytes(damaged.read_bytes()[:400])
    assert main(["qc", *shot]) == Exit.INPUT
    alone = capsys.readouterr().err
    assert damaged.name in alone
    shared = in_parts(monkeypatch, len(FRAMES) // 2 - 1)
    assert main(["qc", *shot]) == Exit.INPUT
    assert capsys.readouterr().err == alone
    assert shared == [2]


def test_a_process_that_is_killed_is_said(shot, capsys, monkeypatch):
    """And what to do; nothing waits for it."""
    in_parts(monkeypatch, len(FRAMES) // 2 - 1)
    monkeypatch.setattr(parts, "_looks", killed)
    assert main(["qc", *shot]) == Exit.SERVER
    assert "One of 2 processes ended" in capsys.readouterr().err
    assert active_children() == []


def killed(*_: object) -> None:
    """End as the system's killer does."""
    os.kill(os.getpid(), signal.SIGKILL)
