"""The protocol's words: a message that exists is valid."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

from gvm_client.errors import ErrorCode, LocalProtocolError, SettingsError
from gvm_client.protocol.messages import (
    MAX_CUTS,
    MAX_FRAMES_IN_MESSAGE,
    MAX_JOBS,
    MESSAGE_TYPES,
    Cancel,
    FileOutput,
    FilePlate,
    FrameKey,
    GiveFrames,
    MappedOutput,
    Message,
    NeedFrames,
    PixelType,
)
from gvm_client.settings import PRESETS, MatteKnobs, WindowSettings, window_settings
from tests.support.messages import JOB, PIXELS, SAMPLES, SUMMARY

MATTE = SAMPLES["matte"]["minimal"]
PUSHED = SAMPLES["matte"]["pushed"].plate
STATUS = SAMPLES["server_status"]["minimal"]


def test_every_message_has_a_sample():
    """The tests that walk the samples walk every word of the protocol."""
    assert list(SAMPLES) == list(MESSAGE_TYPES)
    for word, samples in SAMPLES.items():
        assert {type(sample) for sample in samples.values()} == {MESSAGE_TYPES[word]}


@pytest.mark.parametrize(
    ("good", "changes"),
    [
        (MATTE, {"job": ""}),
        (MATTE, {"job": JOB.upper()}),
        (MATTE, {"job": JOB + "0"}),
        (MATTE, {"max_frames": -1}),
        (Cancel(job=JOB), {"job": "../" + JOB}),
        (FilePlate(path="/a"), {"path": "a.exr"}),
        (FilePlate(path="/a"), {"path": ""}),
        (FilePlate(path="/a"), {"cuts": tuple(range(MAX_CUTS + 1))}),
        (FileOutput(path="/a"), {"path": "../a"}),
        (MappedOutput(), {"pixel_type": PixelType.HALF}),
        (PUSHED, {"frames": ()}),
        (PUSHED, {"frames": (FrameKey(frame=1, key=""),) * (MAX_FRAMES_IN_MESSAGE + 1)}),
        (PUSHED, {"cuts": tuple(range(MAX_CUTS + 1))}),
        (GiveFrames(job=JOB, frames=(PIXELS,)), {"frames": ()}),
        (NeedFrames(job=JOB, frames=(1,)), {"frames": ()}),
        (NeedFrames(job=JOB, frames=(1,)), {"frames": (1,) * (MAX_FRAMES_IN_MESSAGE + 1)}),
        (PIXELS, {"buffer": "../secret"}),
        (PIXELS, {"buffer": ".hidden"}),
        (PIXELS, {"buffer": ""}),
        (PIXELS, {"buffer": "a/b"}),
        (PIXELS, {"buffer": "x" * 129}),
        (PIXELS, {"offset": -1}),
        (PIXELS, {"width": 0}),
        (PIXELS, {"height": 65_537}),
        (PIXELS, {"channels": 2}),
        (STATUS, {"jobs": (SUMMARY,) * (MAX_JOBS + 1)}),
    ],
)
def test_what_is_out_of_range_cannot_be_made(good: Message, changes: dict[str, object]):
    """Every bound is checked when the message is made, and the sentence ends as one."""
    with pytest.raises(LocalProtocolError) as caught:
        replace(good, **changes)
    assert caught.value.code is ErrorCode.MALFORMED
    assert str(caught.value).endswith(".")


def test_a_windows_path_is_absolute():
    """A drive letter is as good as a slash."""
    assert FilePlate(path="C:\\shots\\a.%04d.exr").path.startswith("C:")


def test_a_message_cannot_be_changed():
    """What was checked stays as it was checked."""
    with pytest.raises(FrozenInstanceError):
        Cancel(job=JOB).job = "x"


def test_a_mapped_frame_knows_its_size():
    """4K RGB in float is 99.5 MB, which is why it is mapped and not sent."""
    assert PIXELS.nbytes == 3840 * 2160 * 3 * 4


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (WindowSettings, {"frames_per_window": 0}),
        (WindowSettings, {"frames_per_window": 257}),
        (WindowSettings, {"overlap": -1}),
        (WindowSettings, {"frames_per_window": 9, "overlap": 5}),
        (WindowSettings, {"decode_chunk": -1}),
        (WindowSettings, {"steps": 0}),
        (WindowSettings, {"size": 31}),
        (WindowSettings, {"max_resolution": 8193}),
        (MatteKnobs, {"black": 1.0}),
        (MatteKnobs, {"black": float("nan")}),
        (MatteKnobs, {"white": float("inf")}),
        (MatteKnobs, {"gamma": 0.0}),
        (MatteKnobs, {"grow": 256.5}),
        (MatteKnobs, {"blur": -0.1}),
    ],
)
def test_a_setting_out_of_range_cannot_be_made(kind: type, values: dict[str, object]):
    """The sentence names the setting and its value; it is a ValueError too."""
    with pytest.raises(SettingsError) as caught:
        kind(**values)
    assert isinstance(caught.value, ValueError)
    name = list(values)[-1]
    assert f"{name} is {values[name]!r}" in caught.value.message


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_can_be_changed_field_by_field(preset: str):
    """None leaves a field alone; a smaller window takes its overlap along."""
    assert window_settings(preset, steps=None) == PRESETS[preset].window
    assert window_settings(preset, steps=2) == replace(PRESETS[preset].window, steps=2)
    assert window_settings(preset, frames_per_window=1).overlap == 0


def test_an_unknown_preset_or_setting_is_named_with_those_that_exist():
    """A typing error is answered with the right words."""
    with pytest.raises(SettingsError, match="low_memory"):
        window_settings("low")
    with pytest.raises(SettingsError, match="frames_per_window"):
        window_settings("default", frames=3)


def test_a_decode_chunk_is_never_longer_than_the_window():
    """0 and anything above the window both mean the whole window."""
    chunks = [WindowSettings(decode_chunk=chunk).chunk for chunk in (0, 3, 8, 200)]
    assert chunks == [8, 3, 8, 8]
