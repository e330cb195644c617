"""Reads the progress of `gvm matte --openjd`; it goes into CGRU's `afanasy/python/parsers`."""

from __future__ import annotations

from parsers import parser  # CGRU's own

PROGRESS = "openjd_progress: "
STATUS = "openjd_status: "
FAIL = "openjd_fail: "
LONGEST = 4096  # of a line; a window of Afanasy's shows lines without their ends


class gvm(parser.parser):  # type: ignore[misc] # noqa: N801 (looked for by the file's name)
    """GVM Bridge."""

    def __init__(self) -> None:
        parser.parser.__init__(self)
        self._rest = ""

    def do(self, i_args: dict[str, str]) -> None:
        """Take what the task has printed since; a line may come in parts."""
        *lines, rest = (self._rest + i_args["data"]).split("\n")
        self._rest = rest[-LONGEST:]
        for line in lines:
            if line.startswith(PROGRESS):
                self._set_percent(line[len(PROGRESS) :])
            elif line.startswith(STATUS):
                self.activity = line[len(STATUS) :].strip()
            elif line.startswith(FAIL):
                self.report = line[len(FAIL) :].strip()

    def _set_percent(self, text: str) -> None:
        """Percent are the task's, of all its frames together."""
        try:
            self.percent = min(max(int(float(text)), 0), 100)
        except ValueError:
            return
        self.percentframe = self.percent
