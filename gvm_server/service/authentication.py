"""Which CURVE keys may connect to the server, answered by ZAP (ZeroMQ RFC 27).

CURVE without a ZAP handler admits anyone who knows the server's public key. The handler's address
is one for each context and is asked for every connection to a socket of that context.

A client that is refused hears ZAP's status 400 as the end of its handshake, and says so itself:
`gvm_client.client._refused` has the sentence.
"""

from __future__ import annotations

import logging

import zmq
from zmq.utils import z85

ZAP_ADDRESS = "inproc://zeromq.zap.01"
ZAP_DOMAIN = b"gvm"

_VERSION = b"1.0"
_REQUEST_FRAMES = 7  # version, id, domain, address, routing id, mechanism, client's public key
_log = logging.getLogger(__name__)


class Authenticator:
    """Answers libzmq's questions about who may connect; its socket is polled by the endpoint.

    Attributes:
        socket: readable when a client connects.
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], *, client_key: bytes) -> None:
        self._client_key = z85.decode(client_key)
        self.socket = context.socket(zmq.REP)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.bind(ZAP_ADDRESS)

    def answer(self) -> None:
        """Answer one question.

        Raises:
            zmq.ZMQError: the socket failed.
        """
        question = self.socket.recv_multipart()
        admitted = self._admits(question)
        if not admitted:
            _log.warning("A client without the key of this server is refused.")
        verdict = (b"200", b"OK", b"owner") if admitted else (b"400", b"Unknown key", b"")
        number = question[1] if len(question) > 1 else b""
        self.socket.send_multipart([_VERSION, number, *verdict, b""])

    def _admits(self, question: list[bytes]) -> bool:
        if len(question) != _REQUEST_FRAMES:
            return False
        version, _, domain, _, _, mechanism, key = question
        expected = (_VERSION, ZAP_DOMAIN, b"CURVE", self._client_key)
        return (version, domain, mechanism, key) == expected
