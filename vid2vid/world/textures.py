"""Patterns on surfaces, none finer than a pixel: noise kept at every sharpness, and stripes."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

SIZE = 128
"""Texels along a side of the noise, which repeats after them."""
GRAIN, CLOUD, LEAF = range(3)
"""Channels of the noise: even grain, large soft patches, leaves."""

_NUM_LEVELS = 7
_NOISE_STREAM = 5
_ALIASING = 1.4  # pixels that the finest detail spans; less shimmers, more blurs


def make_noise(seed: int) -> Tensor:
    """Draw the noise: '1 3 h w', level below level, each twice as soft, of mean 0 and spread 1.

    A level has a texel more on every side, the one that follows when it repeats.
    """
    rng = np.random.default_rng((seed, _NOISE_STREAM))
    frequency = np.fft.fftfreq(SIZE)
    radius = np.hypot(frequency[:, None], frequency) * SIZE  # periods in the whole
    white = np.fft.fft2(rng.standard_normal((3, SIZE, SIZE)))
    shapes = (1 / np.sqrt(1 + radius), 1 / np.power(1 + radius, 1.6), _band(radius, 14.0))
    spectra = white * np.stack(shapes)
    spectra[:, 0, 0] = 0.0
    spread = np.fft.ifft2(spectra).real.std(axis=(1, 2), keepdims=True)
    levels = []
    for level in range(_NUM_LEVELS):
        soft = np.exp(-2 * np.square(np.pi * 0.45 * 2**level * radius / SIZE))
        picture = np.fft.ifft2(spectra * soft).real / spread
        levels.append(np.pad(picture, ((0, 0), (1, 1), (1, 1)), mode="wrap"))
    return torch.from_numpy(np.concatenate(levels, axis=1)[None].astype(np.float32))


def sample_noise(
    noise: Tensor, at: tuple[Tensor, Tensor], width: Tensor, *, tile_m: float
) -> Tensor:
    """Look noise up at points, as soft as the width of a pixel there asks for.

    Args:
        noise: from `make_noise`.
        at: 'n' and 'n', metres.
        width: 'n', metres that a pixel covers.
        tile_m: side of the noise, metres.

    Returns:
        '3 n'.
    """
    texel = tile_m / SIZE
    level = (width * (_ALIASING / texel)).clamp(1.0, 2.0 ** (_NUM_LEVELS - 1) - 0.01).log2()
    below = level.floor()
    share = level - below
    padded = SIZE + 2
    x, y = (torch.remainder(axis / texel, SIZE) + 1.0 for axis in at)
    x = x * (2 / (padded - 1)) - 1
    scale = 2 / (_NUM_LEVELS * padded - 1)
    found = []
    for offset in (0, 1):
        row = y + (below + offset) * padded
        grid = torch.stack([x, row * scale - 1], dim=-1)[None, None]
        found.append(F.grid_sample(noise, grid, padding_mode="border", align_corners=True)[0, :, 0])
    return found[0] + share * (found[1] - found[0])


def stripes(position: Tensor, width: Tensor, *, period: Tensor | float, duty: float) -> Tensor:
    """Average stripes, 1 in the first `duty` of every period and 0 in the rest, over a pixel.

    Exact for a pixel that covers `width` evenly, however many stripes that are.
    """
    reach = width.clamp(min=1e-4) * _ALIASING
    first = _stripes_until((position - 0.5 * reach) / period, duty)
    last = _stripes_until((position + 0.5 * reach) / period, duty)
    return (last - first) * period / reach


def band(position: Tensor, width: Tensor, between: tuple[Tensor | float, Tensor | float]) -> Tensor:
    """Average over a pixel what is 1 between two positions and 0 elsewhere."""
    low, high = between
    reach = width.clamp(min=1e-4) * _ALIASING
    first, last = position - 0.5 * reach, position + 0.5 * reach
    if isinstance(low, Tensor) or isinstance(high, Tensor):
        inside = torch.minimum(last, torch.as_tensor(high)) - torch.maximum(
            first, torch.as_tensor(low)
        )
        return inside.clamp(min=0.0) / reach
    return (last.clamp(max=high) - first.clamp(min=low)).clamp(min=0.0) / reach


def scatter_numbers(*cells: Tensor) -> Tensor:
    """Give every cell of a grid a number in [0, 1) that looks random; the cells are whole."""
    mixed = torch.zeros_like(cells[0], dtype=torch.int64)
    for factor, cell in zip((73856093, 19349663, 83492791, 2654435), cells, strict=False):
        mixed = mixed ^ (cell.long() * factor)
    mixed = (mixed ^ (mixed >> 13)) * 1274126177
    return ((mixed ^ (mixed >> 16)) & 0xFFFF).float() / 65536


def _band(radius: np.ndarray, middle: float) -> np.ndarray:
    """Keep the frequencies around `middle`, an octave to either side."""
    return np.exp(-np.square(np.log2(np.maximum(radius, 0.5) / middle)) / 1.2)


def _stripes_until(position: Tensor, duty: float) -> Tensor:
    """Integrate stripes of period 1 from 0 to a position."""
    whole = position.floor()
    return whole * duty + (position - whole).clamp(max=duty)
