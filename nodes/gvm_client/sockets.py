"""How every socket of ours behaves; libzmq's defaults have no limits and wait for ever."""

from __future__ import annotations

import zmq

from gvm_client.limits import MAX_MESSAGE_BYTES

HEARTBEAT_MS = 1000
HEARTBEAT_TIMEOUT_MS = 5000  # a peer that is silent for so long is cut off
HANDSHAKE_MS = 5000
HIGH_WATER_MARK = 256  # messages waiting in each direction for each peer


def limit(socket: zmq.Socket[bytes]) -> None:
    """Set the limits of a socket, before it binds or connects.

    Raises:
        zmq.ZMQError: libzmq refuses an option.
    """
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
    socket.setsockopt(zmq.SNDHWM, HIGH_WATER_MARK)
    socket.setsockopt(zmq.RCVHWM, HIGH_WATER_MARK)
    socket.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE_MS)
    socket.setsockopt(zmq.HEARTBEAT_IVL, HEARTBEAT_MS)
    socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS)
    socket.setsockopt(zmq.HEARTBEAT_TTL, HEARTBEAT_TIMEOUT_MS)
