"""SMPTE timecode: from a movie's text to the two words that an EXR holds, frame by frame.

Sources: SMPTE ST 12-1 (frame numbers that drop-frame counting leaves out; frame pairs above 30
frames per second), OpenEXR's ImfTimeCode (the packing: binary coded decimals and flags).
"""

from __future__ import annotations

import re
from fractions import Fraction

_TEXT = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})([:;.,])(\d{2})", re.ASCII)
_DROPPED_FLAG = 1 << 6
_SECOND_OF_PAIR = 1 << 15  # the field/phase flag: which frame of a pair it is
_MAX_RATE = 60  # frames per second that a timecode can count


def timecode_at(text: str, rate: Fraction, index: int) -> tuple[int, int] | None:
    """Return the timecode words of a movie's frame.

    Args:
        text: of the movie's first frame, `hh:mm:ss:ff`; a semicolon before the frames means that
            numbers are dropped (29.97 and 59.94 frames per second).
        rate: frames per second.
        index: the frame, 0-based.

    Returns:
        The time and flags, and the user data (0), as OpenEXR's `timeCode` has them; None where
        the text is no timecode of such a rate.
    """
    match = _TEXT.fullmatch(text.strip())
    nominal = round(rate)
    if match is None or not 1 <= nominal <= _MAX_RATE:
        return None
    hours, minutes, seconds, frames = (int(match[part]) for part in (1, 2, 3, 5))
    drops = match[4] != ":" and nominal % 30 == 0 and rate.denominator != 1
    if hours > 23 or minutes > 59 or seconds > 59 or frames >= nominal:
        return None
    count = ((hours * 60 + minutes) * 60 + seconds) * nominal + frames
    return _packed(_advanced(count, nominal, index, drops=drops), nominal, drops=drops), 0


def _advanced(count: int, nominal: int, index: int, *, drops: bool) -> int:
    """Return a frame's number within a day of nominal frames, so many frames after another."""
    per_minute = nominal * 60
    dropped = nominal // 15 if drops else 0  # numbers left out at each minute but every tenth
    whole_minutes = count // per_minute
    real = count - dropped * (whole_minutes - whole_minutes // 10) + index
    per_ten = per_minute * 10 - dropped * 9
    tens, rest = divmod(real % (per_ten * 6 * 24), per_ten)
    # The first minute of ten keeps its numbers; each of the others starts at the dropped-th.
    later = max(0, (rest - per_minute) // (per_minute - dropped) + 1) if dropped else 0
    return tens * per_minute * 10 + rest + dropped * later


def _packed(count: int, nominal: int, *, drops: bool) -> int:
    seconds, frames = divmod(count, nominal)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    pair = nominal > 30
    second_of_pair = pair and frames % 2 == 1
    word = _bcd(frames // 2 if pair else frames)
    word |= _bcd(seconds) << 8 | _bcd(minutes) << 16 | _bcd(hours % 24) << 24
    return word | (_DROPPED_FLAG if drops else 0) | (_SECOND_OF_PAIR if second_of_pair else 0)


def _bcd(number: int) -> int:
    return number // 10 << 4 | number % 10
