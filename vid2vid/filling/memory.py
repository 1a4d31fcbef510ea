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
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)
