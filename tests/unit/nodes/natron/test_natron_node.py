"""The Natron group without a server: what it may not do, and what it keeps.

Names follow what artists expect of such a node; `docs/hosts.md` has the list.
"""

from __future__ import annotations

import inspect
import json
import os
import threading
from pathlib import Path

import pytest

from gvm_client.errors import GvmError, SettingsError
from gvm_nodes.core import actions, node_request, settings
from gvm_nodes.core.clips import frame_path
from gvm_nodes.core.followed_job import Phase, Update
from gvm_nodes.natron import callbacks
from gvm_nodes.natron.group import PLUGIN_ID
from gvm_nodes.natron.node import RED
from gvm_nodes.natron.program import OUTPUT
from tests.fakes import natron
from tests.fakes.natron import App, Effect
from tests.support.natron_session import (
    TRACKER,
    as_node,
    matte_group,
    mattes,
    only_group,
    press,
    read_plate,
    reopen,
    show,
    start,
    tell,
    text,
    write_below,
)

FIRST, LAST = 1001, 1020
TICKET = f"{'0' * 32} range 1001-1020"


@pytest.fixture
def app(tmp_path: Path, runtime: Path) -> App:
    """Natron's windows, and a saved project."""
    return start(tmp_path)


def plate(app: App, tmp_path: Path) -> Effect:
    """Make a Read of frames that need not exist."""
    return read_plate(app, str(tmp_path / "a.####.exr"), FIRST, LAST)


def rendered(app: App, group: Effect) -> None:
    """Have the group's mattes made."""
    show(app, group, Update(phase=Phase.DONE, ready=(FIRST,)))


@pytest.mark.parametrize("anew", [False, True])
def test_adding_opening_saving_copying_renaming_and_scrubbing_contact_nobody(
    app, tmp_path, runtime, anew
):
    """Nobody looks for a server, and no thread begins; no timer goes on."""
    threads = threading.active_count()
    group = matte_group(app, plate(app, tmp_path))
    group.setScriptName("Key_Hair")
    natron.paste(group)
    group.getParam("gvm_job").set(TICKET)
    again = reopen(app, anew=anew)
    for frame in range(FIRST, LAST + 1):
        again.time = frame
    natron.edit(next(iter(again.getChildren())), "before", "black")
    assert not runtime.exists()
    assert threading.active_count() == threads
    assert natron.session().script_editor == []


def test_parameters_stand_on_four_pages_and_neither_animate_nor_render(app, tmp_path):
    """A status that comes twice a second must not render the tree."""
    group = matte_group(app, plate(app, tmp_path))
    pages = group.node.pages
    assert list(pages) == ["GVM", "Model", "Matte", "Files"]
    ours = [group.getParam(name) for names in pages.values() for name in names]
    assert len(ours) > len(settings.KNOBS) + len(settings.BUTTONS)
    assert not any(param.evaluates for param in ours)
    assert not any(param.animates for param in ours if param.getTypeName() != "Button")
    assert group.getParam("gvm_status").shown_as == "label"
    assert not group.getParam("gvm_id").getIsVisible()
    app.evaluated.clear()
    show(app, group, Update(frames_total=4, note="Busy."))
    assert text(group, "status") == "0 %, frame 0 of 4. Busy."
    assert app.evaluated == []


def test_the_alpha_alone_is_copied_onto_the_plate(app, tmp_path):
    """Colours are the plate's, and so is the bounding box."""
    group = matte_group(app, plate(app, tmp_path))
    merge = next(one for one in group.getChildren() if one.getPluginID() == natron.MERGE)
    out = [merge.getParam(f"OutputChannels{channel}").get() for channel in "RGBA"]
    assert out == [False, False, False, True]
    chosen = {name: merge.getParam(name) for name in ("operation", "bbox")}
    assert {name: one.getOption(one.get()) for name, one in chosen.items()} == {
        "operation": "copy",
        "bbox": "b",
    }
    assert merge.getInput(0).getPluginID() == natron.INPUT
    assert merge.getInput(1).getScriptName() == mattes(group).getScriptName()
    assert mattes(group).getParam("outputComponents").get() == 3  # Alpha


def test_colours_are_tagged_as_not_multiplied_with_the_matte(app, tmp_path):
    """A soft edge has the plate's colour in every format: multiplied in EXR, as it is in PNG."""
    write = write_below(app, matte_group(app, plate(app, tmp_path)))
    colour, alpha = 0.8, 0.5
    assert natron.written(write, colour, alpha, ".exr") == colour * alpha
    assert natron.written(write, colour, alpha, ".png") == colour


def test_the_tag_changes_no_picture(app, tmp_path):
    """Unpremult passes every channel; it stands last."""
    group = matte_group(app, plate(app, tmp_path))
    (tag,) = (one for one in group.getChildren() if one.getPluginID() == natron.UNPREMULT)
    assert not any(tag.getParam(f"NatronOfxParamProcess{channel}").get() for channel in "RGBA")
    (out,) = (one for one in group.getChildren() if one.getPluginID() == OUTPUT)
    assert out.getInput(0).getScriptName() == tag.getScriptName()
    assert tag.getInput(0).getPluginID() == natron.MERGE


def test_a_copy_has_a_name_an_output_and_a_job_of_its_own(app, tmp_path):
    """Two groups never write into each other's mattes; the first keeps its own."""
    group = matte_group(app, plate(app, tmp_path))
    rendered(app, group)
    identity, shown = text(group, "id"), mattes(group).getParam("filename").get()
    group.getParam("gvm_job").set(TICKET)
    twin = natron.paste(group)
    natron.idle()
    twin.connectInput(0, group.getInput(0))
    assert text(group, "id") == identity
    assert text(group, "job") == TICKET
    assert text(twin, "id") != identity
    assert text(twin, "job") == ""
    pattern = node_request.matte_pattern(as_node(app, twin))
    assert pattern != node_request.matte_pattern(as_node(app, group))
    assert mattes(twin).getParam("filename").get() == shown  # until its own are made


def test_without_qt_a_copy_is_told_apart_when_a_button_is_pressed(tmp_path, runtime):
    """There is nothing that could call back later."""
    app = start(tmp_path, qt=False)
    group = matte_group(app, plate(app, tmp_path))
    twin = natron.paste(group)
    natron.press(twin, "gvm_cancel")
    assert text(twin, "id") != text(group, "id")


def test_renaming_keeps_the_job_and_its_mattes(app, tmp_path):
    """What a group is called is part of nothing."""
    group = matte_group(app, plate(app, tmp_path))
    before = node_request.node_request(as_node(app, group), (FIRST,))
    group.setScriptName("Other")
    assert node_request.node_request(as_node(app, group), (FIRST,)) == before


def test_an_error_is_one_sentence_on_a_red_group_and_no_dialog(app, tmp_path):
    """A server that cannot start is reported where the artist looks; until the next one."""
    group = matte_group(app, plate(app, tmp_path))
    natron.press(group, "gvm_render_range")
    natron.pump(lambda: "/none/server" in text(group, "status"))
    assert group.getColor() == RED
    assert group.getParam("userTextArea").get()
    natron.edit(group, "gvm_range", "custom")
    natron.edit(group, "gvm_frames", "abc")
    natron.press(group, "gvm_render_range")
    assert text(group, "status").startswith("'abc' is not a frame range.")
    natron.press(group, "gvm_cancel")
    assert group.getColor() == (0.5, 0.5, 0.5)
    assert group.getParam("userTextArea").get() == ""
    natron.idle()


def test_an_artist_s_own_label_stays(app, tmp_path):
    """Only our words come and go."""
    group = matte_group(app, plate(app, tmp_path))
    natron.edit(group, "userTextArea", "hair")
    show(app, group, Update(phase=Phase.FAILED, error=GvmError("No.")))
    assert group.getParam("userTextArea").get() == "hair"


@pytest.mark.parametrize("how", [{"background": True}, {"qt": False}])
def test_without_anybody_to_look_a_button_raises(tmp_path, runtime, how):
    """A script sees the error as an exception."""
    app = start(tmp_path, **how)
    group = matte_group(app, plate(app, tmp_path))
    with pytest.raises(GvmError, match="/none/server"):
        press("render_range", app, group)
    assert natron.session().timers == []


def test_a_disabled_group_s_buttons_do_nothing(app, tmp_path, runtime):
    """That is Natron's own way."""
    group = matte_group(app, plate(app, tmp_path))
    natron.edit(group, "disableNode", value=True)
    natron.press(group, "gvm_render_range")
    natron.idle()
    assert not runtime.exists()


def test_out_of_date_is_said_and_the_old_matte_stays(app, tmp_path):
    """A changed parameter shows at once, a changed version too; set back it is taken back."""
    group = matte_group(app, plate(app, tmp_path))
    rendered(app, group)
    shown = mattes(group).getParam("filename").get()
    for name, other, value in (("gvm_blur", 2.0, 0.0), ("gvm_version", 2, 1)):
        natron.edit(group, name, other)
        assert text(group, "status").startswith("Out of date")
        assert mattes(group).getParam("filename").get() == shown
        natron.edit(group, name, value)
        natron.pump(lambda: not text(group, "status").startswith("Out of date"))


def test_another_plate_is_out_of_date_and_the_old_matte_stays(app, tmp_path):
    """Connected again, the old plate fits."""
    first = plate(app, tmp_path)
    group = matte_group(app, first)
    rendered(app, group)
    shown = mattes(group).getParam("filename").get()
    group.disconnectInput(0)
    group.connectInput(0, read_plate(app, str(tmp_path / "b.####.exr"), 1, 5))
    assert text(group, "status").startswith("Out of date")
    assert mattes(group).getParam("filename").get() == shown
    assert mattes(group).getParam("lastFrame").get() == LAST
    group.disconnectInput(0)
    group.connectInput(0, first)
    natron.pump(lambda: not text(group, "status").startswith("Out of date"))


def test_a_plate_that_is_newer_than_its_mattes_is_said(app, tmp_path):
    """Files are looked at when a group is changed, not at each step of a slider."""
    group = matte_group(app, plate(app, tmp_path))
    matte = frame_path(node_request.matte_pattern(as_node(app, group)), FIRST)
    matte.parent.mkdir(parents=True)
    for path, seconds in ((tmp_path / f"a.{FIRST}.exr", 300), (matte, 200)):
        path.write_text("")
        os.utime(path, (seconds, seconds))
    rendered(app, group)
    reopened = only_group(reopen(app))
    natron.edit(reopened, "gvm_out", text(reopened, "out"))
    natron.pump(lambda: text(reopened, "status").startswith("Out of date"))


def test_two_groups_make_no_different_mattes_in_the_same_files(app, tmp_path):
    """The second replaced the first's without a word, and both rendered the second's."""
    read = plate(app, tmp_path)
    one, two = matte_group(app, read), matte_group(app, read)
    for group in (one, two):
        natron.edit(group, "gvm_out", "{dir}/m/a.%04d.exr")
    node = as_node(app, two)
    node_request.refuse_rivals(node, node_request.node_request(node, ()))
    natron.edit(two, "gvm_gamma", 2.0)
    press("render_range", app, two)
    assert "has other settings" in text(two, "status")
    natron.edit(one, "disableNode", value=True)
    node_request.refuse_rivals(node, node_request.node_request(node, ()))


def test_a_job_is_told_to_the_project_that_asked_for_it(app, tmp_path):
    """One that was saved under another name has the same groups, and both may be open."""
    group = matte_group(app, plate(app, tmp_path))
    natron.save(app, f"{tmp_path}/shot_v02.ntp")
    second = natron.load(f"{tmp_path}/shot_v02.ntp")
    natron.idle()
    other = only_group(second)
    assert text(other, "id") == text(group, "id")
    rendered(second, other)
    assert text(other, "status") == "0 frames are ready."
    assert text(group, "status") == "Not rendered yet."
    natron.edit(group, "gvm_engine", "preview")  # the first one is used meanwhile
    rendered(second, other)
    assert text(other, "made") != text(group, "made") == ""
    TRACKER._say(text(group, "id"), "Given back.")
    assert text(group, "status") == "Given back."


def test_an_update_for_a_deleted_group_is_dropped(app, tmp_path):
    """The job goes on; nobody is left to show it."""
    group = matte_group(app, plate(app, tmp_path))
    request, identity = node_request.node_request(as_node(app, group), ()), text(group, "id")
    group.destroy()
    TRACKER._show(identity, request, "", Update(phase=Phase.DONE))
    natron.close(app)
    TRACKER._show(identity, request, "", Update(phase=Phase.DONE))


def test_a_read_goes_by_path_also_through_dots(app, tmp_path):
    """With the project's variables, and from its folder."""
    read = plate(app, tmp_path)
    dot = app.createNode(natron.DOT)
    dot.connectInput(0, read)
    group = matte_group(app, dot)
    wanted = str(tmp_path / "a.%04d.exr")
    app.getProjectParam("projectPaths").value = [["Shots", f"{tmp_path}/"]]
    for path in (wanted, "[Shots]/a.####.exr", "[Project]/a.####.exr", "a.####.exr"):
        natron.edit(read, "filename", path)
        assert node_request.node_request(as_node(app, group), ()).plate.path == wanted


def test_a_relative_plate_of_a_project_without_a_folder_is_said(app, tmp_path):
    """Natron 2.5 has not said the folder yet while a project loads; a new one has none."""
    group = matte_group(app, plate(app, tmp_path))
    app.getProjectParam("projectPath").value = ""
    group.getInput(0).getParam("filename").value = "plate/a.%04d.exr"
    with pytest.raises(GvmError, match=r"never saved.*Save the project"):
        node_request.node_request(as_node(app, group), ())


@pytest.mark.parametrize(
    ("named", "space"),
    [("", "auto"), ("sRGB", "srgb"), ("scene_linear", "scene_linear"), ("LogC4", "LogC4")],
)
def test_what_the_read_says_of_its_colours_wins(app, tmp_path, named, space):
    """A name that is not ours is the configuration's, and the server says where it is not."""
    read = plate(app, tmp_path)
    read.getParam("ocioInputSpace").set(named)
    asked = node_request.node_request(as_node(app, matte_group(app, read)), ())
    assert asked.plate.colourspace == space


def test_a_movie_goes_by_path(app, tmp_path):
    """Its frames count from 1, as Natron's do."""
    group = matte_group(app, read_plate(app, str(tmp_path / "a.mov"), 1, 50))
    asked = node_request.node_request(as_node(app, group), (3,))
    assert (asked.plate.path, asked.plate.first, asked.plate.last) == (
        str(tmp_path / "a.mov"),
        1,
        50,
    )
    assert asked.output.path.endswith("/a_matte_v001.%04d.exr")


def test_anything_but_a_read_is_refused_with_a_way_out(app, tmp_path, runtime):
    """One sentence that names the OpenFX node; nobody is asked."""
    bars = app.createNode("net.sf.openfx.ColorBars")
    group = matte_group(app, bars)
    natron.press(group, "gvm_render_range")
    assert "OpenFX node" in text(group, "status")
    read = plate(app, tmp_path)
    group.disconnectInput(0)
    group.connectInput(0, read)
    for name, value, word in (
        ("disableNode", True, "OpenFX node"),
        ("filename", "/p/a.%V.####.exr", "has views"),
        ("filename", "", "has no file"),
    ):
        natron.edit(read, "disableNode", value=False)
        natron.edit(read, name, value)
        natron.press(group, "gvm_render_range")
        assert word in text(group, "status")
    group.disconnectInput(0)
    natron.press(group, "gvm_render_range")
    assert "has no plate" in text(group, "status")
    assert not runtime.exists()


@pytest.mark.parametrize(
    ("kind", "frames"),
    [("plate", range(1003, 1019)), ("project", range(1003, 1021)), ("custom", (1005, 1007))],
)
def test_the_range_is_the_plates_the_projects_or_ones_own(app, tmp_path, kind, frames):
    """Numbers are the files', wherever the Read stands; handles are context."""
    read = plate(app, tmp_path)
    natron.edit(read, "startingTime", 1)
    app.bounds, app.time = (3, 30), 4
    group = matte_group(app, read)
    natron.edit(group, "gvm_handles", 2)
    natron.edit(group, "gvm_frames", "1005-1008x2 2000")
    natron.edit(group, "gvm_range", kind)
    assert node_request.chosen_frames(as_node(app, group)) == tuple(frames)
    assert as_node(app, group).frame() == 1004


def test_a_trimmed_read_is_the_clip(app, tmp_path):
    """What is cut off is no context either."""
    read = plate(app, tmp_path)
    natron.edit(read, "firstFrame", 1005)
    natron.edit(read, "lastFrame", 1010)
    group = matte_group(app, read)
    clip = node_request.node_request(as_node(app, group), ()).plate
    assert (clip.first, clip.last) == (1005, 1010)
    natron.edit(group, "gvm_range", "custom")
    natron.edit(group, "gvm_frames", "1-5")
    with pytest.raises(SettingsError, match="1005-1010"):
        node_request.chosen_frames(as_node(app, group))


def test_the_mattes_stand_where_the_plate_stands(app, tmp_path):
    """Shifted, trimmed, held: before they are made, and when the plate moves afterwards."""
    read = plate(app, tmp_path)
    natron.edit(read, "startingTime", 1)
    natron.edit(read, "after", "black")
    group = matte_group(app, read)
    inside = mattes(group)
    names = ("firstFrame", "lastFrame", "timeOffset", "before", "after")
    assert [inside.getParam(name).get() for name in names] == [FIRST, LAST, -1000, 0, 3]
    rendered(app, group)
    natron.edit(read, "startingTime", 11)
    natron.edit(group, "gvm_blur", 0.0)
    assert inside.getParam("timeOffset").get() == -990
    rendered(app, group)  # which reads the files anew, and that sets the Read's frames
    assert [inside.getParam(name).get() for name in names] == [FIRST, LAST, -990, 0, 3]
    assert inside.getParam("filename").reloads == 2
    request = node_request.node_request(as_node(app, group), ())
    for move, shift in ((lambda: natron.edit(read, "startingTime", 21), -980),
                        (lambda: group.disconnectInput(0), -980)):  # fmt: skip
        move()
        tell(app, group, request, Update(ready=(FIRST,)))
        assert [inside.getParam(name).get() for name in names] == [FIRST, LAST, shift, 0, 3]


def test_before_the_first_render_the_read_inside_names_what_will_be_made(app, tmp_path):
    """So that a render without the artist finds it; it follows every change until then."""
    group = matte_group(app, plate(app, tmp_path))
    for version in (2, 3):
        natron.edit(group, "gvm_version", version)
        pattern = node_request.matte_pattern(as_node(app, group))
        assert f"_v00{version}." in pattern
        assert mattes(group).getParam("filename").get() == pattern
    assert text(group, "status") == "Not rendered yet."


def test_missing_mattes_do_what_the_group_says(app, tmp_path):
    """In Natron's words; black until an artist says otherwise."""
    group = matte_group(app, plate(app, tmp_path))
    inside = mattes(group).getParam("onMissingFrame")
    assert inside.getOption(inside.get()) == "black"
    natron.edit(group, "gvm_missing_mattes", "nearest")
    assert inside.getOption(inside.get()) == "nearest"


def test_a_preset_fills_in_its_numbers(app, tmp_path):
    """What is shown is what is asked for; a number that is changed afterwards wins."""
    group = matte_group(app, plate(app, tmp_path))
    natron.edit(group, "gvm_preset", "low_memory")
    assert group.getParam("gvm_frames_per_window").get() == 4
    natron.edit(group, "gvm_size", 256)
    assert node_request.node_request(as_node(app, group), ()).window.size == 256


@pytest.mark.parametrize("anew", [False, True])
def test_a_studio_s_defaults_fill_and_lock_parameters(app, tmp_path, monkeypatch, anew):
    """New groups have them, and keep them when their project is opened elsewhere."""
    studio = {"defaults": {"preset": "prototype", "colourspace": "acescg"}, "locked": ["weights"]}
    (tmp_path / "studio.json").write_text(json.dumps(studio))
    monkeypatch.setenv("GVM_NODE_DEFAULTS", str(tmp_path / "studio.json"))
    group = matte_group(app, plate(app, tmp_path))
    assert as_node(app, group).options().colourspace == "acescg"
    assert group.getParam("gvm_max_resolution").get() == 512
    monkeypatch.delenv("GVM_NODE_DEFAULTS")
    again = only_group(reopen(app, anew=anew))
    for one in (group, again):
        names = [knob.name for knob in settings.KNOBS]
        assert [n for n in names if not one.getParam(f"gvm_{n}").getIsEnabled()] == ["weights"]


@pytest.mark.parametrize("anew", [False, True])
def test_a_project_opens_with_its_settings_and_its_mattes(app, tmp_path, anew):
    """Whether Natron brings the group back whole or builds it anew."""
    read = plate(app, tmp_path)
    natron.edit(read, "startingTime", 1)
    group = matte_group(app, read)
    natron.edit(group, "gvm_gamma", 1.5)
    natron.edit(group, "gvm_missing_mattes", "error")
    rendered(app, group)
    natron.edit(group, "gvm_version", 2)
    before = {name: mattes(group).getParam(name).get() for name in mattes(group).node.params}
    again = only_group(reopen(app, anew=anew))
    assert text(again, "id") == text(group, "id")
    assert again.getParam("gvm_gamma").get() == 1.5
    assert mattes(again).node.decoder
    kept = {name: mattes(again).getParam(name).get() for name in before}
    assert kept == before


def test_a_studio_s_broken_file_keeps_no_project_from_opening(app, tmp_path, monkeypatch):
    """It is an error where a group is made."""
    matte_group(app, plate(app, tmp_path))
    monkeypatch.setenv("GVM_NODE_DEFAULTS", str(tmp_path / "none.json"))
    assert as_node(app, only_group(reopen(app, anew=True))).options().engine == "test"
    with pytest.raises(SettingsError, match=r"none\.json"):
        app.createNode(PLUGIN_ID)


@pytest.mark.parametrize("anew", [False, True])
def test_a_saved_job_is_said_where_it_is_seen(app, tmp_path, runtime, anew):
    """The status that was saved, some percent, is not true any more."""
    group = matte_group(app, plate(app, tmp_path))
    group.getParam("gvm_job").set(TICKET)
    show(app, group, Update(frames_total=4, note="Busy."))
    again = only_group(reopen(app, anew=anew))
    assert "press Render Range" in text(again, "status")
    assert not runtime.exists()


def test_a_group_that_natron_s_own_name_search_hides_is_no_matter(app, tmp_path):
    """No parameter is called like an attribute of Natron's nodes."""
    group = matte_group(app, plate(app, tmp_path))
    ours = [name for names in group.node.pages.values() for name in names]
    assert [name for name in ours if hasattr(Effect, name)] == []
    assert all(name.startswith("gvm_") for name in ours)


def test_callbacks_are_found_in_pythons_without_getargspec(tmp_path, runtime, monkeypatch):
    """Natron asks for it by name; Python 3.11 has it no more."""
    monkeypatch.delattr(inspect, "getargspec", raising=False)
    app = start(tmp_path)
    group = matte_group(app, plate(app, tmp_path))
    natron.edit(group, "gvm_preset", "low_memory")
    assert group.getParam("gvm_frames_per_window").get() == 4
    assert natron.session().script_editor == []


def test_every_button_has_its_action(app, tmp_path):
    """No button calls what is not there."""
    group = matte_group(app, plate(app, tmp_path))
    for button in settings.BUTTONS:
        assert callable(actions.ACTIONS[button.name])
        assert group.getParam(f"gvm_{button.name}").getTypeName() == "Button"


def test_reveal_and_cancel_before_the_first_render_say_so(app, tmp_path, runtime):
    """Nobody is asked."""
    group = matte_group(app, plate(app, tmp_path))
    natron.press(group, "gvm_reveal")
    assert text(group, "status").endswith("does not exist yet. Render first.")
    button = group.getParam("gvm_cancel")
    callbacks.param_changed(button, group, app, by_artist=False)
    assert text(group, "status") != "Nothing is rendering."
    natron.press(group, "gvm_cancel")
    assert text(group, "status") == "Nothing is rendering."
    assert not runtime.exists()


def test_a_deleted_read_inside_is_said(app, tmp_path):
    """With what to do; the job is not waited for any more."""
    group = matte_group(app, plate(app, tmp_path))
    group.getParam("gvm_job").set(TICKET)
    mattes(group).destroy()
    rendered(app, group)
    assert "was deleted" in text(group, "status")
    assert text(group, "job") == ""
    natron.edit(group, "gvm_blur", 1.0)
    natron.edit(group, "gvm_missing_mattes", "error")
    natron.press(group, "gvm_cancel")
    assert natron.session().script_editor == []
    natron.idle()
