"""A farm job as the command line plans it, for the tests of what farms are given."""

from __future__ import annotations

from gvm_nodes.farm.job import FarmJob

PLAIN = FarmJob(
    name="GVM matte plate",
    plate_folder="/jobs/my shot",
    plate_name="plate.%04d.exr",
    matte_folder="/jobs/matte",
    matte_name="",
    frames=tuple(range(1001, 1051)),
    first=1001,
    last=1200,
    chunk=20,
    minutes=90,
    gvm="/opt/gvm/bin/gvm",
    words=("--engine=gvm", "--size=720"),
)
