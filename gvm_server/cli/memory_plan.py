"""`gvm doctor --plan WxH`: what each preset takes of the device's memory."""

from __future__ import annotations

import argparse
import dataclasses
import re

from gvm_client.errors import SettingsError
from gvm_client.process import Exit
from gvm_client.settings import PRESETS, WindowSettings
from gvm_server.cli.terminal import as_json, size_in_words
from gvm_server.matting.engines.gvm.config import GvmOptions
from gvm_server.settings import ServerSettings


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class PresetMemory:
    """One preset's prediction, in bytes."""

    preset: str
    window: int
    chunk: int
    working: str
    peak: int
    least: int
    """With the networks that do not run waiting in host memory; the same pixels."""


def run(parsed: argparse.Namespace) -> int:
    """Print the prediction for a plate size.

    Raises:
        SettingsError: the size is not WxH.
    """
    width, height = parse_size(parsed.plan, "--plan")
    rows, free, where = predict(width, height)
    if parsed.json:
        print(as_json({"free": free, "rows": [dataclasses.asdict(row) for row in rows]}))
        return Exit.DONE
    print(f"GVM on {where}, {size_in_words(free)} free; a plate of {width}x{height}:")
    print(
        f"{'preset':>14} {'window':>6} {'chunk':>5} {'model sees':>11} {'peak':>10} {'least':>10}"
    )
    for row in rows:
        fits = "fits" if row.least <= free else "does not fit"
        print(
            f"{row.preset:>14} {row.window:>6} {row.chunk:>5} {row.working:>11}"
            f" {size_in_words(row.peak):>10} {size_in_words(row.least):>10}  {fits}"
        )
    print("least: with the networks that do not run waiting in host memory; the same pixels.")
    return Exit.DONE


def parse_size(text: str, option: str) -> tuple[int, int]:
    """Return width and height of a text such as 1920x1080, which an option was given.

    Raises:
        SettingsError: it is none.
    """
    match = re.fullmatch(r"(\d{2,5})x(\d{2,5})", text)
    if match is None:
        raise SettingsError(f"{option} is {text!r}; it must be a size such as 1920x1080.")
    return int(match[1]), int(match[2])


def predict(width: int, height: int) -> tuple[list[PresetMemory], int, str]:
    """Return a row for each preset, the device's free bytes, and the device and types in words."""
    from gvm_server.matting.engines.gvm.config import PAD_MULTIPLE, RELEASED  # noqa: PLC0415
    from gvm_server.matting.engines.gvm.config_files import read_config  # noqa: PLC0415
    from gvm_server.matting.engines.gvm.fit import least_bytes, plan_window  # noqa: PLC0415
    from gvm_server.matting.engines.gvm.placement import (  # noqa: PLC0415 (torch comes with it)
        obtainable_bytes,
        place,
    )
    from gvm_server.matting.engines.gvm.weights_folder import find_weights  # noqa: PLC0415
    from gvm_server.matting.working_size import working_size  # noqa: PLC0415

    weights = find_weights(ServerSettings.from_environment().weights)
    config = read_config(weights, weights / "unet") if weights else RELEASED
    placement = place(GvmOptions(), config.vae)
    windows: dict[WindowSettings, str] = {}
    for name, preset in PRESETS.items():
        windows.setdefault(preset.window, name)  # presets with the same window are one row
    rows = []
    for window, name in windows.items():
        working = working_size(height, width, window, PAD_MULTIPLE)
        plan = plan_window(config, placement, working, window)
        rows.append(
            PresetMemory(
                preset=name,
                window=window.frames_per_window,
                chunk=window.chunk,
                working=f"{working.padded_width}x{working.padded_height}",
                peak=plan.peak,
                least=least_bytes(plan, placement),
            )
        )
    types = f"{placement.unet} UNet, {placement.vae} VAE".replace("torch.", "")
    return rows, obtainable_bytes(placement.device), f"{placement.device} ({types})"
