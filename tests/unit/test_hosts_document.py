"""`docs/hosts.md` names a test for what it promises: each of them exists."""

from __future__ import annotations

import re

from tests.support.tree import ROOT


def test_every_test_that_the_document_names_exists():
    """A promise without its test would be an empty one."""
    document = (ROOT / "docs" / "hosts.md").read_text(encoding="utf-8")
    named = re.findall(r"`(test_\w+?)(?:\.py)?`", document)
    files = list((ROOT / "tests").rglob("test_*.py"))
    known = {path.stem for path in files}
    for path in files:
        known.update(re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE))
    assert len(named) > 20
    assert sorted(set(named) - known) == []
