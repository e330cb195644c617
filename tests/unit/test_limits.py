"""Every bound of the table, one above it: an error with the value and the limit, at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gvm_client.errors import ErrorCode, GvmError
from gvm_client.frames import parse_frames
from gvm_client.limits import (
    MAX_CANVAS_PIXELS,
    MAX_CHECKPOINT_CONFIG_BYTES,
    MAX_FRAMES,
    MAX_NETWORK_DEPTH,
    MAX_NETWORK_LEVELS,
    MAX_NETWORK_WIDTH,
    MAX_PADDING,
    MAX_PARTS,
)
from gvm_client.names import find_field
from gvm_client.protocol.messages import FilePlate, JobSummary, Priority, ServerStatus
from gvm_client.protocol.wire import decode, encode
from gvm_client.settings import WindowSettings
from gvm_server.matting.footprint import check_memory
from gvm_server.matting.gvm.reading import read_config
from gvm_server.matting.working import WorkingSize
from gvm_server.media.confine import Roots
from gvm_server.media.geometry import Box, FrameWindows, geometry_of
from gvm_server.media.open import open_plate
from gvm_server.media.plate import PlateOptions
from gvm_server.service.replies import page
from tests.support.messages import JOB, SAMPLES
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


WORKING = WorkingSize(width=1024, height=1024, padded_width=1024, padded_height=1024, top=0, left=0)
LARGE = Box(x=0, y=0, width=16_384, height=16_384)


def memory_for(frames: dict[int, Box], gibibytes: int) -> None:
    """Check that there is memory for a clip of these data windows, whose display is 1920x1080."""
    display = Box(x=0, y=0, width=1920, height=1080)
    windows = {frame: FrameWindows(display=display, data=data) for frame, data in frames.items()}
    check_memory(
        "/p/plate.%04d.exr",
        geometry_of("plate", windows),
        WORKING,
        WindowSettings(frames_per_window=16),
        hands=4,
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
    from gvm_server.media import image  # noqa: PLC0415

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


def test_cuts_beyond_the_bound_are_refused():
    """As the settings' bounds are, each tested beside its setting."""
    assert "10000" in refusal(lambda: FilePlate(path="/p", cuts=tuple(range(10_001))))
