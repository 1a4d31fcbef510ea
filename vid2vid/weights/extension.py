"""The network that continues pictures and comes with the package."""

from importlib.resources import files
from pathlib import Path

from vid2vid.errors import CheckpointError

FILE_NAME = "extension.safetensors"
LARGEST_BYTES = 4_000_000


def packaged_extension() -> Path:
    """Find the small network of kind `srn` that comes with the package.

    Raises:
        CheckpointError: as long as the package carries none.
    """
    path = Path(str(files("vid2vid.weights") / FILE_NAME))
    if not path.is_file():
        raise CheckpointError(
            "extending needs a checkpoint of kind srn and the package carries none: train one, "
            "such as with 'vid2vid train srn_small', and pass its run folder: "
            "--checkpoint runs/srn_small"
        )
    return path
