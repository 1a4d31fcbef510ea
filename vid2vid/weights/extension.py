"""The network that continues pictures and comes with the package."""

from pathlib import Path

from vid2vid.weights.package import packaged

FILE_NAME = "extension.safetensors"
LARGEST_BYTES = 4_000_000


def packaged_extension() -> Path:
    """Find the small network of kind `srn` that comes with the package.

    `tools/train_extension.py` makes it.

    Raises:
        CheckpointError: if the installation lacks it.
    """
    return packaged(
        FILE_NAME,
        needed_by="extending without a checkpoint",
        instead="pass a run of kind srn, such as that of 'vid2vid train srn_small': "
        "--checkpoint runs/srn_small",
    )
