"""Which channels of an image file are the plate's red, green and blue.

- No layer named: R, G and B without a prefix, else the layer that renderers call the picture
  (`Combined`, `beauty`, `rgba`, `C` ...), else the only layer that may be one.
- Data is never taken for the picture unasked: Cryptomatte, ids, normals, depth, vectors, and the
  passes that a picture is built of. Two that may be it are refused, with the list.
- A named layer is one by its full name, a part, a view, an end of a layer's name, or a channel.
- One channel stands for all three; alpha never counts as a colour. Two of red, green and blue are
  no picture: the third's place is not guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from gvm_client.errors import ErrorCode, InputError

Channels = tuple[int, int, int]

_TRIPLES = (
    ({"r", "red"}, {"g", "green"}, {"b", "blue"}),
    ({"x"}, {"y"}, {"z"}),
)
_LUMINANCE = {"y", "l", "gray", "grey", "luminance"}
_CHROMA = {"ry", "by"}
_ALPHA = {"a", "alpha"}

# What renderers call the picture, best first. Blender writes Composite.Combined beside the view
# layers' own; Karma and Mantra C, RenderMan Ci, V-Ray effectsResult.
# fmt: off
_BEAUTY = (
    "composite.combined", "rgba", "rgb", "beauty", "combined", "c", "ci", "color", "colour",
    "rgb color", "rgb_color", "effectsresult", "main", "master", "image", "final", "primary",
)
# Whole words of a layer's name, and parts of words, that say it is no picture.
_DATA_WORDS = frozenset((
    "n", "p", "z", "uv", "st", "id", "ids", "ao", "gi", "pos", "nrm", "mv", "depth", "mist", "data",
    "mask", "matte", "facing", "pref", "ng", "ss", "nn",
))
_DATA_CHANNELS = frozenset(("z", "zback", "id", "u", "v", "s", "t", "du", "dv", "x", "n", "p"))
# fmt: on
_DATA_STEMS = re.compile(
    r"crypto|depth|normal|position|motion|vector|velocity|index|disparity|forward|backward"
    r"|(object|material|mtl|asset|node)_?id|occlusion|shadow|diff|spec|gloss|sss|subsurface"
    r"|transmi|trans(lucen|par)|refract|reflect|emi(t|ss)|albedo|basecolor|direct|light|coat|sheen"
    r"|volume|environment|caustic|denois|noise|variance|curvature|wire|sample|raw"
    r"|norm|world|uvmap|tangent|matte|mask|holdout|coverage|(obj|mat|prim|inst)id"
)
# Blender puts the artist's own name of a view layer before this one; before the others stands
# what the layer is about: `normals.rgb`.
_AFTER_ANY_NAME = "combined"
_VIEWS = frozenset(("left", "right"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One part of a file.

    Attributes:
        name: of the part; may be empty.
        channels: their names in file order.
        view: the stereo view that it is, such as `left`; may be empty.
        views: the views that its channels are of, where it holds several; the first is that of
            the channels that name none (OpenEXR, "Multi-View").
        whole_numbers: the indexes of channels that hold 32-bit whole numbers: ids.
    """

    name: str
    channels: tuple[str, ...]
    view: str = ""
    views: tuple[str, ...] = ()
    whole_numbers: frozenset[int] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """Where the plate's colours are.

    Attributes:
        part: the part to read.
        channels: the indexes of its red, green and blue channel.
        name: the layer as a person would name it; "" is the file's R, G and B.
        others: layers that were passed by, where a choice was made.
        view: the stereo view that it is of; may be empty.
    """

    part: int
    channels: Channels
    name: str = ""
    others: tuple[str, ...] = ()
    view: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Group:
    """The channels of one part that share a prefix."""

    part: int
    name: str
    """The part's name and the prefix, neither said twice."""
    part_name: str
    view: str
    bare: bool
    """Whether its channels have no prefix, and its part is the only one or has no name."""
    names: tuple[str, ...]
    """The channels' last words, lower case; the same order as `indexes`."""
    whole_names: tuple[str, ...]
    """The channels' names as the file has them."""
    indexes: tuple[int, ...]
    ids: frozenset[int]
    """Those of the indexes that hold whole numbers."""

    @property
    def whole_numbers(self) -> bool:
        """Whether a colour of it is whole numbers; what is beside the colours may be."""
        return bool(self.ids & set(self.channels or ()))

    @property
    def channels(self) -> Channels | None:
        """Red, green and blue, or the luminance, or the first three; None where there are none."""
        if triple := self._triple(_TRIPLES[0]) or self._triple(_TRIPLES[1]):
            return triple
        colours = [at for at, name in enumerate(self.names) if name not in _ALPHA]
        if not colours:
            return None
        for at in colours:
            if self.names[at] in _LUMINANCE:
                return (self.indexes[at],) * 3
        if len(colours) < 3:
            return (self.indexes[colours[0]],) * 3
        red, green, blue = (self.indexes[at] for at in colours[:3])
        return red, green, blue

    @property
    def label(self) -> str:
        """What a person reads of it in a list: `RGB` or `Z` where its channels have no prefix."""
        words = " ".join(name.upper() for name in self.names)
        return self.name or ("RGB" if self.has_rgb else words)

    @property
    def has_rgb(self) -> bool:
        """Whether red, green and blue are called so."""
        return self._triple(_TRIPLES[0]) is not None

    @property
    def lacks_one(self) -> bool:
        """Whether it has two of red, green and blue: a vector's, or what a writer left out."""
        return sum(bool(one & set(self.names)) for one in _TRIPLES[0]) == 2

    @property
    def rank(self) -> tuple[int, int] | None:
        """How surely it is the picture, the smallest first; None where it is none or data."""
        if self.channels is None or self.whole_numbers or self.lacks_one:
            return None
        if _CHROMA & set(self.names):
            return None
        if self.bare and (self.has_rgb or _LUMINANCE & set(self.names)):
            return 0, 0
        plain = self.name.lower()
        colours = set(self.names) - _ALPHA
        pictures = self.has_rgb or colours == {"y"}
        beauty = self._beauty() if pictures and "crypto" not in plain else None
        if beauty is not None:
            return 1, beauty
        if _is_data(plain) or colours <= _DATA_CHANNELS | {"y"}:
            return None
        return 2, 0 if self.has_rgb else 1

    def _beauty(self) -> int | None:
        """Return the place of the name among those of the picture; a name of its own goes first."""
        views = _VIEWS | {self.view.lower()}
        words = [word for word in self.name.lower().split(".") if word not in views]
        whole = _beauty_place(".".join(words))
        if whole is not None or len(words) < 2:
            return whole
        last = _beauty_place(words[-1])
        before = ".".join(words[:-1])
        if last is None or (words[-1] != _AFTER_ANY_NAME and _is_data(before)):
            return None
        return len(_BEAUTY) + last

    def _triple(self, wanted: Sequence[set[str]]) -> Channels | None:
        by_name = dict(zip(self.names, self.indexes, strict=True))
        found = [next((by_name[name] for name in one if name in by_name), None) for one in wanted]
        first, second, third = found
        if first is None or second is None or third is None:
            return None
        return first, second, third


def _beauty_place(name: str) -> int | None:
    """Return where a name stands among the picture's; `rgba_main` is made of two of them."""
    if name in _BEAUTY:
        return _BEAUTY.index(name)
    words = [word for word in re.split(r"[_ ]", name) if word not in _VIEWS]
    places = [_BEAUTY.index(word) if word in _BEAUTY else None for word in words]
    return places[0] if places and None not in places else None


def _is_data(name: str) -> bool:
    """Whether a name in lower case says that a layer is no picture."""
    words = set(re.split(r"[^a-z]+", name))
    return bool(words & _DATA_WORDS or _DATA_STEMS.search(name))


def find_layer(parts: Sequence[Part], layer: str, *, path: str, frame: int | None) -> Layer:
    """Return where a layer's colours are; "" is the picture.

    Raises:
        InputError: there is no such layer, or several may be meant; the message lists them.
    """
    groups = _groups(parts)
    if not layer:
        return _picture(groups, parts, path=path, frame=frame)
    for asked in (layer, layer.lower()):
        matching = _matching(groups, asked, lower=asked != layer)
        if matching:
            return _best(matching, f"the layer {layer!r}", path=path, frame=frame)
        if (channel := _channel(parts, asked, lower=asked != layer)) is not None:
            part, index = channel
            name = parts[part].channels[index]
            if index in parts[part].whole_numbers:
                raise _whole_numbers(f"the channel {name!r}", path=path, frame=frame)
            view = _view(parts[part], name.rpartition(".")[0])
            return Layer(part=part, channels=(index,) * 3, name=name, view=view)
    raise _mismatch(
        f"{path} has no layer {layer!r}.",
        remedy=f"Layers there: {_listed(groups)}.",
        path=path,
        frame=frame,
    )


def _picture(
    groups: Sequence[_Group], parts: Sequence[Part], *, path: str, frame: int | None
) -> Layer:
    pages = len(parts) > 1 and not any(part.name for part in parts)
    seen = [group for group in groups if group.part == 0] if pages else groups
    likely = [group for group in seen if group.rank is not None]
    if not likely:
        chroma = any(_CHROMA & set(group.names) for group in seen)
        what = "luminance and chroma, not red, green and blue" if chroma else "no picture"
        raise _mismatch(
            f"{path} holds {what}: {_listed(groups)}.",
            remedy="Convert it to RGB." if chroma else "Name the layer to matte with --layer.",
            path=path,
            frame=frame,
        )
    return _best(likely, "the picture", path=path, frame=frame, among=seen)


def _best(
    groups: Sequence[_Group],
    what: str,
    *,
    path: str,
    frame: int | None,
    among: Sequence[_Group] = (),
) -> Layer:
    """Return the group that is most surely the picture; two of one rank are refused."""
    data = (9, 0)
    ranked = sorted(groups, key=lambda group: group.rank or data)
    best = ranked[0]
    equal = [group for group in ranked if (group.rank or data) == (best.rank or data)]
    channels = best.channels
    if len(equal) > 1:
        raise _mismatch(
            f"{path} has {len(equal)} layers that may be {what}: {_listed(equal)}.",
            remedy="Name one of them with --layer.",
            path=path,
            frame=frame,
        )
    if best.whole_numbers:
        raise _whole_numbers(what, path=path, frame=frame)
    if best.lacks_one:
        raise _mismatch(
            f"{path} has two of red, green and blue in {what}: {', '.join(best.whole_names)}.",
            remedy="Name one of its channels with --layer: it stands for all three.",
            path=path,
            frame=frame,
        )
    assert channels is not None  # noqa: S101 - groups without colours are never looked at
    passed_by = among if (best.rank or data)[0] else [one for one in ranked if one is not best]
    others = tuple(one.label for one in passed_by if one is not best)
    return Layer(part=best.part, channels=channels, name=best.name, others=others, view=best.view)


def _mismatch(message: str, *, remedy: str, path: str, frame: int | None) -> InputError:
    code = ErrorCode.PLATE_MISMATCH
    return InputError(message, remedy=remedy, code=code, frame=frame, path=path)


def _whole_numbers(what: str, *, path: str, frame: int | None) -> InputError:
    return _mismatch(
        f"{path} holds 32-bit whole numbers in {what}: ids, no light.",
        remedy="Name a layer of half or float channels with --layer.",
        path=path,
        frame=frame,
    )


def _matching(groups: Sequence[_Group], layer: str, *, lower: bool) -> list[_Group]:
    """Return the groups that a name means, by the first rule that finds any."""

    def is_it(name: str) -> bool:
        return (name.lower() if lower else name) == layer

    rules: tuple[Callable[[_Group], bool], ...] = (
        lambda group: is_it(group.name),
        lambda group: is_it(group.part_name),
        lambda group: is_it(group.view),
        lambda group: any(is_it(end) for end in _ends(group.name)),
        # As it is listed, and as Nuke calls it.
        lambda group: group.bare and group.has_rgb and layer.lower() in {"rgb", "rgba"},
    )
    usable = [group for group in groups if group.channels is not None]
    for rule in rules:
        if found := [group for group in usable if rule(group)]:
            return found
    return []


def _ends(name: str) -> Iterable[str]:
    """Yield what a layer's name begins and ends with, at its dots."""
    words = name.split(".")
    for count in range(1, len(words)):
        yield ".".join(words[:count])
        yield ".".join(words[count:])


def _channel(parts: Sequence[Part], layer: str, *, lower: bool) -> tuple[int, int] | None:
    for at, part in enumerate(parts):
        for index, name in enumerate(part.channels):
            if (name.lower() if lower else name) == layer:
                return at, index
    return None


def _groups(parts: Sequence[Part]) -> list[_Group]:
    groups: list[_Group] = []
    for at, part in enumerate(parts):
        prefixes = dict.fromkeys(name.rpartition(".")[0] for name in part.channels)
        for prefix in prefixes:
            indexes = tuple(
                index
                for index, name in enumerate(part.channels)
                if name.rpartition(".")[0] == prefix
            )
            whole = tuple(part.channels[index] for index in indexes)
            names = tuple(name.rpartition(".")[2].lower() for name in whole)
            # The only part's name says nothing: many programs write one.
            own = _part_name(part, parts) if len(parts) > 1 else ""
            groups.append(
                _Group(
                    part=at,
                    name=_joined(own, prefix),
                    part_name=part.name,
                    view=_view(part, prefix),
                    bare=not prefix and not own,
                    names=names,
                    whole_names=whole,
                    indexes=indexes,
                    ids=part.whole_numbers & set(indexes),
                )
            )
    return groups


def _part_name(part: Part, parts: Sequence[Part]) -> str:
    """Return a part's name, with its view where another view has a part of that name."""
    shared = any(one.name == part.name and one.view != part.view for one in parts)
    return ".".join(filter(None, (part.name, part.view))) if shared else part.name


def _view(part: Part, prefix: str) -> str:
    """Return a part's view, or the one that a channel's prefix names, else the first; or ""."""
    words, views = prefix.split("."), part.views
    return part.view or next((view for view in views if view in words), views[0] if views else "")


def _joined(part: str, prefix: str) -> str:
    """Return a part's name and a prefix as one; many programs write the part's before both."""
    if not part or prefix == part or prefix.startswith(f"{part}."):
        return prefix
    return f"{part}.{prefix}" if prefix else part


def _listed(groups: Sequence[_Group]) -> str:
    return ", ".join(dict.fromkeys(group.label for group in groups)) or "none"
