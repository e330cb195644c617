"""A Loader of the plate, and a Loader of its alphas.

Laws:
1. The alphas play where the plate plays: its trims, its holds and its place are kept.
2. Only the composition's render range is made; asking again makes what is missing or has changed.
3. A Loader that a script made keeps its recipe, and is used again for the same files; made with
   other settings, the recipe is the new one, of every Loader of these files.
4. What one script adds is one step of undo, also where it is ended early.
5. A Loader is given its clip again when its files were made: whether Fusion sees by itself that
   files of one name have changed is documented nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence

from gvm_client.errors import ErrorCode, InputError, ServerError
from gvm_client.settings import Priority
from gvm_nodes.alphas import Recipe, apart
from gvm_nodes.fusion.comp import Composition, Tool, loaders, one_step, render_range
from gvm_nodes.fusion.played import (
    Played,
    at_most,
    clip_name,
    first_on_disk,
    played,
    starts_at,
    within,
)
from gvm_nodes.knobs import Wishes
from gvm_nodes.make import Bench, numbered

OPENFX_TOOL = "ofx.org.gvmbridge.matte"
RECIPE_KEY = "gvm.recipe"
AS_FROM_THE_TOOLBAR = -32768  # Fusion's own word for: beside the active tool, and connected to it


def place_tool(comp: Composition) -> Tool:
    """Put the OpenFX tool behind the active tool, as one step of undo.

    Raises:
        ServerError: Fusion has no such tool.
    """
    with one_step(comp, "Add GVM Matte"):
        return _added(comp, OPENFX_TOOL, "Install the plug-in with `gvm install ofx`.")


def load_alphas(comp: Composition, wishes: Wishes, bench: Bench) -> list[Tool]:
    """Matte what the selected Loaders show in the render range, and add a Loader of each alpha.

    Raises:
        InputError: no Loader is selected, or it shows nothing in the range.
        GvmError: a job failed; the Loaders before it are there.
    """
    plates = loaders(comp, selected=True)
    if not plates:
        raise InputError(
            "No Loader is selected.",
            remedy="Select the Loader of the plate; for any other tool use the GVM Matte tool.",
            code=ErrorCode.PLATE_MISSING,
        )
    clips = [_asked(comp, plate, wishes) for plate in plates]
    apart((recipe for recipe, _ in clips), standing=map(_text_of, loaders(comp)))
    made: list[tuple[Recipe, Played]] = []
    try:
        for recipe, shown in numbered(bench, clips):
            bench.make(recipe, str(shown.frames), Priority.RANGE)
            made.append((recipe, shown))
    finally:
        added = _load(comp, made)
    return added


def read_again(comp: Composition, alphas: Sequence[Tool]) -> None:
    """Have Loaders of alphas read their files again, as one step of undo; they play as before."""
    if not alphas:
        return
    with one_step(comp, "Read GVM Alphas Again"):
        for loader in alphas:
            _play(loader, played(comp, loader), clip_name(loader.GetAttrs()))


def recipe_of(loader: Tool) -> Recipe | None:
    """Return how a Loader's alphas were made; None for any other Loader.

    Raises:
        SettingsError: what it keeps is damaged.
    """
    text = _text_of(loader)
    return Recipe.from_text(text) if text else None


def _asked(comp: Composition, plate: Tool, wishes: Wishes) -> tuple[Recipe, Played]:
    whole, times = played(comp, plate), render_range(comp)
    shown = within(whole, times)
    if shown is None:
        raise InputError(
            f"{whole.path} plays at {whole.times}, outside of the render range {times}.",
            remedy="Set the composition's render range over it.",
            code=ErrorCode.RANGE_OUTSIDE,
            path=whole.path,
        )
    first, last = whole.disk or (None, None)
    recipe = Recipe(plate=whole.path, first=first, last=last, wishes=wishes)
    return recipe, at_most(shown, recipe.max_frames)


def _load(comp: Composition, made: Sequence[tuple[Recipe, Played]]) -> list[Tool]:
    if not made:
        return []
    with one_step(comp, "Load GVM Alphas"):
        return [_loader(comp, recipe, shown) for recipe, shown in made]


def _loader(comp: Composition, recipe: Recipe, shown: Played) -> Tool:
    """Return the Loader of a recipe's alphas, playing as the plate does."""
    standing = [one for one in loaders(comp) if recipe.is_of_same_files(_text_of(one))]
    loader = standing[0] if standing else _added(comp, "Loader", "Ask again.")
    _play(loader, shown, recipe.alphas % shown.frames.first)
    for copy in standing[1:]:  # the artist's copies of it show the same new files
        if file := clip_name(copy.GetAttrs()):
            _play(copy, played(comp, copy), file)
    for one in (loader, *standing):
        one.SetData(RECIPE_KEY, recipe.to_text())
    return loader


def _play(loader: Tool, shown: Played, file: str) -> None:
    """Have a Loader read its files anew, whether or not it had them, and play them so.

    The order is Fusion's: a clip, also the same one, sets everything else anew, the clip's
    beginning cannot pass its end, and moving it changes the trims and the holds.
    """
    loader.SetInput("Clip", file)
    attributes = loader.GetAttrs()
    ends = [("GlobalIn", shown.times.first), ("GlobalOut", shown.times.last)]
    moves_right = shown.times.first > starts_at(attributes)
    for name, time in reversed(ends) if moves_right else ends:
        loader.SetInput(name, time)
    # The folder may hold earlier frames, and then the clip begins with those.
    begins = first_on_disk(attributes)
    loader.SetInput("ClipTimeStart", shown.frames.first - begins)
    loader.SetInput("ClipTimeEnd", shown.frames.last - begins)
    loader.SetInput("HoldFirstFrame", shown.hold_first)
    loader.SetInput("HoldLastFrame", shown.hold_last)
    loader.SetInput("Reverse", int(shown.reverse))
    loader.SetInput("Loop", int(shown.loop))


def _text_of(loader: Tool) -> str:
    return str(loader.GetData(RECIPE_KEY) or "")


def _added(comp: Composition, kind: str, remedy: str) -> Tool:
    tool = comp.AddTool(kind, AS_FROM_THE_TOOLBAR, AS_FROM_THE_TOOLBAR)
    if tool is None:
        raise ServerError(
            f"Fusion has no tool {kind}.", remedy=remedy, code=ErrorCode.SERVER_START_FAILED
        )
    return tool
