"""What a configuration says of the control `known`: which pixels of a photograph are given."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from vid2vid.controls.control import Control, Share

Level = Annotated[float, Field(ge=-1.0, le=1.0)]

# What each shape is described by, beside `fill`.
OWN_KEYS = {
    "window": ("height", "width", "position"),
    "hole": ("size",),
    "irregular": ("share",),
}


class KnownConfig(Control):
    """The photographs where they are known, and a mask of where they are not.

    Four channels: the photograph, its unknown pixels set to `fill`, then the mask, 1 = unknown.
    """

    kind: Literal["known"] = "known"
    """The photographs where they are known, and where they are not."""
    shape: Literal["window", "hole", "irregular"]
    """window = a rectangle is known (`height`, `width`, `position`), as a picture that is to be
    extended; hole = a square in the middle is unknown (`size`); irregular = blots that are drawn
    for each clip are unknown (`share`)."""
    height: int | None = Field(default=None, ge=1)
    """Of the window, px."""
    width: int | None = Field(default=None, ge=1)
    """Of the window, px."""
    position: Literal["random", "centre", "top"] | None = None
    """Of the window: `random` is drawn once for a training clip, all frames of which share it, and
    is the centre everywhere else; `centre`; `top` = at the upper edge, in the middle of it."""
    size: int | None = Field(default=None, ge=1)
    """Height and width of the hole, px."""
    share: tuple[Share, Share] | None = None
    """Smallest and largest share of the pixels that the blots cover (Pathak et al. 2016: [0.2,
    0.3])."""
    fill: tuple[Level, Level, Level] = (0.0, 0.0, 0.0)
    """Red, green and blue of unknown pixels, in [-1, 1]."""

    @property
    def channels(self) -> int:
        """Channels of its picture."""
        return 4

    @property
    def window(self) -> tuple[int, int] | None:
        """Height and width of the known window, px; None of any other shape."""
        if self.height is None or self.width is None:
            return None
        return self.height, self.width

    @property
    def rectangle(self) -> tuple[int, int] | None:
        """Height and width of the window or the hole, px; None of blots."""
        return self.window if self.size is None else (self.size, self.size)

    @model_validator(mode="after")
    def _is_described(self) -> Self:
        needed = OWN_KEYS[self.shape]
        keys = [key for keys in OWN_KEYS.values() for key in keys]
        given = [key for key in keys if getattr(self, key) is not None]
        if missing := [key for key in needed if key not in given]:
            raise ValueError(
                f"shape {self.shape!r} must be given {', '.join(needed)}; {missing[0]} is missing"
            )
        if others := [key for key in given if key not in needed]:
            raise ValueError(
                f"{others[0]} says nothing of shape {self.shape!r}, which is given "
                f"{', '.join(needed)}: leave it out"
            )
        if self.share is not None and not 0 < self.share[0] < self.share[1] < 1:
            raise ValueError(f"share must be (low, high), 0 < low < high < 1; got {self.share}")
        return self
