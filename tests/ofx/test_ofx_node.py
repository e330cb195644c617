"""The node without a server: what it asks for and answers, and what it does where nothing works."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.ofx.conftest import FIRST, HEIGHT, LAST, WIDTH
from tests.ofx.fakehost import HOSTS, Build, HostPlate, Open, opening
from tests.support.site import Site

AUTOMATIC, GVM, PREVIEW = range(3)  # the node's engines
SHAPE = (HEIGHT, WIDTH, 4)
NEEDED = "OfxImageClipPropFrameRange_Source"


@pytest.fixture
def host_like(build: Build, tmp_path: Path, plate: HostPlate, site: Site) -> Open:
    """Hosts on a machine where no server runs and none can be started."""
    site.environment["GVM_SERVER"] = "false"
    return opening(build, tmp_path, plate, site.environment)


def test_frames_needed_are_the_windows_and_the_same_for_all_that_they_cover(host_like: Open):
    """Hosts fetch ahead by this answer; the windows never reach outside the clip."""
    with host_like("nuke") as host:
        host.create(engine=GVM, framesPerWindow=6, overlap=2)
        needed = {
            frame: host.tell("frames_needed", instance="node", frame=frame)["out"][NEEDED]
            for frame in range(FIRST, LAST + 1)
        }
        assert needed[1001] == needed[1004] == [1001, 1006]
        assert needed[1005] == needed[1006] == [1001, 1010]
        assert needed[1007] == needed[1008] == [1005, 1010]
        assert needed[LAST] == [1015, 1020]


@pytest.mark.parametrize("engine", [AUTOMATIC, PREVIEW])
def test_frames_needed_hold_those_that_the_preview_looks_at_besides(host_like: Open, engine: int):
    """Two on each side of a window, as far as the clip goes; the automatic engine may become it."""
    with host_like("nuke") as host:
        host.create(engine=engine, framesPerWindow=6, overlap=2)
        needed = {
            frame: host.tell("frames_needed", instance="node", frame=frame)["out"][NEEDED]
            for frame in (FIRST, 1007, LAST)
        }
        assert needed == {FIRST: [1001, 1008], 1007: [1003, 1012], LAST: [1013, 1020]}


@pytest.mark.parametrize(
    ("time", "named"),
    [
        (LAST + 50, [1015, 1020, LAST + 50, LAST + 50]),
        (FIRST - 7, [1001, 1006, FIRST - 7, FIRST - 7]),
        (1003.5, [1001, 1006, 1003.5, 1003.5]),
    ],
)
def test_frames_needed_name_the_frame_itself(host_like: Open, time: float, named: list[float]):
    """Natron reports a bug of a node that takes a frame which it did not name."""
    with host_like("natron", beyond=True) as host:
        host.create(engine=GVM, framesPerWindow=6, overlap=2, startServer=0)
        answer = host.tell("frames_needed", instance="node", frame=time)
        assert answer["status"] == 0
        assert answer["out"][NEEDED] == named
        assert "No GVM server runs." in host.render(time)["persistent"]
        host.tell("set", instance="node", param="plateFile", value="/nowhere/plate.%04d.exr")
        answer = host.tell("frames_needed", instance="node", frame=time)
        assert answer["out"][NEEDED] == [time, time]


def test_frames_needed_is_no_error_even_with_wrong_settings(host_like: Open):
    """An error here shows as a broken node in some hosts; the render says what is wrong."""
    with host_like("nuke") as host:
        host.create(framesPerWindow=4, overlap=3, startServer=0, inputColourspace=7)
        assert host.tell("frames_needed", instance="node", frame=1001)["status"] == 0
        host.tell("set", instance="node", param="inputColourspace", value=0)
        assert "overlap is 3" in host.render(1001)["persistent"]


def test_a_host_without_neighbours_is_asked_for_one_frame(host_like: Open):
    """MLT gives one frame; asking for more would only confuse it."""
    with host_like("mlt") as host:
        host.create()
        needed = host.tell("frames_needed", instance="node", frame=1007)["out"][NEEDED]
        assert needed == [1007, 1007]
        answer = host.render(1007)
        assert answer["status"] == 1
        assert any("Plate File" in message for message in answer["messages"])


def test_the_output_mode_decides_premultiplication_and_identity(host_like: Open):
    """What the host is told fits what the pixels will be."""
    key = "OfxImageEffectPropPreMultiplication"
    with host_like("nuke") as host:
        host.create()
        for mode, says in enumerate(
            ("OfxImageAlphaUnPremultiplied", "OfxImageAlphaPremultiplied", "OfxImageOpaque")
        ):
            host.tell("set", instance="node", param="outputMode", value=mode)
            assert host.tell("preferences", instance="node")["out"][key] == [says]
            assert host.tell("identity", instance="node", frame=1001)["status"] == 14
        for mode, says in (
            (4, "OfxImageOpaque"),
            (5, "OfxImageAlphaUnPremultiplied"),
            (6, "OfxImageAlphaPremultiplied"),
        ):
            host.tell("set", instance="node", param="outputMode", value=mode)
            assert host.tell("preferences", instance="node")["out"][key] == [says]
        host.tell("set", instance="node", param="outputMode", value=3)
        identity = host.tell("identity", instance="node", frame=1001)
        assert identity["status"] == 0
        assert identity["out"] == {"OfxPropName": ["Source"], "OfxPropTime": [1001.0]}


def test_the_region_of_interest_is_the_whole_source(host_like: Open):
    """A matte of a part is another matte."""
    with host_like("natron") as host:
        host.create()
        answer = host.tell("regions", instance="node", frame=1001)["out"]
        assert answer["OfxImageClipPropRoI_Source"] == [-7, 5, WIDTH - 7, HEIGHT + 5]


@pytest.mark.parametrize("name", HOSTS)
def test_a_thumbnail_shows_the_source_and_asks_nobody(host_like: Open, name: str):
    """Thumbnails and tiny scales never start work on the GPU."""
    depth = {"depth": "OfxBitDepthFloat"}
    with host_like(name, **depth) as host:
        host.create()
        told = host.picture(1003, SHAPE, thumbnail=True)
        assert told[0, 0, 0] == pytest.approx(0.1, abs=0.06)
        tiny = host.render(1003, scale=1 / 16)
        assert tiny["status"] == 0
        assert tiny["messages"] == []


@pytest.mark.parametrize(("on_error", "status"), [(0, 1), (1, 0), (2, 0)])
def test_without_a_server_the_artist_chooses_what_stands_there(
    host_like: Open, on_error: int, status: int, tmp_path: Path
):
    """Fail, a black matte, or the source; in each case the node says what is wrong."""
    with host_like("nuke") as host:
        host.create(onError=on_error, startServer=0)
        answer = host.render(1003, save=str(tmp_path / "o.raw"))
        pixels = np.fromfile(tmp_path / "o.raw", np.float32).reshape(SHAPE)
        assert answer["status"] == status
        assert "No GVM server runs." in answer["persistent"]
        assert "gvm serve" in answer["persistent"]
        assert np.all(pixels[..., 3] == (0.0 if on_error == 1 else 1.0))
        assert pixels[0, 0, 0] == pytest.approx(0.1, abs=0.06)


def test_a_server_that_ends_at_once_is_reported_with_its_command(host_like: Open):
    """The boot is watched: nobody waits a minute for a program that is gone."""
    with host_like("nuke") as host:
        host.create()
        answer = host.render(1003)
        assert answer["status"] == 1
        assert "ended at once" in answer["persistent"]
        assert answer["milliseconds"] < 4000
        assert answer["longest_gap_ms"] < 500  # 50 are promised; beside other work a thread waits


def test_a_command_that_does_not_exist_is_named(host_like: Open, site: Site):
    """The sentence has the command and the place to correct it."""
    site.environment["GVM_SERVER"] = "/nowhere/gvm serve"
    with host_like("nuke") as host:
        host.create()
        assert "/nowhere/gvm" in host.render(1003)["persistent"]


def test_without_any_command_the_remedy_is_the_installer(host_like: Open, site: Site):
    """A C++ host has no Python of its own to fall back on."""
    site.environment["GVM_SERVER"] = ""
    with host_like("nuke") as host:
        host.create()
        assert "gvm install ofx" in host.render(1003)["persistent"]


@pytest.mark.parametrize("suite", [1, 0])
def test_without_the_new_message_suite_nothing_breaks(host_like: Open, suite: int):
    """Old hosts have one function, or none."""
    with host_like("nuke", message_suite=suite, progress_suite=suite) as host:
        host.create(startServer=0)
        assert host.render(1003)["status"] == 1
        assert host.tell("changed", instance="node", param="matteRange")["status"] == 0
        assert "No GVM server runs." in host.value("status")


@pytest.mark.parametrize("name", HOSTS)
def test_a_message_is_read_in_every_host(host_like: Open, site: Site, name: str):
    """Natron passes a message's arguments on as one; a path with `%` in it is not a format."""
    site.environment["GVM_SERVER"] = "/nowhere/100%s/gvm serve"
    with host_like(name) as host:
        host.create(plateFile="/nowhere/plate.%04d.exr")
        (message,) = host.render(1003)["messages"]
        assert "`/nowhere/100%s/gvm` cannot be run" in message


def test_old_resolves_hollow_message_suite_is_not_called(host_like: Open):
    """It answers version 2 with null pointers."""
    with host_like("resolve") as host:
        host.create(startServer=0)
        answer = host.render(1003)
        assert answer["status"] == 1
        assert len(answer["messages"]) == 1


@pytest.mark.parametrize("how", ["failing_frames", "hollow_frames"])
def test_where_the_source_has_no_picture_the_output_is_black(host_like: Open, how: str):
    """Failed, or an image without data, both mean that nothing is there."""
    with host_like("nuke", **{how: [1003]}) as host:
        host.create(startServer=0)
        assert not host.picture(1003, SHAPE).any()
        assert host.tell("facts")["images_out"] == 0


def test_a_missing_neighbour_is_named(host_like: Open):
    """A matte of other frames than the clip's would be another matte, silently."""
    with host_like("nuke", failing_frames=[1005]) as host:
        host.create(startServer=0)
        assert "frame 1005" in host.render(1003)["persistent"]
        assert host.tell("facts")["images_out"] == 0


def test_a_preset_fills_in_numbers_and_a_number_makes_it_custom(host_like: Open):
    """The artist sees what a preset means."""
    with host_like("nuke") as host:
        host.create()
        host.tell("set", instance="node", param="preset", value=4)
        host.click("preset")
        assert host.value("framesPerWindow") == 16
        assert host.value("steps") == 3
        host.tell("set", instance="node", param="steps", value=1)
        host.click("steps")
        assert host.value("preset") == 0
        assert host.value("framesPerWindow") == 16


def test_a_preset_counts_where_the_host_reports_no_edits(host_like: Open):
    """MLT never sends instance-changed."""
    with host_like("nuke") as host:
        host.create(engine=GVM, preset=2)
        needed = host.tell("frames_needed", instance="node", frame=1001)["out"][NEEDED]
        assert needed == [1001, 1004]


def test_an_instance_that_was_never_made_gives_an_error(host_like: Open):
    """Some hosts go on after a failed creation."""
    with host_like("mlt") as host:
        host.create()
        assert host.tell("destroy", instance="node")["status"] == 0
        assert host.tell("unload")["status"] == 0


def test_an_unknown_action_is_not_ours(host_like: Open):
    """Hosts send actions of newer standards."""
    with host_like("nuke") as host:
        host.create()
        assert host.tell("action", instance="node", name="OfxActionOfTomorrow")["status"] == 14


def test_a_host_that_manages_colour_and_does_not_say_is_an_error(host_like: Open):
    """Host-Managed means what the host says; a guess would be wrong in silence."""
    with host_like("natron") as host:
        host.create(inputColourspace=7, startServer=0, onError=2)
        answer = host.render(1003)
        assert "colour space" in answer["persistent"]
        assert answer["status"] == 0


def test_asking_for_status_without_a_server_says_so(host_like: Open):
    """The button never starts a server."""
    with host_like("nuke") as host:
        host.create()
        host.click("askStatus")
        assert host.value("status") == "No server runs. The source is read as auto."
