"""Fixtures that several test files share."""

import os
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def _one_thread():
    """Keep torch from competing with the other test workers for two cores."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real clips beside the checkout, or a skip that says why."""
    folder = Path(os.environ.get("VID2VID_SHARED", ROOT.parent / "shared")) / "data"
    if not folder.is_dir():
        pytest.skip(f"real clips are not at {folder}: set VID2VID_SHARED to the folder above data/")
    return folder
