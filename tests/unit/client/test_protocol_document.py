"""`docs/protocol.md` says what the code does: every message, field, default, state and code."""

from __future__ import annotations

import json
import re
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from gvm_client.errors import ErrorCode
from gvm_client.protocol import PROTOCOL_VERSION, messages, wire
from gvm_client.protocol.fields import KINDS, MAX_LIST, _options
from gvm_client.protocol.lifecycle import JOB_TRANSITIONS, JobState
from gvm_client.settings import MatteKnobs, ModelSettings, WindowSettings
from tests.support.tree import DOCS

DOCUMENT = (DOCS / "protocol.md").read_text(encoding="utf-8")
WORDS = {kind: word for word, kind in messages.MESSAGE_TYPES.items()}
VALUES = (
    messages.FilePlate,
    messages.PushedPlate,
    messages.FileOutput,
    messages.FileContent,
    messages.MappedOutput,
    messages.MappedFrame,
    messages.FrameKey,
    WindowSettings,
    ModelSettings,
    MatteKnobs,
    messages.JobContext,
    messages.Guides,
    messages.StageSeconds,
    messages.JobSummary,
)
PLAIN = {
    int: "int",
    float: "float",
    str: "text",
    bool: "bool",
    NoneType: "nil",
    ErrorCode: "an error code",
}


def type_in_words(hint: Any) -> str:
    """Return a type hint as the document writes it."""
    options = [_one_in_words(option) for option in _options(hint)]
    return " or ".join(options)


def _one_in_words(hint: Any) -> str:
    if get_origin(hint) is tuple:
        return f"list of {type_in_words(get_args(hint)[0])}"
    if is_dataclass(hint):
        return f"`{hint.__name__}`"
    if issubclass(hint, Enum) and hint is not ErrorCode:
        return " ".join(f"`{member.value}`" for member in hint)
    return PLAIN[hint]


def default_in_words(value: object) -> str:
    """Return a field's default as the document writes it."""
    if value is MISSING:
        return ""
    if value is None:
        return "nil"
    if is_dataclass(value):
        return "its defaults"
    if isinstance(value, Enum):
        return f"`{value.value}`"
    return f"`{json.dumps(value)}`"


def rows(kind: type) -> list[str]:
    """Return the beginning of each line that the document must have for a dataclass."""
    hints = get_type_hints(kind)
    return [
        f"| `{field.name}` | {type_in_words(hints[field.name])}"
        f" | {default_in_words(field.default)} |"
        for field in fields(kind)
    ]


def section(title: str) -> str:
    """Return what stands under a heading."""
    found = re.search(rf"^#+ {re.escape(title)}$(.*?)(?=^#|\Z)", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert found, f"docs/protocol.md has no section {title!r}"
    return found[1]


def first_cells(text: str) -> list[str]:
    """Return the words in backticks that open the lines of a table."""
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


@pytest.mark.parametrize("kind", [*WORDS, *VALUES], ids=lambda kind: kind.__name__)
def test_every_field_stands_there_with_its_type_and_default(kind: type):
    """The tables' fields are the dataclass's, in its order, each with something to say."""
    text = section(f"`{WORDS[kind]}`" if kind in WORDS else f"`{kind.__name__}`")
    assert first_cells(text) == [field.name for field in fields(kind)]
    lines = text.splitlines()
    for row in rows(kind):
        (line,) = (line for line in lines if line.startswith(row))
        assert len(line) > len(row) + 4


def test_every_message_stands_there_in_order():
    """No message is missing, none is there that does not exist."""
    headings = re.findall(r"^### `([a-z_]+)`$", DOCUMENT, re.MULTILINE)
    assert headings == list(messages.MESSAGE_TYPES)


def test_every_error_code_stands_there_in_order():
    """No code is missing, none is there that does not exist."""
    assert first_cells(section("Error codes")) == [code.value for code in ErrorCode]


def test_the_state_table_is_the_codes():
    """Each cell of the table is what `JOB_TRANSITIONS` says."""
    lines = [line for line in section("Job states").splitlines() if line.startswith("| ")]
    states = re.findall(r"`(\w+)`", lines[0])
    assert states == [state.value for state in JobState]
    said = {}
    for line in lines[1:]:
        word, *cells = (cell.strip(" `") for cell in line.strip("|").split("|"))
        said |= {(state, word): cell for state, cell in zip(states, cells, strict=True) if cell}
    code = {
        (state.value, WORDS[kind]): (target or state).value
        for state, moves in JOB_TRANSITIONS.items()
        for kind, target in moves.items()
    }
    assert said == code


def test_the_numbers_are_the_codes():
    """The version and the bounds that the document names are those of the code."""
    bounds = section("Bounds")
    for number in (
        wire.MAX_MESSAGE_BYTES,
        wire.MAX_REQUEST,
        wire.MAX_FIELDS,
        messages.MAX_TEXT,
        messages.MAX_FRAMES_IN_MESSAGE,
        messages.MAX_JOBS,
        MAX_LIST,
    ):
        assert re.search(rf"\b{number}\b", bounds)
    assert f"Version {PROTOCOL_VERSION}." in DOCUMENT


def test_every_union_tag_stands_there():
    """The tags of plates and outputs are named where those are."""
    for kind, tag in KINDS.items():
        assert f'`kind` = `"{tag}"`' in section(f"`{kind.__name__}`")
