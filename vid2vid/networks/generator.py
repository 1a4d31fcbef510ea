"""The sequential generator: one frame from a window of conditioning and the frames before it.

After Wang et al. 2018 (vid2vid). Per scale: a hallucinated frame h, a flow w from the current frame
to the previous one, an occlusion m, and where asked for a foreground painted without flow. The
composed frame is m * h + (1 - m) * warp(previous, w) (equation 4), the foreground laid on top.
"""

from collections.abc import Sequence
from typing import cast

import torch
from einops import rearrange
from torch import Tensor, nn

from flow.warp import compose, warp
from vid2vid.networks.blending import blend
from vid2vid.networks.blocks import Style, initialise
from vid2vid.networks.coarse import CoarseGenerator, GeneratorConfig
from vid2vid.networks.interface import Generator
from vid2vid.networks.outputs import GeneratorOutput, ScaleFeatures, ScaleOutput
from vid2vid.networks.pyramid import pyramid
from vid2vid.networks.refiner import Refiner

Stage = CoarseGenerator | Refiner


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
            conditioning_channels: channels k of one map, with what stands beside it.
            foreground: channels of the conditioning map whose pixels the foreground model paints.

        Raises:
            ValueError: if the width is none that a foreground model can halve.
        """
        super().__init__()
        if foreground:
            config.check_foreground()
        self.config = config
        self.conditioning_channels = conditioning_channels
        self.noise, self.noise_form = config.noise, config.noise_form
        self.position = config.position
        self.history = config.history
        self.has_flow = config.flow
        self.flow_scale = config.flow_scale
        self.detail_px = config.detail_px  # rendering may change it, see `blend`
        self.foreground = foreground
        window_channels = (config.history + 1) * conditioning_channels
        self.coarse = CoarseGenerator(
            config, window_channels=window_channels, foreground=foreground
        )
        self.refiners = nn.ModuleList(
            _make_refiner(config, scale, window_channels, has_foreground=bool(foreground))
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

    @property
    def readers(self) -> Sequence[nn.Module]:
        """The parts whose first convolution reads the window, coarsest first."""
        return [part for stage in self.stages for part in cast("Stage", stage).readers]

    def size_multiple(self, scales: int) -> int:
        """Return what height and width must be divisible by when `scales` scales run."""
        return self.config.stem_stride * 2 ** (self.config.downsamplings + scales - 1)

    def initialise(self, seed: int) -> None:
        """Draw every weight anew from `seed`; each scale has a stream of its own."""
        initialise(self.coarse, seed)
        for index, refiner in enumerate(self.refiners):
            initialise(refiner, seed + index + 1)

    def forward(
        self, window: Tensor, pasts: Sequence[Tensor], *, is_first: bool = False
    ) -> tuple[GeneratorOutput, ...]:
        """Generate one frame at every scale for which there is a past; see `Generator`."""
        levels = pyramid(rearrange(window, "b t k h w -> b (t k) h w"), len(pasts))
        outputs: list[GeneratorOutput] = []
        coarser: ScaleFeatures | None = None
        network: Stage
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
        network: Stage,
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
            warped = warp(previous, flow, interpolation=self.config.warp)
            if self.config.warp == "bicubic":
                # It overshoots, and a rollout would feed it its own overshoot.
                warped = warped.clamp(-1, 1)
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
                detail_px=self.detail_px,
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


def _make_refiner(
    config: GeneratorConfig, scale: int, window_channels: int, *, has_foreground: bool
) -> Refiner:
    """Make the network of a finer scale, counted from 1."""
    return Refiner(
        window_channels=window_channels,
        history=config.history,
        width=config.width // 2**scale,
        foreground_width=config.width // 2 ** (scale + config.has_narrow_foreground),
        blocks=config.refiner_blocks,
        style=Style(config.norm, config.spectral, config.upsampling),
        has_flow=config.flow,
        has_foreground=has_foreground,
    )
