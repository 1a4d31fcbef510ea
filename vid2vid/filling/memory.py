"""Keep the memory of a long work at what it uses."""

import ctypes
import sys

_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of glibc's malloc.h
_LARGE_BYTES = 256 * 1024


def return_large_blocks() -> None:
    """Let freed blocks of a quarter of a megabyte go back to the system at once.

    The C library of Linux (glibc) begins to keep freed blocks of up to 32 MB for later, and what
    is kept is soon so scattered that the next frames fit beside rather than into it: over 600
    frames of 854x480 filling grew to 2.4 GB, from 1.1 GB after 150. Holds for the process.
    Elsewhere (musl, macOS, Windows) nothing is done: those libraries keep no large blocks.
    """
    _call("mallopt", _MMAP_THRESHOLD, _LARGE_BYTES)


def return_free_pages() -> None:
    """Give back what is free between smaller blocks, too; takes milliseconds.

    Linux (glibc) only, as above: it gives back by itself what lies behind the last block alone.
    """
    _call("malloc_trim", 0)


def _call(name: str, *arguments: int) -> None:
    """Call a function of glibc; do nothing where there is no such one."""
    if not sys.platform.startswith("linux"):
        return
    function = getattr(ctypes.CDLL(None), name, None)
    if function is not None:
        function(*arguments)
