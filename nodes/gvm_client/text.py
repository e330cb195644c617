"""Text for people: counts with their nouns, and names that a terminal or a log line may show.

Names of files come from anywhere: they may hold escape sequences, line breaks, marks that turn the
reading direction, and bytes that are no UTF-8, which Python keeps as lone surrogates. What would
steer a terminal, or is no text, is shown escaped.
"""

from __future__ import annotations

import re

_BREAKS = "\t\n"
_FORBIDDEN = (
    r"\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and newline, DEL, C1
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # Unicode's bidirectional controls
    r"\u2028\u2029"  # its line and paragraph separators
    r"\ud800-\udfff"  # surrogates: bytes of a name that are not UTF-8
)
_UNSAFE = re.compile(f"[{_FORBIDDEN}]")
_UNSAFE_IN_LINE = re.compile(f"[{_BREAKS}{_FORBIDDEN}]")

ARE = ("is", "are")
WERE = ("was", "were")
LIES = ("lies", "lie")


def printable(text: str) -> str:
    """Return a text of any lines as a terminal may show it."""
    return _UNSAFE.sub(_escaped, text)


def one_line(text: str) -> str:
    """Return a text as one line: a line break in a name begins no line of its own."""
    return _UNSAFE_IN_LINE.sub(_escaped, text)


def is_text(text: str) -> bool:
    """Return whether a text can be sent and stored as UTF-8; a file's name may be none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:  # PEP 383: the byte that could not be decoded
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def counted(count: int, noun: str, verb: tuple[str, str] | None = None) -> str:
    """Return a count with its noun and verb, such as `1 frame is` or `2 frames are`.

    Args:
        count: how many.
        noun: for one; more take a plain `s`.
        verb: for one and for more; none by default.
    """
    words = [str(count), noun if count == 1 else f"{noun}s"]
    if verb is not None:
        words.append(verb[count != 1])
    return " ".join(words)
