"""The service of GVM Bridge's tasks; it goes into CGRU's `afanasy/python/services`."""

from __future__ import annotations

from services import service  # CGRU's own

parser = "gvm"


class gvm(service.service):  # type: ignore[misc] # noqa: N801 (looked for by the file's name)
    """GVM Bridge."""
