"""OpenImageIO's reasons as text."""

from __future__ import annotations

import OpenImageIO as oiio


def reason_of(file: oiio.ImageInput | oiio.ImageOutput | None) -> str:
    """Return why the last call failed, and forget it; None asks for what has no file.

    A reason that quotes a damaged file's bytes may not be text.
    """
    try:
        reason: str = oiio.geterror() if file is None else file.geterror()
    except UnicodeDecodeError:
        return "it is damaged"
    return reason
