"""Guides as a request has them."""

from __future__ import annotations

import pytest

from gvm_client.errors import SettingsError
from gvm_client.guides import GUIDE_HELP, Guides


def test_paths_stand_in_the_order_in_which_guides_are_applied():
    """Garbage, then holdout, which wins."""
    guides = Guides(garbage="/a.exr", holdout="C:/b.exr")
    assert guides.paths == {"garbage": "/a.exr", "holdout": "C:/b.exr"}
    assert list(GUIDE_HELP) == list(guides.paths)


@pytest.mark.parametrize("name", GUIDE_HELP)
def test_a_path_that_is_not_absolute_is_refused(name: str):
    """A server has another working folder."""
    with pytest.raises(SettingsError, match=rf"{name} is 'roto.exr'; it must be an absolute path"):
        Guides(**{name: "roto.exr"})


@pytest.mark.parametrize("feather", [-0.5, 256.5, float("nan"), float("inf")])
def test_a_feather_out_of_its_bounds_is_refused(feather: float):
    """With its name and its value."""
    with pytest.raises(SettingsError, match=rf"guide_feather is {feather}"):
        Guides(guide_feather=feather)
