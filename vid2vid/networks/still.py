"""A still-image network as a generator: the single-image case of the one engine."""

from collections.abc import Sequence

import torch
from einops import rearrange
from torch import Tensor, nn

from vid2vid.colour import from_lab
from vid2vid.networks.blocks import initialise
from vid2vid.networks.context_encoder import ContextEncoder, ContextEncoderConfig
from vid2vid.networks.crn import CascadedRefinement, CRNConfig, PaintedConfig
from vid2vid.networks.crn_baselines import (
    EncoderDecoder,
    EncoderDecoderConfig,
    FullResolution,
    FullResolutionConfig,
)
from vid2vid.networks.dropout import Dropout
from vid2vid.networks.feature_encoder import FeatureEncoder, instance_mean
from vid2vid.networks.fusion import (
    BaseConfig,
    BaseNetwork,
    FusionConfig,
    FusionGenerator,
    seen_channels,
)
from vid2vid.networks.interface import Generator, RenderDropout
from vid2vid.networks.outputs import GeneratorOutput
from vid2vid.networks.pix2pix import (
    Pix2PixConfig,
    ResNetConfig,
    ResNetGenerator,
    UNet,
    UNetConfig,
)
from vid2vid.networks.pix2pixhd import GlobalGenerator, LocalEnhancer, Pix2PixHDConfig
from vid2vid.networks.srn import SRN, SRNConfig

StillNetwork = (
    UNet
    | ResNetGenerator
    | GlobalGenerator
    | LocalEnhancer
    | CascadedRefinement
    | EncoderDecoder
    | FullResolution
    | FusionGenerator
    | ContextEncoder
    | SRN
)
StillNetworkConfig = (
    UNetConfig
    | ResNetConfig
    | Pix2PixHDConfig
    | CRNConfig
    | EncoderDecoderConfig
    | FullResolutionConfig
    | FusionConfig
    | ContextEncoderConfig
    | SRNConfig
)

FRAME_STRIDE = 1_000  # seeds between two frames: more than any network has dropout layers
ENCODER_STREAM = 50  # of the seed of the weights, beside the stages'


class StillGenerator(Generator):
    """Paints every frame from its own conditioning map, and remembers none."""

    def __init__(
        self,
        config: StillNetworkConfig,
        *,
        conditioning_channels: int,
        passes: Sequence[Sequence[int]] = (),
        lightness: int | None = None,
        known: int | None = None,
    ) -> None:
        """Build the network, and the feature encoder where the configuration has one.

        Args:
            config: of one of the families.
            conditioning_channels: channels k of one map, with features and what stands beside it.
            passes: of a fusion, the channels of the pictures that each pass sees.
            lightness: channel of the map that holds it, where colours alone are painted.
            known: first channel of the map that holds what is known of the frame and, after its
                colours, the mask; None where whole frames are painted.
        """
        super().__init__()
        self.config = config
        self.conditioning_channels = conditioning_channels
        self.noise, self.noise_form = config.noise, config.noise_form
        self.position = config.position
        self.network = _build(config, conditioning_channels, passes, known=known)
        base = config.base if isinstance(config, FusionConfig) else config
        self._render_dropout: RenderDropout | None = None  # None = never, in training neither
        if isinstance(base, Pix2PixConfig):
            self._render_dropout = base.render_dropout
        self.smallest = self.network.smallest
        self._lightness, self._known = lightness, known
        self.encoder: FeatureEncoder | None = None
        if isinstance(config, Pix2PixHDConfig):
            self.features = config.features
            self.pooling = config.pooling if config.features else None
            if config.features and config.encoder is not None:
                self.encoder = FeatureEncoder(config.encoder, config.features)
        if isinstance(config, PaintedConfig):
            self.variants = config.outputs
        self._dropouts = [layer for layer in self.modules() if isinstance(layer, Dropout)]
        self._num_drawn = 0  # frames, since `reseed`
        self.holds_dropout = False
        """Whether all frames share what dropout draws, whatever the configuration says."""

    @property
    def is_random(self) -> bool:
        """Whether what it renders depends on a seed: by noise, dropout, or drawn styles."""
        drops = self._render_dropout not in (None, "off") and bool(self._dropouts)
        return super().is_random or drops

    @property
    def stages(self) -> Sequence[nn.Module]:
        """The parts that can be trained apart, coarsest first."""
        return self.network.stages

    @property
    def readers(self) -> Sequence[nn.Module]:
        """The parts whose first convolution reads the map, coarsest first."""
        return self.network.readers

    def size_multiple(self, scales: int) -> int:
        """Return what height and width must be divisible by; there is one scale."""
        del scales
        return self.network.size_multiple

    def initialise(self, seed: int) -> None:
        """Draw every weight anew from `seed`; each stage has a stream of its own."""
        for index, stage in enumerate(self.stages):
            initialise(stage, seed + index, initial=self.config.initial)
        if isinstance(self.network, SRN):
            self.network.settle()
        if self.encoder is not None:
            initialise(self.encoder, seed + ENCODER_STREAM)

    def reseed(self, seed: int) -> None:
        """Begin again what is drawn: the same seed and frames drop the same features."""
        super().reseed(seed)
        self._num_drawn = 0

    def encode(self, photo: Tensor, regions: Tensor) -> Tensor:
        """Make the style features of a photo; see `Generator`."""
        if self.encoder is None:
            return super().encode(photo, regions)
        return instance_mean(self.encoder(photo), regions)

    def forward(
        self, window: Tensor, pasts: Sequence[Tensor], *, is_first: bool = False
    ) -> tuple[GeneratorOutput]:
        """Paint one frame.

        Args:
            window: 'b 1 k h w', the conditioning of the frame.
            pasts: empty of frames.
            is_first: makes no difference.

        Returns:
            The one output; everything of motion is None. Sizes must divide by `size_multiple`.
        """
        del pasts, is_first
        self._seed_dropout()
        maps = window[:, -1]
        pictures, variants, lab = self.network(maps), None, None
        if (known := self._known) is not None:
            photograph, mask = maps[:, known : known + 4].split([3, 1], dim=1)
            frame = torch.where(mask > 0, pictures, photograph)
            return (GeneratorOutput(frame=frame, hallucinated=pictures, mask=mask),)
        if (light := self._lightness) is not None:
            lab = torch.cat([maps[:, light : light + 1], pictures], dim=1)
            pictures = from_lab(lab)
        if self.variants > 1:
            variants = rearrange(pictures, "b (c k) h w -> b k c h w", k=self.variants)
            pictures = variants[:, self.variant]
        return (GeneratorOutput(frame=pictures, hallucinated=pictures, variants=variants, lab=lab),)

    def _seed_dropout(self) -> None:
        """Settle what this frame's dropout draws, in training and in rendering."""
        dropping: RenderDropout = "off"
        if self._render_dropout is not None:
            dropping = "each_frame" if self.training else self._render_dropout
        if self.holds_dropout and dropping == "each_frame":
            dropping = "fixed"
        first = self._seed + (FRAME_STRIDE * self._num_drawn if dropping == "each_frame" else 0)
        for index, layer in enumerate(self._dropouts):
            layer.seed = None if dropping == "off" else first + index
        self._num_drawn += 1


def hold_dropout(generator: Generator, *, hold: bool) -> None:
    """Let the frames of a video share what dropout draws, or pictures draw as is configured."""
    if isinstance(generator, StillGenerator):
        generator.holds_dropout = hold


def _build(
    config: StillNetworkConfig,
    channels_in: int,
    passes: Sequence[Sequence[int]],
    *,
    known: int | None,
) -> StillNetwork:
    """Make the network of a configuration.

    Raises:
        ValueError: if it fills what is unknown, and maps do not say what is known.
    """
    if isinstance(config, ContextEncoderConfig | SRNConfig):
        if known is None:
            raise ValueError(f"a generator of kind {config.kind!r} needs a control known; got none")
        if isinstance(config, SRNConfig):
            return SRN(config, channels_in, known=known)
        return ContextEncoder(config, channels_in, known=known)
    if isinstance(config, FusionConfig):
        return FusionGenerator(
            config, _build_base(config.base, channels_in), seen_channels(passes, channels_in)
        )
    if isinstance(config, CRNConfig):
        return CascadedRefinement(config, channels_in)
    if isinstance(config, EncoderDecoderConfig):
        return EncoderDecoder(config, channels_in)
    if isinstance(config, FullResolutionConfig):
        return FullResolution(config, channels_in)
    return _build_base(config, channels_in)


def _build_base(config: BaseConfig, channels_in: int) -> BaseNetwork:
    """Make a network that can be the base of a fusion, too."""
    if isinstance(config, UNetConfig):
        return UNet(config, channels_in)
    if isinstance(config, ResNetConfig):
        return ResNetGenerator(config, channels_in)
    if config.enhancers:
        return LocalEnhancer(config, channels_in)
    return GlobalGenerator(config, channels_in)
