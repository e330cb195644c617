"""The light client: what a compositing host's Python may import (no numpy, no torch)."""

__version__ = "0.1.0"
