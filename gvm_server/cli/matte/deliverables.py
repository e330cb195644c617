"""`gvm matte`'s deliverables: planned before the job, made when its alphas stand.

Images and movies come in with this module: it is loaded for those who want deliverables.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from gvm_client.errors import InputError
from gvm_client.frames import asked_frames
from gvm_client.protocol.messages import Matte
from gvm_client.text import ARE, counted
from gvm_server.cli.matte.display import PLAIN_SECONDS, Display
from gvm_server.cli.matte.plate import plate_options
from gvm_server.cli.matte.request import absolute, content_of
from gvm_server.media.file_access import Roots
from gvm_server.media.outputs.alpha_files import AlphaFiles
from gvm_server.media.outputs.backgrounds import GREEN, WORDS
from gvm_server.media.outputs.codecs import MovieCodec
from gvm_server.media.outputs.deliverables import Deliverables, deliver
from gvm_server.media.outputs.parts import parts_of
from gvm_server.media.plates.base import PlateOptions
from gvm_server.media.plates.find import resolve_plate
from gvm_server.media.plates.open import open_plate


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedDeliverables:
    """A job's deliverables, whose names were proved writable.

    Attributes:
        wanted: what to make.
        plate: how the server reads the plate.
        out: where the alphas are, as the job was told.
        overwrite: whether files that are not ours may be replaced.
    """

    wanted: Deliverables
    plate: PlateOptions
    out: str
    overwrite: bool

    def make(self, frames: Sequence[int], display: Display) -> None:
        """Make them from the finished alphas of these frames, saying how it goes.

        Raises:
            GvmError: the plate or an alpha cannot be read, or something cannot be written.
        """
        said_at = time.monotonic()
        with closing(open_plate(self.plate, roots=Roots())) as plate:
            alphas = AlphaFiles.of(self.out, plate_name=plate.name, roots=Roots())
            made = deliver(self.wanted, plate, alphas, frames, overwrite=self.overwrite)
            with closing(made):
                for count, _ in enumerate(made, start=1):
                    if time.monotonic() - said_at >= PLAIN_SECONDS:
                        said_at = time.monotonic()
                        display.say(f"{count}/{counted(len(frames), 'frame')} delivered.")
        for path in self.wanted.paths:
            display.note(f"{path} is written.")
        if self.wanted.movies and (says := said_of_gaps(frames)):
            display.note(says)


def plan_delivery(parsed: argparse.Namespace, request: Matte) -> PlannedDeliverables:
    """Return the deliverables that `gvm matte`'s translated options want, besides its request.

    A dry run makes no folder and no file to prove that they can be written.

    Raises:
        SettingsError: a movie's name is of no known kind, its codec takes no pictures of the
            plate's size, or the background is not there.
        InputError: the plate cannot be opened.
        OutputError: something there could not be written, or is not ours.
    """
    background = parsed.comp_over if parsed.comp_over in WORDS else absolute(parsed.comp_over)
    kept = _read_besides(request, background if parsed.comp else GREEN)
    wanted = Deliverables(
        movie=_path(parsed.movie),
        comp=_path(parsed.comp),
        png=_path(parsed.png),
        png_bits=parsed.png_bits,
        codec=MovieCodec(parsed.movie_codec) if parsed.movie_codec else None,
        background=background,
        content=content_of(parsed),
        kept=kept,
    )
    plate = plate_options(parsed)
    wanted.check_names(plate.path, overwrite=parsed.overwrite)
    with closing(open_plate(plate, roots=Roots())) as opened:
        wanted.check_sizes(opened)
        alphas = AlphaFiles.of(absolute(parsed.out), plate_name=opened.name, roots=Roots())
        clip = range(opened.first, opened.last + 1)
        frames = asked_frames(request.frames, clip, most=request.max_frames)
        suffixes = tuple(part.suffix for part in parts_of(wanted.content))
        # The server knows of no background: it would replace its own files as those of any alphas.
        replace(alphas, kept=kept, suffixes=suffixes).check_names(frames, overwrite=True)
        wanted.check_background(frame - opened.first for frame in frames)
        wanted.check_pngs(alphas, frames, overwrite=parsed.overwrite)
    # Last: what is refused leaves no folder. Frames outside the clip the server refuses.
    if not parsed.dry_run and all(frame in clip for frame in frames):
        wanted.prove_folders()
    return PlannedDeliverables(
        wanted=wanted,
        plate=plate,
        out=absolute(parsed.out),
        overwrite=parsed.overwrite,
    )


def _read_besides(request: Matte, background: str) -> tuple[tuple[str, str], ...]:
    """Return what a job reads besides its plate, each with its kind; what is not there is none."""
    named = [(f"{name} matte", path) for name, path in request.guides.paths.items() if path]
    if background not in WORDS:
        named.append(("background", background))
    found = []
    for kind, path in named:
        with suppress(InputError):  # whoever reads it says what is wrong with it
            found.append((kind, str(resolve_plate(path))))
    return tuple(found)


def said_of_gaps(frames: Sequence[int]) -> str:
    """Return what is to be said of a movie of these ascending frames; "" where none is left out."""
    left_out = frames[-1] - frames[0] + 1 - len(frames) if frames else 0
    if not left_out:
        return ""
    return (
        f"Movies have no gaps: {counted(len(frames), 'frame')} of {frames[0]}-{frames[-1]} follow"
        f" each other there, {left_out} between them {ARE[left_out != 1]} left out."
        " They do not run in step with the plate."
    )


def _path(text: str | None) -> Path | None:
    return Path(absolute(text)) if text else None
