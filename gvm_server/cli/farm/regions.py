"""The regions of a farm's job: proven where the job is submitted, not in each of its tasks."""

from __future__ import annotations

from gvm_client.protocol.messages import Matte
from gvm_client.regions import by_shot
from gvm_server.cli.farm.clip import Clip, plan_of
from gvm_server.matting.engines.gvm.config import PAD_MULTIPLE
from gvm_server.matting.job_spec import working_size_of
from gvm_server.matting.region import ShotView, notes_of, views_of


def check_regions(request: Matte, clip: Clip) -> tuple[str, ...]:
    """Prove that regions hold from where shots begin and lie in the picture; return what they cost.

    Of a plate that is not there to be looked at, where its picture lies is not known.

    Raises:
        InputError: a region holds from where no shot begins, lies outside the picture, or would be
            seen with too many pixels.
    """
    by_shot(request.regions, plan_of(request, clip))
    if clip.geometry is None:
        return ()
    views = seen_by_the_model(request, clip)
    said = notes_of(views, request.roi_scale, clip.geometry, reading=bool(request.regions))
    return tuple(said)


def seen_by_the_model(request: Matte, clip: Clip) -> tuple[ShotView, ...]:
    """Return what the model sees of each shot of a plate that is there.

    Raises:
        InputError: as `check_regions`.
    """
    geometry = clip.geometry
    assert geometry is not None  # noqa: S101 (the plate was looked at)
    whole = working_size_of(geometry, request.window, PAD_MULTIPLE)
    plan = plan_of(request, clip)
    return views_of(request.regions, request.roi_scale, plan, geometry, whole, PAD_MULTIPLE)
