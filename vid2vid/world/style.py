"""How a world looks: weather, light and colours, all from the style seed."""

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vid2vid.world.config import FPS
from vid2vid.world.materials import NUM_TINTS, Material

_STYLE_STREAM = 6

Colour = tuple[float, float, float]


class _Weather(NamedTuple):
    """Ranges of one kind of weather; colours are as shown, in [0, 1]."""

    sun: float  # strength
    sun_colour: Colour
    ambient: Colour
    zenith: Colour
    horizon: Colour
    haze_m: tuple[float, float]  # distance at which two thirds of the contrast are gone
    height: tuple[float, float]  # of the sun, radians
    clouds: tuple[float, float]  # share of the sky


_WEATHERS = (
    _Weather(  # a clear day
        1.75, (1.0, 0.95, 0.86), (0.56, 0.63, 0.73), (0.27, 0.50, 0.83), (0.77, 0.86, 0.94),
        (260.0, 420.0), (0.6, 1.0), (0.0, 0.35),
    ),
    _Weather(  # sun between clouds
        1.3, (1.0, 0.96, 0.90), (0.63, 0.67, 0.73), (0.38, 0.56, 0.80), (0.82, 0.87, 0.91),
        (180.0, 300.0), (0.5, 0.9), (0.45, 0.75),
    ),
    _Weather(  # overcast
        0.1, (0.95, 0.97, 1.0), (0.90, 0.93, 0.97), (0.63, 0.67, 0.72), (0.80, 0.83, 0.86),
        (140.0, 240.0), (0.7, 1.0), (0.9, 1.0),
    ),
    _Weather(  # mist
        0.15, (1.0, 0.98, 0.95), (0.83, 0.84, 0.86), (0.73, 0.76, 0.79), (0.82, 0.84, 0.85),
        (38.0, 65.0), (0.5, 0.9), (0.8, 1.0),
    ),
    _Weather(  # evening
        1.5, (1.0, 0.76, 0.50), (0.56, 0.55, 0.66), (0.32, 0.43, 0.68), (0.97, 0.78, 0.60),
        (150.0, 240.0), (0.25, 0.42), (0.15, 0.5),
    ),
)  # fmt: skip

_WALLS = (
    (0.63, 0.36, 0.28), (0.86, 0.80, 0.68), (0.78, 0.76, 0.73), (0.83, 0.68, 0.48),
    (0.91, 0.89, 0.85), (0.56, 0.46, 0.39), (0.72, 0.48, 0.37), (0.69, 0.72, 0.71),
    (0.88, 0.77, 0.70), (0.66, 0.60, 0.50), (0.48, 0.31, 0.26), (0.79, 0.80, 0.70),
)  # fmt: skip
_CARS = (
    (0.78, 0.78, 0.78), (0.16, 0.17, 0.19), (0.62, 0.64, 0.67), (0.62, 0.12, 0.12),
    (0.16, 0.27, 0.50), (0.33, 0.35, 0.38), (0.82, 0.82, 0.81), (0.24, 0.40, 0.33),
    (0.75, 0.62, 0.35), (0.45, 0.58, 0.72),
)  # fmt: skip
_CLOTHES = (
    (0.20, 0.22, 0.30), (0.70, 0.68, 0.64), (0.62, 0.18, 0.18), (0.25, 0.38, 0.62),
    (0.16, 0.16, 0.17), (0.78, 0.66, 0.32), (0.36, 0.45, 0.32), (0.85, 0.85, 0.86),
    (0.50, 0.30, 0.45), (0.42, 0.34, 0.28),
)  # fmt: skip
_SIGNS = (
    (0.78, 0.12, 0.12), (0.13, 0.30, 0.68), (0.78, 0.12, 0.12), (0.93, 0.78, 0.20),
    (0.13, 0.30, 0.68), (0.16, 0.45, 0.28), (0.78, 0.12, 0.12), (0.13, 0.30, 0.68),
)  # fmt: skip
_SINGLE: dict[Material, Colour] = {
    Material.GLASS: (0.20, 0.23, 0.27),
    Material.RUBBER: (0.15, 0.15, 0.16),
    Material.BARK: (0.37, 0.31, 0.26),
    Material.METAL: (0.45, 0.47, 0.48),
    Material.LIGHT: (0.15, 0.16, 0.15),
    Material.STONE: (0.76, 0.73, 0.68),
}
_ROOFS = ((0.55, 0.28, 0.22), (0.38, 0.36, 0.37), (0.48, 0.33, 0.27), (0.33, 0.33, 0.36))
_SKINS = ((0.88, 0.70, 0.60), (0.74, 0.55, 0.44), (0.50, 0.35, 0.27), (0.93, 0.77, 0.68))
_HAIRS = ((0.18, 0.14, 0.12), (0.35, 0.24, 0.16), (0.62, 0.50, 0.33), (0.45, 0.43, 0.42))
_LEAVES = ((0.36, 0.47, 0.20), (0.30, 0.44, 0.19), (0.42, 0.50, 0.22), (0.25, 0.38, 0.21))
_AUTUMN = ((0.66, 0.45, 0.16), (0.60, 0.33, 0.15), (0.70, 0.56, 0.22), (0.40, 0.42, 0.20))


class Style(NamedTuple):
    """Light and colours; colours are light, not as shown: they are squares of those.

    The columns of several views are stacked, 'views 3'; those of samples are '3 n', or '3 1' where
    all samples are of one view.
    """

    sun: Tensor  # '3', light on a surface that faces the sun
    to_sun: Tensor  # '3', unit vector towards it, world coordinates
    ambient: Tensor  # '3', light from the sky
    zenith: Tensor  # '3'
    horizon: Tensor  # '3', of the haze too
    haze_m: Tensor  # '1'
    clouds: Tensor  # '1', share of the sky
    road: Tensor  # '3'
    pavement: Tensor  # '3'
    grass: Tensor  # '3'
    marking: Tensor  # '3'
    sway: Tensor  # '3', phases of how the light varies, radians

    def of(self, view: Tensor) -> "Style":
        """Pick from the styles of several views those of samples; `view` is 'n'."""
        return Style(*(pick(column, view) for column in self))


class Look(NamedTuple):
    """A style with the colours of its materials."""

    style: Style
    paints: Tensor  # 'materials tints 3'


def pick(columns: Tensor, view: Tensor) -> Tensor:
    """Pick from 'views c' what belongs to samples, 'n': 'c n', or 'c 1' if there is one view."""
    return columns.t() if len(columns) == 1 else columns[view].t()


def make_look(seed: int) -> Look:
    """Draw a style."""
    rng = np.random.default_rng((seed, _STYLE_STREAM))
    weather = _WEATHERS[int(rng.choice(len(_WEATHERS), p=(0.3, 0.25, 0.18, 0.1, 0.17)))]
    height, clouds = rng.uniform(*weather.height), rng.uniform(*weather.clouds)
    # Never along a street, so that one row of houses is lit and the other is not.
    azimuth = 0.5 * math.pi * rng.integers(4) + rng.uniform(0.45, 1.1)
    to_sun = np.array(
        [
            math.sin(azimuth) * math.cos(height),
            -math.sin(height),
            math.cos(azimuth) * math.cos(height),
        ]
    )
    grey = rng.uniform(0.33, 0.45)
    stone = rng.uniform(0.52, 0.64)
    style = Style(
        sun=weather.sun * _light(weather.sun_colour),
        to_sun=torch.tensor(to_sun, dtype=torch.float32),
        ambient=_light(weather.ambient),
        zenith=_light(weather.zenith),
        horizon=_light(weather.horizon),
        haze_m=torch.tensor([rng.uniform(*weather.haze_m)], dtype=torch.float32),
        clouds=torch.tensor([clouds], dtype=torch.float32),
        road=_light((grey, grey, 1.02 * grey)),
        pavement=_light((stone, 0.98 * stone, 0.94 * stone)),
        grass=_light((0.36, 0.46, 0.22)),
        marking=_light((0.86, 0.86, 0.83)),
        sway=torch.from_numpy(rng.uniform(0, 2 * math.pi, 3).astype(np.float32)),
    )
    return Look(style, _draw_paints(rng))


def light_at(style: Style, frame: int, change: float) -> Style:
    """Vary the light over time: slow clouds before the sun, and a slower change of the whole.

    Args:
        style: of the world.
        frame: its number.
        change: from 0, constant, to 1.
    """
    if change == 0:
        return style
    seconds = frame / FPS
    first, second, third = style.sway.tolist()
    cloud = 0.5 + 0.5 * math.sin(0.9 * seconds + first) * math.sin(0.37 * seconds + second)
    whole = 1 + 0.3 * change * math.sin(0.21 * seconds + third)
    return style._replace(
        sun=style.sun * (whole * (1 - 0.85 * change * cloud)),
        ambient=style.ambient * (whole * (1 - 0.25 * change * cloud)),
        zenith=style.zenith * whole,
        horizon=style.horizon * whole,
    )


def _light(colour: Colour | np.ndarray) -> Tensor:
    """Turn a colour as shown into light."""
    return torch.from_numpy(np.square(np.asarray(colour)).astype(np.float32))


def _draw_paints(rng: np.random.Generator) -> Tensor:
    """Draw the colours of all materials."""
    leaves = _AUTUMN if rng.random() < 0.2 else _LEAVES
    choices = {
        Material.FACADE: _WALLS,
        Material.PAINT: _CARS,
        Material.CLOTH: _CLOTHES,
        Material.ROOF: _ROOFS,
        Material.SKIN: _SKINS,
        Material.HAIR: _HAIRS,
        Material.LEAF: leaves,
    }
    paints = np.full((len(Material), NUM_TINTS, 3), 0.5)
    for material, colours in choices.items():
        picks = rng.permutation(np.resize(np.arange(len(colours)), max(NUM_TINTS, len(colours))))
        paints[material] = np.array(colours)[picks[:NUM_TINTS]]
        paints[material] *= rng.normal(1.0, 0.04, (NUM_TINTS, 3))
    paints[Material.SIGN] = _SIGNS
    for material, colour in _SINGLE.items():
        paints[material] = np.array(colour) * rng.normal(1.0, 0.06, (NUM_TINTS, 1))
    return torch.from_numpy(np.square(paints.clip(0.02, 0.97)).astype(np.float32))
