"""What cuebot 1.37 refuses in a job, and what it would take and could not run; with the source.

The sources are files of OpenCue, below `cuebot/src/main`, at commit 1cea9a8 (August 2026).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from xml.etree import ElementTree as ET

from gvm_client.frames import parse_frames

SPEC = "java/com/imageworks/spcue/service/JobSpec.java"
RANGE = "java/com/imageworks/spcue/util/FrameRange.java"
DISPATCH = "java/com/imageworks/spcue/dispatcher/DispatchSupportService.java"
DTD = "resources/public/dtd/cjsl-1.15.dtd"
PROPERTIES = "resources/opencue.properties"

_NAME = re.compile(r"[A-Za-z0-9_.-]{3,}", re.ASCII)  # Java's \w is ASCII
_NMTOKEN = re.compile(r"[A-Za-z0-9_.:-]+", re.ASCII)  # XML 1.0, [7]; fewer letters than there
_ORDER = (
    *("cmd", "range", "chunk", "cores", "threadable", "memory", "gpus", "gpu", "gpu_memory"),
    *("timeout", "timeout_llu", "tags", "limits", "env", "services", "outputs"),
)
_PIECE = re.compile(r"-?\d+(--?\d+([xy:]-?\d+)?)?")
_MEMORY = re.compile(r"\d+(\.\d+)?m|\d+g?")


def _layers(spec: ET.Element) -> Iterator[ET.Element]:
    yield from spec.iter("layer")


def _texts(spec: ET.Element, tag: str) -> list[str]:
    return [(element.text or "").strip() for element in spec.iter(tag)]


def _job_name(spec: ET.Element) -> bool:
    name = re.sub("_{2,}", "_", spec.find("job").get("name").lower()).replace("-", "_")
    return bool(_NAME.fullmatch(name)) and bool(_NMTOKEN.fullmatch(name))


def _short_names(spec: ET.Element) -> bool:
    layers = [layer.get("name") for layer in _layers(spec)]
    names = [*_texts(spec, "shot"), *_texts(spec, "show"), *layers]
    return all(_NAME.fullmatch(name.replace("-", "_").lower()) for name in names)


def _unlike_layers(spec: ET.Element) -> bool:
    names = [layer.get("name").lower() for layer in _layers(spec)]
    return 0 < len(names) == len(set(names)) <= 2000


def _tags(spec: ET.Element) -> bool:
    tags = [tag for text in _texts(spec, "tags") for tag in text.replace(" ", "").split("|")]
    return all(_NAME.fullmatch(tag) for tag in tags)


def _ranges(spec: ET.Element) -> bool:
    return all(
        _PIECE.fullmatch(piece) for text in _texts(spec, "range") for piece in text.split(",")
    )


def _named_frames(spec: ET.Element) -> bool:
    return all(min(parse_frames(text)) >= 0 for text in _texts(spec, "range"))


def _few_tasks(spec: ET.Element) -> bool:
    layers = zip(_texts(spec, "range"), map(int, _texts(spec, "chunk")), strict=True)
    return sum(-(-len(parse_frames(text)) // chunk) for text, chunk in layers) <= 100_000


def _numbers(spec: ET.Element) -> bool:
    whole = [*_texts(spec, "chunk"), *_texts(spec, "timeout"), *_texts(spec, "gpus")]
    return all(text.isdigit() for text in whole)


def _memory(spec: ET.Element) -> bool:
    sizes = [*_texts(spec, "memory"), *_texts(spec, "gpu_memory")]
    return all(_MEMORY.fullmatch(text.lower()) for text in sizes)


def _gpu_memory(spec: ET.Element) -> bool:
    factors = {"m": 1 << 10, "g": 1 << 20}
    kib = [float(text[:-1]) * factors[text[-1]] for text in _texts(spec, "gpu_memory")]
    return all(size <= 104_857_600 for size in kib)


def _order(spec: ET.Element) -> bool:
    places = [[_ORDER.index(one.tag) for one in layer] for layer in _layers(spec)]
    return all(place == sorted(place) for place in places)


def _depends(spec: ET.Element) -> bool:
    layers = {layer.get("name") for layer in _layers(spec)}
    own = spec.find("job").get("name")
    jobs = {*_texts(spec, "depjob"), *_texts(spec, "onjob")} or {own}
    return jobs == {own} and {*_texts(spec, "deplayer"), *_texts(spec, "onlayer")} <= layers


# A rule in words, where it stands, and whether a job keeps to it.
RULES: tuple[tuple[str, str, Callable[[ET.Element], bool]], ...] = (
    ("a job's name is [\\w.-]{3,}, without blanks", f"{SPEC}: conformJobName", _job_name),
    ("so are those of show, shot and layers", f"{SPEC}: conformName", _short_names),
    ("layers are there, 2000 at most, and unlike", f"{SPEC}: handleLayerTags", _unlike_layers),
    ("tags are [\\w.-]{3,}", f"{SPEC}: determineTags", _tags),
    ("a range's pieces are 1, 1-9, 1-9x2, 1-9:2", f"{RANGE}: parseFrameRange", _ranges),
    ("a frame's number ends at the first -", f"{DISPATCH}: prepareRqdRunFrame", _named_frames),
    ("100,000 tasks at most", f"{SPEC}: MAX_FRAMES", _few_tasks),
    ("chunk, timeout and gpus are whole numbers", f"{SPEC}: handleLayerTags", _numbers),
    ("memory is 12m, 1.5m or 12g", f"{SPEC}: convertMemoryInput", _memory),
    ("GPU memory is 100 GiB at most", f"{PROPERTIES}: mem_gpu_reserved_max", _gpu_memory),
    ("a layer's elements are in order", f"{DTD}: layer", _order),
    ("a dependency is between its own layers", f"{SPEC}: handleDependTag", _depends),
)


def refusals(spec: ET.Element) -> list[str]:
    """Return the rules that a job breaks, in words."""
    return [words for words, _, kept in RULES if not kept(spec)]
