"""The OpenFX plug-in's rooms: the node uses the bridge, never the other way; no circles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

from tests.support.tree import ROOT

SOURCES = ROOT / "plugin_host" / "src"
MAY_INCLUDE = {
    "bridge": {"bridge"},
    "openfx": {"openfx"},
    "node": {"bridge", "node", "openfx"},
}
SDK_CHECK = SOURCES / "openfx" / "sdk_check.cpp"  # compares ours with an SDK's headers


def _sources() -> list[Path]:
    return [path for path in sorted(SOURCES.rglob("*")) if path.suffix in (".cpp", ".hpp", ".h")]


def _included(path: Path) -> Iterator[str]:
    """Yield the files of ours that a file includes; system headers stand in angle brackets."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if found := re.match(r'\s*#\s*include\s*"([^"]+)"', line):
            yield found[1]


def test_every_include_is_of_a_room_that_the_file_may_use():
    """By its path from `src`, so that the room is seen in it."""
    rooms = {path.relative_to(SOURCES).parts[0] for path in _sources()}
    assert rooms == set(MAY_INCLUDE)
    for path in _sources():
        room = path.relative_to(SOURCES).parts[0]
        for name in _included(path):
            if path == SDK_CHECK and "/" not in name:
                continue
            assert name.partition("/")[0] in MAY_INCLUDE[room], f"{path} includes {name}"
            assert (SOURCES / name).is_file(), f"{path} includes {name}"


def test_no_headers_include_each_other_in_a_circle():
    """Of all rooms."""
    headers = {
        str(path.relative_to(SOURCES)): set(_included(path))
        for path in _sources()
        if path.suffix != ".cpp"
    }
    assert len(list(TopologicalSorter(headers).static_order())) == len(headers)


def test_only_the_node_knows_openfx():
    """The bridge is built and tested without a host; its sources say nothing of OpenFX's types."""
    for path in (SOURCES / "bridge").rglob("*"):
        if path.is_file():
            assert "ofx::" not in path.read_text(encoding="utf-8"), path
