"""An OpenColorIO configuration as a value: loaded by content, keyed by just that content.

- A configuration's digest covers its text and every file that it names, as OpenColorIO finds
  them; a conversion reads these bytes or none: a file edited in between is an error.
- What cannot be loaded is an error with OpenColorIO's own reason; nothing stands in for it.
- A configuration is looked at anew for every plate: an edit counts without a restart.

OpenColorIO caches files by their path for the process's life, and so does OpenImageIO, which
besides replaces a configuration that it cannot read. Therefore neither opens a file here: both
texts and lookup tables are read by `ocio_files` and handed to OpenColorIO in memory.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from types import MappingProxyType

import numpy as np
import PyOpenColorIO as ocio

from gvm_client.errors import ErrorCode, InputError
from gvm_client.ocio_config import BAD_ARCHIVE, variables_used
from gvm_server.media.colour.ocio_files import Files, OcioFiles, open_files
from gvm_server.media.pixels import Pixels

# Named in full: what `ocio://default` means moves with OpenColorIO's version, and names with it.
BUILT_IN = "ocio://cg-config-v4.0.0_aces-v2.0_ocio-v2.5"
DIGEST_BYTES = 16

_NONE: Mapping[str, str] = MappingProxyType({})

# One at a time: OpenColorIO's own caches are emptied before each use.
_LOCK = RLock()
# Its exceptions have no common base, and those of our own file reader come through it.
_TROUBLE = (ocio.Exception, ocio.ExceptionMissingFile, *BAD_ARCHIVE)
_KEPT = 4  # configurations kept loaded: a server rarely sees more shows in a day
_loaded: dict[tuple[str, tuple[tuple[str, str], ...]], Configuration] = {}


@dataclass(frozen=True, kw_only=True, slots=True)
class Configuration:
    """One configuration's content.

    Attributes:
        source: the path or the `ocio://` name that it was asked for by; "" is ours.
        name: what messages call it.
        digest: 16 bytes that stand for its text and for all files that it names.
    """

    source: str
    name: str
    digest: bytes
    _config: ocio.Config
    _files: OcioFiles | None  # held: OpenColorIO keeps no reference of its own

    @property
    def is_built_in(self) -> bool:
        """Whether it is the one that stands where nobody names any."""
        return not self.source

    def spaces(self) -> tuple[str, ...]:
        """Return the names of all colour spaces, hidden ones too, in the file's order."""
        return tuple(space.getName() for space in _all_spaces(self._config))

    def aliases(self, space: str) -> tuple[str, ...]:
        """Return the other names of a colour space."""
        return tuple(self._config.getColorSpace(space).getAliases())

    def find(self, *names: str) -> str | None:
        """Return the configuration's own name for the first of these that it has.

        A name, an alias, a role or an interoperability identifier counts, in any case.
        """
        for name in names:
            if name and (own := self._config.getCanonicalName(name)):
                return str(own)
            for space in _all_spaces(self._config):
                if name and _interop_id(space) == name.lower():
                    return str(space.getName())
        return None

    def is_data(self, space: str) -> bool:
        """Whether a space's pixels are no colours, to be taken as they are."""
        return bool(self._config.getColorSpace(space).isData())

    def is_linear(self, space: str) -> bool:
        """Whether a space is scene-linear light."""
        return bool(self._config.isColorSpaceLinear(space, ocio.REFERENCE_SPACE_SCENE))

    def converter(self, space: str, target: str) -> Callable[[Pixels], Pixels]:
        """Return the conversion between two spaces, its files read and checked.

        Raises:
            InputError: COLOURSPACE_UNKNOWN: OpenColorIO cannot convert, or a file is missing
                or was edited after the configuration was loaded.
        """
        with _LOCK:
            ocio.ClearAllCaches()
            try:
                processor = self._config.getProcessor(space, target).getOptimizedCPUProcessor(
                    ocio.BIT_DEPTH_F32, ocio.BIT_DEPTH_F32, ocio.OPTIMIZATION_DEFAULT
                )
            except _TROUBLE as error:
                raise self._cannot_convert(space, target, error) from error
            # OpenColorIO 2.6 takes no for an answer: refused, it opens the file on disk itself.
            if self._files is not None and self._files.changed:
                raise self._cannot_convert(space, target, ValueError(self._files.changed))
        return lambda pixels: _apply(processor, pixels)

    def _cannot_convert(self, space: str, target: str, error: Exception) -> InputError:
        changed = self._files.changed if self._files else ""
        if changed:
            return InputError(
                f"{changed} was edited while {self.name} was being read.",
                remedy="Ask again once it is written.",
                code=ErrorCode.COLOURSPACE_UNKNOWN,
                path=changed,
            )
        return InputError(
            f"{self.name} cannot convert {space} to {target}: {_reason(error)}",
            remedy="Mend the OCIO configuration, or name another colour space.",
            code=ErrorCode.COLOURSPACE_UNKNOWN,
            path=self.source,
        )


def load_config(source: str, variables: Mapping[str, str] = _NONE) -> Configuration:
    """Return the configuration that a path or an `ocio://` name stands for, as it is now.

    Args:
        source: as `$OCIO` has it: a `.ocio` file, an `.ocioz` archive, or a built-in one's name;
            "" means ours, the built-in ACES one.
        variables: what its context variables are; others have its own defaults. This process's
            environment does not count: it is not the asker's.

    Raises:
        InputError: COLOURSPACE_UNKNOWN: it cannot be loaded; with its name and OpenColorIO's
            own reason.
    """
    with _LOCK:
        known = _loaded.get(place := (source, tuple(sorted(variables.items()))))
        if known is not None and (known._files is None or known._files.are_as_read()):  # noqa: SLF001
            return known
        configuration = _load(source, variables)
        _loaded.pop(place, None)
        _loaded[place] = configuration
        while len(_loaded) > _KEPT:
            del _loaded[next(iter(_loaded))]
        return configuration


def _load(source: str, variables: Mapping[str, str]) -> Configuration:
    ocio.ClearAllCaches()
    if not source or source.startswith("ocio://"):
        return _built_in(source)
    try:
        opened = open_files(Path(source).absolute())
        files = OcioFiles(opened)
        config = ocio.Config.CreateFromConfigIOProxy(files)
        config.setWorkingDir(opened.root)
        _set_variables(config, variables)
        named = {source: _content(config, files, source) for source in sorted(_sources(config))}
    except _TROUBLE as error:
        raise _unloadable(source, error) from error
    return Configuration(
        source=source,
        name=f"the OCIO configuration {source}",
        digest=_digest(opened, config, named),
        _config=config,
        _files=files,
    )


def _built_in(source: str) -> Configuration:
    try:
        config = ocio.Config.CreateFromFile(source or BUILT_IN)
    except _TROUBLE as error:
        raise _unloadable(source, error) from error
    return Configuration(
        source=source,
        name=f"the built-in OCIO configuration {config.getName()}",
        digest=hash_bytes(config.serialize().encode()),
        _config=config,
        _files=None,
    )


def _set_variables(config: ocio.Config, variables: Mapping[str, str]) -> None:
    """Give the configuration the asker's context variables, as OpenColorIO takes its own."""
    context = config.getCurrentContext()
    predefined = {
        name: variables.get(name, config.getEnvironmentVarDefault(name))
        for name in config.getEnvironmentVarNames()
    }
    only_these = context.getEnvironmentMode() == ocio.ENV_ENVIRONMENT_LOAD_PREDEFINED
    context.clearStringVars()
    for name, value in (predefined if only_these else {**variables, **predefined}).items():
        context.setStringVar(name, value)


def _content(config: ocio.Config, files: OcioFiles, source: str) -> str:
    """Return the hash of a file that the configuration names; "" where it is not there."""
    try:
        return files.getFastLutFileHash(config.getCurrentContext().resolveFileLocation(source))
    except ocio.ExceptionMissingFile:
        return ""  # an error only for those who use it


def _sources(config: ocio.Config) -> Iterator[str]:
    """Yield the files that transforms name, before their variables are put in."""
    to, back = ocio.COLORSPACE_DIR_TO_REFERENCE, ocio.COLORSPACE_DIR_FROM_REFERENCE
    for space in _all_spaces(config):
        yield from _files_in(space.getTransform(to))
        yield from _files_in(space.getTransform(back))
    to, back = ocio.VIEWTRANSFORM_DIR_TO_REFERENCE, ocio.VIEWTRANSFORM_DIR_FROM_REFERENCE
    for view in config.getViewTransforms():
        yield from _files_in(view.getTransform(to))
        yield from _files_in(view.getTransform(back))
    for look in config.getLooks():
        yield from _files_in(look.getTransform())
        yield from _files_in(look.getInverseTransform())
    to, back = ocio.TRANSFORM_DIR_FORWARD, ocio.TRANSFORM_DIR_INVERSE
    for named in config.getNamedTransforms(ocio.NAMEDTRANSFORM_ALL):
        yield from _files_in(named.getTransform(to))
        yield from _files_in(named.getTransform(back))


def _files_in(transform: ocio.Transform | None) -> Iterator[str]:
    if isinstance(transform, ocio.GroupTransform):
        for child in transform:
            yield from _files_in(child)
    elif isinstance(transform, ocio.FileTransform):
        yield transform.getSrc()


def _all_spaces(config: ocio.Config) -> Iterator[ocio.ColorSpace]:
    # Hidden ones are still spaces: files and artists name them.
    return iter(config.getColorSpaces(ocio.SEARCH_REFERENCE_SPACE_ALL, ocio.COLORSPACE_ALL))


def _interop_id(space: ocio.ColorSpace) -> str:
    return str(space.getInteropID()).lower()


def _digest(files: Files, config: ocio.Config, named: Mapping[str, str]) -> bytes:
    """Hash a configuration's text, the files that it names and the variables that it uses.

    Where the files lie does not count: one studio mounts its tree in more than one place.
    """
    text = files.text.decode(errors="replace")
    used = variables_used(text, dict(config.getCurrentContext().getStringVars()))
    parts = [*itertools.chain(*used.items()), "", *itertools.chain(*named.items())]
    return hash_bytes(files.text, *(part.encode() for part in parts))


def hash_bytes(*parts: bytes) -> bytes:
    """Return a hash that depends on every part and its place."""
    hashed = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for part in parts:
        hashed.update(len(part).to_bytes(8, "little") + part)
    return hashed.digest()


def _apply(processor: ocio.CPUProcessor, pixels: Pixels) -> Pixels:
    converted = np.array(pixels, dtype=np.float32, order="C")  # a copy: it is changed in place
    processor.applyRGB(converted)
    return converted


def _unloadable(source: str, error: Exception) -> InputError:
    return InputError(
        f"The OCIO configuration {source} cannot be loaded: {_reason(error)}",
        remedy="Set OCIO to a configuration that OpenColorIO can read, or unset it for the"
        " built-in ACES one.",
        code=ErrorCode.COLOURSPACE_UNKNOWN,
        path=source,
    )


def _reason(error: Exception) -> str:
    """Return an error's words in one line, with a full stop."""
    words = " ".join(str(getattr(error, "strerror", None) or error).split())
    return words if words.endswith(".") else f"{words}."
