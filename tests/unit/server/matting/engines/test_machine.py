"""What the machine's owner may choose: each choice is an option of `gvm serve`."""

from __future__ import annotations

from dataclasses import fields

import pytest

from gvm_client.errors import SettingsError
from gvm_client.settings import ModelSettings, Noise
from gvm_server.cli.main import build_parser
from gvm_server.cli.serve import _machine_options
from gvm_server.matting.engines.gvm.config import GvmOptions
from gvm_server.matting.engines.machine import (
    MachineOptions,
    Precision,
    Switch,
    machine_options,
)


def test_every_choice_is_an_option_with_its_default():
    """None is forgotten, and a server that is told nothing has the defaults."""
    assert [option.name for option in machine_options()] == [
        field.name for field in fields(MachineOptions)
    ]
    assert _machine_options(build_parser().parse_args(["serve"])) == MachineOptions()


def test_options_come_as_the_kinds_that_engines_take():
    """Words become enumerations, and GVM gets them with what a request asks."""
    words = (
        "serve --device cuda:1 --precision bfloat16 --vae-precision float32 --channels-last off"
        " --compile inductor"
    )
    chosen = _machine_options(build_parser().parse_args(words.split()))
    assert chosen == MachineOptions(
        device="cuda:1",
        precision=Precision.BFLOAT16,
        vae_precision=Precision.FLOAT32,
        channels_last=Switch.OFF,
        compile_backend="inductor",
    )
    model = ModelSettings(noise=Noise.GAUSSIAN, seed=3)
    assert GvmOptions.of(model, chosen) == GvmOptions(
        device="cuda:1",
        precision=Precision.BFLOAT16,
        vae_precision=Precision.FLOAT32,
        channels_last=Switch.OFF,
        compile_backend="inductor",
        noise=Noise.GAUSSIAN,
        seed=3,
    )


@pytest.mark.parametrize("device", ["gpu", "cuda:x", "cpu:1", ""])
def test_a_device_of_unknown_name_is_refused_with_those_that_there_are(device: str):
    """Before a server starts with it."""
    with pytest.raises(SettingsError, match=r"one of auto, cpu, cuda, mps or cuda:N"):
        MachineOptions(device=device)
