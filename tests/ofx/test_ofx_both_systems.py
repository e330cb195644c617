"""The node's pixels under Wine and on Linux, side by side: bit for bit the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.ofx.conftest import FIRST, HEIGHT, LAST, WIDTH, build_plugin
from tests.ofx.fakehost import Build, HostPlate, Open, opening
from tests.ofx.wine import windows_only
from tests.support.site import Site, machine_for_hosts
from tests.support.tree import ROOT

pytestmark = windows_only

SHAPE = (HEIGHT, WIDTH, 4)
FRAMES = (FIRST, FIRST + 6, LAST)
EDGE = 4  # of the output modes
SMALL = {"engine": 3, "size": 32, "framesPerWindow": 6, "overlap": 2}
DRAWN = {"useRegion": 1, "regionLowerLeft": [20, 14], "regionUpperRight": [80, 54]}
# Of each: what the host is like, and what is set on the node.
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    **{
        f"a host of {depth}": ({"like": "nuke", "depth": f"OfxBitDepth{depth}"}, {})
        for depth in ("Byte", "Short", "Half", "Float")
    },
    **{
        f"output mode {mode}": ({"like": "nuke"}, {"outputMode": mode})
        for mode in (0, 1, 2, 3, 5, 6)
    },
    # Without levels all of this clip's mattes are an edge, and white.
    "the edge": ({"like": "nuke"}, {"outputMode": EDGE, "matteBlack": 0.3, "matteWhite": 0.6}),
    "despill": ({"like": "nuke"}, {"outputMode": 5, "despill": 1}),
    "rows from the top, padded": ({"like": "nuke", "negative_rows": True, "row_padding": 48}, {}),
    "bounds elsewhere": ({"like": "natron"}, {"inputColourspace": 2}),
    "video's colours": ({"like": "resolve"}, {}),
    "a region": ({"like": "nuke"}, DRAWN),
    "an enlarged region": ({"like": "nuke"}, {**DRAWN, "regionScale": 2.0}),
    "knobs": ({"like": "nuke"}, {"matteGamma": 1.7, "matteGrow": 2.5, "matteBlur": 3.0}),
    "an inverted matte": ({"like": "nuke"}, {"matteInvert": 1}),
}


@pytest.fixture(scope="module")
def linux_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A machine for the hosts of Linux: a server is named by a process that its hosts can see."""
    with machine_for_hosts(tmp_path_factory.mktemp("linux")) as site:
        yield site


@pytest.fixture
def hosts(
    build: Build, tmp_path: Path, plate: HostPlate, warm_site: Site, linux_site: Site
) -> dict[str, Open]:
    """Hosts of both systems on one clip, each with the server of its own."""
    linux = build_plugin(ROOT / "build" / "plugin")
    return {
        "windows": opening(build, tmp_path, plate, warm_site.environment),
        "linux": opening(linux, tmp_path, plate, linux_site.environment),
    }


@pytest.mark.parametrize("name", CASES)
def test_both_systems_give_the_same_bits(hosts: dict[str, Open], name: str):
    """Whatever the host is like and the node is set to; and there is a matte in them."""
    manner, values = CASES[name]
    made = {}
    for system, opened in hosts.items():
        said = dict(manner)
        with opened(said.pop("like"), **said) as host:
            host.create(**{**SMALL, **values})
            made[system] = np.stack([host.picture(frame, SHAPE) for frame in FRAMES])
    np.testing.assert_array_equal(made["windows"].view(np.uint32), made["linux"].view(np.uint32))
    assert len(np.unique(made["linux"])) > (1 if values.get("outputMode") == EDGE else 20)


@pytest.mark.parametrize("feather", [0.0, 12.5])
def test_guides_give_the_same_bits(hosts: dict[str, Open], tmp_path: Path, feather: float):
    """Garbage and holdout clips, laid on in the node."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    clips = {}
    for name, left in (("garbage", 22.0), ("holdout", 64.0)):
        clip = HostPlate(folder=tmp_path / name, width=WIDTH, height=HEIGHT, first=FIRST, last=LAST)
        pixels = np.zeros(SHAPE, np.float32)
        pixels[..., 3] = np.clip((12.0 - np.hypot(x - left, y - 30.0)) / 4, 0, 1)
        clip.write(FIRST + 3, pixels)
        clips[name] = clip.said()
    made = {}
    for system, opened in hosts.items():
        with opened("natron", offset_x=0, offset_y=0) as host:
            host.tell("plates", plate={}, **clips)
            host.create(**SMALL, inputColourspace=2, guideFeather=feather)
            made[system] = host.picture(FIRST + 3, SHAPE)
    np.testing.assert_array_equal(made["windows"].view(np.uint32), made["linux"].view(np.uint32))
    assert made["linux"][..., 3].max() == 1.0
