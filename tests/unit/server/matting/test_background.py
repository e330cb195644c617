"""What runs beside the GPU: its end keeps nobody waiting."""

from __future__ import annotations

import threading

import numpy as np

from gvm_server.matting.background import Encodings
from gvm_server.matting.engines.base import Latent


def test_the_end_waits_for_no_frame_that_is_being_encoded():
    """Its disk may be slow, and the thread that ends a job may be the one that hears all clients.

    A cancel waited so, and all other clients took the silent server for lost.
    """
    begun, go = threading.Event(), threading.Event()

    def encode() -> Latent:
        begun.set()
        assert go.wait(60)
        return np.zeros(1, np.float32)

    encodings = Encodings()
    encodings.start(b"frame", encode)
    assert begun.wait(60)
    ends = threading.Thread(target=encodings.close)
    ends.start()
    ends.join(10)
    waits = ends.is_alive()
    go.set()
    ends.join()
    assert not waits
