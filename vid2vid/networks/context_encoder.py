"""The content network: what a hole holds, told from its surroundings through a bottleneck.

After Pathak et al. 2016, "Context Encoders", with the changes of Yang et al. 2017, "High-Resolution
Image Inpainting using Multi-Scale Neural Patch Synthesis", section 3.2: ELU everywhere, and a
bottleneck that is fully connected. Batch norm always renders with the statistics gathered in
training, so that a picture does not depend on those beside it.
"""

from itertools import pairwise
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from vid2vid.networks.blocks import BatchNorm
from vid2vid.networks.crn import in_range
from vid2vid.networks.interface import StillConfig
from vid2vid.networks.recompute import Segment
from vid2vid.networks.smooth import fill_smoothly

Form = Literal["centre", "whole"]

COARSEST = 4  # px, height and width that the bottleneck takes in (Pathak et al. 2016)
DOUBLINGS = 3  # of the width, 64 -> 512 channels: at the last halvings


class ContextEncoderConfig(StillConfig):
    """Widths, bottleneck and form of a content network."""

    enhancers: ClassVar[int] = 0
    features: ClassVar[int] = 0
    encoder: ClassVar[None] = None

    kind: Literal["context_encoder"] = "context_encoder"
    """Its family."""
    form: Form = "centre"
    """`centre` paints the middle half of height and width, where the one hole must lie; `whole`
    paints any holes."""
    width: int = Field(default=64, ge=1)
    """Channels of the finest level; 8 times as many before the bottleneck."""
    halvings: int = Field(default=5, ge=2, le=8)
    """Down to the 4x4 px that become the bottleneck: 5 is for frames of 128x128 px."""
    bottleneck: int = Field(default=4000, ge=1)
    """Numbers that the whole frame must pass through (Yang et al. 2017: 4000)."""
    overlap: int = Field(default=4, ge=0)
    """Known pixels around a hole that are painted as well, px: losses.hole joins them."""

    residual: bool = False
    """Paint the difference to a smooth interpolation of what is known, instead of the picture
    (published: the picture)."""

    @property
    def widths(self) -> list[int]:
        """Channels after every halving: 64, 64, 128, 256, 512."""
        return widths_to(self.halvings, self.width)

    @property
    def trained_size(self) -> int:
        """Height and width of the smallest frame that needs no padding, px."""
        return COARSEST * 2**self.halvings


class ContextEncoder(nn.Module):
    """Halvings to one column of numbers, and doublings back: to half the size, or to all of it.

    Of frames larger than `trained_size` every 4x4 px of the coarsest level have such a column.
    """

    smallest = COARSEST

    def __init__(self, config: ContextEncoderConfig, channels_in: int, *, known: int) -> None:
        """Build the network.

        Args:
            config: its widths.
            channels_in: of a map; the encoder reads all of them but the mask.
            known: first channel of the control `known`: three colours, then the mask.
        """
        super().__init__()
        self.form, self.overlap, self._known = config.form, config.overlap, known
        self.residual = config.residual
        self.size_multiple = 2**config.halvings
        widths, deepest = config.widths, config.widths[-1]
        first = nn.Sequential(nn.Conv2d(channels_in - 1, widths[0], 4, stride=2, padding=1))
        halvings = [down(*pair) for pair in pairwise(widths)]
        self.encoder = nn.Sequential(first, nn.ELU(), *halvings)
        self.bottleneck = Segment(
            nn.Conv2d(deepest, config.bottleneck, COARSEST, bias=False),
            _SampleNorm(config.bottleneck),
            nn.ELU(),
            nn.ConvTranspose2d(config.bottleneck, deepest, COARSEST, bias=False),
            BatchNorm(deepest, statistics="running"),
            nn.ELU(),
        )
        back = widths[::-1] if config.form == "whole" else widths[:0:-1]
        self.decoder = nn.Sequential(*(_up(*pair) for pair in pairwise(back)))
        self.last = nn.ConvTranspose2d(back[-1], 3, 4, stride=2, padding=1)

    @property
    def stages(self) -> tuple[nn.Module, ...]:
        """The parts that can be trained apart: one."""
        return (self,)

    @property
    def readers(self) -> tuple[nn.Module, ...]:
        """The parts whose first convolution reads the whole map: none, for the mask is not read."""
        return ()

    def forward(self, maps: Tensor) -> Tensor:
        """Paint the holes of a frame, and what overlaps with them.

        Args:
            maps: 'b k h w', h and w divisible by `size_multiple`, at least `trained_size`.

        Returns:
            'b 3 h w' in [-1, 1], float32: the photograph where nothing is painted. In training a
            residual may leave the range.
        """
        at = self._known
        photograph, unknown = maps[:, at : at + 3].float(), maps[:, at + 3 : at + 4].float()
        seen = torch.cat([maps[:, : at + 3], maps[:, at + 4 :]], dim=1)
        painted = self.last(self.decoder(self.bottleneck(self.encoder(seen)))).float()
        if self.residual:
            smooth = fill_smoothly(photograph, unknown)
            smooth = cut_centre(smooth) if self.form == "centre" else smooth
            painted = in_range(smooth + painted, training=self.training)
        else:
            painted = torch.tanh(painted)
        if self.form == "whole":
            return torch.where(widen(unknown, self.overlap) > 0, painted, photograph)
        return lay_centre(painted, photograph)


class _SampleNorm(BatchNorm):
    """Batch norm of what may be one number a channel, which has no statistics of its own."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, statistics="running")

    def forward(self, input: Tensor) -> Tensor:
        """Normalise 'b c h w'; a single number a channel by the gathered statistics."""
        if input.numel() > input.shape[1]:
            return super().forward(input)
        mean, variance = self.running_mean, self.running_var
        return F.batch_norm(input, mean, variance, self.weight, self.bias, eps=self.eps)


def lay_centre(centre: Tensor, frame: Tensor) -> Tensor:
    """Lay 'b c h/2 w/2' over the middle of 'b c h w', and return what comes of it."""
    (height, width), (inner_height, inner_width) = frame.shape[-2:], centre.shape[-2:]
    top, left = (height - inner_height) // 2, (width - inner_width) // 2
    rows = torch.cat(
        [
            frame[..., top : top + inner_height, :left],
            centre,
            frame[..., top : top + inner_height, left + inner_width :],
        ],
        dim=-1,
    )
    return torch.cat([frame[..., :top, :], rows, frame[..., top + inner_height :, :]], dim=-2)


def cut_centre(frame: Tensor) -> Tensor:
    """Cut the middle half of height and width out of 'b c h w'."""
    height, width = frame.shape[-2:]
    top, left = height // 4, width // 4
    return frame[..., top : top + height // 2, left : left + width // 2]


def widen(unknown: Tensor, overlap: int) -> Tensor:
    """Let a mask 'b 1 h w' grow by `overlap` pixels on every side, corners filled."""
    return F.max_pool2d(unknown, 2 * overlap + 1, stride=1, padding=overlap)


def widths_to(halvings: int, width: int) -> list[int]:
    """List the channels after every halving: `width` at first, 8 times as many at the end."""
    late = max(0, halvings - 1 - DOUBLINGS)
    return [width * 2 ** max(0, index - late) for index in range(halvings)]


def down(channels_in: int, channels_out: int) -> Segment:
    """Build Conv 4x4 of stride 2, batch norm, ELU; beside batch norm a bias says nothing."""
    return Segment(
        nn.Conv2d(channels_in, channels_out, 4, stride=2, padding=1, bias=False),
        BatchNorm(channels_out, statistics="running"),
        nn.ELU(),
    )


def _up(channels_in: int, channels_out: int) -> Segment:
    """Build transposed Conv 4x4 of stride 2, batch norm, ELU."""
    return Segment(
        nn.ConvTranspose2d(channels_in, channels_out, 4, stride=2, padding=1, bias=False),
        BatchNorm(channels_out, statistics="running"),
        nn.ELU(),
    )
