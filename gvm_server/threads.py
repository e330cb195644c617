"""How the server's libraries share the cores: said in their variables, before they are loaded.

A library that waits actively, or that starts a thread for every core in every call, is fast on an
idle machine and collapses beside other work: 24 preview frames took 43 to 66 s with two busy
neighbours on two cores, and 1.9 s with waiting that sleeps.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping

from gvm_server.cores import READERS, WRITERS, usable_cores


def thread_variables(cores: int) -> Mapping[str, str]:
    """Return the variables by which the libraries learn their share of the cores.

    Readers and writers call OpenImageIO and OpenCV at the same time, so a call gets its part of the
    cores. PyTorch computes on one thread of ours and may use all; it sleeps where it waits.
    """
    a_call = str(max(1, cores // (READERS + WRITERS)))
    return {
        "OMP_WAIT_POLICY": "PASSIVE",  # PyTorch's
        "OMP_NUM_THREADS": str(cores),
        "OPENBLAS_NUM_THREADS": "1",  # numpy's
        "OPENCV_FOR_THREADS_NUM": a_call,
        "OPENIMAGEIO_THREADS": a_call,
    }


def share_cores(environment: MutableMapping[str, str] = os.environ) -> None:
    """Set the variables that are not set; what a user set stays."""
    for name, value in thread_variables(usable_cores()).items():
        environment.setdefault(name, value)
