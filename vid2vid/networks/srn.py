"""SRN: a small picture becomes a part of a large one.

After Wang et al. 2019, "Wide-Context Semantic Image Extrapolation". The feature expansion network
sees the known window alone, at its own size; the context prediction network sees the canvas: the
expanded features, the window where it lies, and the mask.
"""

import math
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor, nn

from vid2vid.networks.blocks import Head, Initial
from vid2vid.networks.context_norm import ContextNorm
from vid2vid.networks.crn import MapConv2d
from vid2vid.networks.interface import StillConfig
from vid2vid.networks.recompute import Segment
from vid2vid.networks.smooth import fill_smoothly
from vid2vid.networks.srn_expansion import Expander, Expansion, take, unfold_mirrored
from vid2vid.networks.srn_layers import LayerNorm, Layers

SHRINKING = 4  # of the window and of the canvas: two halvings each
DETAIL = 9  # px, what is finer: less looks embossed, more looks mirrored
KNOWN_CHANNELS = 4  # of the control: three colours and the mask


class SRNConfig(StillConfig):
    """Width of both networks, and how the features of the window become those of the canvas."""

    initial: ClassVar[Initial] = "xavier"
    enhancers: ClassVar[int] = 0
    features: ClassVar[int] = 0
    encoder: ClassVar[None] = None

    kind: Literal["srn"] = "srn"
    """Its family."""
    width: int = Field(default=64, ge=2)
    """Channels at full size; twice and four times as many at a half and a quarter of it."""
    ratio: tuple[float, float] = (2.0, 2.0)
    """How many times as high and as wide as the known window the canvas is; whole numbers for the
    expansions subpixel and deconvolution. Not used where expansion is `none`."""
    expansion: Expansion = "subpixel"
    """`subpixel` (the paper's), or what it is compared with: `deconvolution`, `bilinear` and
    `unfold` (mirrored), and `none`, whose first network sees the whole canvas, so that any mask
    will do; that is slower."""
    dilations: tuple[int, ...] = Field(default=(2, 4, 8, 16), min_length=1)
    """Distance of the features that the middle layers of both networks read, in pixels of a quarter
    of the size. Those as large as the window read nothing but zeros around it."""
    context_norm: float = Field(default=0.5, ge=0, le=1)
    """Share of context normalisation, rho of the paper: unknown features take on the statistics of
    the known ones; 0 = none."""

    norm: LayerNorm = "none"
    """Normalisation before every ELU: `none` (published), or `group`, with which short trainings at
    high learning rates are steady."""
    residual: bool = False
    """Paint what is to be added to a smooth continuation of the known pixels, how far that fades,
    and how much of the fine detail of the window, mirrored at its borders, is laid on it; not the
    picture (not published). The second network then sees that continuation in the place of unknown
    pixels. It begins as nearly a membrane; without, a small network that is trained for minutes
    does not come that far. Expansion `none` knows of no window, and lays no detail on."""

    @model_validator(mode="after")
    def _ratio_fits(self) -> "SRNConfig":
        if min(self.dilations) < 1:
            raise ValueError(f"dilations must be 1 or more; got {list(self.dilations)}")
        if min(self.ratio) < 1 or max(self.ratio) > 8:
            raise ValueError(f"ratio must be [height, width], each 1 to 8; got {list(self.ratio)}")
        is_whole = all(factor.is_integer() for factor in self.ratio)
        if self.expansion in ("subpixel", "deconvolution") and not is_whole:
            raise ValueError(
                f"ratio must be whole numbers for expansion {self.expansion!r}; got "
                f"{list(self.ratio)}: set expansion to bilinear or unfold, or round them"
            )
        return self

    def window(self, height: int, width: int) -> tuple[int, int]:
        """Return height and width of the known window in a canvas, px."""
        return round(height / self.ratio[0]), round(width / self.ratio[1])

    def check_canvas(self, height: int, width: int, window: tuple[int, int] | None) -> None:
        """Check that a known window fits a canvas.

        Args:
            height: of the canvas, px.
            width: likewise.
            window: height and width of what is known; None where it is no window.

        Raises:
            ValueError: if it has not the ratio, or cannot be halved twice.
        """
        if height % SHRINKING or width % SHRINKING:
            raise ValueError(
                f"height and width must be multiples of {SHRINKING} for an SRN; got "
                f"{width}x{height} (width x height): round them"
            )
        if self.expansion == "none":
            return
        if window is None:
            raise ValueError(
                f"an SRN with expansion {self.expansion!r} expands a known window; what is known "
                "is of another shape: set it to window, or generator.expansion to none"
            )
        if window != self.window(height, width):
            raise ValueError(
                f"the known window must be 1/{self.ratio[0]:g} as high and 1/{self.ratio[1]:g} as "
                f"wide as the canvas of {width}x{height} (width x height); it is "
                f"{window[1]}x{window[0]}: change it, or generator.ratio"
            )
        if window[0] % SHRINKING or window[1] % SHRINKING:
            raise ValueError(
                f"the known window must have multiples of {SHRINKING} for sides; it is "
                f"{window[1]}x{window[0]} (width x height): round it"
            )


def _expansion_body(config: SRNConfig) -> Segment:
    """Build the first network, up to the expansion: layers 1 to 15 of the released code."""
    width, make = config.width, Layers(config.norm, config.dilations)
    return Segment(
        *make.layer(3, width, kernel=5),
        *make.layer(width, 2 * width, stride=2),
        *make.layer(2 * width, 2 * width),
        *make.layer(2 * width, 4 * width, stride=2),
        *make.layer(4 * width, 4 * width),
        *make.layer(4 * width, 4 * width),
        *make.dilated(4 * width),
        *make.layer(4 * width, 4 * width),
        *make.layer(4 * width, 4 * width),
        *make.grow(4 * width, 2 * width),
        *make.layer(2 * width, 2 * width),
        *make.grow(2 * width, width),
    )


class ContextPrediction(nn.Module):
    """Paints the canvas; context normalisation stands at its bottleneck."""

    def __init__(self, config: SRNConfig, channels_in: int, *, known: int) -> None:
        super().__init__()
        width, make = config.width, Layers(config.norm, config.dilations)
        self._known = known if config.residual else None
        painted = 3
        if config.residual:
            painted += 1 if config.expansion == "none" else 2
        self.stem = MapConv2d(width, channels_in, width, kernel=5, bias=True)
        self.encode = Segment(
            *make.activate(width),
            *make.layer(width, width, stride=2),
            *make.layer(width, 2 * width),
            *make.layer(2 * width, 2 * width, stride=2),
            *make.layer(2 * width, 4 * width),
            *make.layer(4 * width, 4 * width),
            *make.dilated(4 * width),
            *make.layer(4 * width, 4 * width),
        )
        self.norm = ContextNorm(config.context_norm)
        self.decode = Segment(
            *make.layer(4 * width, 4 * width),
            *make.grow(4 * width, 2 * width),
            *make.layer(2 * width, 2 * width),
            *make.grow(2 * width, width),
            *make.layer(width, width // 2),
        )
        self.head = Head(width // 2, painted, kernel=3, padding="zeros")

    def forward(
        self, expanded: Tensor, maps: Tensor, mask: Tensor, *, detail: Tensor | None = None
    ) -> Tensor:
        """Paint.

        Args:
            expanded: 'b c h w', features of the canvas.
            maps: 'b k h w', the known picture and the mask among them.
            mask: 'b 1 h w', 1 = unknown.
            detail: 'b 3 h w', of the mirrored window; only what paints a residual lays it on.

        Returns:
            'b 3 h w' in [-1, 1], float32.
        """
        if self._known is None:
            return self._paint(expanded, maps, mask).clamp(-1, 1)
        before, photograph, after = maps.tensor_split([self._known, self._known + 3], dim=1)
        smooth = fill_smoothly(photograph.float(), mask.float())
        seen = torch.cat([before, smooth.to(maps.dtype), after], dim=1)
        added, shares = self._paint(expanded, seen, mask).tensor_split([3], dim=1)
        painted = smooth * (1 - shares[:, :1]) + added
        if detail is not None:
            painted = painted + shares[:, 1:] * detail.float()
        return painted.clamp(-1, 1)

    def _paint(self, expanded: Tensor, maps: Tensor, mask: Tensor) -> Tensor:
        """Compute what the head makes of everything, 'b k h w', k its channels."""
        features = self.encode(self.stem(torch.cat([expanded, maps], dim=1)))
        return self.head(self.decode(self.norm(features, mask)))

    @torch.no_grad()
    def settle(self) -> None:
        """Begin as the smooth continuation, where it is added to; freshly drawn weights do not."""
        if self._known is not None:
            for parameter in self.head.parameters():
                parameter.zero_()


class SRN(nn.Module):
    """Both networks. The window is where the mask says; its size follows from the ratio."""

    smallest = 1

    def __init__(self, config: SRNConfig, channels_in: int, *, known: int) -> None:
        """Build both.

        Args:
            config: of the family.
            channels_in: channels k of one map.
            known: channel of the map with which the control `known` begins.
        """
        super().__init__()
        factors = [max(1, round(factor)) for factor in config.ratio]
        self.size_multiple = SHRINKING * math.lcm(*factors)
        self.config = config
        self._known = known
        self.body = _expansion_body(config)
        self.expander = Expander(config.width, kind=config.expansion, factors=config.ratio)
        self.context = ContextPrediction(config, channels_in, known=known)

    @property
    def stages(self) -> tuple[nn.Module, ...]:
        """The parts that can be trained apart: one."""
        return (self,)

    @property
    def readers(self) -> tuple[nn.Module, ...]:
        """The parts whose first convolution reads the map: the second network."""
        return (self.context,)

    def settle(self) -> None:
        """Put right what freshly drawn weights do not; see `ContextPrediction`."""
        self.context.settle()

    def forward(self, maps: Tensor) -> Tensor:
        """Map 'b k h w' to a prediction of the whole canvas, 'b 3 h w' in [-1, 1].

        Sizes divide by `size_multiple`; see `SRNConfig.check_canvas` for the known window.
        """
        pictures = maps[:, self._known : self._known + 3]
        mask = maps[:, self._known + 3 : self._known + KNOWN_CHANNELS]
        detail = self._mirror_detail(pictures, mask) if self.config.residual else None
        return self.context(self.expand(pictures, mask), maps, mask, detail=detail)

    def expand(self, pictures: Tensor, mask: Tensor) -> Tensor:
        """Make the features of the canvas.

        Args:
            pictures: 'b 3 h w', blanked where they are unknown.
            mask: 'b 1 h w', 1 = unknown.

        Returns:
            'b c h w', c = `width`.
        """
        window, top, left = pictures, *_corner(mask)
        if self.config.expansion != "none":
            window, top, left = self._cut(pictures, mask)
        size = (pictures.shape[2], pictures.shape[3])
        return self.expander(self.body(window), top, left, size=size)

    def _mirror_detail(self, pictures: Tensor, mask: Tensor) -> Tensor | None:
        """Continue what is finer than a few pixels as in mirrors; None where there is no window."""
        if self.config.expansion == "none":
            return None
        window, top, left = self._cut(pictures, mask)
        around = F.pad(window, (DETAIL // 2,) * 4, mode="replicate")
        detail = window - F.avg_pool2d(around, DETAIL, stride=1)
        return unfold_mirrored(detail, top, left, (pictures.shape[2], pictures.shape[3]))

    def _cut(self, pictures: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Cut the known windows out: 'b c h w', and where the first row and column of each lie."""
        size = (pictures.shape[2], pictures.shape[3])
        height, width = self.config.window(*size)
        top, left = _corner(mask)
        top, left = top.clamp(max=size[0] - height), left.clamp(max=size[1] - width)
        rows = top[:, None] + torch.arange(height, device=mask.device)
        columns = left[:, None] + torch.arange(width, device=mask.device)
        return take(pictures, rows, columns), top, left


def _corner(mask: Tensor) -> tuple[Tensor, Tensor]:
    """Find row and column of the first known pixel of each sample: 'b' each."""
    known = mask[:, 0] < 0.5
    return known.any(dim=2).int().argmax(dim=1), known.any(dim=1).int().argmax(dim=1)
