"""From the words of `gvm farm` to those of every task's `gvm matte`.

- Numbers are written out: a preset that changes later does not change a job that waits.
- The plate's colour space, the colour configuration's content and the context variables that it
  names are pinned as they are here.
- What would let a host choose for itself is refused, for two hosts may choose differently.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from gvm_client.declaration import option_of, settings_of
from gvm_client.engines import EngineName, named_engines
from gvm_client.errors import SettingsError
from gvm_client.file_content import WORDS, FileContent
from gvm_client.guides import Guides
from gvm_client.protocol.messages import Matte
from gvm_client.settings import AUTO_PRESET, WINDOW_OPTIONS, MatteKnobs, Noise, OnOom, Priority
from gvm_server.cli.matte.request import content_of, request_from
from gvm_server.media.colour.ocio import load_config

_VALUES = (
    *("engine", "input_colorspace", "layer", "missing", "bad_pixels"),
    *("ocio_digest", "demand_device", "demand_precision", "demand_compile"),
    *("plate_keys", "depth"),
)
_FLAGS = ("overwrite", "strict_roi")


def farm_request(parsed: argparse.Namespace) -> Matte:
    """Return what all tasks together ask for; every setting is checked.

    Raises:
        SettingsError: a value is out of its range, or leaves a choice to the host.
    """
    for flag, chosen, left_open, instead in (
        ("--engine", parsed.engine, EngineName.AUTO.value, " or ".join(named_engines())),
        ("--preset", parsed.preset, AUTO_PRESET, "a preset with numbers, such as balanced"),
        ("--on-oom", parsed.on_oom, OnOom.BACKOFF.value, "fail, and a smaller window"),
    ):
        if chosen == left_open:
            raise SettingsError(
                f"{flag} {left_open} lets every host choose for itself: one clip would get"
                " different mattes.",
                remedy=f"On a farm, take {instead}.",
            )
    rest = {
        "unet": "",
        "noise": Noise.ZEROS,
        "seed": 0,
        "priority": Priority.RANGE.value,
        "playhead": None,
        "same_maker": False,  # hosts may differ, and a task may come to another one again
    }
    return request_from(argparse.Namespace(**{**vars(parsed), **rest}))


def worker_words(
    parsed: argparse.Namespace, request: Matte, colourspace: str = ""
) -> tuple[str, ...]:
    """Return the options of a task's `gvm matte`, each one word; none of them is a path.

    Args:
        parsed: the job's options.
        request: what all tasks together ask for.
        colourspace: what the plate was resolved to; "" leaves what was asked for.

    Raises:
        InputError: the colour configuration cannot be read.
    """
    context = request.context
    digest = context.ocio_digest or load_config(context.ocio, context.variables).digest.hex()
    pinned = {"ocio_digest": digest, **({"input_colorspace": colourspace} if colourspace else {})}
    words = [_word(name, getattr(request.window, name)) for name in WINDOW_OPTIONS]
    words.append(_word("plan", request.window.plan.value))
    for name in _VALUES:
        value = pinned.get(name, getattr(parsed, name))
        if value != "":
            words.append(_word(name, value))
    words += knob_words(request.knobs)
    words += knob_words(request.guides) if any(request.guides.paths.values()) else ()
    words += [_word("ocio_variable", variable) for variable in context.ocio_variables]
    words += [_word("cut", cut) for cut in request.plate.cuts]
    words += [_word("roi", region) for region in request.regions]
    if request.regions:
        words.append(_word("roi_scale", request.roi_scale))
    words += content_words(content_of(parsed))
    words += [option_of(name) for name in _FLAGS if getattr(parsed, name)]
    words += [option_of("commercial_only")] * context.commercial_only
    return tuple(words)


def knob_words(knobs: MatteKnobs | Guides) -> Iterator[str]:
    """Yield an option for every knob; of a switch, where it is on."""
    kind: type = type(knobs)
    for declared in settings_of(kind):
        value = getattr(knobs, declared.name)
        if value is True:
            yield option_of(declared.name)
        elif value is not False:
            yield _word(declared.name, value)


def content_words(content: FileContent) -> Iterator[str]:
    """Yield an option for what the files hold, where it is not the default."""
    if content == FileContent():
        return
    yield _word("channels", ",".join(content.channels))
    for declared in WORDS:
        yield _word(declared.name, getattr(content, declared.name))


def _word(name: str, value: object) -> str:
    return f"{option_of(name)}={value}"
