"""The node under AddressSanitizer and UBSan: nothing reads or writes where it must not."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.ofx.conftest import FIRST, HEIGHT, LAST, ROOT, WIDTH, build_plugin
from tests.ofx.fakehost import HOSTS, Build, HostPlate, hosting
from tests.ofx.wine import linux_only
from tests.support.site import Site

SMALL = {"engine": 3, "size": 32, "framesPerWindow": 6, "overlap": 2}
STRICT = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:exitcode=99",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
}
pytestmark = linux_only  # mingw has no sanitizers
DEPTHS = ("Byte", "Short", "Half", "Float")


@pytest.fixture(scope="session")
def sanitized(build: Build) -> Build:
    """The plug-in with both sanitizers, in the fake host as it is.

    AddressSanitizer's library, loaded before others, gives the memory of both: what the plug-in
    does to the host's pictures is seen, too.
    """
    named = ["g++", "-print-file-name=libasan.so"]
    library = subprocess.run(named, capture_output=True, text=True, check=True).stdout.strip()
    options = ("-DGVM_SANITIZE=ON", "-DGVM_TESTS=OFF")
    clean = build_plugin(ROOT / "build" / "plugin-sanitized", *options)
    return replace(clean, programs=build.folder, environment={"LD_PRELOAD": library})


@pytest.mark.parametrize("name", HOSTS)
def test_every_host_and_depth_is_clean(
    sanitized: Build, plate: HostPlate, exr_plate: str, site: Site, tmp_path: Path, name: str
):
    """Renders, proxies, parts, buttons, threads and an abort; the host ends without a report."""
    environment = {**site.environment, **STRICT}
    rows = {"row_padding": 20, "negative_rows": True, "offset_x": -5}
    with hosting(
        sanitized, tmp_path, plate=plate, environment=environment, **{**HOSTS[name], **rows}
    ) as host:
        disk = {"plateFile": exr_plate} if name == "mlt" else {}
        for depth in DEPTHS:
            host.tell("behave", depth=f"OfxBitDepth{depth}")
            node = host.create(depth, **SMALL, **disk)
            assert host.render(1003, instance=node)["status"] == 0
            assert host.render(1006, instance=node, scale=1 / 3)["status"] == 0
            assert host.render(1006, instance=node, window=[0, 3, 17, 9])["status"] == 0
            host.tell("render", instance=node, frame=1015, abort_after=3)
            host.tell("set", instance=node, param="outputMode", value=1)
            jobs = [{"instance": node, "frame": frame} for frame in range(FIRST, LAST + 1)]
            answers = host.tell("render_many", threads=4, jobs=jobs)["answers"]
            assert {answer["status"] for answer in answers} == {0}
            for button in ("matteRange", "askStatus", "clearClip", "preset"):
                host.click(button, instance=node)
            assert host.tell("destroy", instance=node)["status"] == 0
        assert host.tell("unload")["status"] == 0


def test_a_region_its_overlay_and_soft_guides_are_clean(
    sanitized: Build, plate: HostPlate, site: Site, tmp_path: Path
):
    """Drawn and dragged, matted at two scales, under guides that fade at the picture's edges."""
    environment = {**site.environment, **STRICT}
    guide = HostPlate(folder=tmp_path / "guide", width=WIDTH, height=HEIGHT, first=FIRST, last=LAST)
    pixels = np.zeros((HEIGHT, WIDTH, 4), np.float32)
    pixels[:9, 60:] = 1.0
    for frame in range(FIRST, LAST + 1):
        guide.write(frame, pixels)
    with hosting(
        sanitized, tmp_path, plate=plate, environment=environment, **HOSTS["natron"]
    ) as host:
        host.tell("plates", plate={}, garbage=guide.said(), holdout=guide.said())
        host.create(**SMALL, useRegion=1, guideFeather=33.5)
        host.click("useRegion")
        for action, *pen in (
            ("Draw",), ("PenDown", -7, 5), ("PenMotion", 30, 20), ("Draw",), ("PenUp", 20, 10)
        ):  # fmt: skip
            name = f"OfxInteractAction{action}"
            assert host.tell("overlay", instance="node", name=name, pen=pen)["status"] == 0
        assert host.value("regionLowerLeft") == [20, 10]
        for words in ({}, {"scale": 1 / 3}, {"window": [0, 3, 17, 9]}):
            assert host.render(1003, **words)["status"] == 0
        host.tell("overlay", instance="node", name="OfxActionDestroyInstance", pen=[])
        assert host.tell("destroy", instance="node")["status"] == 0
        assert host.tell("unload")["status"] == 0
