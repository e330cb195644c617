"""The flow-matching Euler schedule, used only with gaussian noise.

Follows diffusers' `FlowMatchEulerDiscreteScheduler` (Esser et al. 2024, arXiv 2403.03206), which
shifts the noise levels twice: once for its bounds and once for the steps between them.
"""

from __future__ import annotations

from gvm_server.matting.engines.gvm.config import SchedulerConfig


def noise_levels(config: SchedulerConfig, steps: int) -> list[float]:
    """Return `steps + 1` falling noise levels, the last 0; a level times 1000 is a timestep."""
    lowest = _shifted(1.0 / config.train_steps, config.shift)
    span = max(steps - 1, 1)
    even = [1.0 + (lowest - 1.0) * index / span for index in range(steps)]
    return [*(_shifted(level, config.shift) for level in even), 0.0]


def _shifted(level: float, shift: float) -> float:
    return shift * level / (1.0 + (shift - 1.0) * level)
