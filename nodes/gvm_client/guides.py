"""Guides: mattes drawn or keyed by an artist that force an automatic one; no model runs for them.

A pixel that a garbage matte has at 1 is 0 in the delivered alpha, one that a holdout matte has at 1
is 1 there. Where both are, the holdout matte wins.
"""

from __future__ import annotations

from dataclasses import dataclass

from gvm_client.declaration import setting, settings_of
from gvm_client.errors import SettingsError
from gvm_client.limits import MAX_RADIUS

GUIDE_HELP = {
    "garbage": "a matte that forces alpha 0: a sequence, an image for all frames, or a movie",
    "holdout": "a matte that forces alpha 1, as --garbage; it wins where both are",
}
"""The guides in the order in which they are applied, each with one line without a full stop."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Guides:
    """The guides of a matte, frames by the plate's numbers; their alpha, else their first channel.

    Attributes:
        garbage: absolute path of what forces alpha 0; "" is none.
        holdout: absolute path of what forces alpha 1; "" is none.
        guide_feather: plate pixels outward over which a guide fades; 0 leaves it as it is.

    Raises:
        SettingsError: a path is not absolute, or the feather is out of its range.
    """

    garbage: str = ""
    holdout: str = ""
    guide_feather: float = setting(
        0.0,
        label="Guide Feather",
        help="a guide fades over so many plate pixels around it",
        bounds=(0.0, MAX_RADIUS),
        slider=(0.0, 50.0),
        is_length=True,
    )

    def __post_init__(self) -> None:
        for name, path in self.paths.items():
            if path and not (path.startswith("/") or path[1:2] == ":"):
                raise SettingsError(
                    f"{name} is {path!r}; it must be an absolute path.",
                    remedy="Write it out from the root folder.",
                    path=path,
                )
        for declared in settings_of(Guides):
            declared.check(getattr(self, declared.name))

    @property
    def paths(self) -> dict[str, str]:
        """The guides' paths by their names, in the order in which they are applied."""
        return {name: getattr(self, name) for name in GUIDE_HELP}
