"""What a generator sees beside its maps, the same in every frame of a clip: noise, places."""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

NoiseForm = Literal["vector", "tensor"]

CHANNELS_PER_OCTAVE = 4  # sine and cosine, of x and of y


class BesideConfig(BaseModel):
    """What stands beside the conditioning; the configurations of all generators say it."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    noise: int = Field(default=0, ge=0)
    """Channels of noise beside the conditioning, drawn once for a clip (OASIS: 64); 0 = none."""
    noise_form: NoiseForm = "vector"
    """Of the noise: a `vector`, the same at every pixel, or a `tensor` with pixels of its own."""
    position: int = Field(default=0, ge=0, le=10)
    """Octaves of the place of each pixel beside the conditioning: a background that no control
    shows, such as the room behind a pose, is learnt by its place. For a camera that stands still,
    without random crops and mirroring; 0 = none."""

    @property
    def beside(self) -> int:
        """Channels of noise and positions."""
        return self.noise + CHANNELS_PER_OCTAVE * self.position


def draw_noise(seed: Sequence[int], *, channels: int, height: int, width: int) -> Tensor:
    """Draw noise 'c h w' ~ N(0, 1), float32, which follows from the seed and the shape alone."""
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.standard_normal((channels, height, width), dtype=np.float32))


def encode_positions(octaves: int, *, height: int, width: int) -> Tensor:
    """Encode the place of each pixel as sines and cosines (Mildenhall et al. 2020, equation 4).

    Octave k, from 0, has the angle 2^(k - 1) pi x, where x goes from -1 at the left border of the
    frame to 1 at the right one, so that the first sine alone grows over the whole frame.

    Returns:
        'c h w' in [-1, 1], c = 4 `octaves`: of each octave sin and cos of x, sin and cos of y.
    """
    angles = math.pi * 2.0 ** torch.arange(-1, octaves - 1).unsqueeze(1)
    waves: list[Tensor] = []
    for count in (width, height):
        places = (2 * torch.arange(count) + 1) / count - 1  # middles of the pixels
        waves.append(torch.stack([torch.sin(angles * places), torch.cos(angles * places)], dim=1))
    along_x = waves[0].unsqueeze(2).expand(-1, -1, height, -1)
    along_y = waves[1].unsqueeze(3).expand(-1, -1, -1, width)
    return torch.cat([along_x, along_y], dim=1).flatten(0, 1)
