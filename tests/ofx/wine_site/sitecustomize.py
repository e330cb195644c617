"""Makes a Linux server one that a host under Wine can talk to: Python runs this when it starts.

- It listens on loopback TCP, as on Windows: Wine has no socket files.
- Its connection file is linux.json. `connection.json` is written by the stand-in, a process that
  Windows programs can see (`tests/ofx/host/server_stand_in.cpp`).
- It sweeps no buffers: their makers' numbers are those of Wine's processes.
"""

from __future__ import annotations

from gvm_client import connection, pixels, platform

connection.CONNECTION_NAME = "linux.json"
platform.has_socket_files = lambda: False
pixels.is_alive = lambda pid, started: True
