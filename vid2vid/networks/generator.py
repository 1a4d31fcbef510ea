"""The sequential generator: one frame from a window of conditioning and the frames before it.

After Wang et al. 2018 (vid2vid). Per scale: a hallucinated frame h, a flow w from the current frame
to the previous one, an occlusion m, and where asked for a foreground painted without flow. The
composed frame is m * h + (1 - m) * warp(previous, w) (equation 4), the foreground laid on top.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal, cast

import torch
from einops import rearrange
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn

from flow.warp import compose, warp
from vid2vid.networks.blending import blend
from vid2vid.networks.blocks import (
    Head,
    Norm,
    Style,
    Upsampling,
    decoder,
    doubled,
    encoder,
    initialise,
    residual_blocks,
)
from vid2vid.networks.interface import FLOW_SCALE, Generator
from vid2vid.networks.outputs import GeneratorOutput, ScaleFeatures, ScaleOutput
from vid2vid.networks.pyramid import pyramid
from vid2vid.networks.refiner import Refiner


class GeneratorConfig(BaseModel):
    """Widths, depths and branches of the sequential generator."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

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
    def _widths_divide(self) -> "GeneratorConfig":
        if self.width % 2 ** (self.refiners + 1):
            raise ValueError(
                f"width must be divisible by {2 ** (self.refiners + 1)} with {self.refiners} "
                f"refiners; got {self.width}"
            )
        return self


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
        self.label_encoder = nn.Sequential(
            *encoder(window_channels, widths, style),
            *residual_blocks(bottleneck, blocks_before, style),
        )
        self.frame_encoder = nn.Sequential(
            *encoder(3 * config.history, widths, style),
            *residual_blocks(bottleneck, blocks_before, style),
        )
        self.image_branch = nn.Sequential(
            *residual_blocks(bottleneck, blocks_after, style), *decoder(widths, style)
        )
        self.image_head = Head(width, 3)
        if config.flow:
            self.flow_branch = nn.Sequential(
                *residual_blocks(bottleneck, blocks_after, style), *decoder(widths, style)
            )
            self.flow_head = Head(width, 2)
            self.occlusion_head = Head(width, 1)
        if foreground:
            narrow = width // 2 if depth > 2 else width
            narrow_widths = doubled(narrow, depth)
            self.foreground_branch = nn.Sequential(
                *encoder(window_channels, narrow_widths, style),
                *residual_blocks(narrow_widths[-1], config.blocks, style),
                *decoder(narrow_widths, style),
            )
            self.foreground_head = Head(narrow, 3)
        self.has_flow = config.flow

    def forward(self, window: Tensor, past: Tensor) -> ScaleFeatures:
        """Encode the window and the past, and decode every branch up to its feature.

        Args:
            window: 'b (t k) h w', conditioning maps, oldest first.
            past: 'b (l 3) h w', past frames, oldest first, [-1, 1].
        """
        encoded = self.label_encoder(window) + self.frame_encoder(past)
        return ScaleFeatures(
            image=self.image_branch(encoded),
            flow=self.flow_branch(encoded) if self.has_flow else None,
            foreground=self.foreground_branch(window) if self.foreground_channels else None,
        )


class SequentialGenerator(Generator):
    """The coarse generator and any number of refiners, from coarse to fine."""

    def __init__(
        self,
        config: GeneratorConfig,
        *,
        conditioning_channels: int,
        foreground: tuple[int, ...] = (),
    ) -> None:
        """Build the networks of every scale.

        Args:
            config: widths, depths and branches.
            conditioning_channels: channels k of one conditioning map.
            foreground: channels of the conditioning map whose pixels the foreground model paints.
        """
        super().__init__()
        self.config = config
        self.conditioning_channels = conditioning_channels
        self.history = config.history
        self.has_flow = config.flow
        self.flow_scale = config.flow_scale
        self.foreground = foreground
        window_channels = (config.history + 1) * conditioning_channels
        self.coarse = CoarseGenerator(
            config, window_channels=window_channels, foreground=foreground
        )
        self.refiners = nn.ModuleList(
            Refiner(
                window_channels=window_channels,
                history=config.history,
                width=config.width // 2**scale,
                foreground_width=config.width // 2**scale // (2 if config.downsamplings > 2 else 1),
                blocks=config.refiner_blocks,
                style=Style(config.norm, config.spectral, config.upsampling),
                has_flow=config.flow,
                has_foreground=bool(foreground),
            )
            for scale in range(1, config.refiners + 1)
        )

    @property
    def scales(self) -> int:
        """Number of spatial scales, the coarse one included."""
        return 1 + len(self.refiners)

    @property
    def stages(self) -> Sequence[nn.Module]:
        """The networks of all scales, coarsest first."""
        return (self.coarse, *self.refiners)

    def size_multiple(self, scales: int) -> int:
        """Return what height and width must be divisible by when `scales` scales run."""
        return 2 ** (self.config.downsamplings + scales - 1)

    def initialise(self, seed: int) -> None:
        """Draw every weight anew from `seed`; each scale has a stream of its own."""
        initialise(self.coarse, seed)
        for index, refiner in enumerate(self.refiners):
            initialise(refiner, seed + index + 1)

    def forward(
        self, window: Tensor, pasts: Sequence[Tensor], *, is_first: bool = False
    ) -> tuple[GeneratorOutput, ...]:
        """Generate one frame at every scale for which there is a past.

        Args:
            window: 'b t k h w', the conditioning of the current frame and the `history` before
                it, oldest first, at the finest scale that runs.
            pasts: one 'b l 3 h w' per scale, coarsest first: the frames that this scale generated
                before, oldest first, [-1, 1].
            is_first: the past is empty (zeros): take the hallucinated frame alone.

        Returns:
            One output per scale, coarsest first. Sizes must be divisible by `size_multiple`.
        """
        levels = pyramid(rearrange(window, "b t k h w -> b (t k) h w"), len(pasts))
        outputs: list[GeneratorOutput] = []
        coarser: ScaleFeatures | None = None
        network: CoarseGenerator | Refiner
        features: ScaleFeatures
        for scale, (maps, past) in enumerate(zip(levels, pasts, strict=True)):
            frames = rearrange(past, "b l c h w -> b (l c) h w")
            if coarser is None:
                network = self.coarse
                features = network(maps, frames)
            else:
                network = cast("Refiner", self.refiners[scale - 1])
                features = network(maps, frames, coarser)
            coarser = features
            current = maps[:, -self.conditioning_channels :]
            painted = self._paint(network, features, previous=past[:, -1], scale=scale)
            outputs.append(self._compose(painted, current, past[:, -1], is_first=is_first))
        return tuple(outputs)

    def _paint(
        self,
        network: CoarseGenerator | Refiner,
        features: ScaleFeatures,
        *,
        previous: Tensor,
        scale: int,
    ) -> ScaleOutput:
        """Turn the features of one scale into pictures, flow and occlusion."""
        flow = occlusion = warped = foreground = None
        hallucinated = torch.tanh(network.image_head(features.image))
        if features.flow is not None:
            flow = network.flow_head(features.flow) * (self.config.flow_scale * 2**scale)
            occlusion = torch.sigmoid(network.occlusion_head(features.flow))
            # Bicubic interpolation overshoots, and a rollout would feed it its own overshoot.
            warped = warp(previous, flow, interpolation=self.config.warp).clamp(-1, 1)
        if features.foreground is not None:
            foreground = torch.tanh(network.foreground_head(features.foreground))
        return ScaleOutput(hallucinated, warped, flow, occlusion, foreground)

    def _compose(
        self, painted: ScaleOutput, current: Tensor, previous: Tensor, *, is_first: bool
    ) -> GeneratorOutput:
        """Blend the parts of one scale (equation 4) and lay the foreground on top."""
        frame = hallucinated = painted.hallucinated
        if painted.warped is not None and painted.occlusion is not None and not is_first:
            frame = blend(
                hallucinated,
                painted.warped,
                painted.occlusion,
                detail_px=self.config.detail_px,
            )
        mask = None
        if painted.foreground is not None:
            mask = current[:, list(self.foreground)].sum(1, keepdim=True).clamp(0, 1)
            frame = compose(painted.foreground, frame, mask)
            hallucinated = compose(painted.foreground, hallucinated, mask)
        return GeneratorOutput(
            frame=frame,
            hallucinated=hallucinated,
            warped=painted.warped,
            flow=painted.flow,
            occlusion=painted.occlusion,
            foreground=painted.foreground,
            foreground_mask=mask,
            previous=previous,
        )
