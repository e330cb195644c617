"""The grammar of names."""

from __future__ import annotations

import pytest

from gvm_client.errors import ErrorCode, InputError
from gvm_client.filenames import find_field, number_at_end, of_view, percent_name, require_view


@pytest.mark.parametrize(
    ("name", "percent"),
    [
        ("a.%04d.exr", "a.%04d.exr"),
        ("a.%4d.exr", "a.%04d.exr"),
        ("a.%d.exr", "a.%d.exr"),
        ("a.####.exr", "a.%04d.exr"),
        ("a.#.exr", "a.%d.exr"),
        ("a.@@@.exr", "a.%03d.exr"),
        ("a.$F4.exr", "a.%04d.exr"),
        ("a.$F.exr", "a.%d.exr"),
        ("a.[1001-1100].exr", "a.%04d.exr"),
        ("a.[0001-0100].exr", "a.%04d.exr"),
        ("shot#3.####.exr", "shot#3.%04d.exr"),
        ("clip@home_%05d.png", "clip@home_%05d.png"),
        ("50%_grey.####.png", "50%_grey.%04d.png"),
        ("a%20b.0001.png", "a%20b.0001.png"),
        ("still.png", "still.png"),
        ("a.${F4}.exr", "a.%04d.exr"),
        ("a.$FF.exr", "a.$FF.exr"),
        ("shot#3.png", "shot#3.png"),
        ("clip@home.png", "clip@home.png"),
        ("a@2x.png", "a@2x.png"),
        ("a##3.png", "a%02d3.png"),
        ("a####left.exr", "a%04dleft.exr"),
        ("####.clip@home.exr", "%04d.clip@home.exr"),
        ("%04d_shot#2.exr", "%04d_shot#2.exr"),
        ("a_###_left.exr", "a_%03d_left.exr"),
        ("plate####.exr", "plate%04d.exr"),
    ],
)
def test_every_hosts_frame_field_is_understood(name: str, percent: str) -> None:
    """Nuke's, Natron's, Houdini's and Resolve's; the last one counts."""
    assert percent_name(name) == percent


def test_a_field_says_how_it_was_written() -> None:
    """`#` and `@` stand in plain names too."""
    hashes, percent = find_field("a#.exr"), find_field("a%d.exr")
    assert hashes is not None
    assert percent is not None
    assert (hashes.hashes, percent.hashes) == (True, False)
    assert find_field("plain.exr") is None


@pytest.mark.parametrize(
    ("stem", "number"),
    [
        ("a.1001", "1001"),
        ("a.-005", "-005"),
        ("a_-5", "-5"),
        ("-3", "-3"),
        ("shot-0001", "0001"),
        ("A001C002-220101", "220101"),
        ("a--5", "5"),
        ("0007", "0007"),
        ("still", ""),
        ("a.1001b", ""),
        ("a.\u0661", ""),
    ],
)
def test_a_dash_is_a_sign_only_where_nothing_is_separated(stem: str, number: str) -> None:
    """At the start, after a dot and after an underscore."""
    assert number_at_end(stem) == number


def test_a_view_stands_in_names_as_nuke_writes_it() -> None:
    """The whole name and its first letter; without a view nothing is changed, and it is refused."""
    assert of_view("/p/%V/a_%v.%04d.exr", "left") == "/p/left/a_l.%04d.exr"
    assert of_view("/p/a_%V.exr", "") == "/p/a_%V.exr"
    require_view("/p/a.%04d.exr")
    with pytest.raises(InputError, match="%V is the name") as caught:
        require_view("/p/a_%V.%04d.exr")
    assert caught.value.code is ErrorCode.PLATE_AMBIGUOUS
    assert "--view" in caught.value.remedy
