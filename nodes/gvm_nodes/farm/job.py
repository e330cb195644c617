"""What a farm is asked for, before it is written for one farm or another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gvm_client.declaration import option_of
from gvm_client.errors import SettingsError
from gvm_client.frames import format_frames

MAX_TEXT = 1024  # Open Job Description 2023-09: the length of a parameter's value
MAX_NAME = 128  # the same: the length of a job's name
MAX_MINUTES = 60 * 24 * 7


@dataclass(frozen=True, kw_only=True, slots=True)
class FarmGuide:
    """A matte that forces the alpha.

    Attributes:
        name: its option's, such as `garbage`.
        folder: its folder, absolute.
        file: its file or pattern in that folder.
    """

    name: str
    folder: str
    file: str

    @property
    def word(self) -> str:
        """The option of a task, by its path here."""
        return f"{option_of(self.name)}={self.folder}/{self.file}"


@dataclass(frozen=True, kw_only=True, slots=True)
class FarmJob:
    """One clip's mattes, in tasks of frame chunks.

    Attributes:
        name: what the farm shows.
        plate_folder: the plate's folder, absolute.
        plate_name: its file or pattern in that folder, such as `plate.%04d.exr`.
        matte_folder: the alphas' folder, absolute.
        matte_name: their pattern in that folder; "" keeps the plate's name.
        frames: the frames asked for, ascending, at least one.
        first: the clip's first frame, the window grid's anchor.
        last: the clip's last frame.
        chunk: frames a task, about; at least 1.
        minutes: how long a task may take.
        gvm: the command on the farm's hosts.
        words: what every task's `gvm matte` gets besides plate, output, guides, clip and frames.
        guides: mattes that force the alpha.
        gpu_mib: GPU memory that a host must have; None where no GPU is needed.
        plate_command: renders the plate first, word by word; empty where the plate is there.
        plate_frames: the frames that it must render.

    Raises:
        SettingsError: a value is out of its range, or longer than a farm takes.
    """

    name: str
    plate_folder: str
    plate_name: str
    matte_folder: str
    matte_name: str
    frames: tuple[int, ...]
    first: int
    last: int
    chunk: int
    minutes: int
    gvm: str
    words: tuple[str, ...]
    guides: tuple[FarmGuide, ...] = ()
    gpu_mib: int | None = None
    plate_command: tuple[str, ...] = ()
    plate_frames: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= len(self.name) <= MAX_NAME:
            raise SettingsError(
                f"The job's name has {len(self.name)} characters; it must have 1 to {MAX_NAME}.",
                remedy="Give a shorter one with --name.",
            )
        if self.chunk < 1:
            raise SettingsError(f"--chunk is {self.chunk}; it must be at least 1.")
        if not 1 <= self.minutes <= MAX_MINUTES:
            raise SettingsError(f"--timeout is {self.minutes}; it must be 1 to {MAX_MINUTES}.")
        for text in self._texts():
            _check_text(text)

    @property
    def range(self) -> str:
        """The frames as a range expression of Open Job Description."""
        return format_frames(self.frames, step=":")

    @property
    def whole(self) -> bool:
        """Whether the frames are one run without gaps."""
        return self.frames[-1] - self.frames[0] + 1 == len(self.frames)

    def _texts(self) -> Iterator[str]:
        """Yield what must stand in a template as it is."""
        yield from (self.name, self.plate_folder, self.plate_name, self.matte_folder)
        yield from (self.matte_name, self.gvm, self.range, *self.words)
        yield from (part for one in self.guides for part in (one.folder, one.file))


def _check_text(text: str) -> None:
    if len(text) > MAX_TEXT:
        raise SettingsError(
            f"{text[:60]!r}... has {len(text)} characters; a farm takes {MAX_TEXT} at most.",
            remedy="Choose a shorter name; frames with many gaps go in several jobs.",
        )
    if "{{" in text or not text.isprintable():
        raise SettingsError(
            f"{text!r} cannot stand in a job template.",
            remedy="Choose a name without {{ and control characters.",
        )
