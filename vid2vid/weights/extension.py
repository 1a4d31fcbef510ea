"""The network that continues pictures and comes with the package."""

from importlib.resources import files
from pathlib import Path

from vid2vid.errors import CheckpointError

FILE_NAME = "extension.safetensors"
LARGEST_BYTES = 4_000_000


def packaged_extension() -> Path:
    """Find the small network of kind `srn` that comes with the package.

    `tools/train_extension.py` makes it.

    Raises:
        CheckpointError: if the installation lacks it.
    """
    path = Path(str(files("vid2vid.weights") / FILE_NAME))
    if not path.is_file():
        raise CheckpointError(
            f"extending without a checkpoint needs the network of the package; {path} is missing: "
            "install the package again, or pass a run of kind srn, such as that of 'vid2vid train "
            "srn_small': --checkpoint runs/srn_small"
        )
    return path
