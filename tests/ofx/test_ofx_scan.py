"""What a host sees when it scans the bundle: two symbols, a quick and silent description."""

from __future__ import annotations

import plistlib
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gvm_client import __version__
from tests.ofx.fakehost import GENERAL, HOSTS, Build, hosting
from tests.ofx.wine import linux_only, windows_only

# What every Linux has; all else must lie beside the plug-in.
BASE = {"libc.so.6", "libm.so.6", "libdl.so.2", "librt.so.1", "libpthread.so.0"}
BASE |= {"ld-linux-x86-64.so.2", "libstdc++.so.6", "libgcc_s.so.1"}
DESCRIBE_MS = 50


# What every Windows 10 has; nothing lies beside the plug-in there.
WINDOWS_BASE = {"ADVAPI32.dll", "bcrypt.dll", "IPHLPAPI.DLL", "KERNEL32.dll", "msvcrt.dll"}
WINDOWS_BASE |= {"WS2_32.dll"}
ENTRY_POINTS = {"OfxGetNumberOfPlugins", "OfxGetPlugin"}


def _objdump(*words: str | Path) -> str:
    return subprocess.run(
        ["objdump", *words], capture_output=True, text=True, check=True, timeout=30
    ).stdout


@windows_only
def test_the_library_for_windows_exports_and_imports_a_known_list(build: Build):
    """The two entry points, and of others what every Windows has."""
    ran = subprocess.run(
        ["x86_64-w64-mingw32-objdump", "-p", build.plugin],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    table = ran.stdout.partition("[Ordinal/Name Pointer] Table")[2]
    assert set(re.findall(r"^\s*\[\s*\d+\]\s+(\w+)$", table, re.MULTILINE)) == ENTRY_POINTS
    assert set(re.findall(r"DLL Name: (\S+)", ran.stdout)) == WINDOWS_BASE
    assert [path.name for path in build.plugin.parent.iterdir()] == ["GVM.ofx"]


@linux_only
def test_only_the_openfx_entry_points_are_exported(build: Build):
    """Hosts carry other versions of what is inside: nothing else may be seen."""
    table = _objdump("-T", build.plugin).splitlines()
    defined = {line.split()[-1] for line in table if " .text" in line or " .data" in line}
    assert defined == ENTRY_POINTS


@linux_only
def test_every_needed_library_is_in_the_bundle_or_in_every_linux(build: Build):
    """No torch, Python or CUDA comes into the host, and nothing that a machine may lack."""
    beside = {path.name for path in build.plugin.parent.iterdir()}
    for path in build.plugin.parent.iterdir():
        header = _objdump("-p", path)
        needed = set(re.findall(r"NEEDED\s+(\S+)", header))
        assert needed <= BASE | beside, path
    assert re.search(r"RPATH\s+\$ORIGIN", _objdump("-p", build.plugin))
    assert "libstdc++.so.6" not in re.findall(r"NEEDED\s+(\S+)", _objdump("-p", build.plugin))


def test_the_bundle_has_the_standards_shape(build: Build):
    """Folder names, and the property list with what the standard's own lists (OpenFX 1.5)."""
    assert build.plugin.is_file()
    listed = plistlib.loads((build.bundle / "Contents" / "Info.plist").read_bytes())
    assert listed == {
        "CFBundleDevelopmentRegion": "English",
        "CFBundleExecutable": "GVM.ofx",
        "CFBundleIdentifier": "org.gvmbridge.matte",
        "CFBundleInfoDictionaryVersion": "6.0",
        "CFBundleName": "GVM",
        "CFBundlePackageType": "BNDL",
        "CFBundleVersion": __version__,
        "LSMinimumSystemVersion": "11.0",
    }


@linux_only
@pytest.mark.parametrize("name", HOSTS)
def test_a_scan_is_quick_and_touches_nothing(build: Build, tmp_path: Path, name: str):
    """Load and describe take milliseconds, and open no file, socket, process or thread."""
    runtime = tmp_path / "run"
    with hosting(
        build, tmp_path, environment={"GVM_RUNTIME_DIR": str(runtime)}, **HOSTS[name]
    ) as host:
        described = host.tell("load", path=str(build.plugin), sealed=True, behave=HOSTS[name])
        assert described["statuses"] == [0, 0, 0]
        assert host.described["milliseconds"] < DESCRIBE_MS
        assert not runtime.exists()


@linux_only
def test_the_seal_of_the_scan_test_holds(build: Build, tmp_path: Path):
    """A host that is sealed ends at the first file that is opened: the test above can fail."""
    with hosting(build, tmp_path) as host:
        host.tell("load", path=str(build.plugin), sealed=True)
        with pytest.raises(AssertionError, match="has died with code -31"):
            host.tell("trespass")
        host.mourn()


def test_describing_again_and_again_says_the_same(build: Build, tmp_path: Path):
    """MLT sends load and describe for every instance."""
    with hosting(build, tmp_path, **HOSTS["mlt"]) as host:
        for _ in range(5):
            again = host.tell("load", path=str(build.plugin))
            assert {**again, "milliseconds": 0} == {**host.described, "milliseconds": 0}


def test_the_node_asks_for_whole_frames_at_any_time(build: Build, tmp_path: Path):
    """Temporal access is declared on the effect and on Source, tiles nowhere."""
    with hosting(build, tmp_path) as host:
        effect, clips = host.described["effect"], host.described["clips"]
        assert effect["OfxImageEffectPropTemporalClipAccess"] == [1]
        assert clips["Source"]["OfxImageEffectPropTemporalClipAccess"] == [1]
        assert effect["OfxImageEffectPropSupportsTiles"] == [0]
        assert effect["OfxImageEffectPluginRenderThreadSafety"] == ["OfxImageEffectRenderFullySafe"]
        assert set(clips) == {"Source", "Output"}
        general = host.tell("load", path=str(build.plugin), behave={"context": GENERAL})
        assert set(general["clips"]) == {"Source", "Output", "Garbage", "Holdout"}
        assert general["clips"]["Garbage"]["OfxImageClipPropOptional"] == [1]


def test_every_number_has_both_its_ranges(build: Build, tmp_path: Path):
    """Resolve takes -1..1 or 0..0 for a range that is not said."""
    with hosting(build, tmp_path, **HOSTS["resolve"]) as host:
        params: dict[str, Any] = host.described["params"]
        numbers = [p for p in params.values() if p["type"].endswith(("Integer", "Double"))]
        assert len(numbers) > 10
        for param in numbers:
            says = {key: param["properties"][f"OfxParamProp{key}"][0] for key in RANGE}
            assert says["Min"] <= says["DisplayMin"] < says["DisplayMax"] <= says["Max"]
            assert says["Min"] <= says["Default"] <= says["Max"]
        for param in (p for p in params.values() if p["type"].endswith("2D")):
            assert all(len(param["properties"][f"OfxParamProp{key}"]) == 2 for key in RANGE)


RANGE = ("Min", "Max", "DisplayMin", "DisplayMax", "Default")


def test_choices_are_what_projects_have_saved(build: Build, tmp_path: Path):
    """A project stores a choice's number: this list may only grow at its ends."""
    with hosting(build, tmp_path) as host:
        params = host.described["params"]
        chosen = {
            name: param["properties"]["OfxParamPropChoiceOption"]
            for name, param in params.items()
            if param["type"].endswith("Choice")
        }
    assert chosen == {
        "engine": ["Automatic", "GVM", "Preview", "Test Pattern"],
        "preset": [
            "Custom",
            "Default",
            "Low Memory",
            "Balanced",
            "High Quality",
            "Production",
            "Fast Test",
            "Prototype",
        ],
        "outputMode": [
            "Source with Matte in Alpha",
            "Premultiplied",
            "Matte as RGB",
            "Source Unchanged",
            "Edge as RGB",
            "Foreground",
            "Foreground Premultiplied",
        ],
        "despill": ["None", "Green", "Blue"],
        "onError": ["Fail", "Black Matte", "Source Unchanged"],
        "inputColourspace": [
            "Automatic",
            "sRGB",
            "Scene Linear",
            "ACEScg",
            "Rec.709",
            "Raw",
            "Named Below",
            "Host-Managed",
        ],
        "badPixels": ["Fail", "Read as Black"],
        "plateCheck": ["Refuse Other Pictures", "Search the Clip", "Do Not Compare"],
        "matteHighlights": ["Rolloff", "Clip"],
        "matteRefine": ["None", "Guided", "Detail", "Tiles"],
    }


def test_an_alpha_output_is_offered_only_where_the_host_lists_it(build: Build, tmp_path: Path):
    """MLT knows no alpha images; Nuke does."""
    key, alpha = "OfxImageEffectPropSupportedComponents", "OfxImageComponentAlpha"
    with hosting(build, tmp_path, **HOSTS["nuke"]) as host:
        assert alpha in host.described["clips"]["Output"][key]
    with hosting(build, tmp_path, **HOSTS["mlt"]) as host:
        assert alpha not in host.described["clips"]["Output"][key]


def test_colour_management_is_asked_for_only_where_it_does_no_harm(build: Build, tmp_path: Path):
    """OpenFX 1.5 colour properties have upset Nuke's panel; other hosts that have it are asked."""
    key = "OfxImageEffectPropColourManagementStyle"
    for name, asked in (("nuke", False), ("natron", True)):
        with hosting(build, tmp_path, **HOSTS[name], colourspace="ACEScg") as host:
            assert (key in host.described["effect"]) == asked
