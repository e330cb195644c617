"""A Loader of the plate, and a Loader of its alphas.

Laws:
1. The alphas play where the plate plays: its trims and its place in the composition are kept.
2. Only the composition's render range is made; asking again makes what is missing or has changed.
3. A Loader that a script made keeps its recipe, and is used again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from gvm_client.errors import ErrorCode, InputError, ServerError
from gvm_client.settings import Priority
from gvm_nodes.alphas import Recipe
from gvm_nodes.fusion.comp import Composition, Tool, one_step
from gvm_nodes.knobs import Wishes
from gvm_nodes.make import Make

OPENFX_TOOL = "ofx.org.gvmbridge.matte"
RECIPE_KEY = "gvm.recipe"
AS_FROM_THE_TOOLBAR = -32768  # Fusion's own word for: beside the active tool, and connected to it

_MOVIES = frozenset({".mov", ".mp4", ".mkv", ".avi", ".mxf", ".m4v", ".webm"})
_MOVIE_FIRST = 1  # the server counts a movie's frames from 1
_NUMBER = re.compile(r"\d+(?=\.[^.]+\Z)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Played:
    """A plate as a Loader plays it in a composition's range.

    Attributes:
        path: of a movie, or the pattern of a sequence.
        disk: the sequence's first and last frame on disk; None for a movie.
        first: the first frame of the plate that is shown in the range.
        last: the last one.
        time: when, in the composition, the first one is shown.
    """

    path: str
    disk: tuple[int, int] | None
    first: int
    last: int
    time: int


def place_tool(comp: Composition) -> Tool:
    """Put the OpenFX tool behind the active tool, as one step of undo.

    Raises:
        ServerError: Fusion has no such tool.
    """
    with one_step(comp, "Add GVM Matte"):
        return _added(comp, OPENFX_TOOL, "Install the plug-in with `gvm install ofx`.")


def load_alphas(comp: Composition, wishes: Wishes, make: Make) -> list[Tool]:
    """Matte what the selected Loaders show in the render range, and add a Loader of each alpha.

    Raises:
        InputError: no Loader is selected, or it shows nothing in the range.
        GvmError: a job failed; the Loaders before it are there.
    """
    plates = list(comp.GetToolList(True, "Loader").values())
    if not plates:
        raise InputError(
            "No Loader is selected.",
            remedy="Select the Loader of the plate; for any other tool use the GVM Matte tool.",
            code=ErrorCode.PLATE_MISSING,
        )
    return [_load(comp, played(comp, plate), wishes, make) for plate in plates]


def played(comp: Composition, plate: Tool) -> Played:
    """Return what a Loader shows in the composition's render range.

    Raises:
        InputError: it has no clip, or shows nothing there.
    """
    attributes = plate.GetAttrs()
    path = str(_clip(attributes, "TOOLST_Clip_Name") or "")
    if not path:
        raise InputError(
            "The selected Loader has no clip.",
            remedy="Choose its file first.",
            code=ErrorCode.PLATE_MISSING,
        )
    begins, ends = (int(_clip(attributes, f"TOOLNT_Clip_{end}")) for end in ("Start", "End"))
    of_comp = comp.GetAttrs()
    time = max(begins, int(of_comp["COMPN_RenderStart"]))
    until = min(ends, int(of_comp["COMPN_RenderEnd"]))
    if time > until:
        raise InputError(
            f"{path} plays at {begins}-{ends}, outside of the render range.",
            remedy="Set the composition's render range over it.",
            code=ErrorCode.RANGE_OUTSIDE,
            path=path,
        )
    disk = _on_disk(path, attributes)
    first = (disk[0] if disk else _MOVIE_FIRST) + int(_clip(attributes, "TOOLIT_Clip_TrimIn") or 0)
    return Played(
        path=_NUMBER.sub(lambda found: "#" * len(found[0]), path) if disk else path,
        disk=disk,
        first=first + time - begins,
        last=first + until - begins,
        time=time,
    )


def _load(comp: Composition, shown: Played, wishes: Wishes, make: Make) -> Tool:
    first, last = shown.disk or (None, None)
    recipe = Recipe(plate=shown.path, first=first, last=last, wishes=wishes)
    make(recipe, f"{shown.first}-{shown.last}", Priority.RANGE)
    with one_step(comp, "Load GVM alphas"):
        loader = next(_made_before(comp, recipe), None) or _added(comp, "Loader", "Ask again.")
        loader.SetInput("Clip", recipe.alphas % shown.first)
        # The folder may hold earlier frames, and then the clip begins with those.
        begins = int(_clip(loader.GetAttrs(), "TOOLIT_Clip_StartFrame"))
        loader.SetInput("ClipTimeStart", shown.first - begins)
        loader.SetInput("ClipTimeEnd", shown.last - begins)
        loader.SetInput("GlobalOut", shown.time + shown.last - shown.first)
        loader.SetInput("GlobalIn", shown.time)
        loader.SetData(RECIPE_KEY, recipe.to_text())
    return loader


def _made_before(comp: Composition, recipe: Recipe) -> Iterator[Tool]:
    for loader in comp.GetToolList(False, "Loader").values():
        if loader.GetData(RECIPE_KEY) == recipe.to_text():
            yield loader


def _added(comp: Composition, kind: str, remedy: str) -> Tool:
    tool = comp.AddTool(kind, AS_FROM_THE_TOOLBAR, AS_FROM_THE_TOOLBAR)
    if tool is None:
        raise ServerError(
            f"Fusion has no tool {kind}.", remedy=remedy, code=ErrorCode.SERVER_START_FAILED
        )
    return tool


def _on_disk(path: str, attributes: Any) -> tuple[int, int] | None:  # noqa: ANN401 - as Fusion's
    if PurePath(path).suffix.lower() in _MOVIES or not _NUMBER.search(path):
        return None
    first = int(_clip(attributes, "TOOLIT_Clip_StartFrame"))
    return first, first + int(_clip(attributes, "TOOLIT_Clip_Length")) - 1


def _clip(attributes: Any, name: str) -> Any:  # noqa: ANN401 - Fusion's tables hold anything
    """Return an attribute of a Loader's first clip; None where it is not there."""
    table = attributes.get(name) or {}
    return table.get(1)
