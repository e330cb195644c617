#!/usr/bin/env python3
"""Writes tables.hpp, knobs.hpp and engines.hpp of src/bridge: what nodes/gvm_client says, for C++.

Run it after a change there: python plugin_host/make_tables.py
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "nodes"))

from gvm_client import filenames, limits, server_config  # noqa: E402
from gvm_client.declaration import Declared, settings_of  # noqa: E402
from gvm_client.engines import EngineName  # noqa: E402
from gvm_client.protocol import PROTOCOL_VERSION  # noqa: E402
from gvm_client.settings import Finish  # noqa: E402

BRIDGE = HERE / "src" / "bridge"
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
    ("kShownColumns", "std::size_t", limits.SHOWN_COLUMNS),
    ("kShownRows", "std::size_t", limits.SHOWN_ROWS),
    ("kShownSamples", "std::size_t", limits.SHOWN_SAMPLES),
    ("kShownEqual", "float", limits.SHOWN_EQUAL),
    ("kMaxShownAspect", "double", limits.MAX_SHOWN_ASPECT),
    ("kMaxConnectionBytes", "std::size_t", limits.MAX_CONNECTION_BYTES),
    ("kMaxLogBytes", "std::uintmax_t", limits.MAX_LOG_BYTES),
    ("kMaxFramesPerWindow", "std::int64_t", limits.MAX_FRAMES_PER_WINDOW),
    ("kMaxSteps", "std::int64_t", limits.MAX_STEPS),
    ("kMaxSide", "std::int64_t", limits.MAX_SIDE),
    ("kMaxRadius", "double", limits.MAX_RADIUS),
)
_ANY = (-1000.0, 1000.0)  # of a parameter, where any number is right
WORDS = (
    ("kScrubbedPrefixes", (*server_config.SCRUBBED_PREFIXES, server_config.PYTHON_PREFIX)),
    ("kScrubbed", server_config.SCRUBBED),
    ("kMovieExtensions", filenames.MOVIE_EXTENSIONS),
)


def headers() -> dict[Path, str]:
    """Return the headers' texts by their paths."""
    return {
        BRIDGE / "tables.hpp": _header(("array", "cstddef", "cstdint"), _tables()),
        BRIDGE / "knobs.hpp": _header(("array",), _knobs()),
        BRIDGE / "engines.hpp": _header(("array",), _engines()),
    }


def _header(includes: Sequence[str], lines: Iterator[str]) -> str:
    text = [
        "// Written by plugin_host/make_tables.py from nodes/gvm_client: do not edit.",
        *("#pragma once", ""),
        *(f"#include <{name}>" for name in includes),
        *("", "namespace gvm::bridge {", "", *lines, "", "}  // namespace gvm::bridge", ""),
    ]
    return "\n".join(text)


def _tables() -> Iterator[str]:
    yield f"inline constexpr std::int64_t kProtocolVersion = {PROTOCOL_VERSION};"
    for name, kind, value in LIMITS:
        yield f"inline constexpr {kind} {name} = {value};"
    for name, words in WORDS:
        yield from _array(name, words)


def _array(name: str, words: Sequence[str]) -> Iterator[str]:
    yield ""
    yield f"inline constexpr std::array<const char*, {len(words)}> {name}{{"
    for word in words:
        yield f'    "{word}",'
    yield "};"


def _engines() -> Iterator[str]:
    members = ", ".join(f"k{engine.name.title().replace('_', '')}" for engine in EngineName)
    yield "/// The engines that a request may name; projects store an engine's place."
    yield f"enum class EngineName {{ {members} }};"
    yield from _array("kEngineWords", [engine.value for engine in EngineName])
    yield from _array("kEngineLabels", [engine.label for engine in EngineName])


def _knobs() -> Iterator[str]:
    declared = settings_of(Finish)
    switches = [knob for knob in declared if isinstance(knob.default, bool)]
    reals = [knob for knob in declared if knob not in switches]
    yield "/// What is done to a finished alpha; none of these runs a model."
    yield "struct MatteKnobs {"
    for knob in declared:
        yield f"  {'bool' if knob in switches else 'double'} {knob.name} = {_value(knob.default)};"
    yield from ("", "  /// Throws Error (bad_request) where a value is out of its range.")
    yield from ("  void check() const;", "};", "")
    yield from ("/// A knob that is a number: its field, and its parameter.", "struct RealKnob {")
    yield from ("  const char *name, *param, *label, *help;", "  double MatteKnobs::*value;")
    yield "  double low, high, slider_low, slider_high;"
    yield "  bool is_bounded, is_length;  // of full-size pixels, of which a proxy has fewer"
    yield from ("};", "", "/// A knob that is on or off.", "struct SwitchKnob {")
    yield from (
        "  const char *name, *param, *label, *help;",
        "  bool MatteKnobs::*value;",
        "};",
        "",
    )
    yield f"inline constexpr std::array<RealKnob, {len(reals)}> kRealKnobs{{{{"
    for knob in reals:
        ends = ", ".join(map(_value, (*(knob.bounds or _ANY), *knob.slider)))
        kinds = f"{_value(knob.bounds is not None)}, {_value(knob.is_length)}"
        yield f"    {{{_words(knob)},"
        yield f"     {ends}, {kinds}}},"
    yield from (
        "}};",
        "",
        f"inline constexpr std::array<SwitchKnob, {len(switches)}> kSwitchKnobs{{{{",
    )
    for knob in switches:
        yield f"    {{{_words(knob)}}},"
    yield "}};"


def _words(knob: Declared) -> str:
    said = (knob.name, param_of(knob.name), knob.label, f"{knob.sentence}.")
    words = ", ".join(f'"{word}"' for word in said)
    return f"{words}, &MatteKnobs::{knob.name}"


def param_of(name: str) -> str:
    """Return the OpenFX parameter's name of a knob: projects are saved by it."""
    return "matte" + "".join(part.capitalize() for part in name.split("_"))


def _value(value: float) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(float(value))


if __name__ == "__main__":
    for path, text in headers().items():
        path.write_text(text, encoding="utf-8")
