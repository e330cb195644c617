"""Errors that are not ours, as they are told."""

from __future__ import annotations

import errno
import os

import pytest

from gvm_server.errors import as_gvm_error


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENAMETOOLONG])
def test_a_place_that_cannot_be_reached_is_not_called_a_defect(number):
    """The place, the system's reason and a remedy."""
    told = as_gvm_error(OSError(number, os.strerror(number), "/shots/010"))
    assert told.message == f"/shots/010 cannot be reached: {os.strerror(number)}."
    assert told.path == "/shots/010"
    assert "defect" not in told.remedy


def test_what_is_not_foreseen_asks_for_a_report():
    """Its class and words are told."""
    told = as_gvm_error(ValueError("odd"))
    assert "ValueError: odd" in told.message
    assert "report" in told.remedy
