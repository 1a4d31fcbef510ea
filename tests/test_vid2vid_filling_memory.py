import subprocess
import sys

import pytest

SCATTER = """
import sys
from pathlib import Path

import numpy as np

from vid2vid.filling.memory import return_large_blocks


def resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


if sys.argv[1] == "returned":
    return_large_blocks()
np.ones(30 * 2**20, np.uint8)  # freed at once: from now on glibc keeps blocks of this size
before, large, small = resident_mb(), [], []
for _ in range(40):
    large.append(np.ones(4 * 2**20, np.uint8))
    small.append(np.ones(2**12, np.uint8))  # holds its place between two large ones
del large
print(resident_mb() - before)
"""


def measure(script):
    """Run a script with memory kept, and with it returned; by how many megabytes it grows."""
    return {
        mode: float(
            subprocess.run(
                [sys.executable, "-c", script, mode], capture_output=True, check=True, text=True
            ).stdout
        )
        for mode in ("kept", "returned")
    }


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc; only glibc keeps large blocks")
def test_large_blocks_go_back_although_small_ones_lie_between_them():
    grown = measure(SCATTER)
    assert grown["returned"] < 10
    assert grown["kept"] > 100  # else there is nothing to return, and the call has no use


HOLES = """
import sys
from pathlib import Path

from vid2vid.filling.memory import return_free_pages


def resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


before = resident_mb()
blocks = [bytearray(64 * 2**10) for _ in range(800)]
del blocks[:-1]  # the last one holds what lies before it
if sys.argv[1] == "returned":
    return_free_pages()
print(resident_mb() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc; only glibc keeps free pages")
def test_free_pages_go_back_although_a_block_lies_behind_them():
    grown = measure(HOLES)
    assert grown["returned"] < 10
    assert grown["kept"] > 40
