#!/usr/bin/env python3
"""Writes the headers of src/bridge/generated: what nodes/gvm_client declares, for C++.

- error_codes.hpp: the protocol's error codes
- limits.hpp: bounds, times, and the lists of words that are in no message
- settings.hpp: the settings' structs, the presets, and a table of the parameters of a host's panel
- messages.hpp: the protocol's enums, values and messages
- fields.hpp: the fields of each, in the order of the wire

Run it after a change there: `python plugin_host/make_tables.py`. tests/unit/test_tables.py fails
where a header is not what this writes.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "nodes"))

from gvm_client import client, filenames, launcher, limits, server_config  # noqa: E402
from gvm_client.declaration import Declared, settings_of  # noqa: E402
from gvm_client.engines import EngineName  # noqa: E402
from gvm_client.errors import ErrorCode  # noqa: E402
from gvm_client.file_content import Compression, Despill, Layers  # noqa: E402
from gvm_client.protocol import PROTOCOL_VERSION  # noqa: E402
from gvm_client.protocol.fields import KINDS  # noqa: E402
from gvm_client.protocol.messages import MESSAGE_TYPES  # noqa: E402
from gvm_client.settings import (  # noqa: E402
    AUTO_PRESET,
    PRESETS,
    Finish,
    MatteKnobs,
    ModelSettings,
    WindowSettings,
)

GENERATED = HERE / "src" / "bridge" / "generated"
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
    ("kMaxRegions", "std::size_t", limits.MAX_REGIONS),
    ("kMaxRegionScale", "double", limits.MAX_REGION_SCALE),
    ("kMaxRadius", "double", limits.MAX_RADIUS),
    ("kHeartbeatMs", "int", client.HEARTBEAT_MS),
    ("kHeartbeatTimeoutMs", "int", client.HEARTBEAT_TIMEOUT_MS),
    ("kHandshakeMs", "int", client.HANDSHAKE_MS),
    ("kHighWaterMark", "int", client.HIGH_WATER_MARK),
    ("kSilenceSeconds", "double", client.SILENCE_SECONDS),
    ("kStartSeconds", "double", launcher.START_SECONDS),
)
WORDS = (
    ("kScrubbedPrefixes", (*server_config.SCRUBBED_PREFIXES, server_config.PYTHON_PREFIX)),
    ("kScrubbed", server_config.SCRUBBED),
    ("kMovieExtensions", filenames.MOVIE_EXTENSIONS),
    ("kFileLayers", tuple(each.value for each in Layers)),
    ("kFileCompressions", tuple(each.value for each in Compression)),
    ("kDespills", tuple(each.value for each in Despill)),
)
SETTINGS = (WindowSettings, ModelSettings, MatteKnobs)

_UNBOUNDED = (-1000.0, 1000.0)  # of a parameter, where any number is right
_SCALARS = {str: "std::string", int: "std::int64_t", float: "double", bool: "bool"}


def headers() -> dict[Path, str]:
    """Return the headers' texts by their paths."""
    settings = ("array", "cstddef", "cstdint", "string")
    messages = ("optional", "variant", "vector", "bridge/generated/settings.hpp")
    return {
        GENERATED / "error_codes.hpp": _header(("array",), _error_codes()),
        GENERATED / "limits.hpp": _header(("array", "cstddef", "cstdint"), _limits()),
        GENERATED / "settings.hpp": _header(settings, _settings()),
        GENERATED / "messages.hpp": _header(messages, _messages()),
        GENERATED / "fields.hpp": _header(("bridge/generated/messages.hpp",), _fields()),
    }


def param_of(name: str) -> str:
    """Return the OpenFX parameter's name of a window setting: projects are saved by it."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _header(includes: Sequence[str], lines: Iterator[str]) -> str:
    text = [
        "// Written by plugin_host/make_tables.py from nodes/gvm_client: do not edit.",
        *("#pragma once", ""),
        *(f"#include <{name}>" for name in includes if "/" not in name),
        *(f'\n#include "{name}"' for name in includes if "/" in name),
        *("", "namespace gvm::bridge {", "", *lines, "", "}  // namespace gvm::bridge", ""),
    ]
    return "\n".join(text)


# ---- error_codes.hpp and limits.hpp ------------------------------------------------------------


def _error_codes() -> Iterator[str]:
    yield "namespace code {"
    for code in ErrorCode:
        yield f'inline constexpr char {_constant(code)}[] = "{code.value}";'
    yield from ("}  // namespace code", "", "inline constexpr std::array kCodeWords{")
    yield from (f"    code::{_constant(code)}," for code in ErrorCode)
    yield "};"


def _limits() -> Iterator[str]:
    yield f"inline constexpr std::int64_t kProtocolVersion = {PROTOCOL_VERSION};"
    for name, kind, value in LIMITS:
        yield f"inline constexpr {kind} {name} = {value};"
    reaches = ", ".join(str(engine.reach) for engine in EngineName)
    kind = f"std::array<std::int64_t, {len(EngineName)}>"
    yield from ("", "/// Of each engine, in the order of `EngineName`: frames around a window.")
    yield f"inline constexpr {kind} kEngineReaches{{{reaches}}};"
    for name, words in WORDS:
        yield ""
        yield f"inline constexpr std::array<const char*, {len(words)}> {name}{{"
        yield from (f'    "{word}",' for word in words)
        yield "};"


# ---- settings.hpp ------------------------------------------------------------------------------


def _settings() -> Iterator[str]:
    yield "/// The words of an enum on the wire, in the order of its members."
    yield from ("template <class Enum>", "inline constexpr std::array<const char*, 0> kWords{};")
    yield "/// What an artist reads for each, where they have labels of their own."
    yield from ("template <class Enum>", "inline constexpr std::array<const char*, 0> kLabels{};")
    for kind in _used_by(SETTINGS):
        yield from _declared(kind)
    yield ""
    yield from _window_table()
    yield ""
    yield from _preset_table()
    yield ""
    yield from _knob_tables()


def _window_table() -> Iterator[str]:
    whole = [each.name for each in fields(WindowSettings) if each.type == "int"]
    yield "/// A number of WindowSettings: its field, and its parameter in a host's panel."
    yield from ("struct WindowNumber {", "  const char* param;")
    yield from ("  std::int64_t WindowSettings::*value;", "};", "")
    yield f"inline constexpr std::array<WindowNumber, {len(whole)}> kWindowNumbers{{{{"
    for name in whole:
        yield f'    {{"{param_of(name)}", &WindowSettings::{name}}},'
    yield "}};"


def _preset_table() -> Iterator[str]:
    # The server fits the automatic preset's window, so a host could not say which frames it needs.
    fixed = {name: preset for name, preset in PRESETS.items() if name != AUTO_PRESET}
    yield "/// A named bundle of window settings."
    yield from ("struct Preset {", "  const char *name, *label;", "  WindowSettings window;", "};")
    yield ""
    yield f"inline constexpr std::array<Preset, {len(fixed)}> kPresets{{{{"
    for name, preset in fixed.items():
        values = [_literal(getattr(preset.window, each.name)) for each in fields(preset.window)]
        yield f'    {{"{name}", "{name.replace("_", " ").title()}", {{{", ".join(values)}}}}},'
    yield "}};"


def _knob_tables() -> Iterator[str]:
    declared = settings_of(Finish)
    switches = [knob for knob in declared if isinstance(knob.default, bool)]
    choices = [knob for knob in declared if knob.choices]
    reals = [knob for knob in declared if isinstance(knob.default, float)]
    yield from ("/// A knob that is a number: its field, and its parameter.", "struct RealKnob {")
    yield from ("  const char *name, *param, *label, *help;", "  double MatteKnobs::*value;")
    yield "  double low, high, slider_low, slider_high;"
    yield "  bool is_bounded, is_length;  // of full-size pixels, of which a proxy has fewer"
    yield "  bool reruns_model;  // else it is of the finish alone"
    yield "  bool lifts_zero;    // above 0 it makes something of an alpha of 0"
    yield from ("};", "", "/// A knob that is on or off.", "struct SwitchKnob {")
    yield "  const char *name, *param, *label, *help;"
    yield from ("  bool MatteKnobs::*value;", "  bool reruns_model, lifts_zero;", "};", "")
    yield from ("/// A knob that is one of some words.", "struct ChoiceKnob {")
    yield "  const char *name, *param, *label, *help;"
    yield from ("  std::string MatteKnobs::*value;", "  bool reruns_model;", "  std::size_t count;")
    most = max(len(knob.choices) for knob in choices)
    yield f"  std::array<const char*, {most}> words, labels;"
    yield from ("};", "")
    yield f"inline constexpr std::array<RealKnob, {len(reals)}> kRealKnobs{{{{"
    for knob in reals:
        ends = ", ".join(map(_literal, (*(knob.bounds or _UNBOUNDED), *knob.slider)))
        facts = (knob.bounds is not None, knob.is_length, knob.reruns_model, knob.lifts_zero)
        kinds = ", ".join(map(_literal, facts))
        yield f"    {{{_panel(knob)},"
        yield f"     {ends}, {kinds}}},"
    yield from ("}};", "")
    yield f"inline constexpr std::array<SwitchKnob, {len(switches)}> kSwitchKnobs{{{{"
    for knob in switches:
        yield f"    {{{_panel(knob)}, {_literal(knob.reruns_model)}, {_literal(knob.lifts_zero)}}},"
    yield from ("}};", "")
    yield f"inline constexpr std::array<ChoiceKnob, {len(choices)}> kChoiceKnobs{{{{"
    for knob in choices:
        yield f"    {{{_panel(knob)}, {_literal(knob.reruns_model)}, {len(knob.choices)},"
        yield f"     {{{_listed(knob.choices)}}},"
        yield f"     {{{_listed(word.title() for word in knob.choices)}}}}},"
    yield "}};"


def _panel(knob: Declared) -> str:
    said = (knob.name, param_of(f"matte_{knob.name}"), knob.label, f"{knob.sentence}.")
    return f"{_listed(said)}, &MatteKnobs::{knob.name}"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f'"{word}"' for word in words)


# ---- messages.hpp ------------------------------------------------------------------------------


def _messages() -> Iterator[str]:
    yield "/// An error code, as a message brings it."
    yield from ("struct CodeWord {", "  std::string word;", "};")
    used = _used_by(tuple(MESSAGE_TYPES.values()))
    settings = _used_by(SETTINGS)
    for kind in used:
        if kind not in settings:
            yield from _declared(kind)
    yield ""
    types = ", ".join(kind.__name__ for kind in MESSAGE_TYPES.values())
    yield from (
        "/// Every message, in the order of its words.",
        f"using Message = std::variant<{types}>;",
    )
    yield ""
    yield "inline constexpr std::array<const char*, std::variant_size_v<Message>> kMessageWords{"
    yield from (f'    "{word}",' for word in MESSAGE_TYPES)
    yield "};"
    yield from ("", "/// The tag of a member of a union, under the key `kind`.")
    for kind, tag in KINDS.items():
        yield f'inline const char* kind_of(const {kind.__name__}&) {{ return "{tag}"; }}'


# ---- fields.hpp --------------------------------------------------------------------------------


def _fields() -> Iterator[str]:
    yield "// The fields in the order of the wire: `visit(name, value)` for one that must be there,"
    yield "// `visit.defaulted(name, value)` for one that may be left out."
    for kind in _used_by(tuple(MESSAGE_TYPES.values())):
        if is_dataclass(kind):
            yield from _visitor(kind)


def _visitor(kind: Any) -> Iterator[str]:  # noqa: ANN401 (any dataclass)
    named = bool(fields(kind))
    yield ""
    yield "template <class Visitor>"
    yield f"void fields(Visitor&{' visit' * named}, {kind.__name__}&{' value' * named}) {{"
    for each in fields(kind):
        call = "visit" if _is_required(each) else "visit.defaulted"
        yield f'  {call}("{each.name}", value.{each.name});'
    yield "}"


# ---- any struct or enum ------------------------------------------------------------------------


def _used_by(kinds: Sequence[type]) -> list[type]:
    """Return the enums and dataclasses that these need, each after what it needs itself."""
    found: list[type] = []

    def add(hint: Any) -> None:  # noqa: ANN401 (a type hint has no type)
        if get_origin(hint) is not None:
            for part in get_args(hint):
                add(part)
        elif is_dataclass(hint) and hint not in found:
            for each in get_type_hints(hint).values():
                add(each)
            found.append(hint)  # type: ignore[arg-type]
        elif hint not in found and hint is not ErrorCode and _is_enum(hint):
            found.append(hint)

    for kind in kinds:
        add(kind)
    return found


def _declared(kind: Any) -> Iterator[str]:  # noqa: ANN401 (any enum or dataclass)
    about = (inspect.getdoc(kind) or "").partition("\n")[0]
    yield from ("", f"/// {about}")
    if _is_enum(kind):
        members = ", ".join(_constant(member) for member in kind)
        words = ", ".join(f'"{member.value}"' for member in kind)
        yield f"enum class {kind.__name__} {{ {members} }};"
        yield "template <>"
        yield f"inline constexpr std::array kWords<{kind.__name__}>{{{words}}};"
        if labels := [f'"{member.label}"' for member in kind if hasattr(member, "label")]:
            yield "template <>"
            yield f"inline constexpr std::array kLabels<{kind.__name__}>{{{', '.join(labels)}}};"
        return
    hints = get_type_hints(kind)
    lines = [f"  {_type(hints[each.name])} {each.name}{_default(each)};" for each in fields(kind)]
    yield from (
        (f"struct {kind.__name__} {{", *lines, "};")
        if lines
        else (f"struct {kind.__name__} {{}};",)
    )


def _type(hint: Any) -> str:  # noqa: ANN401 (a type hint has no type)
    if get_origin(hint) is tuple:
        return f"std::vector<{_type(get_args(hint)[0])}>"
    if get_origin(hint) in (Union, UnionType):
        options = [option for option in get_args(hint) if option is not NoneType]
        inner = ", ".join(map(_type, options))
        return f"std::{'optional' if len(options) == 1 else 'variant'}<{inner}>"
    if hint is ErrorCode:
        return "CodeWord"
    return _SCALARS.get(hint) or str(hint.__name__)


def _default(field: Field[Any]) -> str:
    value = field.default
    if value is MISSING:
        return "{}"
    plain = value is None or value in ("", ()) or is_dataclass(value)
    return "" if plain else f" = {_literal(value)}"


def _is_required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _is_enum(hint: object) -> bool:
    return isinstance(hint, type) and issubclass(hint, Enum)


def _constant(member: Enum) -> str:
    return "k" + "".join(part.capitalize() for part in member.name.split("_"))


def _literal(value: object) -> str:
    if isinstance(value, Enum):
        return f"{type(value).__name__}::{_constant(value)}"
    if isinstance(value, str):
        return f'"{value}"'
    return str(value).lower() if isinstance(value, bool) else repr(value)


if __name__ == "__main__":
    for path, text in headers().items():
        path.write_text(text, encoding="utf-8")
