"""The configuration of the sequential generator, and its network of the coarsest scale."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field, model_validator
from torch import Tensor, nn

from vid2vid.networks.beside import BesideConfig
from vid2vid.networks.blocks import (
    Head,
    Norm,
    Style,
    Upsampling,
    decoder,
    doubled,
    encoder,
    residual_blocks,
)
from vid2vid.networks.interface import FLOW_SCALE
from vid2vid.networks.outputs import ScaleFeatures

DEEPEST_WIDE_FOREGROUND = 2  # halvings; official: deeper networks have half as wide a foreground


class GeneratorConfig(BesideConfig):
    """Widths, depths and branches of the sequential generator."""

    enhancers: ClassVar[int] = 0
    features: ClassVar[int] = 0
    encoder: ClassVar[None] = None

    kind: Literal["sequential"] = "sequential"
    """Its family; the still-image ones are `pix2pix_unet`, `pix2pix_resnet` and `pix2pixhd`."""
    width: int = Field(default=128, ge=1)
    """Channels after the stem of the coarse generator; refiner s has width / 2^s."""
    downsamplings: int = Field(default=3, ge=1, le=6)
    """Halvings inside the coarse generator."""
    blocks: int = Field(default=9, ge=1)
    """Residual blocks of the coarse generator, the larger half before the fusion."""
    stem_stride: Literal[1, 2, 4] = 1
    """1 is official. With 2 all features are half as large, which costs about a quarter, and the
    decoders double once more, to half the width; with 4 once more again. Not with refiners."""
    skips: bool = False
    """Add the label encoder's features to those of the same size in the decoders, so that thin
    things stay in place."""
    refiners: int = Field(default=0, ge=0, le=4)
    """Finer scales on top of the coarse generator, each doubling height and width."""
    refiner_blocks: int = Field(default=3, ge=0)
    """Residual blocks of each refiner."""
    history: int = Field(default=2, ge=1)
    """Past frames that the generator sees; its window of conditioning is one longer."""
    norm: Norm = "instance"
    """`instance` (per sample, affine), `group`, or `none`."""
    spectral: bool = False
    """Spectral normalisation of every convolution but the heads'."""
    upsampling: Upsampling = "transposed"
    """`transposed` convolution (official), or `resize` and convolve (no checkerboard)."""
    flow: bool = True
    """Predict flow and occlusion; false leaves a frame-by-frame hallucination."""
    flow_scale: float = Field(default=FLOW_SCALE, gt=0)
    """Pixels of flow for a network output of 1, at the coarsest scale."""
    warp: Literal["bilinear", "bicubic"] = "bilinear"
    """How the previous frame is fetched; `bicubic` loses less sharpness over a long rollout."""
    detail_px: float = Field(default=0.0, ge=0, le=8)
    """Finer than this, a frame takes detail from the warped or the hallucinated frame instead of
    mixing the two (standard deviation in pixels of each scale), so that a long rollout stays sharp;
    0 mixes all of it (official)."""

    @model_validator(mode="after")
    def _stem_fits(self) -> "GeneratorConfig":
        if self.refiners and self.stem_stride > 1:
            raise ValueError(
                "stem_stride must be 1 with refiners, which add to features of whole size; got "
                f"{self.stem_stride} with {self.refiners} refiners"
            )
        if self.stem_stride > 1 and self.width % (2 * self.stem_stride):
            raise ValueError(
                f"width must be divisible by {2 * self.stem_stride} with stem_stride "
                f"{self.stem_stride}; got {self.width}"
            )
        return self

    @model_validator(mode="after")
    def _widths_divide(self) -> "GeneratorConfig":
        if self.width % 2**self.refiners:
            raise ValueError(
                f"width must be divisible by {2**self.refiners} with {self.refiners} refiners; got "
                f"{self.width}"
            )
        return self

    @property
    def has_narrow_foreground(self) -> bool:
        """Whether the foreground model is half as wide as the rest (official, of deep networks)."""
        return self.downsamplings > DEEPEST_WIDE_FOREGROUND

    def check_foreground(self) -> None:
        """Refuse a width that a foreground model of half of it cannot begin with.

        Raises:
            ValueError: saying what it must be divisible by.
        """
        # Without refiners nothing is laid onto the foreground's features: half of 5 may be 2.
        rest = self.width % 2 ** (self.refiners + 1) if self.refiners else self.width == 1
        if self.has_narrow_foreground and rest:
            raise ValueError(
                f"generator.width must be divisible by {2 ** (self.refiners + 1)} with "
                f"{self.refiners} refiners and a foreground model, which is half as wide with more "
                f"than {DEEPEST_WIDE_FOREGROUND} downsamplings; got {self.width}: change it, or "
                "set labels.foreground to []"
            )


class CoarseGenerator(nn.Module):
    """The generator of the coarsest scale (official name: G0)."""

    def __init__(
        self, config: GeneratorConfig, *, window_channels: int, foreground: tuple[int, ...]
    ) -> None:
        super().__init__()
        style = Style(config.norm, config.spectral, config.upsampling)
        width, depth = config.width, config.downsamplings
        widths = doubled(width, depth)
        blocks_before = config.blocks - config.blocks // 2
        blocks_after = config.blocks // 2
        bottleneck = widths[-1]
        self.foreground_channels = foreground
        stride = config.stem_stride
        painted = [*_finer(width, stride), *widths]
        self.label_encoder = nn.Sequential(
            *encoder(window_channels, widths, style, stride=stride),
            *residual_blocks(bottleneck, blocks_before, style),
        )
        self.frame_encoder = nn.Sequential(
            *encoder(3 * config.history, widths, style, stride=stride),
            *residual_blocks(bottleneck, blocks_before, style),
        )
        self.image_branch = nn.Sequential(
            *residual_blocks(bottleneck, blocks_after, style), *decoder(painted, style)
        )
        self.image_head = Head(painted[0], 3)
        if config.flow:
            self.flow_branch = nn.Sequential(
                *residual_blocks(bottleneck, blocks_after, style), *decoder(painted, style)
            )
            self.flow_head = Head(painted[0], 2)
            self.occlusion_head = Head(painted[0], 1)
        if foreground:
            narrow = width // 2 if config.has_narrow_foreground else width
            narrow_widths, finer = doubled(narrow, depth), _finer(narrow, stride)
            self.foreground_branch = nn.Sequential(
                *encoder(window_channels, narrow_widths, style, stride=stride),
                *residual_blocks(narrow_widths[-1], config.blocks, style),
                *decoder([*finer, *narrow_widths], style),
            )
            self.foreground_head = Head([*finer, narrow][0], 3)
        self.has_flow = config.flow
        self.skipped = depth if config.skips else 0

    @property
    def readers(self) -> list[nn.Module]:
        """The parts whose first convolution reads the window."""
        return [self.label_encoder, *([self.foreground_branch] if self.foreground_channels else [])]

    def forward(self, window: Tensor, past: Tensor) -> ScaleFeatures:
        """Encode the window and the past, and decode every branch up to its feature.

        Args:
            window: 'b (t k) h w', conditioning maps, oldest first.
            past: 'b (l 3) h w', past frames, oldest first, [-1, 1].
        """
        levels, labels = _encode(self.label_encoder, window, self.skipped)
        encoded = labels + self.frame_encoder(past)
        return ScaleFeatures(
            image=_decode(self.image_branch, encoded, levels),
            flow=_decode(self.flow_branch, encoded, levels) if self.has_flow else None,
            foreground=self.foreground_branch(window) if self.foreground_channels else None,
        )


def _finer(width: int, stride: int) -> list[int]:
    """List the channels of the sizes above that of a stem of a stride, finest first."""
    return [width // factor for factor in (4, 2) if factor <= stride]


def _encode(layers: nn.Sequential, maps: Tensor, kept: int) -> tuple[list[Tensor], Tensor]:
    """Return the features of the first `kept` layers, finest first, and those of the last."""
    levels: list[Tensor] = []
    for layer in layers:
        maps = layer(maps)
        if len(levels) < kept:
            levels.append(maps)
    return levels, maps


def _decode(layers: nn.Sequential, features: Tensor, levels: Sequence[Tensor]) -> Tensor:
    """Run a branch, and add to the features that it makes those of the same size."""
    waiting = list(levels)
    for layer in layers:
        features = layer(features)
        if waiting and features.shape[-2:] == waiting[-1].shape[-2:]:
            features = features + waiting.pop()
    return features
