"""`docs/hosts.md` promises, and `tests/README.md` names the test of each promise: they exist."""

from __future__ import annotations

import re

from tests.support.tree import ROOT

HOSTS = ROOT / "docs" / "hosts.md"
TESTS = ROOT / "tests" / "README.md"


def test_every_test_that_is_named_for_a_promise_exists():
    """A promise without its test would be an empty one."""
    named = re.findall(r"`(test_\w+)`", TESTS.read_text(encoding="utf-8"))
    files = list((ROOT / "tests").rglob("test_*.py"))
    known = {path.stem for path in files}
    for path in files:
        known.update(re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE))
    assert len(named) > 100
    assert sorted(set(named) - known) == []


def test_every_row_of_promises_names_a_test():
    """Two cells, the second of nothing but tests."""
    _, promises = TESTS.read_text(encoding="utf-8").split("\n## What artists are promised")
    rows = [line for line in promises.splitlines() if line.startswith("| ")]
    empty = [row for row in rows if not re.search(r"\| (`test_\w+`(, )?)+ \|$", row)]
    assert empty == ["| promise | tests |"] * 3


def test_artists_are_not_shown_names_of_tests():
    """They read what they get; who doubts it follows a link."""
    assert re.findall(r"`[^`]*test_\w+[^`]*`", HOSTS.read_text(encoding="utf-8")) == []
