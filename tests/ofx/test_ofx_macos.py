"""The plug-in for macOS, as a file: it is built here and was never run.

`make plugin-macos` builds it; until then these tests are skipped, with one line.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.macho import ADHOC, BUNDLE, Slice, read_slices
from tests.support.tree import ROOT

BINARY = ROOT / "build" / "plugin-macos" / "GVM.ofx.bundle" / "Contents" / "MacOS" / "GVM.ofx"
OLDEST = "11.0"

pytestmark = pytest.mark.skipif(not BINARY.exists(), reason="not built: make plugin-macos")


@pytest.fixture(scope="module")
def slices() -> list[Slice]:
    """Both architectures of the built file."""
    return read_slices(BINARY)


def test_one_file_is_a_bundle_of_both_architectures(slices: list[Slice]):
    """Apple silicon and Intel load the same file, as a plug-in and not as a library."""
    assert {one.name for one in slices} == {"arm64", "x86_64"}
    assert [one.kind for one in slices] == [BUNDLE, BUNDLE]
    assert [path.name for path in BINARY.parent.iterdir()] == ["GVM.ofx"]


def test_only_the_openfx_entry_points_are_exported(slices: list[Slice]):
    """Hosts carry other versions of what is inside: nothing else may be seen."""
    for one in slices:
        assert one.exports == {"_OfxGetNumberOfPlugins", "_OfxGetPlugin"}, one.name


def test_the_system_s_library_is_all_that_it_needs(slices: list[Slice]):
    """Nothing has to lie beside it, and no name of a build folder is in it."""
    for one in slices:
        assert one.libraries == ("/usr/lib/libSystem.B.dylib",), one.name


def test_the_oldest_macos_is_the_one_that_the_property_list_names(slices: list[Slice]):
    """A host's system refuses a newer one with a sentence, not with a missing symbol."""
    listed = (BINARY.parents[1] / "Info.plist").read_text(encoding="utf-8")
    assert f"<key>LSMinimumSystemVersion</key><string>{OLDEST}</string>" in listed
    assert [one.minimum for one in slices] == [OLDEST, OLDEST]


def test_every_page_of_both_slices_is_what_its_signature_says(slices: list[Slice]):
    """Apple silicon kills a process that loads a page which does not fit, or no signature."""
    for one in slices:
        assert one.flags & ADHOC, one.name
        assert one.pages > 100
        assert one.bad_pages == (), one.name


def test_a_changed_byte_breaks_the_signature(tmp_path: Path):
    """The test above can fail; a strip or a rename of the built file would be found."""
    changed = bytearray(BINARY.read_bytes())
    changed[len(changed) * 3 // 4] ^= 1
    (tmp_path / "GVM.ofx").write_bytes(changed)
    assert sum(len(one.bad_pages) for one in read_slices(tmp_path / "GVM.ofx")) == 1
