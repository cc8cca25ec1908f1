"""How the C library keeps the memory of the window's process."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

_ARENA_MAX = -8
"""``M_ARENA_MAX`` of glibc's ``malloc.h``."""


def share_heap() -> None:
    """Let all threads of this process take memory from one heap, where the C library is glibc.

    glibc gives threads heaps of their own, up to eight for each core. What is free in one cannot be used by another,
    and the end of one is given back only with 64 MB of it free: a trace computed on the worker's thread, or a run read
    on another, left its room there for good. The window computes one thing at a time, so threads do not wait for each
    other's memory. Heaps that there are already stay; so this comes before the first thread of ours.
    """
    if sys.platform == "linux":
        # Other C libraries of Linux have one heap as it is, and no such function.
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)
