"""The GPU kit: `python -m benchmarks.gpu` on a machine with a card.

It needs this tree, PyTorch, numpy and safetensors, and nothing else of what the server needs.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The tree is not installed there: a copy of it is enough.
sys.path.insert(0, str(ROOT / "nodes"))
