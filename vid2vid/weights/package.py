"""Where the files are that come with the package."""

from importlib.resources import files
from pathlib import Path

from vid2vid.errors import CheckpointError


def packaged(name: str, *, needed_by: str, instead: str) -> Path:
    """Find a file of weights that comes with the package.

    Args:
        name: of the file.
        needed_by: what cannot be done without it, for the message.
        instead: what else to do, likewise.

    Raises:
        CheckpointError: if the installation lacks it.
    """
    path = Path(str(files("vid2vid.weights") / name))
    if not path.is_file():
        raise CheckpointError(
            f"{needed_by} needs a file of the package; {path} is missing: install the package "
            f"again, or {instead}"
        )
    return path
