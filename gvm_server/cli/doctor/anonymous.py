"""Texts without the names that a question does not need: users, machines, shows, shots, secrets.

    /home/kim/.nuke/gvm       -> <home>/.nuke/gvm      a place of this program's or a host's
    /usr/lib/libc.so          -> /usr/lib/libc.so      the system's
    /shows/ab/ab010/pl.7.exr  -> <path-3>.exr          anything else; the same path has one number
    plate.%04d.exr            -> <name-1>.exr          a picture without its folder
    kim, render07             -> <user>, <machine>
    HF_TOKEN=..., keys        -> <secret>

In doubt a name goes; a text that lost too much can still be asked for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

SYSTEM = "/usr /opt /etc /lib /lib64 /bin /sbin /proc /sys /dev /run /snap /nix"
MEDIA = "exr dpx cin tiff? png jpe?g jp2 tga hdr webp mov mp4 m4v mxf mkv avi webm r3d ari braw"
TEXTS = "py json txt log xml ya?ml toml conf ocioz? ofx so zip"
PROJECTS = "nk nknc nkind ntp comp drp drt aep prproj blend ma mb hip usd[ac]? abc"
ADDRESSES = ("huggingface.co", "github.com", "pytorch.org", "127.0.0.1", "localhost")
MAX_LINE = 4000  # characters; a longer line is cut

_FILES = "|".join(f"{MEDIA} {PROJECTS}".split())
_ENDING = re.compile(rf"(?<=[^/])\.(?:{_FILES}|{TEXTS.replace(' ', '|')})\Z", re.IGNORECASE)
_IN_PATH = r"[^\s'\"`<>|:;]"
# A space is a path's own where the path goes on behind it: to a folder, or to a picture's name.
_SPACE = (
    r"[ ](?=[^\n'\"`<>|:;/]*[^\s'\"`<>|:;/]/"
    rf"|[^\n'\"`<>|:;/]*?\.(?:{_FILES})\b)"
)
_NAMES = re.compile(
    r"(?P<url>\b[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s'\"`]*)"
    r"|(?P<quoted>(?<=\")(?:~[\w.-]*)?//?[^/\"\n][^\"\n]*(?=\")"
    r"|(?<=')(?:~[\w.-]*)?//?[^/'\n][^'\n]*(?=')"
    r"|(?<=`)(?:~[\w.-]*)?//?[^/`\n][^`\n]*(?=`))"
    rf"|(?P<path>(?<![\w/.~%-])(?<!<home>)(?:~[\w.-]*)?//?(?=[^/\s])(?:{_IN_PATH}|{_SPACE})+)"
    rf"|(?P<windows>(?<![\w])(?:[A-Za-z]:[\\/]|\\\\\w)(?:[^\s'\"`<>|:;]|{_SPACE})*)"
    rf"|(?P<name>(?<![^\s'\"`<>|:;=,])[^\s'\"`<>|:;=,]+\.(?:{_FILES})\b)",
    re.IGNORECASE,
)
_HIDDEN_WORD = (
    "token|secret|passw|passphrase|credential|authorization|cookie|api_?key|access_?key"
    "|private_?key|licen[cs]e_?key"
)
_SECRETS = (
    re.compile(
        rf"((?:{_HIDDEN_WORD})[\w.-]{{0,64}}[\"']?\s*[=:]\s*[\"']?(?:bearer\s+|basic\s+)?)"
        r"([^\s\"',;]+)",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(--[\w-]{{0,64}}(?:{_HIDDEN_WORD})[\w-]{{0,64}}[\"']?,?\s+[\"']?)([^\s\"',]+)",
        re.IGNORECASE,
    ),
    re.compile(r"(\b[A-Za-z][\w+.-]{0,20}://)[^\s/@'\"]{1,256}(?=@)"),
    re.compile(r"()\b(?:hf_|gh[a-z]_|github_pat_|glpat-|sk-|xox[a-z]-|AKIA)[\w-]{8,}"),
)
_TRAILING = ".,)]}"


@dataclass(kw_only=True)
class Anonymous:
    """Takes names out of texts; one for all texts that go together.

    Attributes:
        home: the user's home folder; None where there is none.
        places: folders of this program and of hosts' settings, whose paths stay.
        users: the user's names.
        machines: the machine's names.
        secrets: texts that never go out.
    """

    home: Path | None
    places: Collection[Path] = ()
    users: Collection[str] = ()
    machines: Collection[str] = ()
    secrets: Collection[str] = ()
    _numbers: dict[tuple[str, str], int] = field(default_factory=dict)

    def text(self, text: str) -> str:
        """Return a text of any lines without names."""
        lines = text.split("\n")
        text = "\n".join(line if len(line) <= MAX_LINE else _cut(line) for line in lines)
        for secret in sorted(filter(None, self.secrets), key=len, reverse=True):
            text = text.replace(secret, "<secret>")
        for pattern in _SECRETS:
            text = pattern.sub(r"\1<secret>", text)
        return self._without_people(self._without_paths(text))

    def path(self, path: str) -> str:
        """Return what stands for a path; "" for none."""
        if not path:
            return ""
        if path.startswith("~/") and self.home is not None:
            path = f"{self.home}{path[1:]}"
        spelled = os.path.normpath(path)
        for place in map(str, self.places):
            # What lies above such a place is said by the place itself.
            if _is_within(spelled, place) or (spelled != "/" and _is_within(place, spelled)):
                return self._without_people(self._at_home(spelled))
        if self.home is not None and _is_within(spelled, str(self.home)):
            return "<home>" if spelled == str(self.home) else self._numbered("path", path)
        if any(_is_within(spelled, place) for place in SYSTEM.split()):
            return self._without_people(path)
        return path if spelled == "/" else self._numbered("path", path)

    def value(self, value: object) -> object:
        """Return a value of JSON with every text in it, names of fields excepted, without names."""
        if isinstance(value, str):
            is_path = value.startswith(("/", "~/")) and "\n" not in value and ":" not in value
            return self.path(value) if is_path else self.text(value)
        if isinstance(value, Mapping):
            return {name: self.value(item) for name, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(item) for item in value]
        return value

    def _without_paths(self, text: str) -> str:
        return _NAMES.sub(self._named, text)

    def _named(self, match: re.Match[str]) -> str:
        kind, found = str(match.lastgroup), match[0]
        if kind == "url":
            return self._url(found)
        if kind == "quoted":
            return self.path(found)
        bare = found.rstrip(_TRAILING)
        rest = found[len(bare) :]
        if kind == "name":
            return self._numbered("name", bare) + rest
        if kind == "windows":
            return self._numbered("path", bare) + rest
        first, space, others = bare.partition(" ")
        said = self.path(first if space and self._stays(first) else bare)
        if space and self._stays(first):  # a path that stays ends at the first space
            return f"{said} {self._without_paths(others)}{rest}"
        return said + rest

    def _stays(self, path: str) -> bool:
        return not self.path(path).startswith("<path-")

    def _url(self, url: str) -> str:
        scheme, _, rest = url.partition("://")
        if rest.startswith(("/", "~")):
            return f"{scheme}://{self.path(rest)}"
        host = re.split("[/:]", rest)[0]
        known = scheme == "ocio" or any(
            host == name or host.endswith(f".{name}") for name in ADDRESSES
        )
        return url if known else f"{scheme}://<address>"

    def _numbered(self, kind: str, name: str) -> str:
        number = self._numbers.setdefault(
            (kind, name), 1 + sum(1 for other, _ in self._numbers if other == kind)
        )
        ending = _ENDING.search(name)
        return f"<{kind}-{number}>{ending[0] if ending else ''}"

    def _at_home(self, path: str) -> str:
        if self.home is not None and _is_within(path, str(self.home)):
            return f"<home>{path[len(str(self.home)) :]}"
        return path

    def _without_people(self, text: str) -> str:
        for word, names in (("<user>", self.users), ("<machine>", self.machines)):
            for name in sorted(filter(None, names), key=len, reverse=True):
                whole = rf"(?<![A-Za-z0-9<]){re.escape(name)}(?![A-Za-z0-9>])"
                text = re.sub(whole, word, text, flags=re.IGNORECASE)
        return text


def _cut(line: str) -> str:
    """Return the start of a line; the word that is cut goes whole, for it may be half a secret."""
    return f"{line[:MAX_LINE].rpartition(' ')[0]} (cut)"


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")
