"""An artist at a script's window, in a Fusion or a Resolve of our own making."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence

from gvm_nodes.blackmagic.alpha_spec import SCRIPT_KNOBS, SCRIPT_OPTIONS
from gvm_nodes.blackmagic.fusion.script import main as fusion_main
from gvm_nodes.blackmagic.resolve.script import main as resolve_main
from gvm_nodes.core.defaults import changed_options
from gvm_nodes.core.transport import Transport
from tests.fakes.fusion import Composition, Fusion
from tests.fakes.resolve import Project, Resolve
from tests.fakes.uimanager import Artist, Screen, Window

Hands = Generator[None, None, None]


def at_fusion(
    artist: Artist,
    comp: Composition,
    words: Sequence[str],
    transport: Callable[[], Transport],
    **kept: str,
) -> tuple[int, Fusion]:
    """Run a script of Fusion's menu; return its exit code and the program that it ran in."""
    fusion = Fusion(comp, Screen(artist))
    fusion.data |= kept
    said: list[str] = []
    code = fusion_main(words, said.append, fusion.names(), transport)
    assert said == []  # what there is to say is in the window
    return code, fusion


def at_resolve(
    artist: Artist, project: Project, words: Sequence[str], transport: Callable[[], Transport]
) -> tuple[int, Resolve]:
    """Run a script of Resolve's menu; return its exit code and the program that it ran in."""
    resolve = Resolve(project, Screen(artist))
    said: list[str] = []
    code = resolve_main(words, said.append, resolve.names(), transport)
    assert said == []
    return code, resolve


def until(window: Window, says: str) -> Hands:
    """Wait until the status line says something."""
    while says not in window.status:
        yield


def comp(*plates: str) -> Composition:
    """Return a composition with plates, all selected."""
    made = Composition(0, 9)
    for name in plates or ("a",):
        made.select_loader(f"/p/{name}.1001.exr", 1001, 100, start=0)
    return made


def shown(window: Window) -> dict[str, object]:
    """Return what every setting shows."""
    return {knob.name: window.value(knob.name) for knob in SCRIPT_KNOBS}


def matte_settings(**values: object) -> dict[str, object]:
    """Return what every setting shows where these were chosen."""
    options = changed_options(SCRIPT_OPTIONS, values)  # type: ignore[arg-type]
    return {knob.name: getattr(options, knob.name) for knob in SCRIPT_KNOBS}
