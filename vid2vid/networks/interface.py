"""What every generator shows to the rollout, to training, to the renderer and to the counting."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from flow.padding import Padding, pad_to_multiple
from vid2vid.networks.outputs import GeneratorOutput

FLOW_SCALE = 20.0  # px; what flow is divided by before a network sees it (official)

Pooling = Literal["instances", "labels"]
RenderDropout = Literal["off", "fixed", "each_frame"]


class StillConfig(BaseModel):
    """What the configurations of all still-image generators say without being asked."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    history: ClassVar[int] = 0
    refiners: ClassVar[int] = 0
    flow: ClassVar[bool] = False


class Generator(nn.Module):
    """A generator as all that drive it see it: frame by frame, each from a window and a past.

    A still-image generator is one with a history of 0: its window holds the map of the current
    frame alone, its past is empty, and what it paints is hallucinated.
    """

    conditioning_channels: int
    """Channels k of one map of the window, features included."""
    features: int = 0
    """Those of them, the last ones, that say the style; discriminators do not see them."""
    pooling: Pooling | None = None
    """What shares one style; None without features."""
    history: int = 0
    """Past frames that it sees."""
    has_flow: bool = False
    """Whether it predicts flow and occlusion."""
    flow_scale: float = FLOW_SCALE
    """Pixels of flow for a network value of 1."""
    smallest: int = 2
    """Pixels that the coarsest features need in height and width: reflection needs two."""

    @property
    def scales(self) -> int:
        """Number of spatial scales, each with a frame of its own; the coarse one included."""
        return 1

    @property
    def is_random(self) -> bool:
        """Whether what it renders depends on a seed: by dropout, or by styles that are drawn."""
        return self.features > 0

    @property
    def stages(self) -> Sequence[nn.Module]:
        """The parts that can be trained apart, coarsest first."""
        raise NotImplementedError

    @property
    def readers(self) -> Sequence[nn.Module]:
        """The parts whose first convolution reads conditioning maps."""
        raise NotImplementedError

    def size_multiple(self, scales: int) -> int:
        """Return what height and width must be divisible by when `scales` scales run."""
        raise NotImplementedError

    def padding(self, height: int, width: int, scales: int) -> Padding:
        """Return how frames of a size must be padded when `scales` scales run.

        To a multiple of what the halvings divide by, and to `smallest` pixels at the bottleneck.
        """
        multiple = self.size_multiple(scales)
        is_enough = min(height, width) > multiple * (self.smallest - 1)
        return pad_to_multiple(height, width, multiple if is_enough else self.smallest * multiple)

    def initialise(self, seed: int) -> None:
        """Draw every weight anew from `seed`."""
        raise NotImplementedError

    def reseed(self, seed: int) -> None:
        """Begin again what is drawn while generating, such as dropout; most draw nothing."""

    def encode(self, photo: Tensor, regions: Tensor) -> Tensor:
        """Make the style features of a photo, every region holding its mean.

        Args:
            photo: 'b 3 h w', [-1, 1].
            regions: 'b h w', integer ids of what `pooling` says.

        Returns:
            'b c h w', [-1, 1], c = `features`.

        Raises:
            ValueError: if the generator has no feature encoder.
        """
        raise ValueError("a feature encoder is needed to take the style of a photo; there is none")

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
        raise NotImplementedError
