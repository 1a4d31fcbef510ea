"""What every generator shows to the rollout, to training, to the renderer and to the counting."""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from pydantic import ConfigDict
from torch import Tensor, nn

from flow.padding import Padding, pad_to_multiple
from vid2vid.networks.beside import BesideConfig, NoiseForm, draw_noise, encode_positions
from vid2vid.networks.blocks import Initial
from vid2vid.networks.outputs import GeneratorOutput

FLOW_SCALE = 20.0  # px; what flow is divided by before a network sees it (official)

Pooling = Literal["instances", "labels"]
RenderDropout = Literal["off", "fixed", "each_frame"]

NOISE_STREAM = 1  # beside a seed: tells its noise from what else is drawn from it


class StillConfig(BesideConfig):
    """What the configurations of all still-image generators say without being asked."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    history: ClassVar[int] = 0
    refiners: ClassVar[int] = 0
    flow: ClassVar[bool] = False
    initial: ClassVar[Initial] = "normal"


class Generator(nn.Module):
    """A generator as all that drive it see it: frame by frame, each from a window and a past.

    A still-image generator is one with a history of 0: its window holds the map of the current
    frame alone, its past is empty, and what it paints is hallucinated.
    """

    conditioning_channels: int
    """Channels k of one map of the window, features and what stands beside it included."""
    features: int = 0
    """Those of them, after the map, that say the style; discriminators do not see them."""
    noise: int = 0
    """The last ones of them, which `start_state` draws once for a video."""
    noise_form: NoiseForm = "vector"
    """Whether all pixels have the same noise."""
    position: int = 0
    """Octaves of the place of each pixel, which stand beside every map too."""
    pooling: Pooling | None = None
    """What shares one style; None without features."""
    history: int = 0
    """Past frames that it sees."""
    has_flow: bool = False
    """Whether it predicts flow and occlusion."""
    flow_scale: float = FLOW_SCALE
    """Pixels of flow for a network value of 1."""
    variants: int = 1
    """Pictures that it paints of every map."""
    variant: int = 0
    """The one of them, from 0, that is the frame; a choice of rendering."""
    _seed: int = 0
    _num_clips: int = 0  # whose noise was drawn since `reseed`
    smallest: int = 2
    """Pixels that the coarsest features need in height and width: reflection needs two."""

    @property
    def scales(self) -> int:
        """Number of spatial scales, each with a frame of its own; the coarse one included."""
        return 1

    @property
    def is_random(self) -> bool:
        """Whether what it renders depends on a seed: by noise, dropout, or drawn styles."""
        return self.features > 0 or self.noise > 0

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
        """Begin again what is drawn while generating: noise, and dropout."""
        self._seed, self._num_clips = seed, 0

    def draw_noise(self, batch: int, height: int, width: int) -> Tensor | None:
        """Draw the noise of the clips of a batch, which stays over their frames.

        In training every clip since `reseed` has its own, in whatever parts a batch comes. In
        rendering a batch always has the same, so that frames rendered one by one share it.

        Args:
            batch: number of clips.
            height: of the frames, px, padding included.
            width: likewise.

        Returns:
            'b c h w' ~ N(0, 1), float32, on the CPU; None for a generator without noise.
        """
        if not self.noise:
            return None
        first = self._num_clips if self.training else 0
        self._num_clips = first + batch
        size = (1, 1) if self.noise_form == "vector" else (height, width)
        drawn = [
            draw_noise(
                (self._seed, NOISE_STREAM, clip), channels=self.noise, height=size[0], width=size[1]
            )
            for clip in range(first, first + batch)
        ]
        return torch.stack(drawn).expand(-1, -1, height, width)

    def beside(self, batch: int, height: int, width: int) -> Tensor | None:
        """Make what stands beside every map of the clips of a batch: noise, then positions.

        Args:
            batch: number of clips.
            height: of the frames, px, padding included.
            width: likewise.

        Returns:
            'b c h w', float32, on the CPU; None where nothing does.
        """
        noise = self.draw_noise(batch, height, width)
        parts = [] if noise is None else [noise]
        if self.position:
            places = encode_positions(self.position, height=height, width=width)
            parts.append(places.expand(batch, -1, -1, -1))
        return torch.cat(parts, dim=1) if parts else None

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
