"""`gvm install ofx` on Windows and macOS, by fakes: a library that a host has loaded, the words."""

from __future__ import annotations

from pathlib import Path

import pytest

from gvm_client import platform
from gvm_client.errors import OutputError
from gvm_server.cli.install import ofx
from gvm_server.cli.install.bundle import BUNDLE_NAME, IDENTIFIER, binary_of, search_folders
from gvm_server.cli.main import build_parser

LISTED = f"""<?xml version="1.0"?><plist version="1.0"><dict>
<key>CFBundleIdentifier</key><string>{IDENTIFIER}</string>
<key>CFBundleVersion</key><string>2</string></dict></plist>"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user with an empty home on Windows."""
    home = tmp_path / "home"
    home.mkdir()
    for name in ("HOME", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setattr(platform, "SYSTEM", "win32")
    return home


def bundle(folder: Path, text: str) -> Path:
    """Write the files of a bundle, whose binaries hold a text."""
    place = folder / BUNDLE_NAME
    binary = binary_of(place)
    binary.parent.mkdir(parents=True)
    binary.write_text(text)
    (place / "Contents" / "Info.plist").write_text(LISTED)
    return place


def install(to: Path, of: Path) -> int:
    """Run the command as the command line does."""
    words = ["install", "ofx", "--to", str(to), "--bundle", str(of)]
    return ofx.run(build_parser().parse_args(words))


class Loaded:
    """A host that has a library loaded, as Windows behaves then."""

    def __init__(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.number = file.stat().st_ino
        self.closed = False
        rename, unlink = Path.rename, Path.unlink

        def rename_checked(path: Path, target: Path) -> Path:
            inside = path.is_dir() and any(self._is(found) for found in path.rglob("*"))
            self._refuse(wanted=inside)  # the file itself may be renamed, a folder above it may not
            return rename(path, target)

        def unlink_checked(path: Path, **words: bool) -> None:
            self._refuse(wanted=self._is(path))
            unlink(path, **words)

        monkeypatch.setattr(Path, "rename", rename_checked)
        monkeypatch.setattr(Path, "unlink", unlink_checked)

    def _is(self, path: Path) -> bool:
        return path.is_file() and path.stat().st_ino == self.number

    def _refuse(self, *, wanted: bool) -> None:
        if wanted and not self.closed:
            raise PermissionError(13, "Access is denied")


def test_a_plug_in_that_a_host_has_loaded_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """It is moved aside, and deleted by the next install after the host has gone."""
    to = tmp_path / "OFX"
    assert install(to, bundle(tmp_path / "1", "one")) == 0
    binary = binary_of(to / BUNDLE_NAME)
    host = Loaded(binary, monkeypatch)
    assert install(to, bundle(tmp_path / "2", "two")) == 0
    assert binary.read_text() == "two"
    assert sorted(path.read_text() for path in binary.parent.iterdir()) == ["one", "two"]
    host.closed = True
    assert install(to, bundle(tmp_path / "3", "three")) == 0
    assert [path.read_text() for path in binary.parent.iterdir()] == ["three"]
    assert [path.name for path in to.iterdir()] == [BUNDLE_NAME]


def test_an_install_that_fails_half_way_leaves_the_old_plug_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Hosts find what they found before."""
    to = tmp_path / "OFX"
    assert install(to, bundle(tmp_path / "1", "one")) == 0
    new = bundle(tmp_path / "2", "two")
    rename = Path.rename

    def full(path: Path, target: Path) -> Path:
        if ".gvm-new-" in str(path) and path.name == "GVM.ofx":
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(OutputError, match="No space left"):
        install(to, new)
    binary = binary_of(to / BUNDLE_NAME)
    assert binary.read_text() == "one"
    assert [path.name for path in binary.parent.iterdir()] == ["GVM.ofx"]
    assert sorted(path.name for path in (to / BUNDLE_NAME / "Contents").iterdir()) == [
        "Info.plist",
        "Win64",
    ]


def test_an_uninstall_says_that_a_host_still_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Sudo is no word of Windows."""
    to = tmp_path / "OFX"
    assert install(to, bundle(tmp_path / "1", "one")) == 0
    Loaded(binary_of(to / BUNDLE_NAME), monkeypatch)
    with pytest.raises(OutputError, match="Access is denied") as caught:
        ofx.undo(build_parser().parse_args(["uninstall", "ofx", "--to", str(to)]))
    assert "Close the hosts" in caught.value.remedy
    assert "administrator" in caught.value.remedy


@pytest.mark.parametrize(
    ("system", "folders", "command"),
    [
        ("win32", r"C:\ofx;D:\more", 'setx OFX_PLUGIN_PATH "'),
        ("darwin", "/a:/b", "launchctl setenv OFX_PLUGIN_PATH /"),
        ("linux", "/a:/b", "export OFX_PLUGIN_PATH=/"),
    ],
)
def test_each_system_has_its_separator_and_its_way_to_set_a_variable(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    system: str,
    folders: str,
    command: str,
):
    """A drive's colon separates nothing; macOS' windows read no shell's files."""
    monkeypatch.setattr(platform, "SYSTEM", system)
    monkeypatch.setenv("OFX_PLUGIN_PATH", folders)
    wanted = folders.split(";" if system == "win32" else ":")
    assert [str(folder) for folder in search_folders()][:2] == wanted
    install(tmp_path / "OFX", bundle(tmp_path / "1", "one"))
    assert command in capsys.readouterr().out
