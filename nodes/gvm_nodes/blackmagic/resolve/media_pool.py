"""Mattes of shots, made by the server and put into the media pool.

An alpha clip keeps its plate's frame numbers, and carries its `AlphaSpec` as metadata. A clip that
the bin has already, with the same files and range, is not imported again; made with other settings,
the spec of every clip of these files is the new one. The artist's current bin stays the current
one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from gvm_client.errors import OutputError
from gvm_client.settings import Priority
from gvm_nodes.blackmagic.alpha_spec import AlphaSpec, refuse_conflicts
from gvm_nodes.blackmagic.frontend import Frontend, announce_each
from gvm_nodes.blackmagic.resolve.shots import Shot
from gvm_nodes.blackmagic.resolve.source_clip import source_clip
from gvm_nodes.core.clips import FrameRange
from gvm_nodes.core.settings import MatteOptions

if TYPE_CHECKING:
    from fusionscript import Folder, MediaPool, MediaPoolItem
    from fusionscript.fusionscript import ImportClipInfo

BIN = "GVM Mattes"
SPEC_KEY = "GVM Recipe"


def matte_shots(
    pool: MediaPool, shots: Sequence[Shot], options: MatteOptions, frontend: Frontend
) -> list[MediaPoolItem]:
    """Matte shots one after the other, and return the alpha clips in the media pool.

    Args:
        pool: where the alpha clips go, in the bin `BIN`.
        shots: what to matte.
        options: the settings.
        frontend: makes the alphas, and waits for them.

    Raises:
        GvmError: a job failed; the shots before it are in the media pool.
    """
    clips = [(_spec(shot, options), shot) for shot in shots]
    refuse_conflicts((spec for spec, _ in clips), existing=map(_spec_text, _alpha_clips(pool)))
    made: list[MediaPoolItem] = []
    for spec, whole in announce_each(frontend, clips):
        shot = whole.at_most(spec.max_frames)
        frontend.make(spec, shot.range_text, Priority.RANGE)
        made += _add(pool, spec, shot.frames)
    return made


def spec_of(item: MediaPoolItem) -> AlphaSpec | None:
    """Return how an alpha clip was made; None for any other clip.

    Raises:
        SettingsError: its metadata is damaged.
    """
    text = _spec_text(item)
    return AlphaSpec.from_text(text) if text else None


def _spec(shot: Shot, options: MatteOptions) -> AlphaSpec:
    """Return a shot's spec: a sequence is as long as Resolve says, a movie as it is."""
    frames = shot.clip.frames if shot.clip.is_sequence else None
    return AlphaSpec(
        plate=shot.clip.path,
        first=frames.first if frames else None,
        last=frames.last if frames else None,
        options=options,
    )


def _add(pool: MediaPool, spec: AlphaSpec, frames: Iterable[FrameRange]) -> list[MediaPoolItem]:
    before = pool.GetCurrentFolder()
    existing = [item for item in _alpha_clips(pool) if spec.is_of_same_files(_spec_text(item))]
    for item in existing:
        item.SetThirdPartyMetadata(SPEC_KEY, spec.to_text())
    pool.SetCurrentFolder(_bin(pool) or pool.AddSubFolder(pool.GetRootFolder(), BIN))
    try:
        return [_clip(pool, existing, spec, span) for span in frames]
    finally:
        pool.SetCurrentFolder(before)


def _clip(
    pool: MediaPool, existing: Sequence[MediaPoolItem], spec: AlphaSpec, span: FrameRange
) -> MediaPoolItem:
    for item in existing:
        if source_clip(item).frames == span:
            return item
    wanted: ImportClipInfo = {
        "FilePath": spec.alphas,
        "StartIndex": span.first,
        "EndIndex": span.last,
    }
    added = pool.ImportMedia([wanted])
    if not added:
        raise OutputError(
            f"Resolve does not import {spec.alphas}, frames {span}.",
            remedy="Import the files by hand; they are finished.",
            path=spec.alphas,
        )
    if len(added) != 1 or source_clip(added[0]).frames != span:
        pool.DeleteClips(added)  # the files stay
        raise OutputError(
            f"Resolve imports {spec.alphas} frame by frame, as {len(added)} clips.",
            remedy="Switch off Show Individual Frames in the media pool's menu, and matte again;"
            " the files are finished.",
            path=spec.alphas,
        )
    added[0].SetThirdPartyMetadata(SPEC_KEY, spec.to_text())
    return added[0]


def _spec_text(item: MediaPoolItem) -> str:
    return str(item.GetThirdPartyMetadata(SPEC_KEY) or "")


def _alpha_clips(pool: MediaPool) -> list[MediaPoolItem]:
    """Return the clips of our bin."""
    folder = _bin(pool)
    return list(folder.GetClipList() or []) if folder else []


def _bin(pool: MediaPool) -> Folder | None:
    for folder in pool.GetRootFolder().GetSubFolderList() or []:
        if folder.GetName() == BIN:
            return folder
    return None
