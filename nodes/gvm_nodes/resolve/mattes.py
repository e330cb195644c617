"""Mattes of shots, made by the server and put into the media pool.

Laws:
1. An alpha clip keeps its plate's frame numbers, and carries its recipe as metadata.
2. A clip that the bin has already, with the same files and range, is not imported again; made
   with other settings, the recipe of every clip of these files is the new one.
3. The artist's current bin stays the current one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from gvm_client.errors import OutputError
from gvm_client.settings import Priority
from gvm_nodes.alphas import Recipe, apart
from gvm_nodes.knobs import Wishes
from gvm_nodes.make import Bench, numbered
from gvm_nodes.resolve.media import source_clip
from gvm_nodes.resolve.shots import Shot
from gvm_nodes.span import Span

if TYPE_CHECKING:
    from fusionscript import Folder, MediaPool, MediaPoolItem
    from fusionscript.fusionscript import ImportClipInfo

BIN = "GVM Mattes"
RECIPE_KEY = "GVM Recipe"


def matte(
    pool: MediaPool, shots: Sequence[Shot], wishes: Wishes, bench: Bench
) -> list[MediaPoolItem]:
    """Matte shots one after the other, and return the alpha clips in the media pool.

    Args:
        pool: where the alpha clips go, in the bin `BIN`.
        shots: what to matte.
        wishes: the settings.
        bench: makes the alphas, and waits for them.

    Raises:
        GvmError: a job failed; the shots before it are in the media pool.
    """
    clips = [(_recipe(shot, wishes), shot) for shot in shots]
    apart((recipe for recipe, _ in clips), standing=map(_text_of, _matted(pool)))
    made: list[MediaPoolItem] = []
    for recipe, whole in numbered(bench, clips):
        shot = whole.at_most(recipe.max_frames)
        bench.make(recipe, shot.range_text, Priority.RANGE)
        made += _add(pool, recipe, shot.frames)
    return made


def recipe_of(item: MediaPoolItem) -> Recipe | None:
    """Return how an alpha clip was made; None for any other clip.

    Raises:
        SettingsError: its metadata is damaged.
    """
    text = _text_of(item)
    return Recipe.from_text(text) if text else None


def _recipe(shot: Shot, wishes: Wishes) -> Recipe:
    """Return a shot's recipe: a sequence is as long as Resolve says, a movie as it is."""
    frames = shot.clip.frames if shot.clip.is_sequence else None
    return Recipe(
        plate=shot.clip.path,
        first=frames.first if frames else None,
        last=frames.last if frames else None,
        wishes=wishes,
    )


def _add(pool: MediaPool, recipe: Recipe, frames: Iterable[Span]) -> list[MediaPoolItem]:
    before = pool.GetCurrentFolder()
    standing = [item for item in _matted(pool) if recipe.is_of_same_files(_text_of(item))]
    for item in standing:
        item.SetThirdPartyMetadata(RECIPE_KEY, recipe.to_text())
    pool.SetCurrentFolder(_bin(pool) or pool.AddSubFolder(pool.GetRootFolder(), BIN))
    try:
        return [_clip(pool, standing, recipe, span) for span in frames]
    finally:
        pool.SetCurrentFolder(before)


def _clip(
    pool: MediaPool, standing: Sequence[MediaPoolItem], recipe: Recipe, span: Span
) -> MediaPoolItem:
    for item in standing:
        if source_clip(item).frames == span:
            return item
    wanted: ImportClipInfo = {
        "FilePath": recipe.alphas,
        "StartIndex": span.first,
        "EndIndex": span.last,
    }
    added = pool.ImportMedia([wanted])
    if not added:
        raise OutputError(
            f"Resolve does not import {recipe.alphas}, frames {span}.",
            remedy="Import the files by hand; they are finished.",
            path=recipe.alphas,
        )
    if len(added) != 1 or source_clip(added[0]).frames != span:
        pool.DeleteClips(added)  # the files stay
        raise OutputError(
            f"Resolve imports {recipe.alphas} frame by frame, as {len(added)} clips.",
            remedy="Switch off Show Individual Frames in the media pool's menu, and matte again;"
            " the files are finished.",
            path=recipe.alphas,
        )
    added[0].SetThirdPartyMetadata(RECIPE_KEY, recipe.to_text())
    return added[0]


def _text_of(item: MediaPoolItem) -> str:
    return str(item.GetThirdPartyMetadata(RECIPE_KEY) or "")


def _matted(pool: MediaPool) -> list[MediaPoolItem]:
    """Return the clips of our bin."""
    folder = _bin(pool)
    return list(folder.GetClipList() or []) if folder else []


def _bin(pool: MediaPool) -> Folder | None:
    for folder in pool.GetRootFolder().GetSubFolderList() or []:
        if folder.GetName() == BIN:
            return folder
    return None
