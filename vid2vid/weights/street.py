"""The generator that comes with the package: label maps to the video of a street."""

from pathlib import Path

from vid2vid.weights.package import packaged

FILE_NAME = "street.safetensors"
LARGEST_BYTES = 15_000_000


def packaged_street() -> Path:
    """Find the small sequential generator that comes with the package.

    `tools/train_street.py` makes it; street.md beside it says from what.

    Raises:
        CheckpointError: if the installation lacks it.
    """
    return packaged(
        FILE_NAME,
        needed_by="rendering without a checkpoint",
        instead="train one, such as with 'vid2vid train robot_kitchen', and pass its run folder: "
        "--checkpoint runs/robot_kitchen",
    )
