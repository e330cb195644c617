"""What hosts remember of the plug-in, read from files of the shape that they write."""

from __future__ import annotations

import os
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest

from gvm_server.cli.doctor import caches
from gvm_server.cli.doctor.finding import Health
from gvm_server.cli.install.bundle import IDENTIFIER, InstalledBundle, read_bundle

OTHER = (
    '<bundle>\n <binary bundle_path="/usr/OFX/Plugins/Misc.ofx.bundle"'
    ' path="/usr/OFX/Plugins/Misc.ofx.bundle/Contents/Linux-x86-64/Misc.ofx"'
    ' mtime="1" size="2" status="2"/>\n</bundle>\n'
)
PLUGIN = f'<plugin name="{IDENTIFIER}" index="0"><apiproperties/></plugin>'


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InstalledBundle:
    """An installed plug-in of a user whose hosts have run nowhere yet."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "FUSION_PROFILE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NUKE_TEMP_DIR", str(tmp_path / "nuke"))
    found = read_bundle(tmp_path / "ofx" / "GVM.ofx.bundle")
    found.binary.parent.mkdir(parents=True)
    found.binary.write_bytes(b"plug-in")
    return found


def entry(bundle: InstalledBundle, *, plugin: str = PLUGIN, status: str = "", shift: int = 0):
    """Return what a host writes of the plug-in, by default as one that loaded."""
    stat = bundle.binary.stat()
    said = f" status={quoteattr(status)}" if status else ""
    return (
        f"<bundle>\n <binary bundle_path={quoteattr(str(bundle.path))}"
        f' path={quoteattr(str(bundle.binary))} mtime="{int(stat.st_mtime) + shift}"'
        f' size="{stat.st_size}"{said}/>\n{plugin}\n</bundle>\n'
    )


def natron(tmp_path: Path, text: str) -> Path:
    """Write Natron's cache."""
    file = tmp_path / ".cache" / "INRIA" / "Natron" / "OFXLoadCache" / "OFXCache_2.5.0_x_1.xml"
    return written(file, f'<cache version="NatronOFXCachev1">\n{OTHER}{text}</cache>\n')


def resolve(tmp_path: Path, text: str) -> Path:
    """Write Resolve's cache."""
    file = tmp_path / ".local" / "share" / "DaVinciResolve" / "OFXPluginCacheV2.xml"
    return written(file, f"<cache>\n{OTHER}{text}</cache>\n")


def written(file: Path, text: str) -> Path:
    """Write a file and the folders above it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def only(bundle: InstalledBundle):
    """Return the one finding."""
    (found,) = caches.examine([bundle.binary])
    return found


def test_no_host_has_run(bundle: InstalledBundle):
    """Then there is nothing to say."""
    assert list(caches.examine([bundle.binary])) == []


def test_a_plug_in_that_loaded(bundle: InstalledBundle, tmp_path: Path):
    """Of our own only; another's failure is not ours to tell."""
    natron(tmp_path, entry(bundle))
    found = only(bundle)
    assert (found.name, found.health) == ("Natron's plug-in cache", Health.GOOD)
    assert "loaded" in found.says


@pytest.mark.parametrize(("write", "status"), [(natron, ""), (resolve, "2"), (resolve, "7")])
def test_a_plug_in_that_failed_there_is_bad(bundle: InstalledBundle, tmp_path: Path, write, status):
    """The host does not try it again: the way out names the file to delete."""
    file = write(tmp_path, entry(bundle, plugin="", status=status))
    found = only(bundle)
    assert found.health is Health.BAD
    assert str(file) in found.remedy
    assert "does not try it again" in found.says
    assert status in found.says


def test_resolve_s_word_of_success_is_its_status(bundle: InstalledBundle, tmp_path: Path):
    """Whether or not it lists the plug-ins."""
    resolve(tmp_path, entry(bundle, plugin="", status="0"))
    assert only(bundle).health is Health.GOOD


@pytest.mark.parametrize("change", ["time", "size"])
def test_another_build_s_failure_is_over(bundle: InstalledBundle, tmp_path: Path, change: str):
    """A host looks again where time or size differ."""
    said = entry(bundle, plugin="", shift=-5 if change == "time" else 0)
    natron(tmp_path, said)
    if change == "size":
        stat = bundle.binary.stat()
        bundle.binary.write_bytes(b"another plug-in")
        os.utime(bundle.binary, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    found = only(bundle)
    assert found.health is Health.GOOD
    assert "another build" in found.says


def test_a_host_that_did_not_find_it(bundle: InstalledBundle, tmp_path: Path):
    """It was started since, without the folder in its path."""
    file = natron(tmp_path, "")
    later = bundle.binary.stat().st_ctime + 60
    os.utime(file, (later, later))
    found = only(bundle)
    assert found.health is Health.NOTE
    assert f"OFX_PLUGIN_PATH={tmp_path / 'ofx'}" in found.remedy


def test_a_host_that_was_not_started_since(bundle: InstalledBundle, tmp_path: Path):
    """It cannot know of it yet."""
    file = natron(tmp_path, "")
    os.utime(file, (1, 1))
    found = only(bundle)
    assert found.health is Health.GOOD
    assert "not started since" in found.says


@pytest.mark.parametrize("text", ["", "<cache><bundle>", "\x00", "no xml"])
def test_a_cut_off_cache_is_named(bundle: InstalledBundle, tmp_path: Path, text: str):
    """Natron once rendered black images by one."""
    file = natron(tmp_path, "")
    file.write_text(text)
    found = only(bundle)
    assert found.health is Health.NOTE
    assert str(file) in found.remedy


def test_a_cache_of_another_shape_says_nothing(bundle: InstalledBundle, tmp_path: Path):
    """Nobody is told that the host did not find it."""
    written(tmp_path / "nuke" / "ofxplugincache" / "ofxplugincache_Nuke99.xml", "<new><x/></new>")
    assert list(caches.examine([bundle.binary])) == []


def test_a_link_to_the_bundle_is_the_bundle(bundle: InstalledBundle, tmp_path: Path):
    """A host may name it by the folder that the link leads to."""
    natron(tmp_path, entry(bundle))
    (tmp_path / "link").symlink_to(tmp_path / "ofx")
    found = only(read_bundle(tmp_path / "link" / "GVM.ofx.bundle"))
    assert "loaded" in found.says


def test_nuke_s_cache_is_read_where_nuke_writes_it(bundle: InstalledBundle, tmp_path: Path):
    """In its temporary folder."""
    written(
        tmp_path / "nuke" / "ofxplugincache" / "ofxplugincache_Nuke15.1-64.xml",
        f"<cache>{entry(bundle, plugin='')}</cache>",
    )
    assert only(bundle).name == "Nuke's plug-in cache"


@pytest.mark.parametrize("name", ["FusionOFX.blocklist", "FusionOFX.blacklist"])
def test_fusion_s_list_of_blocked_plug_ins(bundle: InstalledBundle, tmp_path: Path, name: str):
    """Ours is named, or another's."""
    profile = tmp_path / ".fusion" / "BlackmagicDesign" / "Fusion" / "Profiles" / "Default"
    written(profile / name, "/usr/OFX/Plugins/Misc.ofx.bundle\n")
    assert list(caches.examine([bundle.binary])) == []
    written(profile / name, f"/usr/OFX/Plugins/Misc.ofx.bundle\n{bundle.path}\n")
    found = only(bundle)
    assert found.health is Health.BAD
    assert str(profile / name) in found.says


@pytest.mark.parametrize(
    "line", ["org.gvmbridge.matte_1_0_enabled=false", "useStdOFXPluginsLocation=false"]
)
def test_natron_s_settings_that_switch_it_off(bundle: InstalledBundle, tmp_path: Path, line: str):
    """What is switched on is not spoken of."""
    file = tmp_path / ".config" / "INRIA" / "Natron.conf"
    written(file, f"[General]\n{line.replace('false', 'true')}\nother_1_0_enabled=false\n")
    assert list(caches.examine([bundle.binary])) == []
    written(file, f"[General]\n{line}\n")
    assert str(file) in only(bundle).says


def test_the_last_trouble_in_resolve_s_log(bundle: InstalledBundle, tmp_path: Path):
    """One line, printable, of ours."""
    lines = [
        f"[0x1] | OpenFX | INFO  | 10:00 | Loaded {bundle.binary}",
        "[0x1] | OpenFX | ERROR | 10:01 | Misc.ofx failed",
        f"[0x1] | OpenFX | ERROR | 10:02 | {bundle.binary} failed: first",
        f"[0x1] | OpenFX | ERROR | 10:03 | {bundle.binary} failed: \x1b[31mlast",
    ]
    log = tmp_path / ".local" / "share" / "DaVinciResolve" / "logs" / "ResolveDebug.txt"
    written(log, "\n".join(lines) + "\n")
    found = only(bundle)
    assert found.health is Health.NOTE
    assert found.says.endswith(r"failed: \x1b[31mlast")


def test_without_a_plug_in_hosts_remember_nothing_of_it(bundle: InstalledBundle, tmp_path: Path):
    """Nothing is installed: an old entry is no trouble."""
    natron(tmp_path, entry(bundle, plugin=""))
    assert list(caches.examine([])) == []
