"""A Resolve that behaves: media pool, timelines and a render queue, by the names of its README.

A renderer's `script` says what each look at a job sees once rendering began; before, a job shows
how its last render ended. `GetClipProperty` gives text, an empty list is `None` as often as not,
marks that are not set are left out, a job's status is a word in the interface's language: as the
real one. A method that came later than `version` is None. Every thread but the main one is refused.
"""

# ruff: noqa: N802, FBT001 - names and arguments are the host's

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.fusion import Fusion
from tests.fakes.remote import Remote
from tests.fakes.uimanager import Screen


@dataclass(eq=False)
class MediaPoolItem(Remote):
    """A clip of the media pool; `path` is as Resolve shows it, `/p/a.[1001-1010].exr`.

    `fps` is the property of that name: "24", "23.976", or "" where Resolve says nothing.
    """

    path: str
    frames: int = 0
    fps: str = "24"
    marks: dict[str, int] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)

    def GetName(self) -> str:
        return self.path.rsplit("/", 1)[-1] or "Compound Clip 1"

    def GetClipProperty(self, name: str) -> str:
        frames = str(self.frames) if self.frames else ""
        known = {"File Path": self.path, "Frames": frames, "FPS": self.fps}
        return known.get(name, "")

    def GetMarkInOut(self) -> dict[str, dict[str, int]]:
        return {"video": self.marks} if self.marks else {}

    def GetThirdPartyMetadata(self, name: str) -> str:
        return self.metadata.get(name, "")

    def SetThirdPartyMetadata(self, name: str, text: str) -> bool:
        self.metadata[name] = text
        return True


@dataclass(eq=False)
class TimelineItem(Remote):
    """A clip on a track: from `start`, `length` frames, the first of them `offset` into the media.

    `speed` 2 means that each timeline frame takes two of the media. Like the real one, it counts
    `offset` in frames of the timeline, whatever the media's rate, and gives the media's end
    exclusively at equal rates, inclusively at others; both ends are rounded down.
    """

    media: MediaPoolItem | None
    start: int
    length: int
    offset: int = 0
    speed: float = 1.0
    enabled: bool = True
    timeline_fps: str = "24"

    def GetMediaPoolItem(self) -> MediaPoolItem | None:
        return self.media

    def GetStart(self, subframe_precision: bool) -> int:
        return self.start

    def GetDuration(self, subframe_precision: bool) -> int:
        return self.length

    def GetLeftOffset(self, subframe_precision: bool) -> int:
        return self.offset

    def GetSourceStartFrame(self) -> int:
        return int(self.offset * self._media_frames())

    def GetSourceEndFrame(self) -> int:
        end = int((self.offset + self.length) * self._media_frames())
        return end if self.media is None or self.media.fps == self.timeline_fps else end - 1

    def GetClipEnabled(self) -> bool:
        return self.enabled

    def _media_frames(self) -> float:
        """Return how many frames of the media a frame of the timeline takes."""
        if self.media is None or not self.media.fps:
            return self.speed
        return self.speed * float(self.media.fps) / float(self.timeline_fps.split()[0])


@dataclass(eq=False)
class Timeline(Remote):
    """Video tracks, the lowest first; a track is a list of items.

    `marks` are relative to its start; whether the real one says them so is documented nowhere, so
    `marks_are_absolute` has them in its own numbers.
    """

    name: str
    tracks: list[list[TimelineItem]]
    start: int = 86400
    marks: dict[str, int] = field(default_factory=dict)
    marks_are_absolute: bool = False
    disabled: set[int] = field(default_factory=set)
    playhead: TimelineItem | None = None
    edited: int = 0  # so many times more it does not say what is under the playhead
    timecode: str = ""  # the playhead's; "" on pages that have none
    start_timecode: str = "01:00:00:00"
    fps: object = "24"  # text or a number, as the setting comes

    def GetName(self) -> str:
        return self.name

    def GetStartFrame(self) -> int:
        return self.start

    def GetSetting(self, name: str) -> object:
        return self.fps if name == "timelineFrameRate" else ""

    def GetEndFrame(self) -> int:
        ends = [item.start + item.length for track in self.tracks for item in track]
        return max(ends, default=self.start)

    def GetMarkInOut(self) -> dict[str, dict[str, int]]:
        shift = self.start if self.marks_are_absolute else 0
        marks = {name: mark + shift for name, mark in self.marks.items()}
        return {"video": marks} if marks else {}

    def GetTrackCount(self, kind: str) -> int:
        return len(self.tracks) if kind == "video" else 0

    def GetIsTrackEnabled(self, kind: str, track: int) -> bool:
        return track not in self.disabled

    def GetItemListInTrack(self, kind: str, track: int) -> list[TimelineItem] | None:
        return self.tracks[track - 1] or None

    def GetCurrentVideoItem(self) -> TimelineItem | None:
        self.edited -= 1
        return self.playhead if self.edited < 0 else None

    def GetCurrentTimecode(self) -> str:
        return self.timecode

    def GetStartTimecode(self) -> str:
        return self.start_timecode


@dataclass(eq=False)
class Folder(Remote):
    """A bin."""

    name: str
    clips: list[MediaPoolItem] = field(default_factory=list)
    folders: list[Folder] = field(default_factory=list)

    def GetName(self) -> str:
        return self.name

    def GetClipList(self) -> list[MediaPoolItem] | None:
        return self.clips or None

    def GetSubFolderList(self) -> list[Folder] | None:
        return self.folders or None


class MediaPool(Remote):
    """Bins, the current one, and the selection.

    Attributes:
        imports: whether Resolve takes files.
        shows_frames: whether *Show Individual Frames* is on: each file becomes a clip.
    """

    def __init__(self) -> None:
        self.root = Folder("Master")
        self.current = self.root
        self.selection: list[MediaPoolItem] = []
        self.imports = True
        self.shows_frames = False

    def GetRootFolder(self) -> Folder:
        return self.root

    def GetCurrentFolder(self) -> Folder:
        return self.current

    def SetCurrentFolder(self, folder: Folder) -> bool:
        self.current = folder
        return True

    def AddSubFolder(self, parent: Folder, name: str) -> Folder:
        parent.folders.append(Folder(name))
        return parent.folders[-1]

    def GetSelectedClips(self) -> list[MediaPoolItem] | None:
        return self.selection or None

    def ImportMedia(self, clips: list[dict[str, Any]]) -> list[MediaPoolItem]:
        if not self.imports:
            return []
        added = [MediaPoolItem(path) for clip in clips for path in self._shown(clip)]
        self.current.clips += added
        return added

    def DeleteClips(self, clips: list[MediaPoolItem]) -> bool:
        for folder in (self.root, *self.root.folders):
            folder.clips = [clip for clip in folder.clips if clip not in clips]
        return True

    def _shown(self, clip: dict[str, Any]) -> list[str]:
        """Return an imported clip's path as Resolve shows it; a lone frame's has no brackets."""
        path, first, last = clip["FilePath"], clip["StartIndex"], clip["EndIndex"]
        if self.shows_frames or first == last:
            return [path % frame for frame in range(first, last + 1)]
        return [path.replace("%04d", f"[{first:04}-{last:04}]")]


class Project(Remote):
    """A project with a Deliver queue.

    Attributes:
        jobs: as `GetRenderJobList` gives them.
        script: for each job, what the looks at it see, one after the other; the last one stays.
        earlier: for each job, what it shows before rendering begins.
        takes_a_moment: how many looks pass before rendering begins.
        started: the jobs that were started, in order.
        on_start: called when rendering starts.
    """

    def __init__(self, *timelines: Timeline) -> None:
        self.pool = MediaPool()
        self.timelines = list(timelines)
        self.jobs: list[dict[str, Any]] = []
        self.script: dict[str, list[dict[str, Any]]] = {}
        self.earlier: dict[str, dict[str, Any]] = {}
        self.takes_a_moment = 0
        self.started: list[str] = []
        self.starts = True
        self.stopped = False
        self.on_start: Callable[[], None] = lambda: None

    def GetMediaPool(self) -> MediaPool:
        return self.pool

    def GetCurrentTimeline(self) -> Timeline | None:
        return self.timelines[0] if self.timelines else None

    def GetTimelineCount(self) -> int:
        return len(self.timelines)

    def GetTimelineByIndex(self, index: int) -> Timeline:
        assert index >= 1  # Lua counts from one
        return self.timelines[index - 1]

    def GetRenderJobList(self) -> list[dict[str, Any]] | None:
        return self.jobs or None

    def StartRendering(self, jobs: list[str]) -> bool:
        if not self.starts:
            return False
        self.on_start()
        self.started += jobs
        return True

    def GetRenderJobStatus(self, job: str) -> dict[str, Any]:
        if job not in self.started or self.takes_a_moment > 0:
            self.takes_a_moment -= job in self.started
            return self.earlier.get(job, status("Bereit", 0))
        looks = self.script[job]
        return looks.pop(0) if len(looks) > 1 else looks[0]

    def IsRenderingInProgress(self) -> bool:
        if self.stopped or self.takes_a_moment > 0:
            return False
        return any(len(self.script[job]) > 1 for job in self.started)

    def StopRendering(self) -> None:
        self.stopped = True


# By version, what of this file's methods came with it.
SINCE = {
    (19, 0): ("GetSelectedClips", "GetThirdPartyMetadata", "SetThirdPartyMetadata",
              "GetSourceStartFrame", "GetSourceEndFrame"),
    (19, 1): ("GetMarkInOut",),
}  # fmt: skip


def lacking(version: tuple[int, int]) -> frozenset[str]:
    """Return what `Remote.lacks` in a version."""
    return frozenset(name for since, names in SINCE.items() if since > version for name in names)


class Resolve(Remote):
    """The application, as scripts get it; it is its own project manager here."""

    def __init__(self, project: Project | None, screen: Screen | None = None) -> None:
        self.project = project
        self.version: list[Any] | None = [21, 0, 0, 47, ""]
        self.fusion = Fusion(None, screen)

    def GetVersion(self) -> list[Any] | None:
        return self.version

    def GetProjectManager(self) -> Resolve:
        return self

    def GetCurrentProject(self) -> Project | None:
        return self.project

    def Fusion(self) -> Fusion:
        return self.fusion

    def names(self) -> dict[str, Any]:
        """Return what a script of the menu is given."""
        return self.fusion.names() | {"resolve": self}


def status(word: str, percent: int, **more: object) -> dict[str, Any]:
    """Return what one look at a render job sees."""
    return {"JobStatus": word, "CompletionPercentage": percent, **more}
