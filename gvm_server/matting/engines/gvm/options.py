"""What the machine's owner chooses of the engine; none of it imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from gvm_client.errors import SettingsError
from gvm_client.settings import Noise
from gvm_server.matting.engines.gvm.config import VaeConfig

DEVICES = ("auto", "cpu", "cuda", "mps")


class Precision(str, Enum):
    """The type that a network computes in."""

    AUTO = "auto"
    """float32 on the CPU; on a GPU float16, and float32 where the VAE's config asks for it."""
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"


class Switch(str, Enum):
    """On, off, or on where it was measured to help."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


@dataclass(frozen=True, kw_only=True, slots=True)
class GvmOptions:
    """How the model is loaded and run.

    Attributes:
        device: `auto`, `cpu`, `mps`, `cuda`, or `cuda:N`.
        precision: of the UNet.
        vae_precision: of the VAE; half types there can lose soft edges, or all with NaN.
        channels_last: the memory format of the decoder's convolutions.
        compile_backend: a `torch.compile` backend such as `inductor`; "" runs as it is.
        noise: what the denoiser starts from.
        seed: of gaussian noise; every window starts from the same seed.
        unet: a folder with another UNet's `config.json` and weights; "" is the checkpoint's own.
        lora: a folder that may hold an adapter for the UNet; "" is none.

    Raises:
        SettingsError: the device's name is unknown, or the seed is negative.
    """

    device: str = "auto"
    precision: Precision = Precision.AUTO
    vae_precision: Precision = Precision.AUTO
    channels_last: Switch = Switch.AUTO
    compile_backend: str = ""
    noise: Noise = Noise.ZEROS
    seed: int = 0
    unet: str = ""
    lora: str = ""

    def __post_init__(self) -> None:
        kind, _, index = self.device.partition(":")
        if kind not in DEVICES or (index and not (kind == "cuda" and index.isdigit())):
            raise SettingsError(
                f"device is {self.device!r}; it must be one of {', '.join(DEVICES)} or cuda:N."
            )
        if not 0 <= self.seed < 2**63:
            raise SettingsError(f"seed is {self.seed!r}; it must be from 0 to 2^63 - 1.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolved:
    """The types and the memory format that options come to; neither type is AUTO."""

    unet: Precision
    vae: Precision
    channels_last: bool


def resolve(device: str, options: GvmOptions, vae: VaeConfig) -> Resolved:
    """Resolve the options for a kind of device: `cpu`, `cuda` or `mps`."""
    unet = options.precision
    if unet is Precision.AUTO:
        unet = Precision.FLOAT32 if device == "cpu" else Precision.FLOAT16
    vae_precision = options.vae_precision
    if vae_precision is Precision.AUTO:
        vae_precision = Precision.FLOAT32 if vae.force_upcast else unet
    # On the CPU channels-last makes the decoder 12 % faster; the encoder gains less, and its
    # rounding, which the UNet magnifies, stays that of the original's kernels without it.
    wanted = {Switch.ON: True, Switch.OFF: False, Switch.AUTO: device == "cpu"}
    return Resolved(unet=unet, vae=vae_precision, channels_last=wanted[options.channels_last])
