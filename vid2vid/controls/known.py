"""The control `known`: photographs whose unknown pixels are blanked, and a mask of them."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vid2vid.controls.holes import draw_irregular
from vid2vid.controls.known_config import KnownConfig

_EVALUATION_SEED = 0  # of the blots that every evaluation sees


class Window(NamedTuple):
    """A rectangle of a picture, px."""

    top: int
    left: int
    height: int
    width: int


def make_known(
    control: KnownConfig, frames: Tensor, *, rng: np.random.Generator | None = None
) -> Tensor:
    """Make the pictures of a clip; all its frames have one mask.

    Args:
        control: which pixels are known.
        frames: 't 3 h w' in [-1, 1].
        rng: draws the place of the window, or the blots, of a training clip; None = the place that
            evaluation takes, and blots that are the same for all clips.

    Returns:
        't 4 h w', on the device of `frames`.

    Raises:
        ValueError: if the window or the hole does not lie in the frames.
    """
    height, width = frames.shape[2:]
    unknown = draw_unknown(control, height, width, rng=rng)
    return blank(frames, unknown.to(frames.device), fill=control.fill)


def blank(
    frames: Tensor, unknown: Tensor, *, fill: tuple[float, float, float] = (0.0, 0.0, 0.0)
) -> Tensor:
    """Blank the unknown pixels of pictures, and put the mask behind them.

    Args:
        frames: '... 3 h w' in [-1, 1]; what stands at unknown pixels counts for nothing.
        unknown: 'h w', or '... h w', bool; True = to be generated.
        fill: red, green and blue of unknown pixels.

    Returns:
        '... 4 h w': the photograph, bit for bit where it is known, then the mask, 1 = unknown.
    """
    mask = unknown.unsqueeze(-3).expand(*frames.shape[:-3], 1, *frames.shape[-2:])
    blanked = torch.where(mask, frames.new_tensor(fill).view(3, 1, 1), frames)
    return torch.cat([blanked, mask.to(frames.dtype)], dim=-3)


def draw_unknown(
    control: KnownConfig, height: int, width: int, *, rng: np.random.Generator | None = None
) -> Tensor:
    """Draw which pixels of a frame are unknown: 'h w', bool.

    Args:
        control: of the run.
        height: of the frame, px.
        width: likewise.
        rng: as in `make_known`.

    Raises:
        ValueError: if the window or the hole does not lie in the frame.
    """
    if control.shape == "irregular" and control.share is not None:
        drawn = np.random.default_rng(_EVALUATION_SEED) if rng is None else rng
        return torch.from_numpy(draw_irregular(height, width, rng=drawn, shares=control.share))
    window = place_window(control, height, width, rng=rng)
    rows = slice(window.top, window.top + window.height)
    columns = slice(window.left, window.left + window.width)
    inside = torch.zeros(height, width, dtype=torch.bool)
    inside[rows, columns] = True
    return inside if control.shape == "hole" else ~inside


def place_window(
    control: KnownConfig, height: int, width: int, *, rng: np.random.Generator | None = None
) -> Window:
    """Place the known window, or the hole, in a frame.

    Of an odd rest, the upper and the left side get the pixel less.

    Args:
        control: of shape window or hole.
        height: of the frame, px.
        width: likewise.
        rng: as in `make_known`.

    Raises:
        ValueError: if it does not lie in the frame, or has no such shape.
    """
    own = control.rectangle
    if own is None:
        raise ValueError(f"shape must be window or hole to lie in a place; got {control.shape!r}")
    rest = (height - own[0], width - own[1])
    if min(rest) < 0:
        raise ValueError(
            f"the {control.shape} of control 'known' must lie in the frame; it is "
            f"{own[1]}x{own[0]}, the frame {width}x{height} (width x height): lower it, or enlarge "
            "data.height and data.width"
        )
    top, left = rest[0] // 2, rest[1] // 2
    if control.position == "top":
        top = 0
    elif control.position == "random" and rng is not None:
        top, left = int(rng.integers(rest[0] + 1)), int(rng.integers(rest[1] + 1))
    return Window(top, left, *own)


def find_window(unknown: Tensor) -> Window:
    """Find the known window of a mask.

    Args:
        unknown: 'h w', bool.

    Raises:
        ValueError: if what is known is no rectangle.
    """
    known = ~unknown
    rows, columns = known.any(dim=1).nonzero(), known.any(dim=0).nonzero()
    if len(rows):
        top, left = int(rows[0]), int(columns[0])
        window = Window(top, left, int(rows[-1]) + 1 - top, int(columns[-1]) + 1 - left)
        if int(known.sum()) == window.height * window.width:
            return window
    raise ValueError(
        "what is known must be a rectangle for a network that expands it; got "
        f"{int(known.sum())} known pixels in {len(rows)} rows and {len(columns)} columns"
    )
