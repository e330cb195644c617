"""What every test shares."""

import gc
import os
import signal
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from gvm_server.telemetry import refuse_telemetry
from tests.support import forked

# Before a test imports a library by itself.
refuse_telemetry()

# Before PyTorch loads its OpenMP: more threads than cores otherwise spin at every barrier.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# As the server sets it for itself: numpy's threads spin too, and halve what several workers do.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# A busy machine is no failure: what must be fast has a test of its own. `make test` tries the same
# examples each time; `make search` looks for new ones.
CALM = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("gvm", derandomize=True, database=None, **CALM)
settings.register_profile("search", max_examples=2000, **CALM)
settings.load_profile("gvm")

# A shell that starts the tests in the background has them, and what they start, ignore Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# Half a minute and more on one worker, each: one that came last would leave the others idle. The
# sanitized one makes both builds of the OpenFX plug-in, for which four workers would wait at once.
# The endpoint's waits more than it works, and would be of the last.
LONG = (
    "test_ofx_sanitized.py",
    "test_farm.py",
    "test_gpu_kit.py",
    "test_engine.py",
    "test_any_range.py",
    "test_threads.py",
    "test_kinds.py",
    "test_endpoint.py",
)


def pytest_configure(config: pytest.Config) -> None:
    """Have all workers fork from the same processes; these import while they collect."""
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        forked.share_nurseries()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage meanwhile: what is collected stays, and each look goes through it all."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long; the others keep their order."""
    items.sort(key=lambda item: item.path.name not in LONG)


def pytest_collection_finish() -> None:
    """Leave the tests themselves out of every later look for garbage: there are thousands."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Give it back: libraries say at the end what they think has leaked."""
    gc.unfreeze()


@pytest.fixture(scope="session", autouse=True)
def settings_of_nobody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Leave the settings of whoever runs the tests unread and unchanged; pip keeps its own."""
    theirs = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
    with pytest.MonkeyPatch.context() as changed:
        if (pip := theirs / "pip" / "pip.conf").is_file() and "PIP_CONFIG_FILE" not in os.environ:
            changed.setenv("PIP_CONFIG_FILE", str(pip))
        changed.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("settings")))
        yield
