"""CIE Lab for colourisation: lightness apart from colour (Zhang et al. 2016; pix2pix).

Frames are sRGB under D65. The three channels are scaled as pix2pix has them, L / 50 - 1, a / 110
and b / 110, so that L fills [-1, 1] and the colours of sRGB lie within it.
"""

import torch
from kornia.color import lab_to_rgb, rgb_to_lab
from torch import Tensor

HALF_LIGHTNESS = 50.0
COLOUR_RANGE = 110.0
_TOLERANCE = 1e-3  # of R, G and B in [0, 1]: a quarter of a level of 8 bits
_BISECTIONS = 10  # of the chroma of colours outside of sRGB: to a thousandth of it


def to_lab(frames: Tensor) -> Tensor:
    """Turn frames '... 3 h w' in [-1, 1] into scaled Lab, '... 3 h w' float32."""
    lab = rgb_to_lab((frames.float() + 1) / 2)
    return torch.cat(
        [lab[..., :1, :, :] / HALF_LIGHTNESS - 1, lab[..., 1:, :, :] / COLOUR_RANGE], -3
    )


def from_lab(lab: Tensor) -> Tensor:
    """Turn scaled Lab '... 3 h w' into frames '... 3 h w' in [-1, 1] of the same lightness.

    A colour that sRGB has not at that lightness loses chroma, not lightness, until it has: clipping
    R, G and B would change how light the pixel is.
    """
    light, colour = lab.float().split([1, 2], dim=-3)
    with torch.no_grad():
        share = _share_in_gamut(light, colour)
    return _to_rgb(light, colour * share).clamp(0, 1) * 2 - 1


def _share_in_gamut(light: Tensor, colour: Tensor) -> Tensor:
    """Find the largest share of the chroma at which a colour is one of sRGB: '... 1 h w'."""
    fits = _is_in_gamut(light, colour)
    low, high = fits.float(), torch.ones_like(light)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        fits = _is_in_gamut(light, colour * middle)
        low, high = torch.where(fits, middle, low), torch.where(fits, high, middle)
    return low


def _is_in_gamut(light: Tensor, colour: Tensor) -> Tensor:
    rgb = _to_rgb(light, colour)
    return ((rgb >= -_TOLERANCE) & (rgb <= 1 + _TOLERANCE)).all(dim=-3, keepdim=True)


def _to_rgb(light: Tensor, colour: Tensor) -> Tensor:
    """Turn scaled lightness and colour into sRGB, [0, 1] where sRGB has the colour."""
    lab = torch.cat([(light + 1) * HALF_LIGHTNESS, colour * COLOUR_RANGE], dim=-3)
    return lab_to_rgb(lab, clip=False)
