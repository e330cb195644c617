"""The original program's words on `gvm matte`: a command line of its `demo.py` works as it is.

- A word that means one of ours shares its place: either may be used, and the last one holds.
- A word that is not given changes nothing: the defaults are ours, never the original's.
- What has no effect in the original is accepted, and said to have none.
"""

from __future__ import annotations

import argparse
from copy import copy
from pathlib import Path

from gvm_client.errors import SettingsError
from gvm_client.settings import Noise
from gvm_server.cli.matte.idle import idle_options
from gvm_server.cli.matte.request import absolute
from gvm_server.media.plates.find import own_pattern

ABOUT = "as the original program's demo.py; its output folder gets movies too"
GIVEN_ONLY = argparse.SUPPRESS  # the default of a place is that of our own option

_COUNTS = (
    ("--num_frames_per_batch", "frames_per_window", "is --frames-per-window"),
    ("--num_overlap_frames", "overlap", "is --overlap"),
    ("--denoise_steps", "steps", "is --steps"),
    ("--decode_chunk_size", "decode_chunk", "is --decode-chunk"),
    ("--max_resolution", "max_resolution", "is --max-resolution"),
    ("--max_frames", "max_frames", "is --max-frames"),
)
# The original's released code takes these and its result never depends on them.
_WITHOUT_EFFECT = ("num_interp_frames", "mode", "use_clip_img_emb", "use_unet_interp")


def add_options(group: argparse._ArgumentGroup) -> None:
    """Add the original program's options; `--size` is the same in both."""
    group.add_argument("--data_dir", metavar="PLATE", help="is PLATE")
    group.add_argument(
        "--output_dir",
        metavar="DIR",
        help="gets the folder NAME of alphas, NAME_matte.mp4 and NAME_green.mp4",
    )
    group.add_argument(
        "--output_image_seq_only", action="store_true", help="only the alphas, no movies"
    )
    for flag, dest, text in _COUNTS:
        group.add_argument(flag, dest=dest, type=int, default=GIVEN_ONLY, metavar="N", help=text)
    for flag, dest, text in (
        ("--model_base", "weights", "is --weights"),
        ("--lora_base", "lora", "is --lora"),
    ):
        group.add_argument(flag, dest=dest, default=GIVEN_ONLY, metavar="DIR", help=text)
    group.add_argument("--unet_base", metavar="DIR", help="another UNet's folder (the weights')")
    group.add_argument("--pretrain_type", default="svd", metavar="TYPE", help="svd only")
    group.add_argument(
        "--noise_type",
        default=Noise.ZEROS.value,
        choices=[noise.value for noise in Noise],
        help="gaussian is experimental (zeros)",
    )
    group.add_argument("--seed", type=int, metavar="N", help="of gaussian noise (0)")
    group.add_argument("--mode", metavar="MODE", help="matte only; no effect")
    group.add_argument("--num_interp_frames", type=int, metavar="N", help="no effect")
    for flag in ("--use_clip_img_emb", "--use_unet_interp"):
        group.add_argument(flag, action="store_true", help="no effect")


def translate(parsed: argparse.Namespace) -> argparse.Namespace:
    """Return `gvm matte`'s options with the original's words in the places of ours.

    Afterwards `plate`, `out`, `movie`, `comp`, `weights`, `unet`, `lora`, `noise` and `seed` hold
    what is meant, and `notes` what the user should know, in whole sentences.

    Raises:
        SettingsError: no plate or no output is named, two words name different ones, or a word
            asks for what no version of the original could do.
        EngineError: the adapter's folder holds half an adapter.
    """
    _refuse(parsed)
    meant = copy(parsed)
    meant.plate = _one("PLATE", parsed.plate, "--data_dir", parsed.data_dir)
    name = clip_name(meant.plate)
    alphas = str(Path(parsed.output_dir, name)) if parsed.output_dir else None
    meant.out = _one("--out", parsed.out, "--output_dir", alphas)
    if parsed.output_dir and not parsed.output_image_seq_only:
        ending = "mp4" if parsed.movie_codec in (None, "h264") else "mov"
        meant.movie = parsed.movie or f"{alphas}_matte.{ending}"
        meant.comp = parsed.comp or f"{alphas}_green.{ending}"
    meant.unet = _other_unet(parsed)
    meant.noise, meant.seed = Noise(parsed.noise_type), parsed.seed or 0
    meant.notes = [*_no_effect(parsed)]
    if parsed.lora and not _holds_adapter(parsed.lora):
        meant.lora = ""
        meant.notes.append(f"{absolute(parsed.lora)} holds no adapter: the UNet is used as it is.")
    meant.notes += idle_options(meant)
    return meant


def clip_name(plate: str) -> str:
    """Return a clip's name for its deliverables: `shot` of `shot.%04d.exr`, `shot.mov`, `shot/`."""
    path = Path(absolute(plate))
    if pattern := own_pattern(path):
        bare = pattern.head.rstrip("._-")
    else:
        bare = path.name if path.is_dir() else path.stem
    return bare or path.parent.name or "plate"


def _refuse(parsed: argparse.Namespace) -> None:
    if parsed.pretrain_type == "dav":
        raise SettingsError(
            "--pretrain_type dav names a network that the original program neither ships nor"
            " imports: there, too, only svd runs.",
            remedy="Leave the option out, or give svd.",
        )
    if parsed.pretrain_type != "svd":
        raise SettingsError(
            f"--pretrain_type is {parsed.pretrain_type!r}; it must be svd.",
            remedy="Leave the option out.",
        )
    if parsed.mode not in (None, "matte"):
        raise SettingsError(
            f"--mode is {parsed.mode!r}; this program only mattes.", remedy="Leave the option out."
        )


def _one(ours: str, value: str | None, theirs: str, other: str | None) -> str:
    """Return what two words name, given once or twice alike."""
    if value and other and absolute(value) != absolute(other):
        raise SettingsError(
            f"{ours} is {value} and {theirs} means {other}: which one is meant?",
            remedy=f"Give {ours} or {theirs}, not both.",
        )
    if not (value or other):
        raise SettingsError(
            f"Neither {ours} nor {theirs} is given.",
            remedy="Say gvm matte PLATE -o OUT, or gvm matte --data_dir PLATE --output_dir DIR.",
        )
    return value or other or ""


def _other_unet(parsed: argparse.Namespace) -> str:
    """Return the folder of another UNet than the weights' own, or ""; the guide names that own."""
    if not parsed.unet_base:
        return ""
    unet = Path(absolute(parsed.unet_base))
    if (unet / "unet").is_dir():  # the folder above it is meant, as the original reads it
        unet /= "unet"
    own = Path(absolute(parsed.weights)) if parsed.weights else None
    return "" if own is not None and unet in (own, own / "unet") else str(unet)


def _holds_adapter(folder: str) -> bool:
    from gvm_server.matting.engines.gvm.lora import adapter_file  # noqa: PLC0415 (--help needs none of it)

    return adapter_file(Path(absolute(folder))) is not None


def _no_effect(parsed: argparse.Namespace) -> list[str]:
    idle = [f"--{name}" for name in _WITHOUT_EFFECT if getattr(parsed, name) not in (None, False)]
    if parsed.seed is not None and parsed.noise_type == Noise.ZEROS.value:
        idle.append("--seed (nothing is drawn with zero noise)")
    if not idle:
        return []
    return [f"Without effect here, as in the original: {', '.join(idle)}."]
