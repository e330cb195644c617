"""Documents lead somewhere: links, headings, and the files that the maps of the tree name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.tree import DOCS, ROOT

DOCUMENTS = sorted(
    path for pattern in ("*.md", "docs/**/*.md", "tests/**/*.md") for path in ROOT.glob(pattern)
)
MAPS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "tests" / "README.md",
    DOCS / "architecture.md",
    DOCS / "decisions" / "0006-libraries.md",
]
_CODE = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)*/?")


def name(path: Path) -> str:
    """Return a test's name for a document."""
    return str(path.relative_to(ROOT))


def prose(document: Path) -> str:
    """Return a document's text without its fenced blocks."""
    text = document.read_text(encoding="utf-8")
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


def links(document: Path) -> Iterator[str]:
    """Yield what the links of a document lead to, other sites left out."""
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(document)):
        if "://" not in target:
            yield target


def anchors(document: Path) -> set[str]:
    """Return the headings of a document as a code host's links name them."""
    headings = re.findall(r"^#+ (.+)$", prose(document), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


def paths(document: Path) -> Iterator[str]:
    """Yield the paths that a document names in code: whatever has a slash, and no root."""
    for code in _CODE.findall(prose(document)):
        for word in code.split():
            if "/" in word and _PATH.fullmatch(word):
                yield word


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_link_leads_to_a_file_and_a_heading(document):
    """Of this tree; other sites are not asked."""
    gone = []
    for target in links(document):
        file, _, heading = target.partition("#")
        place = document.parent / file if file else document
        if not place.exists() or (heading and heading not in anchors(place)):
            gone.append(target)
    assert gone == []


@pytest.mark.parametrize("document", MAPS, ids=name)
def test_every_path_that_a_map_of_the_tree_names_exists(document):
    """A file that moves is missed here."""
    named = set(paths(document))
    assert named
    roots = (ROOT, document.parent)
    gone = [path for path in named if not any((root / path).exists() for root in roots)]
    assert sorted(gone) == []


def test_the_map_is_one_page_and_gives_each_term_its_source():
    """At most 130 lines; at most 30 rows of three cells, none empty."""
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    assert text.count("\n") <= 130
    _, words = text.split("\n## Words\n")
    rows = [line.strip("|").split(" | ") for line in words.splitlines() if line.startswith("| ")]
    assert len(rows) <= 31
    assert [row for row in rows if len(row) != 3 or not all(cell.strip() for cell in row)] == []


def test_the_changelog_keeps_a_changelog_s_form():
    """Versions, newest first, and in each the known kinds of change, each once."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    _, *versions = re.split(r"^## ", text, flags=re.MULTILINE)
    titles = [version.partition("\n")[0] for version in versions]
    assert titles[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", title) for title in titles[1:])
    for version in versions:
        kinds = re.findall(r"^### (.+)$", version, flags=re.MULTILINE)
        assert len(kinds) == len(set(kinds))
        assert set(kinds) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
