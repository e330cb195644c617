"""The Natron group with the real server behind a fake Natron: what an artist does with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gvm_nodes.make import maker
from gvm_nodes.natron.callbacks import Mattes
from gvm_nodes.natron.group import PLUGIN_ID, create
from tests.fakes.natron import App
from tests.support.plates import write_plate
from tests.support.site import Site


@pytest.fixture
def plate(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a plate of ten frames; this process is on the site's machine."""
    for name, text in site.environment.items():
        monkeypatch.setenv(name, text)
    write_plate(tmp_path / "plate", range(1001, 1011), width=48, height=32)
    return tmp_path / "plate"


def alphas(plate: Path) -> list[str]:
    """Return the names of the alphas that stand."""
    return sorted(path.name for path in (plate / "gvm" / "plate_v001").glob("*.exr"))


def test_a_natron_render_has_its_alphas_before_the_frame(site, plate):
    """All of the plate that follows comes with the first frame; the second asks for nothing."""
    app = App()
    read, group = app.createNode("fr.inria.built-in.Read"), app.createNode(PLUGIN_ID)
    create(app, group)
    group.connectInput(0, read)
    read.params["filename"].set(str(plate / "plate.####.exr"))
    read.params["lastFrame"].set(1010)
    for name, text in (("gvmEngine", "test"), ("gvmPreset", "prototype")):
        group.params[name].set(text)
    said: list[str] = []
    mattes = Mattes(maker(said.append))
    mattes.before_frame(1008, app)
    assert alphas(plate) == [f"plate_alpha.{frame}.exr" for frame in (1008, 1009, 1010)]
    heard = len(said)
    mattes.before_frame(1009, app)
    assert (len(said), len(site.windows_denoised())) == (heard, 1)
