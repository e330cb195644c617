"""A real headless browser: Chromium, spoken to over two pipes (Chrome DevTools Protocol)."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 60.0  # seconds for an answer


def find_browser() -> str | None:
    """Return the program; None where none is installed."""
    named = os.environ.get("GVM_TEST_BROWSER", "")
    return named or next(filter(None, map(shutil.which, PROGRAMS)), None)


class Page:
    """One page of a browser; what goes wrong in it is kept in `trouble`."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._buffer = b""
        self._number = 0
        self.trouble: list[str] = []
        target = self._send("Target.createTarget", url="about:blank")["targetId"]
        attached = self._send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def open(self, path: Path) -> None:
        """Open a file; return when the page has loaded."""
        self.send("Page.navigate", url=path.as_uri())
        self.until("document.readyState === 'complete'")

    def run(self, script: str) -> Any:
        """Return the value of an expression; a promise is waited for."""
        found = self.send(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, script: str, seconds: float = 30.0) -> Any:
        """Wait until an expression is true, and return its value."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if value := self.run(script):
                return value
            time.sleep(0.02)
        raise AssertionError(f"In {seconds:g} s it did not come true: {script}; {self.trouble}")

    def press(self, key: str, *, shift: bool = False) -> None:
        """Press a key and let it go."""
        for kind in ("rawKeyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key, modifiers=8 if shift else 0)

    def screenshot(self, path: Path) -> None:
        """Write the whole page as a PNG."""
        shot = self.send("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def pdf(self) -> bytes:
        """Return the page as it prints."""
        return base64.b64decode(self.send("Page.printToPDF", printBackground=True)["data"])

    def send(self, method: str, **parameters: object) -> dict[str, Any]:
        """Send a command to the page and return its result."""
        return self._send(method, session=self._session, **parameters)

    def _send(self, method: str, session: str = "", **parameters: object) -> dict[str, Any]:
        self._number += 1
        said: dict[str, object] = {"id": self._number, "method": method, "params": parameters}
        if session:
            said["sessionId"] = session
        os.write(self._commands, json.dumps(said).encode() + b"\0")
        while (answer := self._next()).get("id") != self._number:
            self._hear(answer)
        assert "error" not in answer, (method, answer["error"])
        result: dict[str, Any] = answer["result"]
        return result

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._answers], [], [], PATIENCE)
            assert ready, "the browser does not answer"
            data = os.read(self._answers, 1 << 20)
            assert data, "the browser has ended"
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found

    def _hear(self, event: dict[str, Any]) -> None:
        method, says = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.trouble.append(str(says["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and says["type"] in ("error", "warning"):
            self.trouble.append(str(says["args"]))
        elif method == "Log.entryAdded" and says["entry"]["level"] in ("error", "warning"):
            self.trouble.append(str(says["entry"]))
        elif method == "Network.requestWillBeSent":
            url = says["request"]["url"]
            if not url.startswith(("file:", "data:", "blob:")):
                self.trouble.append(f"asked the network for {url}")


@contextmanager
def browser(width: int = 1280, height: int = 900) -> Iterator[Page]:
    """Give a page in a browser of its own, which ends with the block."""
    program = find_browser()
    assert program, "no browser is installed"
    their_commands, commands = os.pipe()
    answers, their_answers = os.pipe()
    profile = tempfile.mkdtemp(prefix="gvm-browser-")
    # The protocol's pipes are the descriptors 3 and 4.
    words = [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"]
    words += ["--remote-debugging-pipe", f"--user-data-dir={profile}", "--disable-dev-shm-usage"]
    words += [f"--window-size={width},{height}", "--disable-background-networking", "about:blank"]
    script = f'exec 3<&{their_commands} 4>&{their_answers}; exec "$@"'
    process = subprocess.Popen(
        ["bash", "-c", script, "bash", *words],
        pass_fds=(their_commands, their_answers),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(their_commands)
    os.close(their_answers)
    try:
        yield Page(commands, answers)
    finally:
        os.close(commands)
        os.close(answers)
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(profile, ignore_errors=True)
