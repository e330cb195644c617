"""The bridge says what Python says: the same plan, the same bytes, the same numbers."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from gvm_client import platform
from gvm_client.context import job_context
from gvm_client.errors import ErrorCode
from gvm_client.filenames import MOVIE_EXTENSIONS
from gvm_client.protocol import PROTOCOL_VERSION
from gvm_client.protocol.messages import MESSAGE_TYPES, EngineName
from gvm_client.server_config import server_environment
from gvm_client.settings import (
    AUTO_PRESET,
    MAX_FRAMES_PER_WINDOW,
    MAX_RADIUS,
    MAX_SIDE,
    MAX_STEPS,
    PRESETS,
    MatteKnobs,
    WindowSettings,
)
from gvm_client.windows import Plan, needs
from gvm_server.media.geometry import Box
from gvm_server.media.plates.base import FrameHeader, PlateFrame
from gvm_server.media.plates.thumbnail import as_ranks, medians, ranks_of, stress
from tests.ofx.fakehost import Build
from tests.ofx.wine import linux_only, windows_only
from tests.support.tree import GOLDEN

VECTORS = sorted((GOLDEN / "protocol").glob("*.json"))


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_the_bridge_reads_and_writes_the_golden_bytes(build: Build, path: Path):
    """Every vector comes back byte for byte, and every refused one is refused with its code."""
    vectors = json.loads(path.read_text())["vectors"]
    answers = build.probe("wire", str(path))
    assert [answer["name"] for answer in answers] == [vector["name"] for vector in vectors]
    told = ("code", "request") if path.stem == "refused" else ("type", "request", "hex")
    for vector, answer in zip(vectors, answers, strict=True):
        assert {key: answer.get(key) for key in told} == {key: vector[key] for key in told}, vector[
            "name"
        ]


def test_the_bridge_lays_the_golden_plans(build: Build):
    """Needs and folds of every golden plan are the same; what is made together needs no more."""
    plans = json.loads((GOLDEN / "windows.json").read_text())["plans"]
    questions = [{**p, "frames": [item["frame"] for item in p["frames"]]} for p in plans]
    answers = build.probe("plan", text=json.dumps(questions))
    for plan, answer in zip(plans, answers, strict=True):
        told = [{k: item[k] for k in ("frame", "needs", "blends")} for item in answer["frames"]]
        assert told == plan["frames"], plan["name"]
        for item in answer["frames"]:
            _check_together(plan, item)


def _check_together(plan: dict[str, Any], item: dict[str, Any]) -> None:
    """Every frame that is made together with this one needs nothing that this one does not."""
    grid = Plan(
        first=plan["first"],
        last=plan["last"],
        frames_per_window=plan["frames_per_window"],
        overlap=plan["overlap"],
        kind=plan["kind"],
        cuts=tuple(plan["cuts"]),
        reach=plan["reach"],
    )
    first, last = item["together"]
    assert first <= item["frame"] <= last
    for frame in range(first, last + 1):
        its = needs(grid, frame)
        assert item["needs"][0] <= its.first <= its.last <= item["needs"][1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"first": 2, "last": 1},
        {"overlap": 5},
        {"frames_per_window": 0},
        {"cuts": [1]},
        {"cuts": [9, 8]},
    ],
)
def test_the_bridge_refuses_plans_that_python_refuses(build: Build, wrong: dict[str, Any]):
    """An empty clip, an overlap above half and cuts that do not ascend are no plans."""
    question = {
        "first": 1,
        "last": 20,
        "frames_per_window": 8,
        "overlap": 1,
        "kind": "seamless",
        "cuts": [],
        "reach": 0,
        "frames": [1],
        **wrong,
    }
    assert build.probe("plan", text=json.dumps([question])) == [{"code": "bad_request"}]


def test_the_bridge_knows_the_same_numbers_and_words(build: Build):
    """Defaults, presets, bounds and words stand in two languages and are equal."""
    facts = build.probe("facts")
    fitted = {AUTO_PRESET}  # the server fits its window, so a host could not say what it needs
    assert facts["presets"] == {
        name: asdict(preset.window) for name, preset in PRESETS.items() if name not in fitted
    }
    assert facts["window"] == asdict(WindowSettings())
    assert facts["knobs"] == asdict(MatteKnobs())
    assert facts["messages"] == list(MESSAGE_TYPES)
    assert facts["codes"] == [code.value for code in ErrorCode]
    assert facts["engines"] == [engine.value for engine in EngineName]
    assert facts["protocol"] == PROTOCOL_VERSION
    assert facts["movies"] == list(MOVIE_EXTENSIONS)
    assert facts["bounds"] == [MAX_FRAMES_PER_WINDOW, MAX_STEPS, MAX_SIDE, MAX_RADIUS]


@linux_only
@pytest.mark.parametrize(
    "line",
    ["gvm serve", "'/a b/python' -m gvm_server", r"/a\ b/python", '"a \\" b" c', "", "a '' b"],
)
def test_the_bridge_parts_a_command_as_python_does(build: Build, line: str):
    """$GVM_SERVER means the same command in both languages."""
    assert build.probe("words", line) == shlex.split(line)


@windows_only
@pytest.mark.parametrize(
    "line",
    [
        "gvm serve",
        r"C:\venv\python.exe -m gvm_server serve",
        r'"C:\Program Files\gvm\python.exe" -m x',
        r"'\\server\share\a b\python.exe' ''",
    ],
)
def test_the_bridge_parts_a_command_of_windows_as_python_does(
    build: Build, monkeypatch: pytest.MonkeyPatch, line: str
):
    """A backslash separates folders there."""
    monkeypatch.setattr(platform, "SYSTEM", "win32")
    assert build.probe("words", line) == platform.split_command(line)


def test_the_bridge_knows_an_absolute_path_as_python_does(build: Build):
    """On every system's paths: a host and its server may be of two."""
    golden = json.loads((GOLDEN / "paths.json").read_text(encoding="utf-8"))
    for said, wanted in (("absolute", True), ("relative", False)):
        answers = build.probe("absolute", text="".join(f"{path}\n" for path in golden[said]))
        assert answers == [wanted] * len(golden[said])


def test_the_hash_tells_every_change_from_another(build: Build):
    """Texts of any length, that differ in one place or in length only, have different hashes."""
    texts = ["x" * length for length in range(100)]
    texts += ["x" * place + "y" + "x" * (99 - place) for place in range(100)]
    hashes = build.probe("hash", text="\n".join(texts) + "\n")
    assert len(set(hashes)) == len(texts)
    assert all(len(text) == 32 for text in hashes)


def test_the_bridge_scrubs_an_environment_as_python_does(build: Build):
    """One table of rules, two languages; what `server.json` gives wins."""
    names = ("LD_LIBRARY_PATH", "PYTHONHOME", "QT_X", "GVM_WEIGHTS", "PWD", "HOME", "LANG", "LDX")
    environment = dict.fromkeys(names, "x")
    own = {"LD_LIBRARY_PATH": "/cuda"}
    question = json.dumps({"environment": environment, "own": own})
    answer = build.probe("scrubbed", text=question)
    assert answer == server_environment(environment, own, same_python=False)


@linux_only
def test_the_bridge_reads_a_jobs_context_as_python_does(
    build: Build, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """The configuration and the variables that it names, the weights and the umask of the host."""
    config = tmp_path / "config.ocio"
    config.write_text("a: $SHOT/x, b: ${SEQ_}, c: %LOOK%, d: $SHO, e: 100% of $5, f: ${LOST")
    monkeypatch.setenv("OCIO", f"{tmp_path}/x/../config.ocio")
    monkeypatch.setenv("SHOT", "$INNER/010")
    for name in ("INNER", "SEQ_", "LOOK", "SEQ", "SH", "LOST", "OTHER"):
        monkeypatch.setenv(name, f"={name}%")
    monkeypatch.setenv("GVM_WEIGHTS", "~/w")
    context = job_context()
    assert [text.partition("=")[0] for text in context.ocio_variables] == [
        *("INNER", "LOOK", "SEQ_", "SH", "SHOT"),
    ]
    assert build.probe("context") == {
        "ocio": context.ocio,
        "variables": list(context.ocio_variables),
        "weights": context.weights,
        "umask": context.umask,
    }


@pytest.mark.parametrize(
    ("size", "part"),
    [
        ((1920, 1080), (0, 0, 1920, 1080)),
        ((641, 361), (0, 0, 641, 361)),
        ((333, 187), (10, 20, 300, 187)),
        ((40, 20), (0, 0, 40, 20)),
        ((64, 36), (0, 0, 0, 0)),
    ],
)
def test_a_picture_has_the_server_s_order(
    build: Build, tmp_path: Path, size: tuple[int, int], part: tuple[int, int, int, int]
):
    """Cells, medians, equal ones and parts without a picture, in both languages."""
    width, height = size
    x1, y1, x2, y2 = part
    random = np.random.default_rng(3)
    noise = cv2.resize(random.random((9, 16), np.float32), size, interpolation=cv2.INTER_CUBIC)
    picture = np.clip(1.6 * noise - 0.3, 0.0, 1.0).astype(np.float32)  # with clipped parts
    picture.tofile(tmp_path / "picture")
    said = build.probe("ranks", str(tmp_path / "picture"), *map(str, (*size, *part)))
    ranks = as_ranks(said)
    window = Box(x=x1, y=y1, width=x2 - x1, height=y2 - y1)
    seen = np.repeat(picture[y1:y2, x1:x2, np.newaxis], 3, axis=2)
    frame = PlateFrame(frame=1, header=FrameHeader(display=window, data=window), stored=seen)
    cells = medians(frame, Box(x=0, y=0, width=width, height=height))
    np.testing.assert_array_equal(ranks < 0, np.isnan(cells))
    assert stress(ranks, cells) < 1e-4
    if window.area:
        assert (ranks == 0).sum() == (ranks_of(cells) == 0).sum()
        assert stress(ranks_of(cells), ranks.astype(np.float32)) < 1e-2


def test_halves_are_ieee_s_bit_for_bit(build: Build, tmp_path: Path):
    """All halves as floats; of floats the nearest half, ties to even, and of a NaN its sign."""
    halves = np.arange(1 << 16, dtype=np.uint32)
    edges = np.arange(0x7C00, dtype=np.uint16).view(np.float16).astype(np.float64)
    middles = ((edges[1:] + edges[:-1]) / 2).astype(np.float32)  # exact: a float has more bits
    near = [middles, np.nextafter(middles, np.float32(0)), np.nextafter(middles, np.float32(9e9))]
    limits = np.float32([65504, 65519.996, 65520, np.inf, np.nan, 1e-45])
    random = np.random.default_rng(5).integers(0, 1 << 32, 100_000, dtype=np.uint32)
    positive = np.concatenate([*near, limits, random.view(np.float32)])
    floats = np.concatenate([positive, -positive])
    floats.tofile(tmp_path / "floats")

    said = build.probe("halves", str(tmp_path / "floats"))

    special = (halves >> 10 & 31) == 31
    bits = (halves & 0x8000) << 16 | 0x7F800000 | (halves & 0x3FF) << 13
    finite = halves.astype(np.uint16).view(np.float16).astype(np.float32).view(np.uint32)
    np.testing.assert_array_equal(said["floats"], np.where(special, bits, finite))
    with np.errstate(over="ignore", invalid="ignore"):
        nearest = floats.astype(np.float16).view(np.uint16)
    quiet = np.where(np.signbit(floats), 0xFE00, 0x7E00)
    np.testing.assert_array_equal(said["halves"], np.where(np.isnan(floats), quiet, nearest))


def test_the_node_turns_the_golden_rectangles_into_the_same_regions(build: Build):
    """What an artist draws from the bottom left is what Python makes of it, or refused."""
    path = GOLDEN / "regions.json"
    vectors = json.loads(path.read_text())["regions"]
    answers = build.probe("regions", str(path))
    assert dict(zip([one["name"] for one in vectors], answers, strict=True)) == {
        one["name"]: one["region"] for one in vectors
    }
