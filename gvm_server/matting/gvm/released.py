"""The released checkpoint's shape, for predictions where its files are not here.

The figures are Stable Video Diffusion's, which GVM is a fine-tuning of; a checkpoint on disk always
speaks for itself.
"""

from __future__ import annotations

from gvm_server.matting.gvm.config import (
    CheckpointConfig,
    SchedulerConfig,
    UNetConfig,
    VaeConfig,
)

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
