"""What no request can hold is a wrong option: a usage error, by the option's name."""

from __future__ import annotations

import pytest

from gvm_client.errors import ErrorCode, SettingsError
from gvm_client.process import Exit
from gvm_server.cli.main import build_parser, main
from gvm_server.cli.matte.original import translate
from gvm_server.cli.matte.request import request_from

LARGE = 10**18


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *((name, LARGE) for name in ("--first", "--last", "--playhead", "--cut")),
        *((name, -(10**30)) for name in ("--first", "--cut")),
        ("--max-frames", -1),
    ],
)
def test_a_number_that_is_no_frame_is_refused_by_its_option(option, value, tmp_path):
    """It was an error of the protocol, in a field's words, with the exit code of a server."""
    words = ["matte", str(tmp_path), "-o", str(tmp_path / "out"), option, str(value)]
    with pytest.raises(SettingsError, match=f"^{option} is {value}"):
        request_from(translate(build_parser().parse_args(words)))
    assert main(words) == Exit.USAGE


@pytest.mark.parametrize("value", [LARGE - 1, 1 - LARGE])
def test_the_largest_frames_are_taken(value):
    """Files may have such numbers."""
    words = ["matte", "plate", "-o", "out", "--first", str(value), "--cut", str(value)]
    request = request_from(translate(build_parser().parse_args(words)))
    assert (request.plate.first, request.plate.cuts) == (value, (value,))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--frames", ",".join(map(str, range(1001, 4000)))], "frames takes"),
        (["--ocio-digest", "junk"], "ocio_digest is 'junk'"),
        (["--layer", "x" * 9000], "layer takes"),
    ],
)
def test_what_no_message_holds_is_a_usage_error(options, says):
    """Said before a server is asked, with the value and its bound."""
    parsed = build_parser().parse_args(["matte", "plate", "-o", "out", *options])
    with pytest.raises(SettingsError, match=says) as caught:
        request_from(translate(parsed))
    assert caught.value.code is ErrorCode.BAD_REQUEST


def test_more_cuts_than_a_message_holds_are_a_usage_error():
    """As if each had been said: argparse goes through all of them for each of them."""
    parsed = build_parser().parse_args(["matte", "plate", "-o", "out", "--cut", "0"])
    parsed.cut = [*range(10_001)]
    with pytest.raises(SettingsError, match="10001 cuts") as caught:
        request_from(translate(parsed))
    assert caught.value.code is ErrorCode.BAD_REQUEST
