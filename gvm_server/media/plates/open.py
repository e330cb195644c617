"""Opening a plate on disk, whatever kind it is, with its missing frames held or black."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from gvm_client.errors import SettingsError
from gvm_client.frames import abbreviated_frames
from gvm_client.settings import Missing
from gvm_client.text import ARE, counted
from gvm_server.media.file_access import Roots
from gvm_server.media.geometry import ClipGeometry, FrameHeader
from gvm_server.media.plates.base import Plate, PlateFrame, PlateOptions
from gvm_server.media.plates.find import MoviePath, SequencePath, resolve_plate
from gvm_server.media.plates.movies.plate import MoviePlate
from gvm_server.media.plates.sequence import ImagePlate, scan_sequence, single_image
from gvm_server.media.store.file_keys import hash_texts


def open_plate(options: PlateOptions, *, roots: Roots) -> Plate:
    """Open the plate that a path names: a sequence, an image, or a movie.

    Raises:
        SettingsError: the clip's first frame lies after its last.
        InputError: there is no such plate, it is unreadable, or it lies outside the roots.
    """
    if options.first is not None and options.last is not None and options.first > options.last:
        raise SettingsError(
            f"The clip's first frame, {options.first}, lies after its last, {options.last}.",
            remedy="Swap --first and --last.",
        )
    # Looked at before the path is: an answer about a folder outside would tell what is there.
    roots.check_read(Path(options.path))
    place = resolve_plate(options.path)
    roots.check_read(Path(str(place)))
    if isinstance(place, MoviePath):
        return MoviePlate(place.path, options)
    if isinstance(place, SequencePath):
        files = scan_sequence(place)
    else:
        files = single_image(place, options)
    return fill_missing(ImagePlate(files, options, roots=roots), options.missing)


def fill_missing(plate: Plate, policy: Missing) -> Plate:
    """Return the plate with its missing frames stood in for, as the policy says."""
    missing = plate.missing()
    if policy is Missing.FAIL or not missing:
        return plate
    return FilledPlate(plate, policy, missing=missing)


class FilledPlate:
    """A plate in which a missing frame is the nearest earlier one (at the head, later), or black.

    A frame that stands in has no timecode: the one in its file belongs to another frame.
    """

    def __init__(self, plate: Plate, policy: Missing, *, missing: Sequence[int]) -> None:
        self.name = plate.name
        self.first = plate.first
        self.last = plate.last
        self.colour = plate.colour
        self._plate = plate
        self._black = policy is Missing.BLACK
        self._missing = frozenset(missing)
        clip = range(plate.first, plate.last + 1)
        self._there = [frame for frame in clip if frame not in self._missing]
        are = "black" if self._black else "held from their neighbours"
        self.notes = (
            *plate.notes,
            f"{counted(len(missing), 'missing frame', ARE)} {are}: {abbreviated_frames(missing)}.",
        )

    def missing(self) -> list[int]:
        """Return nothing: every frame is stood in for."""
        return []

    def want(self, frames: Sequence[int]) -> bool:
        """Say that these frames, or their stand-ins, will be read."""
        return self._plate.want([self._stand_in(frame) for frame in frames])

    def look_ahead(self, frames: Sequence[int]) -> None:
        """Say that the keys of these frames, or their stand-ins, come next."""
        self._plate.look_ahead([self._stand_in(frame) for frame in frames])

    def key(self, frame: int) -> bytes:
        """Return the key of the frame that stands in; black has one of its own."""
        if self._black and frame in self._missing:
            return hash_texts("black", self.header(frame).display)
        return self._plate.key(self._stand_in(frame))

    def header(self, frame: int) -> FrameHeader:
        """Return a frame's header, or its stand-in's."""
        header = self._plate.header(self._stand_in(frame))
        if frame not in self._missing:
            return header
        return replace(header, timecode=None, date_time="")  # these are of another frame

    def geometry(self) -> ClipGeometry:
        """Return what holds for the whole clip; what stands in adds nothing to it."""
        return self._plate.geometry()

    def read(self, frame: int) -> PlateFrame:
        """Read a frame, or its stand-in."""
        if frame not in self._missing:
            return self._plate.read(frame)
        header = self.header(frame)
        if self._black:
            black = np.zeros((header.data.height, header.data.width, 3), dtype=np.float32)
            return PlateFrame(frame=frame, header=header, stored=black)
        held = self._plate.read(self._stand_in(frame))
        return replace(held, frame=frame, header=header)

    def close(self) -> None:
        """Give files and decoders back."""
        self._plate.close()

    def _stand_in(self, frame: int) -> int:
        """Return the frame itself, else the nearest earlier one, else the first one there."""
        if frame not in self._missing:
            return frame
        return self._there[max(bisect_right(self._there, frame) - 1, 0)]
