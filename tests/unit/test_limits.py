"""Every bound of the table, one above it: an error with the value and the limit, at once."""

from __future__ import annotations

import json
import os
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgpack
import numpy as np
import pytest

from gvm_client import limits
from gvm_client.connection import connection_path, read_connection
from gvm_client.errors import ErrorCode, GvmError
from gvm_client.filenames import find_field
from gvm_client.frames import parse_frames
from gvm_client.limits import (
    MAX_BUFFER_SIDE,
    MAX_CANVAS_PIXELS,
    MAX_CHECKPOINT_CONFIG_BYTES,
    MAX_CONFIG_BYTES,
    MAX_CONNECTION_BYTES,
    MAX_CUTS,
    MAX_FIELDS,
    MAX_FRAMES,
    MAX_FRAMES_IN_MESSAGE,
    MAX_FRAMES_PER_WINDOW,
    MAX_JOBS,
    MAX_LUT_BYTES,
    MAX_MESSAGE_BYTES,
    MAX_NETWORK_DEPTH,
    MAX_NETWORK_LEVELS,
    MAX_NETWORK_WIDTH,
    MAX_PADDING,
    MAX_PARTS,
    MAX_RADIUS,
    MAX_REGION_SCALE,
    MAX_REGIONS,
    MAX_REQUEST,
    MAX_SHOWN_ASPECT,
    MAX_SIDE,
    MAX_STEPS,
    MAX_STOPS,
    MAX_TEXT,
    MAX_VARIABLES,
    SHOWN_COLUMNS,
    SHOWN_ROWS,
)
from gvm_client.protocol import PROTOCOL_VERSION
from gvm_client.protocol.messages import (
    Cancel,
    FilePlate,
    FrameKey,
    JobContext,
    JobSummary,
    Priority,
    ServerStatus,
    Shown,
)
from gvm_client.protocol.wire import decode, encode
from gvm_client.regions import Region, check_count, check_scale
from gvm_client.settings import MatteKnobs, WindowSettings
from gvm_client.windows import Plan
from gvm_server.matting.engines.gvm.config_files import read_config
from gvm_server.matting.region import ShotView
from gvm_server.matting.resources import FramesInHand, check_memory
from gvm_server.matting.working_size import WorkingSize
from gvm_server.media.colour.ocio import load_config
from gvm_server.media.colour.ocio_files import open_files
from gvm_server.media.file_access import Roots
from gvm_server.media.geometry import Box, FrameWindows, geometry_of
from gvm_server.media.plates.base import PlateOptions
from gvm_server.media.plates.open import open_plate
from gvm_server.service.replies import page
from tests.support.messages import JOB, PIXELS, SAMPLES, SUMMARY
from tests.support.plates import write_exr, write_plate
from tests.tools.make_tiny_checkpoint import SCHEDULER, UNET, VAE


def refusal(work: Callable[[], object]) -> str:
    """Return what is said; there must be something to do about it, or the value's own bound."""
    with pytest.raises(GvmError) as caught:
        work()
    assert caught.value.code.value != "internal"
    return f"{caught.value.message} {caught.value.remedy}"


def test_a_clip_longer_than_any_is_refused_before_its_frames_are_gone_through(tmp_path: Path):
    """By its extent, or by a stray file with a number far away."""
    plate = write_plate(tmp_path / "plate", (1, 2), width=16, height=16)

    def opened(**extent: int) -> None:
        open_plate(PlateOptions(path=plate, **extent), roots=Roots()).close()

    opened(first=1, last=MAX_FRAMES)
    assert "1,000,001" in refusal(lambda: opened(first=0, last=MAX_FRAMES))
    write_exr(tmp_path / "plate" / "plate.99999999.exr", np.zeros((16, 16, 3), np.float32))
    says = refusal(opened)
    assert "99,999,999" in says
    assert "1,000,000" in says
    assert "stray" in says


def test_a_range_of_too_many_frames_is_refused():
    """Whatever its pieces."""
    assert "1,000,000" in refusal(lambda: parse_frames(f"1-{MAX_FRAMES + 1}"))
    assert "1,000,000" in refusal(lambda: parse_frames("1-900000,1-900000"))


@pytest.mark.parametrize("field", ["%0{}d", "%00{}d", "$F{}", "${{F{}}}"])
def test_a_frame_field_wider_than_any_number_is_refused(field: str):
    """Up to a number of digits that is not even read."""
    found = find_field(f"a.{field.format(MAX_PADDING)}.exr")
    assert found is not None
    assert found.width == MAX_PADDING
    for width in (MAX_PADDING + 1, 10**9, 10**4400):
        with pytest.raises(GvmError, match=str(MAX_PADDING)):
            find_field(f"a.{field.format('9' * 4400 if width > 10**18 else width)}.exr")
    with pytest.raises(GvmError, match="200 digits"):
        find_field(f"a.{'#' * 200}.exr")


@pytest.mark.parametrize(("width", "height"), [(1 << 14, (1 << 14) + 1), (1 << 62, 1 << 62)])
def test_a_canvas_larger_than_any_is_refused(width: int, height: int):
    """By the display window alone too."""
    display = Box(x=0, y=0, width=width, height=height)
    windows = FrameWindows(display=display, data=Box(x=0, y=0, width=1, height=1))
    says = refusal(lambda: geometry_of("plate", {1: windows}))
    assert str(MAX_CANVAS_PIXELS) in says
    assert f"{width}x{height}" in says


REGION = Region(x=0, y=0, width=1, height=1)
WORKING = WorkingSize(width=1024, height=1024, padded_width=1024, padded_height=1024, top=0, left=0)
LARGE = Box(x=0, y=0, width=16_384, height=16_384)


def memory_for(frames: dict[int, Box], gibibytes: int) -> None:
    """Check that there is memory for a clip of these data windows, whose display is 1920x1080."""
    display = Box(x=0, y=0, width=1920, height=1080)
    windows = {frame: FrameWindows(display=display, data=data) for frame, data in frames.items()}
    geometry = geometry_of("plate", windows)
    check_memory(
        "/p/plate.%04d.exr",
        geometry,
        FramesInHand(
            view=ShotView(first=1, seen=geometry.canvas, working=WORKING),
            plan=Plan(first=1, last=2, frames_per_window=16, overlap=1),
            hands=4,
        ),
        available=lambda: gibibytes << 30,
    )


def test_pictures_for_which_there_is_no_memory_are_refused():
    """With what they take and what there is; where there is enough they are not."""
    memory_for({1: LARGE, 2: LARGE}, 64)
    says = refusal(lambda: memory_for({1: LARGE, 2: LARGE}, 8))
    assert "16 frames of /p/plate.%04d.exr, 16384x16384 pixels each" in says
    assert "8.0 GiB" in says


def test_one_frames_data_window_for_which_there_is_no_memory_is_named():
    """Its header is damaged: that is the plate's trouble, not the machine's."""
    small = Box(x=-20, y=-20, width=1960, height=1120)
    wide = Box(x=0, y=0, width=12_000, height=12_000)
    with pytest.raises(GvmError, match="data window of frame 3 alone") as caught:
        memory_for({1: small, 2: small, 3: wide, 4: small}, 8)
    assert caught.value.code is ErrorCode.PLATE_MISMATCH
    assert (caught.value.frame, caught.value.path) == (3, "/p/plate.%04d.exr")
    assert "1960x1120 at (-20, -20)" in caught.value.message


def test_a_file_of_too_many_parts_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Not read in part."""
    from gvm_server.media.plates import image  # noqa: PLC0415

    plate = write_plate(tmp_path / "plate", (1,), width=16, height=16)
    monkeypatch.setattr(image, "MAX_PARTS", 0)
    says = refusal(lambda: open_plate(PlateOptions(path=plate), roots=Roots()))
    assert "more than 0 parts" in says
    assert MAX_PARTS == 1024


@pytest.mark.parametrize(
    ("network", "name", "value", "bound"),
    [
        ("unet", "cross_attention_dim", MAX_NETWORK_WIDTH + 1, MAX_NETWORK_WIDTH),
        ("unet", "in_channels", MAX_NETWORK_WIDTH + 1, MAX_NETWORK_WIDTH),
        ("unet", "layers_per_block", MAX_NETWORK_DEPTH + 1, MAX_NETWORK_DEPTH),
        ("unet", "transformer_layers_per_block", 10**9, MAX_NETWORK_DEPTH),
        ("vae", "layers_per_block", MAX_NETWORK_DEPTH + 1, MAX_NETWORK_DEPTH),
        ("vae", "block_out_channels", [32] * (MAX_NETWORK_LEVELS + 1), MAX_NETWORK_LEVELS),
        ("vae", "block_out_channels", [MAX_NETWORK_WIDTH + 32], MAX_NETWORK_WIDTH),
    ],
)
def test_a_checkpoint_of_absurd_size_is_refused(
    tmp_path: Path, network: str, name: str, value: object, bound: int
):
    """Before a network of it is made."""
    fields = {
        "unet/config.json": UNET,
        "vae/config.json": VAE,
        "scheduler/scheduler_config.json": SCHEDULER,
    }
    for place, values in fields.items():
        path = tmp_path / place
        path.parent.mkdir()
        path.write_text(json.dumps(values | ({name: value} if place.startswith(network) else {})))
    says = refusal(lambda: read_config(tmp_path))
    assert str(bound) in says
    assert f"{network}/config.json" in says


@pytest.mark.parametrize("text", [" " * (MAX_CHECKPOINT_CONFIG_BYTES + 1), "[" * 100_000])
def test_a_checkpoints_config_of_absurd_length_or_depth_is_refused(tmp_path: Path, text: str):
    """By its bytes, or by the parser's own bound."""
    for place in ("unet/config.json", "vae/config.json", "scheduler/scheduler_config.json"):
        (tmp_path / place).parent.mkdir()
        (tmp_path / place).write_text(text)
    assert "config.json" in refusal(lambda: read_config(tmp_path))


def test_a_status_of_many_jobs_with_long_names_fits_its_message():
    """The first ones are shown, and it can always be sent."""
    name = "/" + "ä" * 4095
    job = JobSummary(
        job=JOB,
        state="running",
        plate=name,
        output=name,
        engine="gvm",
        priority=Priority.BATCH,
        frames_done=1,
        frames_total=2,
        seconds=1.0,
        note="n" * 8000,
    )
    status = SAMPLES["server_status"]["minimal"]
    assert isinstance(status, ServerStatus)
    shown = page([job] * 300)
    assert 20 < len(shown) < 300
    sent = decode(encode(replace(status, jobs=shown), request="1")).message
    assert isinstance(sent, ServerStatus)
    assert sent.jobs == shown
    short = replace(job, plate="/p", output="/o", note="")
    assert len(page([short] * 300)) == 256


@pytest.mark.parametrize("name", ["show.ocio", "show.ocioz"])
def test_a_colour_configuration_of_absurd_size_is_refused(tmp_path: Path, name: str):
    """By its length on the disk, or by the one that the archive says, before it is read."""
    path = tmp_path / name
    if name.endswith("z"):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("config.ocio", bytes(MAX_CONFIG_BYTES + 1))
    else:
        path.touch()
        os.truncate(path, MAX_CONFIG_BYTES + 1)
    says = refusal(lambda: load_config(str(path)))
    assert f"{MAX_CONFIG_BYTES >> 20} MiB" in says
    assert str(path) in says


def test_a_lookup_table_of_absurd_size_is_refused(tmp_path: Path):
    """Not a byte of it is read."""
    (tmp_path / "a.spi1d").touch()
    os.truncate(tmp_path / "a.spi1d", MAX_LUT_BYTES + 1)
    (tmp_path / "show.ocio").write_text("ocio_profile_version: 2")
    files = open_files(tmp_path / "show.ocio")
    tracemalloc.start()
    with pytest.raises(ValueError, match=f"{MAX_LUT_BYTES >> 20} MiB"):
        files.read(str(tmp_path / "a.spi1d"))
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


PUSHED = SAMPLES["matte"]["pushed"].plate
FRAME_KEYS = (FrameKey(frame=1, key=""),) * (MAX_FRAMES_IN_MESSAGE + 1)
CELLS = SHOWN_COLUMNS * SHOWN_ROWS
SHOWN = Shown(aspect=1.0, ranks=(0,) * CELLS)
CUTS = tuple(range(MAX_CUTS + 1))
VARIABLES = tuple(f"A{number}=b" for number in range(MAX_VARIABLES + 1))


@pytest.mark.parametrize(
    ("good", "name", "value", "bound"),
    [
        (WindowSettings(), "frames_per_window", MAX_FRAMES_PER_WINDOW + 1, MAX_FRAMES_PER_WINDOW),
        (WindowSettings(), "decode_chunk", MAX_FRAMES_PER_WINDOW + 1, MAX_FRAMES_PER_WINDOW),
        (WindowSettings(), "steps", MAX_STEPS + 1, MAX_STEPS),
        (WindowSettings(), "size", MAX_SIDE + 1, MAX_SIDE),
        (WindowSettings(), "max_resolution", MAX_SIDE + 1, MAX_SIDE),
        (MatteKnobs(), "grow", MAX_RADIUS + 0.5, f"{MAX_RADIUS:g}"),
        (MatteKnobs(), "grow", -MAX_RADIUS - 0.5, f"{MAX_RADIUS:g}"),
        (MatteKnobs(), "blur", MAX_RADIUS + 0.5, f"{MAX_RADIUS:g}"),
        (MatteKnobs(), "exposure", MAX_STOPS + 0.5, f"{MAX_STOPS:g}"),
        (MatteKnobs(), "exposure", -MAX_STOPS - 0.5, f"{MAX_STOPS:g}"),
        (PIXELS, "width", MAX_BUFFER_SIDE + 1, MAX_BUFFER_SIDE),
        (PIXELS, "height", MAX_BUFFER_SIDE + 1, MAX_BUFFER_SIDE),
        (PIXELS, "x", MAX_BUFFER_SIDE + 1, MAX_BUFFER_SIDE),
        (PIXELS, "y", -MAX_BUFFER_SIDE - 1, MAX_BUFFER_SIDE),
        (FilePlate(path="/p"), "cuts", CUTS, MAX_CUTS),
        (SHOWN, "aspect", MAX_SHOWN_ASPECT + 0.5, f"{MAX_SHOWN_ASPECT:g}"),
        (SHOWN, "ranks", (0,) * (CELLS + 1), CELLS),
        (PUSHED, "cuts", CUTS, MAX_CUTS),
        (PUSHED, "frames", FRAME_KEYS, MAX_FRAMES_IN_MESSAGE),
        (JobContext(), "ocio_variables", VARIABLES, MAX_VARIABLES),
        (SAMPLES["server_status"]["minimal"], "jobs", (SUMMARY,) * (MAX_JOBS + 1), MAX_JOBS),
    ],
)
def test_a_value_one_above_its_bound_cannot_be_made(
    good: object, name: str, value: object, bound: object
):
    """The sentence has the value, or how many there are, and the bound."""
    says = refusal(lambda: replace(good, **{name: value}))
    assert str(bound) in says
    assert str(len(value) if isinstance(value, tuple) else value) in says


def message(**changes: object) -> bytes:
    """Return the bytes of a message, changed as no client of ours would."""
    plain = {"v": PROTOCOL_VERSION, "type": "cancel", "request": "r", "body": {"job": JOB}}
    return msgpack.packb(plain | changes)


@pytest.mark.parametrize(
    "data",
    [
        b"\xc0" * (MAX_MESSAGE_BYTES + 1),
        message(request="r" * (MAX_REQUEST + 1)),
        message(body={"job": "x" * (MAX_TEXT + 1)}),
        message(body={f"f{number}": 1 for number in range(MAX_FIELDS + 1)}),
    ],
    ids=["message", "request", "text", "fields"],
)
def test_bytes_one_above_the_wires_bounds_are_refused(data: bytes):
    """By the reader, whoever wrote them."""
    assert decode(message()).message == Cancel(job=JOB)
    refusal(lambda: decode(data))


def test_a_connection_file_of_absurd_length_is_none(tmp_path: Path):
    """Damage: the next client starts a server."""
    path = connection_path(tmp_path)
    path.write_text(" " * (MAX_CONNECTION_BYTES + 1))
    path.chmod(0o600)
    assert "not a connection file" in refusal(lambda: read_connection(tmp_path))


def test_more_regions_than_a_message_takes_and_a_scale_above_its_bound_are_refused():
    """Each with its number."""
    check_count([REGION] * MAX_REGIONS)
    says = refusal(lambda: check_count([REGION] * (MAX_REGIONS + 1)))
    assert str(MAX_REGIONS + 1) in says
    assert f"{MAX_REGION_SCALE:g}" in refusal(lambda: check_scale(MAX_REGION_SCALE + 0.1))


def test_every_bound_of_the_table_is_tried_here():
    """But the log's, which refuses nothing: a long one is put aside (`test_logfile`)."""
    names = {name for name in vars(limits) if name.startswith("MAX_")} - {"MAX_LOG_BYTES"}
    text = Path(__file__).read_text()
    assert {name for name in names if text.count(name) < 2} == set()
