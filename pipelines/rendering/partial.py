"""How an output that could not be completed ends."""

import logging
from pathlib import Path
from typing import NoReturn

from pipelines.rendering.options import RenderingError
from vid2vid.errors import Vid2VidError

LOGGER = logging.getLogger(__name__)


def raise_beside(error: BaseException, partial: Path | None, *, written: str) -> NoReturn:
    """Raise what ended an output, and say where the part of it lies that was written.

    Args:
        error: that ended it.
        partial: what was kept; None where nothing was.
        written: what that holds, such as '3 frames'.

    Raises:
        RenderingError: in place of an error of input or disk, if something was kept.
    """
    if partial is not None and isinstance(error, (Vid2VidError, OSError)):
        raise RenderingError(f"{error}; the {written} before are in {partial}") from error
    if partial is not None:
        LOGGER.info("%s are in %s", written, partial)
    raise error
