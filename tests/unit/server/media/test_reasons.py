"""A library's reason for a damaged file is text, whatever bytes it quotes."""

from __future__ import annotations

from gvm_server.media.reasons import reason_of


class Quoting:
    """A file whose reason quotes bytes that are no text, as OpenImageIO's does."""

    def geterror(self) -> str:
        return b"Unknown attribute \xff\xfe".decode()


def test_a_reason_that_is_no_text_is_told_in_our_words():
    """It raises nothing: a damaged file is an error of its own kind, never a defect of ours."""
    assert reason_of(Quoting()) == "it is damaged"
    assert reason_of(None) == ""
