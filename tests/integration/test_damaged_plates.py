"""A damaged EXR ends its own job, by its name, or does not matter."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from gvm_client.process import Exit, exit_for
from gvm_client.protocol.messages import FileOutput, FilePlate
from gvm_server.media.alphas.stamp import prove_file
from tests.support.damage import DAMAGES, damaged
from tests.support.exrs import kinds
from tests.support.resources import open_resources, request_in
from tests.support.runs import run


@pytest.mark.parametrize("alone", [True, False])
def test_each_damage_is_named_or_does_not_matter(tmp_path: Path, *, alone: bool):
    """As a plate of its own, and in the middle of a clip."""
    with open_resources(tmp_path) as (resources, site):
        request = request_in(tmp_path)
        matted, refused = [], []
        for name, data in damaged(kinds(tmp_path), len(DAMAGES), seed=1):
            path = tmp_path / "still.exr" if alone else tmp_path / "plate" / "plate.0006.exr"
            path.write_bytes(data)
            out = tmp_path / "mattes" / name[:4]
            asked = replace(
                request,
                job=uuid.uuid4().hex,
                plate=FilePlate(path=str(path)) if alone else request.plate,
                output=FileOutput(path=str(out)),
            )
            failure = run(asked, resources, site).failure
            if failure is None:
                made = list(out.glob("*.exr"))
                assert len(made) == (1 if alone else 12), name
                assert all(map(prove_file, made)), name
                matted.append(name)
            else:
                assert exit_for(failure) is Exit.INPUT, f"{name}: {failure!r}"
                assert str(path) in f"{failure.message} {failure.path}", f"{name}: {failure!r}"
                refused.append(name)
    assert len(refused) > len(DAMAGES) // 2, "damage is seen"
    assert matted, "and where it does not matter, it is no trouble"
