"""Imported before all else by whatever runs for long: less memory, and nothing missing.

structlog loads rich wherever it is, to draw stacks in colours; ours are plain (`kernel.logging`).
That is 4 MB of every process.

glibc gives each thread a heap of its own and keeps what was freed in it; Python lets one thread
allocate at a time, so one heap serves all. And what is larger than 64 KB goes back at once when it
is freed: glibc would raise that bound by itself, up to 32 MB, and keep the holes.
"""

import ctypes
import sys

_ARENA_MAX, _MMAP_THRESHOLD = -8, -3  # the names of malloc.h


def _import_without(left_out: str, module: str) -> None:
    """Import a module as if another were not installed."""
    if module in sys.modules or left_out in sys.modules:
        return
    sys.modules[left_out] = None  # type: ignore[assignment]  # says so to the import system
    try:
        __import__(module)
    finally:
        del sys.modules[left_out]


def _use_one_heap() -> None:
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:  # musl has no such options, nor the heaps
        set_option(_ARENA_MAX, 1)
        set_option(_MMAP_THRESHOLD, 64 * 1024)


_import_without("rich", "structlog")
_use_one_heap()
