"""A still-image network as a generator: the single-image case of the one engine."""

from collections.abc import Sequence

from torch import Tensor, nn

from vid2vid.networks.blocks import initialise
from vid2vid.networks.dropout import Dropout
from vid2vid.networks.feature_encoder import FeatureEncoder, instance_mean
from vid2vid.networks.interface import Generator, RenderDropout
from vid2vid.networks.outputs import GeneratorOutput
from vid2vid.networks.pix2pix import ResNetConfig, ResNetGenerator, UNet, UNetConfig
from vid2vid.networks.pix2pixhd import GlobalGenerator, LocalEnhancer, Pix2PixHDConfig

StillNetwork = UNet | ResNetGenerator | GlobalGenerator | LocalEnhancer
StillNetworkConfig = UNetConfig | ResNetConfig | Pix2PixHDConfig

FRAME_STRIDE = 1_000  # seeds between two frames: more than any network has dropout layers
ENCODER_STREAM = 50  # of the seed of the weights, beside the stages'


class StillGenerator(Generator):
    """Paints every frame from its own conditioning map, and remembers none."""

    def __init__(self, config: StillNetworkConfig, *, conditioning_channels: int) -> None:
        """Build the network, and the feature encoder where the configuration has one.

        Args:
            config: of one of the families.
            conditioning_channels: channels k of one conditioning map, features included.
        """
        super().__init__()
        self.config = config
        self.conditioning_channels = conditioning_channels
        self.network = _build(config, conditioning_channels)
        self.smallest = self.network.smallest
        self.encoder: FeatureEncoder | None = None
        if isinstance(config, Pix2PixHDConfig):
            self.features = config.features
            self.pooling = config.pooling if config.features else None
            if config.features and config.encoder is not None:
                self.encoder = FeatureEncoder(config.encoder, config.features)
        self._dropouts = [layer for layer in self.modules() if isinstance(layer, Dropout)]
        self._seed = self._num_drawn = 0

    @property
    def is_random(self) -> bool:
        """Whether what it renders depends on a seed: by dropout, or by styles that are drawn."""
        if isinstance(self.config, Pix2PixHDConfig):
            return self.features > 0
        return self.config.render_dropout != "off" and bool(self._dropouts)

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
            initialise(stage, seed + index)
        if self.encoder is not None:
            initialise(self.encoder, seed + ENCODER_STREAM)

    def reseed(self, seed: int) -> None:
        """Begin again what dropout draws: the same seed and frames drop the same features."""
        self._seed, self._num_drawn = seed, 0

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
        frame = self.network(window[:, -1])
        return (GeneratorOutput(frame=frame, hallucinated=frame),)

    def _seed_dropout(self) -> None:
        """Settle what this frame's dropout draws, in training and in rendering."""
        dropping: RenderDropout = "off"
        if not isinstance(self.config, Pix2PixHDConfig):
            dropping = "each_frame" if self.training else self.config.render_dropout
        first = self._seed + (FRAME_STRIDE * self._num_drawn if dropping == "each_frame" else 0)
        for index, layer in enumerate(self._dropouts):
            layer.seed = None if dropping == "off" else first + index
        self._num_drawn += 1


def _build(config: StillNetworkConfig, channels_in: int) -> StillNetwork:
    """Make the network of a configuration."""
    if isinstance(config, UNetConfig):
        return UNet(config, channels_in)
    if isinstance(config, ResNetConfig):
        return ResNetGenerator(config, channels_in)
    if config.enhancers:
        return LocalEnhancer(config, channels_in)
    return GlobalGenerator(config, channels_in)
