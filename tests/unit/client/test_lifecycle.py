"""The protocol's rules: what may follow what in a job."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvm_client.errors import ErrorCode, LocalProtocolError, RemoteProtocolError
from gvm_client.protocol.lifecycle import JOB_TRANSITIONS, JobState, next_state
from gvm_client.protocol.messages import MESSAGE_TYPES, Message
from tests.support.messages import SAMPLES

ONE_OF_EACH = {word: samples["minimal"] for word, samples in SAMPLES.items()}

# The whole table once more, by words: what leads where. Everything else is illegal.
LEGAL = {
    "asked": {
        "matte": "asked",
        "cancel": "asked",
        "progress": "asked",
        "accepted": "accepted",
        "failed": "failed",
        "cancelled": "cancelled",
    },
    "accepted": {
        "matte": "asked",
        "cancel": "accepted",
        "progress": "accepted",
        "need_frames": "running",
        "frame_ready": "running",
        "done": "done",
        "failed": "failed",
        "cancelled": "cancelled",
    },
    "running": {
        "matte": "asked",
        "cancel": "running",
        "give_frames": "running",
        "progress": "running",
        "need_frames": "running",
        "frame_ready": "running",
        "done": "done",
        "failed": "failed",
        "cancelled": "cancelled",
    },
    "done": {"matte": "asked", "cancel": "done", "give_frames": "done"},
    "failed": {"matte": "asked", "cancel": "failed", "give_frames": "failed"},
    "cancelled": {"matte": "asked", "cancel": "cancelled", "give_frames": "cancelled"},
}


@pytest.mark.parametrize(("state", "word"), list(product(JobState, MESSAGE_TYPES)))
def test_every_move_is_legal_or_refused_as_the_table_says(state: JobState, word: str):
    """All pairs of state and message: a state, or an error that names both and changes nothing."""
    message: Message = ONE_OF_EACH[word]
    target = LEGAL[state.value].get(word)
    if target is not None:
        assert next_state(state, message) is JobState(target)
        return
    with pytest.raises(LocalProtocolError) as caught:
        next_state(state, message)
    assert caught.value.code is ErrorCode.ILLEGAL_MOVE
    assert type(message).__name__ in caught.value.message
    assert state.value in caught.value.message


def test_an_illegal_move_of_the_peer_is_the_peers_doing():
    """The error's class says whose mistake it was."""
    with pytest.raises(RemoteProtocolError):
        next_state(JobState.DONE, ONE_OF_EACH["progress"], blame=RemoteProtocolError)


def test_only_the_three_ends_are_final():
    """A job that is not final can still end."""
    assert [state.value for state in JobState if state.is_final] == ["done", "failed", "cancelled"]
    for state in JobState:
        ends = {target for target in JOB_TRANSITIONS[state].values() if target and target.is_final}
        assert bool(ends) is not state.is_final


@given(st.lists(st.sampled_from(sorted(set(MESSAGE_TYPES) - {"matte"}))))
def test_a_job_ends_once(words: list[str]):
    """Whatever is said, once a job has ended nothing but asking again leaves that state."""
    state = JobState.ASKED
    for word in words:
        before = state
        try:
            state = next_state(state, ONE_OF_EACH[word])
        except LocalProtocolError:
            continue
        assert not before.is_final or state is before
