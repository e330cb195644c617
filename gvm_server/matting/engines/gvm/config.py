"""How the model is made and run: what a checkpoint's configs say, and what options choose.

Nothing here imports torch.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import pairwise

from gvm_client.errors import SettingsError
from gvm_client.settings import ModelSettings, Noise
from gvm_server.matting.engines.machine import MachineOptions, Precision, Step, Switch, steps_named

PAD_MULTIPLE = 32  # of both sides of the working frame, as the original pads it
NORM_GROUPS = 32  # diffusers' blocks of this family know no other number


@dataclass(frozen=True, kw_only=True, slots=True)
class Attention:
    """The transformers of one level: each has `depth` spatial and `depth` temporal blocks."""

    heads: int
    depth: int
    context: int
    """Width of the cross-attention's context, which is one zero token."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Level:
    """One resolution of a network.

    Attributes:
        name: the module's name in the checkpoint.
        resnets: channels in and out of each resnet block, in order.
        eps: of the resnet blocks' group norms.
        attention: the transformers that follow each resnet block, or None.
        resampler: the name of the convolution that leads to the next level; "" at the end.
    """

    name: str
    resnets: tuple[tuple[int, int], ...]
    eps: float
    attention: Attention | None = None
    resampler: str = ""

    @property
    def width(self) -> int:
        """Channels of the level."""
        return self.resnets[-1][1]


@dataclass(frozen=True, kw_only=True, slots=True)
class UNetConfig:
    """The denoiser: one entry a level, finest first."""

    in_channels: int
    out_channels: int
    widths: tuple[int, ...]
    down_attention: tuple[bool, ...]
    up_attention: tuple[bool, ...]
    layers: tuple[int, ...]
    heads: tuple[int, ...]
    depths: tuple[int, ...]
    contexts: tuple[int, ...]

    @property
    def time_width(self) -> int:
        """Width of the time embedding."""
        return 4 * self.widths[0]

    def down_levels(self) -> list[Level]:
        """Return the way down, finest first."""
        levels = []
        before = self.widths[0]
        for index, width in enumerate(self.widths):
            attends = self.down_attention[index]
            levels.append(
                Level(
                    name=f"down_blocks.{index}",
                    resnets=((before, width), *[(width, width)] * (self.layers[index] - 1)),
                    eps=1e-6 if attends else 1e-5,
                    attention=self._attention(index) if attends else None,
                    resampler="downsamplers.0.conv" if index < len(self.widths) - 1 else "",
                )
            )
            before = width
        return levels

    def middle(self) -> Level:
        """Return the coarsest level: resnet, transformer, resnet."""
        width = self.widths[-1]
        return Level(
            name="mid_block",
            resnets=((width, width), (width, width)),
            eps=1e-5,
            attention=self._attention(-1),
        )

    def up_levels(self) -> list[Level]:
        """Return the way up, coarsest first; each resnet block takes one skip from the way down."""
        levels = []
        before = self.widths[-1]
        count = len(self.widths)
        for index in range(count):
            down = count - 1 - index
            width, finer = self.widths[down], self.widths[max(down - 1, 0)]
            layers = self.layers[down] + 1
            sources = [before, *[width] * (layers - 1)]
            skips = [*[width] * (layers - 1), finer]
            levels.append(
                Level(
                    name=f"up_blocks.{index}",
                    resnets=tuple((a + b, width) for a, b in zip(sources, skips, strict=True)),
                    eps=1e-6,
                    attention=self._attention(down) if self.up_attention[index] else None,
                    resampler="upsamplers.0.conv" if down else "",
                )
            )
            before = width
        return levels

    def _attention(self, index: int) -> Attention:
        return Attention(
            heads=self.heads[index], depth=self.depths[index], context=self.contexts[index]
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class VaeConfig:
    """The autoencoder: one entry a level, finest first."""

    in_channels: int
    out_channels: int
    latent_channels: int
    widths: tuple[int, ...]
    layers: int
    scaling_factor: float
    force_upcast: bool

    @property
    def reduction(self) -> int:
        """Pixels a side that one latent pixel stands for."""
        return int(2 ** (len(self.widths) - 1))

    def encoder_levels(self) -> list[Level]:
        """Return the encoder's way down, finest first."""
        pairs = pairwise((self.widths[0], *self.widths))
        return [
            Level(
                name=f"encoder.down_blocks.{index}",
                resnets=((before, width), *[(width, width)] * (self.layers - 1)),
                eps=1e-6,
                resampler="downsamplers.0.conv" if index < len(self.widths) - 1 else "",
            )
            for index, (before, width) in enumerate(pairs)
        ]

    def decoder_levels(self) -> list[Level]:
        """Return the decoder's way up, coarsest first."""
        upwards = self.widths[::-1]
        pairs = pairwise((upwards[0], *upwards))
        return [
            Level(
                name=f"decoder.up_blocks.{index}",
                resnets=((before, width), *[(width, width)] * self.layers),
                eps=1e-6,
                resampler="upsamplers.0.conv" if index < len(upwards) - 1 else "",
            )
            for index, (before, width) in enumerate(pairs)
        ]


@dataclass(frozen=True, kw_only=True, slots=True)
class SchedulerConfig:
    """The flow-matching scheduler; with zero noise only `train_steps` matters."""

    train_steps: int
    shift: float


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckpointConfig:
    """A whole checkpoint."""

    unet: UNetConfig
    vae: VaeConfig
    scheduler: SchedulerConfig


RELEASED = CheckpointConfig(
    unet=UNetConfig(
        in_channels=8,
        out_channels=4,
        widths=(320, 640, 1280, 1280),
        down_attention=(True, True, True, False),
        up_attention=(False, True, True, True),
        layers=(2, 2, 2, 2),
        heads=(5, 10, 20, 20),
        depths=(1, 1, 1, 1),
        contexts=(1024, 1024, 1024, 1024),
    ),
    vae=VaeConfig(
        in_channels=3,
        out_channels=3,
        latent_channels=4,
        widths=(128, 256, 512, 512),
        layers=2,
        scaling_factor=0.18215,
        force_upcast=True,
    ),
    scheduler=SchedulerConfig(train_steps=1000, shift=3.0),
)
"""The released model's shape, to plan memory before the weights are there; a load reads its own."""


INDUCTOR = "inductor"
"""PyTorch's own backend of `torch.compile`, which makes kernels and keeps them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GvmOptions(MachineOptions):
    """How the model is loaded and run: what the machine's owner chooses, and what a request asks.

    Attributes:
        noise: what the denoiser starts from.
        seed: of gaussian noise; every window starts from the same seed.
        unet: a folder with another UNet's `config.json` and weights; "" is the checkpoint's own.
        lora: a folder that may hold an adapter for the UNet; "" is none.
        kernels: the folder for what `compile_backend` makes; "" is PyTorch's own.

    Raises:
        SettingsError: the device's name is unknown, or the seed is negative.
    """

    noise: Noise = Noise.ZEROS
    seed: int = 0
    unet: str = ""
    lora: str = ""
    kernels: str = ""

    def __post_init__(self) -> None:
        MachineOptions.__post_init__(self)  # `super()` does not know a class that has slots
        if not 0 <= self.seed < 2**63:
            raise SettingsError(f"seed is {self.seed!r}; it must be from 0 to 2^63 - 1.")

    @classmethod
    def of(cls, model: ModelSettings, machine: MachineOptions) -> GvmOptions:
        """Return the options of a request on a machine."""
        chosen = {each.name: getattr(machine, each.name) for each in fields(machine)}
        return cls(**chosen, unet=model.unet, lora=model.lora, noise=model.noise, seed=model.seed)


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolved:
    """The types, the memory format and the steps that options come to; no type is AUTO.

    Attributes:
        unet: of the UNet.
        vae: of the VAE.
        channels_last: the decoder's memory format.
        steps: that are taken; none but on a CUDA device.
    """

    unet: Precision
    vae: Precision
    channels_last: bool
    steps: tuple[Step, ...]


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
    steps = steps_named(options.gpu_steps) if device == "cuda" else ()
    return Resolved(
        unet=unet,
        vae=vae_precision,
        channels_last=wanted[options.channels_last],
        steps=steps,
    )
