"""SMPTE timecode, frame by frame."""

from __future__ import annotations

from fractions import Fraction

import pytest

from gvm_server.media.plates.movies.file import timecode_at, timecode_text

NTSC, NTSC60, FILM = Fraction(30000, 1001), Fraction(60000, 1001), Fraction(24000, 1001)


def shown(words: tuple[int, int] | None) -> str:
    """Return timecode words as a person reads them; `'` marks the second frame of a pair."""
    assert words is not None
    word = words[0]

    def two(shift: int, tens: int) -> int:
        return (word >> shift & 0xF) + 10 * (word >> shift + 4 & tens)

    drops = ";" if word & 0x40 else ":"
    pair = "'" if word & 0x8000 else ""
    return f"{two(24, 3):02}:{two(16, 7):02}:{two(8, 7):02}{drops}{two(0, 3):02}{pair}"


@pytest.mark.parametrize(
    ("text", "rate", "index", "expected"),
    [
        ("10:00:00:12", Fraction(24), 0, "10:00:00:12"),
        ("10:00:00:12", Fraction(24), 3, "10:00:00:15"),
        ("10:00:00:12", Fraction(24), 12, "10:00:01:00"),
        ("00:59:59:23", FILM, 1, "01:00:00:00"),
        ("23:59:59:24", Fraction(25), 1, "00:00:00:00"),
        ("01:00:59:29", NTSC, 1, "01:01:00:00"),
        ("01:00:59;29", NTSC, 1, "01:01:00;02"),
        ("01:00:00;00", NTSC, 1800, "01:01:00;02"),
        ("01:09:59;29", NTSC, 1, "01:10:00;00"),
        ("00:00:00;00", NTSC, 17982, "00:10:00;00"),
        ("01:00:00;00", NTSC, 107892, "02:00:00;00"),
        ("23:59:59;29", NTSC, 1, "00:00:00;00"),
        ("01:00:00:00", Fraction(60), 3, "01:00:00:01'"),
        ("01:00:59;59", NTSC60, 1, "01:01:00;02"),
        ("00:00:01:49", Fraction(50), 1, "00:00:02:00"),
    ],
)
def test_each_frame_has_its_own_timecode(text, rate, index, expected):
    """Seconds roll over, drop-frame counting leaves its numbers out, fast rates count in pairs."""
    assert shown(timecode_at(text, rate, index)) == expected


def test_drop_frame_numbers_follow_one_another_for_a_day_of_minutes():
    """Every number comes once, in order, and those that are left out never do."""
    seen = [shown(timecode_at("00:58:00;02", NTSC, index)) for index in range(1798 * 3)]
    assert len(set(seen)) == len(seen)
    assert seen == sorted(seen)
    left_out = {f"00:59:00;{frame:02}" for frame in (0, 1)}
    assert not left_out & set(seen)
    assert "01:00:00;00" in seen


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("", Fraction(24)),
        ("1:2:3", Fraction(24)),
        ("10:00:00:24", Fraction(24)),
        ("24:00:00:00", Fraction(24)),
        ("10:61:00:00", Fraction(24)),
        ("10:00:00:00", Fraction(120)),
        ("10:00:00:00", Fraction(1, 10)),
        ("soon", Fraction(25)),
    ],
)
def test_what_is_no_timecode_is_none(text, rate):
    """A damaged track costs the timecode, not the matte."""
    assert timecode_at(text, rate, 0) is None


@pytest.mark.parametrize(
    "rate", [Fraction(24), Fraction(24000, 1001), Fraction(25), NTSC, 2 * NTSC]
)
@pytest.mark.parametrize("separator", [":", ";"])
def test_words_are_the_text_that_they_were_made_of(rate, separator):
    """Every frame of minutes around a dropped number, and the last of a day."""
    drops = separator == ";" and rate in (NTSC, 2 * NTSC)
    for start in ("00:00:59", "09:59:58", "23:59:59"):
        words = timecode_at(f"{start}{separator}00", rate, 7)
        text = timecode_text(words, rate)
        assert (";" in text) is drops
        assert timecode_at(text, rate, 0) == words
    assert timecode_text((0, 0), Fraction(120)) == ""
    assert timecode_text((0x3F7F7F3F, 0), Fraction(25)) == ""  # no time of a day
