"""What a farm is asked for, before it is written for one farm or another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from gvm_client.declaration import option_of
from gvm_client.errors import SettingsError
from gvm_client.frames import format_frames

MAX_TEXT = 1024  # Open Job Description 2023-09: the length of a parameter's value
MAX_NAME = 128  # the same: the length of a job's name
MAX_MINUTES = 60 * 24 * 7
MAX_CORES = 1024
FRAMES_WORD = "{{Task.Param.Frame}}"  # in a plate's command: a task's frames
OS_FAMILIES = ("linux", "windows", "macos")  # the same, section 3.3.2.2

# The same: the name of a variable in an environment.
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class FarmPath:
    """What tasks read besides the plate: guides, weights, an adapter.

    Attributes:
        name: its option's, such as `garbage`.
        folder: its folder, absolute.
        file: its file or pattern in that folder; "" is the folder itself.
    """

    name: str
    folder: str
    file: str = ""

    @property
    def word(self) -> str:
        """The option of a task, by its path here."""
        return f"{option_of(self.name)}={joined(self.folder, self.file)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class PlateInput:
    """A file or folder that the command of a plate's step names: a script, a comp.

    Attributes:
        path: absolute; a word of the command, or what follows the `=` in one.
        is_folder: whether it is a folder.
        is_command: whether it is what is run: a farm may map its path, and need not carry it.
    """

    path: str
    is_folder: bool = False
    is_command: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class HostNeeds:
    """What a host must have to take a matte's task.

    Attributes:
        gpu_mib: GPU memory; None where no GPU is needed.
        memory_mib: memory; 0 asks for none.
        cores: processor cores; 0 leaves them to the farm.
        os_family: one of `OS_FAMILIES`; "" takes any.

    Raises:
        SettingsError: a value is out of its range.
    """

    gpu_mib: int | None = None
    memory_mib: int = 0
    cores: int = 0
    os_family: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.cores <= MAX_CORES:
            raise SettingsError(f"--cores is {self.cores}; it must be 0 to {MAX_CORES}.")
        if self.memory_mib < 0:
            raise SettingsError(f"--memory is {self.memory_mib} MiB; it must not be negative.")
        if self.os_family not in ("", *OS_FAMILIES):
            known = ", ".join(OS_FAMILIES)
            raise SettingsError(f"--os is {self.os_family!r}; it must be one of {known}.")


@dataclass(frozen=True, kw_only=True, slots=True)
class FarmJob:
    """One clip's mattes, in tasks of frame chunks.

    Attributes:
        name: what the farm shows.
        user: who submits it.
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
        words: what every task's `gvm matte` gets besides plate, output, paths, clip and frames.
        paths: what the tasks read besides the plate.
        needs: what a host must have.
        environment: variables of every task, each a name and a value.
        tags: of the hosts that may take it.
        limits: that it counts against.
        show: the production; "" is the farm's default.
        shot: the same.
        plate_command: renders the plate first, word by word; empty where the plate is there.
        plate_frames: the frames that it must render.
        plate_inputs: the files and folders that it names.
        notes: what its submitter should know, in whole sentences; no farm reads them.

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
    user: str = "gvm"
    paths: tuple[FarmPath, ...] = ()
    needs: HostNeeds = field(default_factory=HostNeeds)
    environment: tuple[tuple[str, str], ...] = ()
    tags: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    show: str = ""
    shot: str = ""
    plate_command: tuple[str, ...] = ()
    plate_frames: tuple[int, ...] = ()
    plate_inputs: tuple[PlateInput, ...] = ()
    notes: tuple[str, ...] = ()

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
        for name, _ in self.environment:
            if not _VARIABLE.fullmatch(name):
                raise SettingsError(
                    f"{name!r} is no name of a variable.", remedy="Write --env NAME=VALUE."
                )
        for word in (*self.tags, *self.limits):
            if not word.strip() or "," in word or "|" in word:
                raise SettingsError(
                    f"{word!r} is no tag and no limit: farms separate them by , and |.",
                    remedy="Repeat --tag and --limit, with one name each.",
                )
        for text in self._texts():
            check_text(text)

    @property
    def range(self) -> str:
        """The frames as a range expression of Open Job Description."""
        return format_frames(self.frames, step=":")

    @property
    def whole(self) -> bool:
        """Whether the frames are one run without gaps."""
        return self.frames[-1] - self.frames[0] + 1 == len(self.frames)

    @property
    def seconds(self) -> int:
        """How long a task may take."""
        return 60 * self.minutes

    @property
    def plate_in_chunks(self) -> bool:
        """Whether the plate's command renders a task's frames; else one task renders all."""
        return any(FRAMES_WORD in word for word in self.plate_command)

    @property
    def plate_tasks(self) -> tuple[int, ...]:
        """The frames that the plate's tasks are made of, without gaps: hosts render `a-b`."""
        last = self.plate_frames[-1] if self.plate_in_chunks else self.plate_frames[0]
        return tuple(range(self.plate_frames[0], last + 1))

    def task(self, frames: str) -> list[str]:
        """Return a task's command, word by word, for farms that map no paths and keep no session.

        The server is the task's own: such a farm counts and ends what a task's processes are.

        Args:
            frames: what stands for the task's frames.
        """
        return [
            self.gvm,
            "matte",
            joined(self.plate_folder, self.plate_name),
            "--out",
            joined(self.matte_folder, self.matte_name),
            f"--frames={frames}",
            f"--first={self.first}",
            f"--last={self.last}",
            "--own-server",
            *(path.word for path in self.paths),
            *self.words,
        ]

    def plate_task(self, frames: str) -> list[str]:
        """Return the command of a plate's task, word by word."""
        return [word.replace(FRAMES_WORD, frames) for word in self.plate_command]

    def _texts(self) -> Iterator[str]:
        """Yield what must stand in a template as it is."""
        yield from (self.name, self.plate_folder, self.plate_name, self.matte_folder)
        yield from (self.matte_name, self.gvm, self.range, *self.words)
        yield from (part for one in self.paths for part in (one.folder, one.file))
        yield from (one.path for one in self.plate_inputs)
        yield from (value for _, value in self.environment)
        yield from (*self.tags, *self.limits)


def joined(folder: str, file: str) -> str:
    """Return a file's path; the folder's own where "" is the file."""
    return f"{folder}/{file}" if file else folder


def check_text(text: str) -> None:
    """Refuse a text that cannot stand in a template as it is.

    Raises:
        SettingsError: it is too long, or holds `{{` or control characters.
    """
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
