"""Messages on their way to peers: in order, and in bounded memory."""

from __future__ import annotations

import threading
from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from gvm_server.service.outbox import MAX_BACKLOG_BYTES, Outbox, SendResult


class Peers:
    """Sockets that take as many messages as they are told to."""

    def __init__(self) -> None:
        self.room: defaultdict[bytes, int] = defaultdict(int)
        self.gone: set[bytes] = set()
        self.heard: defaultdict[bytes, list[bytes]] = defaultdict(list)

    def take(self, peer: bytes, data: bytes) -> SendResult:
        """Take a message, as a socket would."""
        if peer in self.gone:
            return SendResult.GONE
        if not self.room[peer]:
            return SendResult.FULL
        self.room[peer] -= 1
        self.heard[peer].append(data)
        return SendResult.SENT


@given(
    st.lists(
        st.tuples(st.sampled_from([b"a", b"b"]), st.integers(0, 3), st.integers(0, 3)),
        max_size=30,
    )
)
def test_each_peer_hears_everything_in_order(steps: list[tuple[bytes, int, int]]):
    """Whenever peers have room, nothing is lost, doubled or swapped."""
    outbox, peers, put = Outbox(), Peers(), defaultdict(list)
    for number, (peer, count, room) in enumerate(steps):
        for part in range(count):
            data = f"{number}.{part}".encode()
            outbox.put(peer, data)
            put[peer].append(data)
        peers.room[peer] += room
        assert outbox.flush(peers.take) == []
    peers.room[b"a"] = peers.room[b"b"] = 1000
    outbox.flush(peers.take)
    assert outbox.is_empty
    assert {peer: heard for peer, heard in peers.heard.items() if heard} == put


def test_a_peer_that_is_gone_is_told_once_and_forgotten():
    """Its messages go with it; the others get theirs."""
    outbox, peers = Outbox(), Peers()
    peers.gone, peers.room[b"here"] = {b"away"}, 10
    outbox.put(b"away", b"1")
    outbox.put(b"away", b"2")
    outbox.put(b"here", b"3")
    assert outbox.flush(peers.take) == [b"away"]
    assert outbox.flush(peers.take) == []
    assert outbox.is_empty
    assert peers.heard == {b"here": [b"3"]}


def test_a_peer_that_takes_nothing_is_given_up_at_the_bound():
    """Below the bound it may be slow; above it, it counts as gone and its memory is free."""
    outbox, peers = Outbox(), Peers()
    big = bytes(MAX_BACKLOG_BYTES // 2)
    outbox.put(b"slow", big)
    assert outbox.flush(peers.take) == []
    assert not outbox.is_empty
    outbox.put(b"slow", big)
    assert outbox.flush(peers.take) == [b"slow"]
    assert outbox.is_empty


def test_one_who_has_much_to_say_waits_until_it_is_heard():
    """`wait_for_room` returns when the peer has taken its messages, or is gone."""
    for goes in (False, True):
        outbox, peers = Outbox(), Peers()
        for _ in range(3):
            outbox.put(b"a", bytes(MAX_BACKLOG_BYTES // 4))
        outbox.flush(peers.take)
        waits = threading.Thread(target=lambda box=outbox: box.wait_for_room(b"a", seconds=20))
        waits.start()
        waits.join(0.1)
        assert waits.is_alive()
        peers.room[b"a"] = 3
        peers.gone |= {b"a"} if goes else set()
        outbox.flush(peers.take)
        waits.join(5)
        assert not waits.is_alive()
        outbox.wait_for_room(b"nobody", seconds=0)
