"""What a generator returns: named tuples, every field with its shape."""

from typing import NamedTuple

from torch import Tensor


class ScaleFeatures(NamedTuple):
    """The last features of each branch at one scale; the next finer scale adds its own to them."""

    image: Tensor  # 'b c h w'
    flow: Tensor | None  # 'b c h w', None without a flow branch
    foreground: Tensor | None  # 'b c h w', None without a foreground model


class ScaleOutput(NamedTuple):
    """What the heads of one scale paint, before it is composed."""

    hallucinated: Tensor  # 'b 3 h w', [-1, 1]
    warped: Tensor | None  # 'b 3 h w', [-1, 1]
    flow: Tensor | None  # 'b 2 h w', pixels, current -> previous
    occlusion: Tensor | None  # 'b 1 h w', [0, 1]
    foreground: Tensor | None  # 'b 3 h w', [-1, 1]


class GeneratorOutput(NamedTuple):
    """One generated frame and everything that it was composed of.

    Of the first frame from zeros, `warped`, `flow` and `occlusion` are what the network predicts
    for an empty past: the frame was not composed of them.
    """

    frame: Tensor  # 'b 3 h w', [-1, 1], the composed frame
    hallucinated: Tensor  # 'b 3 h w', [-1, 1], with the foreground on top
    warped: Tensor | None = None  # 'b 3 h w', [-1, 1], the previous frame fetched along `flow`
    flow: Tensor | None = None  # 'b 2 h w', pixels, current -> previous
    occlusion: Tensor | None = None  # 'b 1 h w', 1 = take the hallucinated pixel
    foreground: Tensor | None = None  # 'b 3 h w', [-1, 1]
    foreground_mask: Tensor | None = None  # 'b 1 h w', where the foreground was laid on top
    previous: Tensor | None = None  # 'b 3 h w', what `flow` fetches from; None without a past
    variants: Tensor | None = None  # 'b k 3 h w', [-1, 1], `frame` among them; None where k is 1
    lab: Tensor | None = (
        None  # 'b 3 h w', scaled (`vid2vid.colour`), where colours alone are painted
    )
    mask: Tensor | None = (
        None  # 'b 1 h w', 1 = hallucinated, 0 = known and kept; None where all is painted
    )
