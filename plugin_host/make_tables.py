#!/usr/bin/env python3
"""Writes src/bridge/tables.hpp: what stands once, in nodes/gvm_client, for both languages.

Run it after a change there: python plugin_host/make_tables.py
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "nodes"))

from gvm_client import environment, limits, media  # noqa: E402
from gvm_client.protocol.version import PROTOCOL_VERSION  # noqa: E402

HEADER = HERE / "src" / "bridge" / "tables.hpp"
LIMITS = (
    ("kMaxMessageBytes", "std::size_t", limits.MAX_MESSAGE_BYTES),
    ("kMaxText", "std::size_t", limits.MAX_TEXT),
    ("kMaxRequest", "std::size_t", limits.MAX_REQUEST),
    ("kMaxFields", "std::size_t", limits.MAX_FIELDS),
    ("kMaxFramesInMessage", "std::size_t", limits.MAX_FRAMES_IN_MESSAGE),
    ("kMaxCuts", "std::size_t", limits.MAX_CUTS),
    ("kMaxJobs", "std::size_t", limits.MAX_JOBS),
    ("kMaxVariables", "std::size_t", limits.MAX_VARIABLES),
    ("kMaxConfigBytes", "std::uintmax_t", limits.MAX_CONFIG_BYTES),
    ("kMaxBufferSide", "std::int64_t", limits.MAX_BUFFER_SIDE),
    ("kMaxConnectionBytes", "std::size_t", limits.MAX_CONNECTION_BYTES),
    ("kMaxLogBytes", "std::uintmax_t", limits.MAX_LOG_BYTES),
    ("kMaxFramesPerWindow", "std::int64_t", limits.MAX_FRAMES_PER_WINDOW),
    ("kMaxSteps", "std::int64_t", limits.MAX_STEPS),
    ("kMaxSide", "std::int64_t", limits.MAX_SIDE),
    ("kMaxRadius", "double", limits.MAX_RADIUS),
)
WORDS = (
    ("kScrubbedPrefixes", (*environment.SCRUBBED_PREFIXES, environment.PYTHON_PREFIX)),
    ("kScrubbed", environment.SCRUBBED),
    ("kMovieExtensions", media.MOVIE_EXTENSIONS),
)


def header() -> str:
    """Return the header's text."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "// Written by plugin_host/make_tables.py from nodes/gvm_client: do not edit."
    yield "#pragma once"
    yield ""
    yield from ("#include <array>", "#include <cstddef>", "#include <cstdint>")
    yield ""
    yield "namespace gvm::bridge {"
    yield ""
    yield f"inline constexpr std::int64_t kProtocolVersion = {PROTOCOL_VERSION};"
    for name, kind, value in LIMITS:
        yield f"inline constexpr {kind} {name} = {value};"
    for name, words in WORDS:
        yield from _array(name, words)
    yield ""
    yield "}  // namespace gvm::bridge"


def _array(name: str, words: Sequence[str]) -> Iterator[str]:
    yield ""
    yield f"inline constexpr std::array<const char*, {len(words)}> {name}{{"
    for word in words:
        yield f'    "{word}",'
    yield "};"


if __name__ == "__main__":
    HEADER.write_text(header(), encoding="utf-8")
