"""A part of the frames, A:B, as every command takes it. Imports no torch, for the command line."""

import re

from vid2vid.errors import ConfigError


def read_part(text: str | None) -> slice:
    """Read A:B, counted from 0, B not included; None = all.

    Raises:
        ConfigError: if it is no slice of at least one frame.
    """
    if text is None:
        return slice(0, None)
    found = re.fullmatch(r"(\d*):(\d*)", text.strip())
    if found is None:
        raise ConfigError(
            "--frames must be A:B, counted from 0, B not included (10:20, 10: or :20); "
            f"got {text!r}"
        )
    part = slice(int(found[1] or 0), int(found[2]) if found[2] else None)
    if part.stop is not None and part.stop <= part.start:
        raise ConfigError(f"--frames A:B must hold a frame, so B must be above A; got {text!r}")
    return part
