"""A clip's figures, gathered frame by frame: two frames are in memory, however long the clip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from gvm_server.measure import still
from gvm_server.measure.motion import Pair, dtssd, flow_of, messddt
from gvm_server.measure.still import Mask, Matte

_RVM = "Robust Video Matting"


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """One metric's name, and which of its published variants this is."""

    name: str
    variant: str


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        "mad": Metric(name="MAD", variant=f"mean |difference| x 1e3, {_RVM}"),
        "mse": Metric(name="MSE", variant=f"mean squared difference x 1e3, {_RVM}"),
        "grad_lr": Metric(
            name="Grad (LR)", variant=f"sum / 1e3, each stretched to 0..1, {_RVM} evaluate_lr"
        ),
        "grad_hr": Metric(name="Grad (HR)", variant=f"sum / 1e3, as stored, {_RVM} evaluate_hr"),
        "conn": Metric(name="Conn", variant=f"sum / 1e3, whole frame, {_RVM} evaluate_lr"),
        "dtssd": Metric(
            name="dtSSD", variant=f"root mean x 1e2, the first frame counts as 0, {_RVM}"
        ),
        "messddt": Metric(
            name="MESSDdt",
            variant="mean in the unknown band x 1e4, Erofeev et al. 2015 with Farneback's flow"
            " of the truth in whole pixels",
        ),
        "mad_unknown": Metric(
            name="MAD unknown", variant="MAD in the unknown band x 1e3, MAD-T of VideoMaMa"
        ),
    }
)
BANDS = MappingProxyType(
    {
        False: "what is left of the truth's 0 and 1, each eroded by a 10 x 10 ellipse",
        True: "the trimap's unknown pixels",
    }
)


@dataclass(slots=True)
class Meter:
    """Takes a clip's frames in ascending order and keeps sums.

    Each metric is the mean over the frames that have a value of it: of the unknown band over those
    that have one, of MESSDdt over the pairs of neighbours. dtSSD is 0 for a frame without an
    earlier neighbour, and that enters the mean, as in the program that its figures come from.
    """

    frames: int = 0
    _sums: dict[str, float] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)
    _before: tuple[int, Pair, Mask] | None = None

    def add(self, frame: int, matte: Matte, truth: Matte, unknown: Mask | None = None) -> None:
        """Take a frame.

        Args:
            frame: its number; higher than the last one's.
            matte: [H, W].
            truth: [H, W].
            unknown: [H, W], a trimap's; None means the band of the truth.
        """
        pair = matte, truth
        band = still.unknown(truth) if unknown is None else unknown
        self.frames += 1
        self._take("mad", still.mad(*pair))
        self._take("mse", still.mse(*pair))
        self._take("grad_lr", still.grad(*pair, normalized=True))
        self._take("grad_hr", still.grad(*pair, normalized=False))
        self._take("conn", still.conn(*pair))
        self._take("mad_unknown", still.mad_within(*pair, band))
        last = self._before
        if last is not None and last[0] == frame - 1:
            _, earlier, its_band = last
            self._take("dtssd", dtssd(earlier, pair))
            self._take("messddt", messddt(earlier, pair, flow_of(earlier[1], truth), its_band))
        else:
            self._take("dtssd", 0.0)
        self._before = frame, pair, band

    def figures(self) -> dict[str, float | None]:
        """Return each metric of METRICS; None where no frame has a value of it."""
        return {
            key: self._sums[key] / self._counts[key] if self._counts.get(key) else None
            for key in METRICS
        }

    def _take(self, key: str, value: float | None) -> None:
        if value is not None:
            self._sums[key] = self._sums.get(key, 0.0) + value
            self._counts[key] = self._counts.get(key, 0) + 1
