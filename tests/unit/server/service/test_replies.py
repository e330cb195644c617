"""Errors as replies: whole, and always fit to be sent."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gvm_client.errors import ErrorCode, InputError
from gvm_client.protocol.wire import decode, encode
from gvm_server.service.replies import failed_by
from tests.support.messages import JOB


def test_nothing_of_an_error_is_lost():
    """Code, sentence, remedy, frame and path reach the client."""
    error = InputError(
        "Frame 7 is cut short.",
        remedy="Render it again.",
        code=ErrorCode.PLATE_UNREADABLE,
        frame=7,
        path="/p/a.0007.exr",
    )
    failed = failed_by(error, job=JOB)
    assert (failed.code, failed.message, failed.remedy) == (error.code, error.message, error.remedy)
    assert (failed.frame, failed.path, failed.job) == (7, "/p/a.0007.exr", JOB)


@given(st.text(st.characters(), max_size=50), st.integers(1, 4000))
def test_any_error_can_be_sent(text: str, times: int):
    """Long traces and file names that are not UTF-8 are cut and escaped, not refused."""
    failed = failed_by(InputError(text * times, remedy="\udcff", path="/p/\udce4.exr"))
    assert decode(encode(failed, request="1")).message == failed
    assert failed.path == "/p/\\udce4.exr"
