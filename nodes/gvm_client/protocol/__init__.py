"""Words, rules and bytes of the protocol: no sockets, no clock."""

from __future__ import annotations

PROTOCOL_VERSION = 8
"""Moves when a message changes, whatever the package does."""
