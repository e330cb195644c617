"""The node and Nuke, as the buttons, jobs and renders of every host need them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import nuke

from gvm_client.errors import InputError
from gvm_client.protocol.messages import Matte
from gvm_nodes.knobs import Wishes
from gvm_nodes.node import Clip
from gvm_nodes.nuke import shown, written
from gvm_nodes.nuke.group import find, node_id
from gvm_nodes.nuke.knobs import read_knobs
from gvm_nodes.nuke.plate import plain_path, source
from gvm_nodes.outputs import existing, output_pattern

_WRITTEN = "{dir}/mattes/plates/{id}/plate.%04d.exr"


class NukeNode:
    """One of our Groups; as `gvm_nodes.node.Node`."""

    def __init__(self, group: nuke.Group) -> None:
        self.group = group

    @property
    def identity(self) -> str:
        """The short name that `group.set_id` gave."""
        return node_id(self.group)

    @property
    def name(self) -> str:
        """The Group's name."""
        return str(self.group.name())

    @property
    def job(self) -> str:
        """The job that the node waits for; "" for none."""
        return str(self.group["gvm_job"].value())

    @job.setter
    def job(self, name: str) -> None:
        with shown.quietly():
            self.group["gvm_job"].setValue(name)

    def wishes(self) -> Wishes:
        """Return what the knobs say; as `Node.wishes`."""
        return read_knobs(self.group)

    def clip(self) -> Clip:
        """Return the plate, as its tree says; as `Node.clip`."""
        upstream, plain = source(self.group), plain_path(self.group)
        return Clip(
            path=plain or self._written(),
            first=int(upstream.firstFrame()),
            last=int(upstream.lastFrame()),
            written=not plain,
        )

    def folder(self) -> str:
        """Return the script's folder; "" for one that was never saved."""
        return str(nuke.root().name()).rpartition("/")[0]

    def document_range(self) -> range:
        """Return the project's frames."""
        root = nuke.root()
        return range(int(root["first_frame"].value()), int(root["last_frame"].value()) + 1)

    def frame(self) -> int:
        """Return the current frame."""
        return int(nuke.frame())

    def write_plate(self, clip: Clip, frames: Iterable[int], *, may_write: bool) -> None:
        """Write the tree's frames that changed; as `Node.write_plate`."""
        if may_write:
            written.write_changed(self.group, clip.path, frames)
        elif changed := written.changed_frames(self.group, clip.path, frames):
            raise InputError(
                f"{len(changed)} plate frames of {self.name} are not written, from {changed[0]}"
                " on.",
                remedy="Press Render Range in the node before the render.",
                frame=changed[0],
            )

    def is_plate_changed(self, clip: Clip) -> bool:
        """Whether the plate's files that were written for us are older than the tree.

        Three frames are looked at, the first, the current and the last: Nuke takes a moment for
        each, and a panel that opens must not wait.
        """
        frames = {clip.first, min(max(self.frame(), clip.first), clip.last), clip.last}
        stand = existing(clip.path, sorted(frames))
        return bool(written.changed_frames(self.group, clip.path, stand))

    def say(self, sentence: str, *, failed: bool = False) -> None:
        """Show a sentence on the node."""
        shown.status(self.group, sentence, failed=failed)

    def show(self, made: Matte) -> None:
        """Let the Read inside show a request's mattes."""
        shown.mattes(self.group, made)

    def _written(self) -> str:
        return output_pattern(
            _WRITTEN, folder=self.folder(), plate="", node=self.identity, version=1
        )


class NukeHost:
    """The Nuke that runs; as `gvm_nodes.node.Host`."""

    @property
    def is_batch(self) -> bool:
        """Whether there is no GUI."""
        return not nuke.GUI

    def find(self, identity: str) -> NukeNode | None:
        """Return the node of an identity."""
        group = find(identity)
        return NukeNode(group) if group is not None else None

    def post(self, call: Callable[[], None]) -> None:
        """Have the main thread call this soon."""
        nuke.executeInMainThread(call, ())
