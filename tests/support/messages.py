"""A full and a minimal sample of every message: what the wire's tests and vectors are made of."""

from __future__ import annotations

from gvm_client.errors import ErrorCode
from gvm_client.protocol import messages as say
from gvm_client.settings import (
    BadPixels,
    Depth,
    MatteKnobs,
    Missing,
    ModelSettings,
    Noise,
    OnOom,
    PlanKind,
    PlateKeys,
    Priority,
    WindowSettings,
)

JOB = "0123456789abcdef0123456789abcdef"
PIXELS = say.MappedFrame(
    frame=-1001,
    key="9f86d081884c7d65",
    buffer="4242-0123456789abcdef0123456789abcdef",
    offset=99_532_800,
    width=3840,
    height=2160,
    channels=3,
    pixel_type=say.PixelType.FLOAT,
)
SHOWN = (-1, *range(574), 575)
SUMMARY = say.JobSummary(
    job=JOB,
    state="running",
    plate="/shots/sh010/plate.%04d.exr",
    output="/shots/sh010/matte.%04d.exr",
    engine="gvm",
    priority=Priority.INTERACTIVE,
    frames_done=12,
    frames_total=100,
    seconds=3.25,
    note="Window 3 of 15.",
    ended_seconds=61.5,
    garbage="/shots/sh010/roto/garbage.%04d.exr",
    holdout="/shots/sh010/roto/core.png",
)

# Each message's word, then its samples by name.
SAMPLES: dict[str, dict[str, say.Message]] = {
    "matte": {
        "minimal": say.Matte(
            job=JOB, plate=say.FilePlate(path="/p/a.%04d.exr"), output=say.FileOutput(path="/m")
        ),
        "full": say.Matte(
            job=JOB,
            plate=say.FilePlate(
                path="/shots/Grüße/plate.####.exr",
                first=-5,
                last=70_000,
                layer="fg",
                colourspace="acescg",
                missing=Missing.HOLD,
                bad_pixels=BadPixels.BLACK,
                keys=PlateKeys.CONTENT,
                cuts=(1013, 1050),
                shown=say.Shown(aspect=2.39, ranks=SHOWN, search=True),
            ),
            output=say.FileOutput(
                path="/m/a.%04d.exr", depth=Depth.FLOAT, overwrite=True, same_maker=True
            ),
            frames="1001-1100x2,1200",
            max_frames=50,
            model=ModelSettings(
                weights="/w",
                unet="/u",
                lora="/l",
                noise=Noise.GAUSSIAN,
                seed=7,
                on_oom=OnOom.BACKOFF,
                fit_memory=True,
            ),
            window=WindowSettings(
                frames_per_window=16,
                overlap=2,
                decode_chunk=8,
                steps=3,
                size=512,
                max_resolution=1280,
                plan=PlanKind.REFERENCE,
            ),
            knobs=MatteKnobs(
                refine="detail",
                black=0.05,
                white=0.95,
                gamma=1.2,
                grow=-1.5,
                blur=0.75,
                invert=True,
                exposure=-1.5,
                highlights="clip",
            ),
            engine=say.EngineName.GVM,
            priority=Priority.BATCH,
            playhead=1042,
            context=say.JobContext(
                ocio="/shows/a/config.ocio",
                ocio_variables=("SEQ=a", "SHOT=a/010=b"),
                ocio_digest="00ff",
                weights="/w2",
                umask=0o007,
                device="cuda",
                precision="float16",
                compilation="none",
            ),
            guides=say.Guides(
                garbage="/roto/Müll.####.exr", holdout="/roto/core.mov", guide_feather=2.5
            ),
            regions=(
                say.Region(x=-8, y=40, width=640, height=720),
                say.Region(x=0, y=0, width=1, height=65_536, frame=1050),
            ),
            roi_scale=1.5,
        ),
        "pushed": say.Matte(
            job=JOB,
            plate=say.PushedPlate(
                name="Plate1",
                first=1001,
                last=1100,
                width=1920,
                height=1080,
                frames=(say.FrameKey(frame=1001, key="aa"), say.FrameKey(frame=1002, key="bb")),
                pixel_aspect=2.0,
                colourspace="scene_linear",
                bad_pixels=BadPixels.BLACK,
                cuts=(1050,),
            ),
            output=say.MappedOutput(),
            priority=Priority.INTERACTIVE,
        ),
    },
    "give_frames": {
        "minimal": say.GiveFrames(job=JOB, frames=(PIXELS,)),
        "full": say.GiveFrames(
            job=JOB,
            frames=(
                PIXELS,
                say.MappedFrame(
                    frame=2,
                    key="",
                    buffer="b.2",
                    offset=0,
                    width=1,
                    height=65_536,
                    channels=1,
                    pixel_type=say.PixelType.UINT8,
                    x=7,
                    y=-2,
                ),
            ),
        ),
    },
    "ping": {"minimal": say.Ping()},
    "status": {"minimal": say.Status()},
    "cancel": {"minimal": say.Cancel(job=JOB)},
    "stop": {"minimal": say.Stop()},
    "release": {"minimal": say.Release()},
    "accepted": {
        "minimal": say.Accepted(
            job=JOB,
            engine=say.EngineName.PREVIEW,
            revision="r1",
            preview=True,
            first=1001,
            last=1100,
            frames_total=100,
            frames_kept=0,
            windows_total=15,
            windows_cached=0,
            colourspace="srgb",
            working_width=1024,
            working_height=576,
        ),
        "full": say.Accepted(
            job=JOB,
            engine=say.EngineName.GVM,
            revision="gvm-1+5f2e",
            preview=False,
            first=-2_147_483_649,
            last=4_294_967_296,
            frames_total=65_535,
            frames_kept=256,
            windows_total=128,
            windows_cached=127,
            colourspace="ACEScg",
            working_width=1280,
            working_height=736,
            notes=("The plate is read as ACEScg.", "3 frames are missing and held."),
            ocio_digest="00ff",
            device="cuda",
            precision="float16",
            compilation="inductor",
        ),
    },
    "need_frames": {
        "minimal": say.NeedFrames(job=JOB, frames=(0,)),
        "full": say.NeedFrames(job=JOB, frames=(-129, -33, -32, 127, 128, 65_536)),
    },
    "progress": {
        "minimal": say.Progress(
            job=JOB, frames_done=0, frames_total=0, windows_done=0, windows_total=0
        ),
        "full": say.Progress(
            job=JOB,
            frames_done=12,
            frames_total=100,
            windows_done=2,
            windows_total=15,
            note="Waits for job 4711.",
        ),
    },
    "frame_ready": {
        "minimal": say.FrameReady(job=JOB, frame=1001, cached=False),
        "file": say.FrameReady(job=JOB, frame=1001, cached=True, path="/m/a.1001.exr"),
        "full": say.FrameReady(
            job=JOB, frame=-1001, cached=False, mapped=PIXELS, roi_cut="left bottom"
        ),
    },
    "done": {
        "minimal": say.Done(
            job=JOB,
            windows_run=0,
            windows_cached=15,
            frames_written=0,
            frames_kept=100,
            seconds=0.125,
        ),
        "full": say.Done(
            job=JOB,
            windows_run=15,
            windows_cached=0,
            frames_written=100,
            frames_kept=0,
            seconds=61.5,
            stages=(
                say.StageSeconds(stage="read", seconds=12.0),
                say.StageSeconds(stage="denoise", seconds=40.5),
            ),
            notes=("Memory ran out.",),
        ),
    },
    "failed": {
        "minimal": say.Failed(code=ErrorCode.MALFORMED, message="Not a message."),
        "full": say.Failed(
            code=ErrorCode.PLATE_MISSING,
            message="Frame 1007 is missing.",
            remedy="Render it, or ask for --missing hold.",
            job=JOB,
            frame=1007,
            path="/p/a.1007.exr",
        ),
    },
    "cancelled": {
        "minimal": say.Cancelled(job=JOB, frames_done=0),
        "full": say.Cancelled(job=JOB, frames_done=12, reason="Its client went away."),
    },
    "pong": {"minimal": say.Pong(pid=4242, version="0.1.0")},
    "ok": {"minimal": say.Ok(), "full": say.Ok(note="The server ends.")},
    "server_status": {
        "minimal": say.ServerStatus(
            pid=4242,
            version="0.1.0",
            seconds_up=1.0,
            device="cpu",
            engine_loaded="",
            memory_bytes=100,
            device_used_bytes=0,
            device_free_bytes=0,
            cache_path="/c",
            cache_bytes=0,
        ),
        "full": say.ServerStatus(
            pid=4242,
            version="0.1.0",
            seconds_up=3600.5,
            device="NVIDIA RTX A6000",
            engine_loaded="gvm",
            memory_bytes=2**33,
            device_used_bytes=2**34,
            device_free_bytes=2**35,
            cache_path="/home/a/.cache/gvm",
            cache_bytes=2**40,
            jobs=(SUMMARY,),
            cache_limit_bytes=2**41,
        ),
    },
}
