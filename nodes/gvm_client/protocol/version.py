"""The protocol's own version: it moves when a message changes, whatever the package does."""

PROTOCOL_VERSION = 3
