"""One of our Groups as a node, and Nuke as its host."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import cast

import nuke

from gvm_client.errors import GvmError, InputError, SettingsError
from gvm_client.filenames import of_view
from gvm_client.protocol.messages import FileOutput, Matte
from gvm_client.regions import HostRectangle, region_of
from gvm_nodes.core.clips import existing_frames, output_pattern
from gvm_nodes.core.node import Clip
from gvm_nodes.core.saved_state import mattes_below
from gvm_nodes.core.settings import MatteOptions
from gvm_nodes.nuke import knobs, matte_read, plate_writer, program
from gvm_nodes.nuke.group import find, node_id, ours
from gvm_nodes.nuke.knobs import FOLDER, VIEWS, read_knobs
from gvm_nodes.nuke.plate import colourspace_of, plain_path, source, working_colourspace

_VIEW_SEPARATOR = "_"  # between a node's own name and its view
_PLATE_FILES = "{dir}/mattes/plates/{id}/plate.%04d.exr"


class NukeNode:
    """One of our Groups in one view; as `core.node.Node`.

    Args:
        group: the Group.
        view: a view of a script that has several.
    """

    def __init__(self, group: nuke.Group, view: str = knobs.ONE_VIEW) -> None:
        self.group = group
        self.view = view

    @property
    def identity(self) -> str:
        """The short name that `group.set_id` gave, and the view."""
        return _VIEW_SEPARATOR.join(filter(None, (node_id(self.group), self.view)))

    @property
    def name(self) -> str:
        """The Group's name."""
        return str(self.group.name())

    @property
    def job(self) -> str:
        """The ticket of the job that the node waits for; "" for none."""
        return knobs.kept_text(self.group, "gvm_job", self.view)

    @job.setter
    def job(self, ticket: str) -> None:
        with program.quietly():
            knobs.keep_text(self.group, "gvm_job", self.view, ticket)
        if not ticket:
            matte_read.reload_if_due(self.group)

    @property
    def made(self) -> str:
        """How the mattes that are shown were made, as `core.saved_state` keeps it; "" for none."""
        return knobs.kept_text(self.group, "gvm_made", self.view)

    @made.setter
    def made(self, text: str) -> None:
        with program.quietly():
            knobs.keep_text(self.group, "gvm_made", self.view, text)
            if nuke.GUI:
                self._remember_folder()

    @property
    def said(self) -> str:
        """The sentence that is shown of this view; "" where it is another's."""
        sentence = knobs.shown_status(self.group)
        prefix = self._of_view("")
        return sentence[len(prefix) :] if sentence.startswith(prefix) else ""

    def options(self) -> MatteOptions:
        """Return what the knobs say; as `Node.options`."""
        options = read_knobs(self.group)
        if self.view and "{id}" not in options.out:
            raise SettingsError(
                f"The output path {options.out!r} is one for all views of the script.",
                remedy="Put {id} into it: each view has its own.",
            )
        return replace(
            options,
            roi=self._region() or options.roi,
            garbage=of_view(options.garbage, self.view),
            holdout=of_view(options.holdout, self.view),
        )

    def begin_region(self) -> None:
        """Let a box that is used and not drawn yet be the plate's format."""
        drawn = knobs.drawn_region(self.group)
        if drawn is not None and drawn == knobs.NO_BOX:
            with suppress(InputError):  # nothing is connected: said when it renders
                knobs.draw_region(self.group, self._display_window())

    def _region(self) -> str:
        """Return the region that is drawn as a box, in words; "" where it is not used."""
        drawn = knobs.drawn_region(self.group)
        return "" if drawn is None else str(region_of(drawn, self._display_window()))

    def _display_window(self) -> HostRectangle:
        """Return the plate's format: Nuke's pixels count from its lower left corner."""
        plate = source(self.group).format()
        return HostRectangle(left=0.0, bottom=0.0, right=plate.width(), top=plate.height())

    def clip(self) -> Clip:
        """Return the plate, as its tree says; as `Node.clip`."""
        upstream, plain = source(self.group), plain_path(self.group, self.view)
        return Clip(
            path=plain or self._written(),
            first=int(upstream.firstFrame()),
            last=int(upstream.lastFrame()),
            title=knobs.without_view(plain_path(self.group, "")) if self.view else "",
            written=not plain,
            colourspace=(plain and colourspace_of(upstream)) or working_colourspace(),
        )

    def folder(self) -> str:
        """Return the script's folder; "" for one that was never saved.

        Farms, and Nuke's own background renders, render a copy of the script that lies elsewhere:
        where no mattes of this node lie there, it is the folder of the artist's last render.
        """
        own = _script_folder()
        kept = str(self.group[FOLDER].value() or "")
        if nuke.GUI or not kept or kept == own or not mattes_below(self.made, kept):
            return own
        return own if mattes_below(self.made, kept, own) else kept

    def document_range(self) -> range:
        """Return the project's frames."""
        root = nuke.root()
        return range(int(root["first_frame"].value()), int(root["last_frame"].value()) + 1)

    def frame(self) -> int:
        """Return the current frame."""
        return int(nuke.frame())

    def others(self) -> Iterator[NukeNode]:
        """Yield the script's other nodes; a clone is the same one. As `Node.others`."""
        for group in ours():
            if node_id(group) != node_id(self.group) and not knobs.value(group, "disable"):
                yield from nodes_of(group)

    def write_plate(self, clip: Clip, frames: Iterable[int]) -> None:
        """Write the tree's frames that changed; as `Node.write_plate`."""
        plate_writer.write_changed(self.group, clip.path, frames, self.view)

    def is_tree_changed(self) -> bool:
        """Whether the plate's files that were written for the mattes are older than the tree.

        Three frames are looked at, the first, the current and the last: Nuke takes a moment for
        each, and a panel that opens must not wait.
        """
        if not self.made:
            return False
        try:
            clip = self.clip()
            frames = {clip.first, min(max(self.frame(), clip.first), clip.last), clip.last}
            stand = existing_frames(clip.path, sorted(frames)) if clip.written else ()
            return bool(plate_writer.changed_frames(self.group, clip.path, stand, self.view))
        except GvmError:  # nothing is connected, or a node inside is gone: said when it renders
            return False

    def say(self, sentence: str, *, failed: bool = False) -> None:
        """Show a sentence on the node, with its view where there are several."""
        knobs.show_status(self.group, self._of_view(sentence), failed=failed)

    def show(self, made: Matte) -> None:
        """Let the Read inside show a request's mattes, in a stereo script those of every view."""
        self.point_at(made)
        matte_read.reload(self.group, at_once=not self.job)  # nothing more comes where no job is

    def point_at(self, made: Matte) -> None:
        """Have the Read inside name a request's mattes, which may come yet."""
        assert isinstance(made.output, FileOutput)  # noqa: S101 - a node asks for nothing else
        every = _VIEW_SEPARATOR.join((node_id(self.group), "%V"))
        pattern = made.output.path.replace(self.identity, every) if self.view else made.output.path
        matte_read.name_mattes(self.group, made, pattern)

    def _remember_folder(self) -> None:
        if self.group[FOLDER].value() != _script_folder():
            self.group[FOLDER].setValue(_script_folder())

    def _of_view(self, sentence: str) -> str:
        return f"{self.view}: {sentence}" if self.view else sentence

    def _written(self) -> str:
        return output_pattern(
            _PLATE_FILES, folder=self.folder(), plate="", node=self.identity, version=1
        )


def _script_folder() -> str:
    return str(nuke.root().name()).rpartition("/")[0]


def nodes_of(group: nuke.Node) -> list[NukeNode]:
    """Return one of our Groups in each of the views that its knob names."""
    names = knobs.chosen_views(group, VIEWS)
    return [NukeNode(cast(nuke.Group, group), view) for view in names]


class NukeHost:
    """The Nuke that runs; as `core.node.Host`."""

    @property
    def is_batch(self) -> bool:
        """Whether there is no GUI."""
        return not nuke.GUI

    def find(self, identity: str) -> NukeNode | None:
        """Return the node of an identity."""
        own, _, view = identity.partition(_VIEW_SEPARATOR)
        group = find(own)
        return NukeNode(group, view) if group is not None else None

    def post(self, call: Callable[[], None]) -> None:
        """Have the main thread call this soon."""
        nuke.executeInMainThread(call, ())
