"""Mattes on disk to be measured: sequences, images and movies, opened as plates are."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gvm_client.errors import ErrorCode, InputError
from gvm_client.frames import abbreviated_frames
from gvm_server.measure.files import file_of_layer, find_matte
from gvm_server.measure.still import Mask
from gvm_server.media.alphas.stamp import read_texts
from gvm_server.media.file_access import Roots
from gvm_server.media.geometry import FrameHeader, on_display
from gvm_server.media.outputs.alpha_files import AlphaFiles
from gvm_server.media.pixels import Pixels
from gvm_server.media.plates.base import Plate, PlateOptions
from gvm_server.media.plates.find import PlatePath, StillPath
from gvm_server.media.plates.mattes import ALPHA_FIRST, PICTURE_FIRST, open_first_layer
from gvm_server.media.plates.sequence import ImagePlate

LOWEST, HIGHEST = -0.5, 1.5  # filters overshoot; what lies beyond is no 0..1 matte
TRIMAP_UNKNOWN = (0.1, 0.9)  # between; writers round 128 / 255 in many ways


@dataclass(frozen=True, kw_only=True, slots=True)
class MatteClip:
    """A clip whose frames are read as one channel over the display window.

    Attributes:
        name: for messages.
        frames: the numbers of those that are there, ascending.
        still: whether it is one image.
        notes: what was chosen in opening it, in whole sentences.
        offset: what is added to the numbers of its files.
        option: the one that names its layer; "" where there is none.
    """

    name: str
    frames: tuple[int, ...]
    still: bool
    notes: tuple[str, ...]
    _plate: Plate
    offset: int = 0
    option: str = ""

    @property
    def counts_from_one(self) -> bool:
        """Whether its frames have no numbers of their own: a movie's, wherever they come from."""
        return self.offset == 0 and not isinstance(self._plate, ImagePlate)

    def renumbered(self, offset: int) -> MatteClip:
        """Return the same clip with this added to the numbers of its files."""
        moved = tuple(frame - self.offset + offset for frame in self.frames)
        return replace(self, frames=moved, offset=offset)

    def read(self, frame: int) -> Pixels:
        """Return a frame's matte [H, W] as stored; 0 outside of its data window.

        Raises:
            InputError: it is unreadable, or its values are far from 0..1.
        """
        header, matte = self._first_channel(frame - self.offset)
        low, high = float(matte.min()), float(matte.max())
        if not (low >= LOWEST and high <= HIGHEST):
            named = f"Name the channel of the matte with {self.option}, or divide it"
            raise InputError(
                f"Frame {frame} of {self.name} holds values from {low:g} to {high:g}; a matte lies"
                " in 0..1.",
                remedy=f"{named if self.option else 'Divide it'} by its white.",
                code=ErrorCode.PLATE_MISMATCH,
                frame=frame,
                path=self.name,
            )
        return on_display(matte, header.data, header.display)

    def texts(self, frame: int) -> dict[str, str]:
        """Return what a frame's file says of how it was made; nothing where it is no EXR."""
        plate = self._plate
        return read_texts(plate.path(frame - self.offset)) if isinstance(plate, ImagePlate) else {}

    def _first_channel(self, frame: int) -> tuple[FrameHeader, Pixels]:
        if isinstance(self._plate, ImagePlate):
            return self._plate.read_first_channel(frame)
        shown = self._plate.read(frame)
        return shown.header, np.ascontiguousarray(shown.pixels[..., 0])

    def close(self) -> None:
        """Give files and decoders back."""
        self._plate.close()


def open_matte(path: str, *, layer: str = "", option: str = "--layer") -> MatteClip:
    """Open a matte: its alpha, or the first channel of a picture that has none.

    Args:
        path: absolute; a sequence pattern, a folder with one sequence, with or without its layers'
            own files, an image, or a movie.
        layer: a layer or channel, in the matte's files or in its own; "" looks for the alpha.
        option: the command line's word for the layer.

    Raises:
        InputError: it is not there, unreadable, or has no such layer.
    """
    place = find_matte(path)
    if not layer:
        return _open(place, ALPHA_FIRST, option)
    try:
        return _open(place, (layer,), option)
    except InputError as error:
        beside = file_of_layer(place, layer) if error.code is ErrorCode.PLATE_MISMATCH else ""
        if not beside:
            raise
    return _open(find_matte(beside), ALPHA_FIRST, option)


def open_matte_of(
    plate_name: str, path: str, *, layer: str = "", option: str = "--matte-layer"
) -> MatteClip:
    """Open a plate's matte: of a folder, the files that `gvm matte` names after the plate.

    Args:
        plate_name: the plate's path or pattern.
        path: absolute; what `gvm matte -o` was told, or any other matte.
        layer: as of `open_matte`.
        option: the same.

    Raises:
        InputError: it is not there, unreadable, or has no such layer.
    """
    place = Path(path)
    if place.is_dir():
        named = AlphaFiles.of(path, plate_name=plate_name, roots=Roots())
        if isinstance(named.target, Path):
            path = str(named.target) if named.target.is_file() else path
        elif any(named.target.frame_of(each.name) is not None for each in place.iterdir()):
            path = str(named.target)
    try:
        return open_matte(path, layer=layer, option=option)
    except InputError as error:
        if error.code is not ErrorCode.PLATE_MISSING:
            raise
        raise InputError(
            f"There is no matte at {path}.",
            remedy="Name what `gvm matte -o` was told: a folder, a pattern or an .exr file.",
            code=ErrorCode.PLATE_MISSING,
            path=path,
        ) from error


def open_trimap(path: str) -> MatteClip:
    """Open a trimap: its picture, or the alpha of a file that has nothing else.

    Raises:
        InputError: it is not there, or unreadable.
    """
    return _open(find_matte(path), PICTURE_FIRST)


def unknown_in(trimap: MatteClip, frame: int) -> Mask:
    """Return the unknown pixels [H, W] of a frame; one image is the trimap of every frame.

    Raises:
        InputError: the trimap lacks the frame, or it is unreadable.
    """
    if not trimap.still and frame not in trimap.frames:
        raise InputError(
            f"The trimap {trimap.name} has no frame {frame}; it has"
            f" {abbreviated_frames(trimap.frames)}.",
            remedy="Name a trimap with every frame, or one image for all.",
            code=ErrorCode.PLATE_MISSING,
            frame=frame,
            path=trimap.name,
        )
    values = trimap.read(trimap.frames[0] if trimap.still else frame)
    low, high = TRIMAP_UNKNOWN
    return np.asarray((values > low) & (values < high))


def _open(place: PlatePath, layers: tuple[str, ...], option: str = "") -> MatteClip:
    # `raw`: a matte's values are coverage, in every space.
    options = PlateOptions(path=str(place), colourspace="raw")
    try:
        plate = open_first_layer(options, layers, roots=Roots())
    except InputError as error:  # plates' remedies name the plate's option
        remedy = error.remedy.replace("--layer", option or "--layer")
        raise InputError(
            error.message, remedy=remedy, code=error.code, frame=error.frame, path=error.path
        ) from error
    with ExitStack() as failed:
        failed.callback(plate.close)
        missing = frozenset(plate.missing())
        clip = range(plate.first, plate.last + 1)
        opened = MatteClip(
            name=plate.name,
            frames=tuple(frame for frame in clip if frame not in missing),
            still=isinstance(place, StillPath),
            notes=plate.notes,
            _plate=plate,
            option=option,
        )
        failed.pop_all()
    return opened
