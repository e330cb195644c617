"""The commands' exit codes, which hosts' batch scripts share."""

from gvm_client.exits import Exit, exit_for

__all__ = ["Exit", "exit_for"]
