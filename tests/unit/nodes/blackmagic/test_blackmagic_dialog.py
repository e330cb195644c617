"""The window of Fusion's and Resolve's scripts: what an artist finds in it, without a server.

Names follow what artists expect; `docs/hosts.md` has the list.
"""

from __future__ import annotations

import json
import threading

import pytest

from gvm_client.errors import SettingsError
from gvm_nodes.blackmagic.alpha_spec import SCRIPT_KNOBS, SCRIPT_OPTIONS
from gvm_nodes.blackmagic.dialog import LOOK_SECONDS
from gvm_nodes.blackmagic.fusion.script import main
from gvm_nodes.blackmagic.settings_form import BOUNDS, OPTIONS_KEY
from gvm_nodes.core.defaults import changed_options, checked_options
from gvm_nodes.core.settings import Page
from tests.fakes.fusion import Fusion
from tests.fakes.resolve import MediaPoolItem, Project, Timeline, TimelineItem, status
from tests.fakes.transport import FakeTransport
from tests.fakes.uimanager import Screen, Window
from tests.support.artist import Hands, at_fusion, at_resolve, comp, matte_settings, shown, until

pytestmark = pytest.mark.usefixtures("no_studio")


def test_every_setting_is_in_the_window_on_its_page():
    """With its label, its explanation and its default."""
    seen: dict[str, object] = {}

    def artist(window: Window) -> Hands:
        seen.update(shown(window))
        elements = window.every()
        for knob in SCRIPT_KNOBS:
            assert elements[knob.name].ToolTip == knob.tooltip
            if knob.choices:
                assert elements[knob.name].choices == list(knob.choices)
        texts = _texts(window)
        assert {page.value for page in Page} <= {text[3:-4] for text in texts if "<b>" in text}
        assert {knob.label for knob in SCRIPT_KNOBS} <= texts
        window.press("close")
        yield

    assert at_fusion(artist, comp(), ["alphas"], FakeTransport())[0] == 0
    assert seen == matte_settings()


def test_the_rows_of_a_page_are_aligned():
    """By their shares of the width: the layout heeds no least size."""
    shares: set[tuple[float, float]] = set()
    status: list[float] = []

    def artist(window: Window) -> Hands:
        left = [window]
        while left:
            element = left.pop()
            left += element.children
            if [child.ID in BOUNDS for child in element.children] == [False, True]:
                shares.add(tuple(child.Weight for child in element.children))
        status.append(window.every()["status"].Weight)
        window.press("close")
        yield

    at_fusion(artist, comp(), ["alphas"], FakeTransport())
    assert len(shares) == 1
    assert min(*shares.pop(), *status) > 0


def test_a_number_s_element_ends_where_its_setting_does():
    """Without an end it would stop at 99; with another it would offer what is refused."""
    numbers = [knob for knob in SCRIPT_KNOBS if type(knob.default) in (int, float)]
    assert {knob.name for knob in numbers} == set(BOUNDS)
    wide = {"frames_per_window": 256, "overlap": 0, "black": -2000.0, "white": 2000.0}
    base = changed_options(SCRIPT_OPTIONS, wide)
    for name, (low, high) in BOUNDS.items():
        for value in (low, high):
            checked_options(changed_options(base, {name: value}))
        if name not in ("version", "black", "white"):  # those have no end of their own
            for value in (low - 1, high + 1):
                with pytest.raises(SettingsError):
                    checked_options(changed_options(base, {name: value}))


def test_choosing_a_preset_fills_in_its_numbers_and_one_s_own_stay():
    """Numbers that are set after it are asked for."""
    transport = FakeTransport()

    def artist(window: Window) -> Hands:
        window.choose("preset", "prototype")
        yield
        yield
        assert shown(window) == matte_settings(preset="prototype")
        window.every()["overlap"].Value = 2
        window.every()["gamma"].Value = 1.2
        window.press("start")
        yield from until(window, "its alphas")
        assert shown(window) == matte_settings(preset="prototype", overlap=2, gamma=1.2)
        window.press("close")

    at_fusion(artist, comp(), ["alphas"], transport)
    (request,) = transport.requests
    assert (request.window.max_resolution, request.window.overlap) == (512, 2)
    assert request.knobs.gamma == 1.2


def test_options_preset_the_window():
    """A preset's own numbers do not come back over what an option names."""

    def artist(window: Window) -> Hands:
        yield
        yield
        assert shown(window) == matte_settings(preset="prototype", size=256, gamma=1.3, invert=True)
        window.press("close")

    words = ["alphas", "--preset", "prototype", "--size", "256", "--gamma", "1.3", "--invert"]
    assert at_fusion(artist, comp(), words, FakeTransport())[0] == 0


def test_nothing_is_contacted_before_the_button_is_pressed():
    """Opening, setting and closing look for no server and start no thread."""
    transport, threads = FakeTransport(), threading.active_count()

    def artist(window: Window) -> Hands:
        window.choose("engine", "test")
        window.every()["size"].Value = 512
        yield
        window.close()

    _, fusion = at_fusion(artist, comp(), ["alphas"], transport)
    assert transport.opened == []
    assert threading.active_count() == threads
    assert fusion.data == {}
    assert not fusion.UIManager.windows[0].is_shown


def test_the_work_is_off_the_main_thread_and_says_how_it_goes():
    """Percent, frame, place in the queue, which clip of how many; the button rests meanwhile."""
    transport = FakeTransport(holds=True)
    heard: list[str] = []

    def artist(window: Window) -> Hands:
        assert not window.is_enabled("cancel")
        window.press("start")
        yield from until(window, "20 %")
        heard.append(window.status)
        assert not window.is_enabled("start")
        window.press("start")
        transport.cancel(transport.requests[0].job)  # as `gvm cancel` does
        yield from until(window, "Two frames are kept.")
        assert window.is_enabled("start")
        assert not window.is_enabled("cancel")
        yield
        yield
        window.press("close")

    code, _ = at_fusion(artist, comp("a", "b"), ["alphas"], transport)
    assert heard == ["Clip 1 of 2, a.####.exr. 20 %, frame 2 of 10. Third in the queue."]
    assert threading.main_thread().name not in transport.opened
    assert code == 130
    assert len(transport.requests) == 1


def test_cancel_ends_the_server_s_job_and_keeps_what_is_finished():
    """The first clip has its Loader; the second one's job is ended."""
    transport, composition = FakeTransport(), comp("a", "b")

    def artist(window: Window) -> Hands:
        window.press("start")
        yield from until(window, "Clip 2 of 2")
        while len(transport.requests) < 2:  # the server has the second job
            yield
        window.press("cancel")
        yield from until(window, "Two frames are kept.")
        window.press("close")

    def hold(request: object) -> object:
        transport.holds = len(transport.requests) == 1
        return FakeTransport.matte(transport, request)  # type: ignore[arg-type]

    transport.matte = hold  # type: ignore[method-assign, assignment]
    code, _ = at_fusion(artist, composition, ["alphas"], transport)
    assert transport.ended == [transport.requests[1].job]
    assert [tool.inputs["Clip"] for tool in composition.tools[2:]] == [
        "/p/gvm/a_v001/a_alpha.1001.exr"
    ]
    assert code == 130


@pytest.mark.parametrize("how", ["press", "close"])
def test_closing_the_window_cancels_first(how):
    """By its button or its cross; the server is not left with a job that nobody wants."""
    transport = FakeTransport(holds=True)

    def artist(window: Window) -> Hands:
        window.press("start")
        yield from until(window, "20 %")
        if how == "press":
            window.press("close")
        else:
            window.close()

    code, fusion = at_fusion(artist, comp(), ["alphas"], transport)
    assert transport.ended == [transport.requests[0].job]
    assert code == 130
    assert not fusion.UIManager.windows[0].is_shown


def test_a_button_that_is_pressed_and_closed_at_once_starts_nothing():
    """The last word counts."""
    transport = FakeTransport()

    def artist(window: Window) -> Hands:
        window.press("start")
        window.close()
        yield

    assert at_fusion(artist, comp(), ["alphas"], transport)[0] == 0
    assert transport.requests == []


def test_a_program_that_is_gone_takes_its_job_along():
    """Nobody could press Cancel any more."""
    transport = FakeTransport(holds=True)

    def artist(window: Window) -> Hands:
        window.press("start")
        yield from until(window, "20 %")
        window.Hide()

    assert at_fusion(artist, comp(), ["alphas"], transport)[0] == 130
    assert transport.ended == [transport.requests[0].job]
    assert LOOK_SECONDS < 5


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("overlap", 5, "overlap is 5; it must be from 0 to half of frames_per_window, here 4."),
        ("black", 1.0, "black is 1.0; it must be below white, here 1.0."),
        ("out", "a.exr", "The output path 'a.exr' is not absolute. Begin it with {dir} or with /."),
    ],
)
def test_a_bad_value_is_a_sentence_and_nothing_starts(name, value, says):
    """And can be mended in the same window."""
    transport = FakeTransport()

    def artist(window: Window) -> Hands:
        element = window.every()[name]
        good = window.value(name)
        attribute = "Text" if name == "out" else "Value"
        setattr(element, attribute, value)
        window.press("start")
        yield from until(window, says)
        assert transport.requests == []
        setattr(element, attribute, good)
        window.press("start")
        yield from until(window, "1 Loader has its alphas.")
        window.press("close")

    assert at_fusion(artist, comp(), ["alphas"], transport)[0] == 0
    assert len(transport.requests) == 1


def test_a_number_that_cannot_be_used_is_not_remembered():
    """The next window begins with one that can."""

    def artist(window: Window) -> Hands:
        window.every()["overlap"].Value = 5
        window.press("start")
        yield from until(window, "overlap is 5")
        window.press("close")

    code, fusion = at_fusion(artist, comp(), ["alphas"], FakeTransport())
    assert (code, fusion.data) == (1, {})


def test_an_error_is_one_sentence_with_its_remedy():
    """The server's words, and the script's own; nothing is raised into a console."""
    transport, composition = FakeTransport(fails="Out of memory at 4096x2160."), comp()

    def artist(window: Window) -> Hands:
        window.press("start")
        yield from until(window, "Out of memory at 4096x2160. Try less.")
        composition.selection.clear()
        window.press("start")
        yield from until(window, "No Loader is selected. Select the Loader of the plate")
        window.press("close")

    assert at_fusion(artist, composition, ["alphas"], transport)[0] == 1
    assert composition.steps == []


def test_what_the_server_had_to_say_stands_at_the_end():
    """Such as which engine made the mattes; once, however many clips there are."""
    says = "2 Loaders have their alphas. The test engine made this."

    def artist(window: Window) -> Hands:
        window.press("start")
        yield from until(window, says)
        assert window.status == says
        window.press("close")

    composition = comp("a", "b")
    assert at_fusion(artist, composition, ["alphas"], FakeTransport())[0] == 0
    assert composition.steps == ["Load GVM Alphas"]


def test_free_gpu_memory_asks_in_the_background():
    """The answer comes to the status line."""
    transport = FakeTransport()

    def artist(window: Window) -> Hands:
        window.press("release")
        yield from until(window, "The GPU's memory was given back.")
        window.press("close")

    at_fusion(artist, comp(), ["alphas"], transport)
    assert transport.released == 1
    assert transport.opened == ["gvm-release"]


def test_items_without_media_are_told_at_the_end():
    """A title, or a clip that Resolve gives no media of: it was passed over."""
    item = TimelineItem(MediaPoolItem("/p/a.[1001-1010].exr"), 0, 10)
    timeline = Timeline("Cut", [[item], [TimelineItem(None, 2, 3)]], start=0)
    timeline.marks = {"in": 0, "out": 9}

    def artist(window: Window) -> Hands:
        window.press("start")
        yield from until(window, "1 alpha clip is in the bin GVM Mattes. 1 item has no media")
        window.press("close")

    assert at_resolve(artist, Project(timeline), ["marked"], FakeTransport())[0] == 0


def test_an_event_that_nobody_asked_for_is_no_trouble():
    """The event loop raises for it."""

    def artist(window: Window) -> Hands:
        window.press("invert")
        yield
        window.press("close")

    assert at_fusion(artist, comp(), ["alphas"], FakeTransport())[0] == 0


@pytest.mark.parametrize("screen", [None, "no windows", "no loop"])
def test_a_menu_without_windows_starts_nothing_that_nobody_has_set(screen):
    """Such as Resolve without Studio; whoever says --no-window has chosen the settings."""
    transport, said, composition = FakeTransport(), [], comp()
    shows = Screen(_nobody, shows=screen != "no windows")
    if screen == "no loop":
        shows.StepLoop = None  # type: ignore[method-assign]
    fusion = Fusion(composition, shows if screen else None)
    words = ["alphas", "--size", "64"]
    assert main(words, said.append, fusion.names(), transport) == 1
    assert transport.requests == []
    assert len(said) == 1
    assert "--no-window" in said[0]
    assert main([*words, "--no-window"], said.append, fusion.names(), transport) == 0
    assert transport.requests[0].window.size == 64
    assert said[-1] == "GVM: 1 Loader has its alphas."
    assert any("frame 0 of 10" in sentence for sentence in said)


def test_a_script_may_ask_for_no_window():
    """For a menu entry of one's own; what was chosen in the window last is not its business."""
    transport, said = FakeTransport(), []
    fusion = Fusion(comp(), Screen(_nobody))
    fusion.data[OPTIONS_KEY] = json.dumps({"size": 64})
    assert main(["alphas", "--no-window"], said.append, fusion.names(), transport) == 0
    assert transport.requests[0].window.size == 720


def test_control_c_in_a_terminal_ends_the_job():
    """With the exit code of an interrupt."""
    transport, said = FakeTransport(), []

    def interrupt(_: object) -> object:
        try:
            raise KeyboardInterrupt
            yield
        finally:
            said.append("ended")

    transport.matte = interrupt  # type: ignore[method-assign, assignment]
    words = ["alphas", "--no-window"]
    assert main(words, said.append, Fusion(comp()).names(), transport) == 130
    assert said[-2:] == ["ended", "GVM: Cancelled; what is finished is kept."]


def test_render_with_mattes_shows_its_progress_and_is_aborted_by_cancel():
    """The mattes are the server's to cancel, the render is Fusion's."""
    composition, transport = comp(), FakeTransport()
    composition.attributes["COMPN_RenderEnd"] = 9000.0

    def artist(window: Window) -> Hands:
        assert set(window.every()) > {"start", "cancel", "release", "close", "status"}
        assert "preset" not in window.every()
        window.press("start")
        yield from until(window, "Rendering: 0 %, frame 1")
        window.press("cancel")
        yield from until(window, "The job was cancelled.")
        window.press("close")

    code, fusion = at_fusion(artist, composition, ["render"], transport)
    assert code == 130
    assert composition.is_aborted
    assert fusion.data == {}


def test_resolve_has_the_same_window():
    """Of what the media pool's selection is when the button is pressed."""
    project, transport = Project(), FakeTransport()

    def artist(window: Window) -> Hands:
        assert shown(window) == matte_settings(version=2)
        project.pool.selection = [MediaPoolItem(f"/p/{name}.[1001-1010].exr") for name in "ab"]
        window.press("start")
        yield from until(window, "2 alpha clips are in the bin GVM Mattes.")
        window.press("close")

    code, resolve = at_resolve(artist, project, ["selected", "--version", "2"], transport)
    assert code == 0
    assert [request.plate.path for request in transport.requests] == [
        "/p/a.####.exr",
        "/p/b.####.exr",
    ]
    assert json.loads(resolve.fusion.data[OPTIONS_KEY]) == {"version": 2}


def test_resolve_s_marked_range_says_what_is_missing():
    """In the window that stays."""

    def artist(window: Window) -> Hands:
        window.press("start")
        yield from until(window, "No range is marked. Mark an in and an out point")
        window.press("close")

    assert at_resolve(artist, Project(), ["marked"], FakeTransport())[0] == 1


def test_cancel_stops_resolve_s_render():
    """Its progress is in the window, in the words of Resolve's interface."""
    item = MediaPoolItem("/p/a.[1001-1010].exr")
    project = Project(Timeline("Cut", [[TimelineItem(item, 0, 10)]], start=0))
    project.jobs = [{"JobId": "j1", "TimelineName": "Cut"}]
    project.script = {"j1": [status("レンダリング中", 40)] * 900}

    def artist(window: Window) -> Hands:
        window.press("start")
        yield from until(window, "Render job 1 of 1: レンダリング中 40 %")
        window.press("cancel")
        yield from until(window, "The job was cancelled.")
        window.press("close")

    assert at_resolve(artist, project, ["deliver"], FakeTransport())[0] == 130
    assert project.stopped


def test_the_program_s_objects_refuse_other_threads():
    """So that no test above passes with a script that touches them from its job's thread."""
    screen = Screen(_nobody)
    window = screen.AddWindow({"ID": "w"}, [screen.Label({"ID": "status"})])
    touches = (
        lambda: screen.FindWindow("w"),
        lambda: window.status,
        lambda: setattr(window, "Enabled", False),
        lambda: Fusion().GetData(OPTIONS_KEY),
        lambda: Project().GetRenderJobList(),
    )
    refused: list[str] = []

    def trespass() -> None:
        for touch in touches:
            with pytest.raises(AssertionError) as refusal:
                touch()
            refused.append(str(refusal.value))

    thread = threading.Thread(target=trespass, name="job")
    thread.start()
    thread.join()
    assert len(refused) == len(touches)
    assert all("the thread job" in refusal for refusal in refused)


def _nobody(window: Window) -> Hands:
    raise AssertionError("A window was opened.")
    yield


def _texts(window: Window) -> set[str]:
    found, left = set(), [window]
    while left:
        element = left.pop()
        found.add(element.Text or "")
        left += element.children
    return found
