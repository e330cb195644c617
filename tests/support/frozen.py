"""Imported last by a process that forks: what all forks share is no garbage of any of them.

A fork's look for garbage would copy every page of it.
"""

from __future__ import annotations

import gc

gc.collect()
gc.freeze()
