"""Imported before all else by whatever runs for long: less memory, and nothing missing.

structlog loads rich wherever it is, to draw stacks in colours; ours are plain (`kernel.logging`).
That is 4 MB of every process. What other libraries load for nothing is left out where they are
imported (`import_without`).

glibc gives each thread a heap of its own and keeps what was freed in it; Python lets one thread
allocate at a time, so one heap serves all. And what is larger than 64 KB goes back at once when it
is freed: glibc would raise that bound by itself, up to 32 MB, and keep the holes.
"""

import ctypes
import sys
from importlib import import_module

_ARENA_MAX, _MMAP_THRESHOLD = -8, -3  # the names of malloc.h


def import_without(module: str, *left_out: str) -> None:
    """Import a module as if others were not installed; what is loaded already stays."""
    if module in sys.modules:
        return
    hidden = [name for name in left_out if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # says so to the import system
    try:
        import_module(module)
    finally:
        for name in hidden:
            del sys.modules[name]


def _use_one_heap() -> None:
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:  # musl has no such options, nor the heaps
        set_option(_ARENA_MAX, 1)
        set_option(_MMAP_THRESHOLD, 64 * 1024)


import_without("structlog", "rich")
_use_one_heap()
