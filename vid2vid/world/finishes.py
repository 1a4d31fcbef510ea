"""The surfaces of small things: car bodies and windows, signs, traffic lights, leaves, cloth."""

from typing import NamedTuple

import torch
from torch import Tensor

from vid2vid.world.materials import Material
from vid2vid.world.style import Style
from vid2vid.world.textures import CLOUD, GRAIN, LEAF, band, sample_noise, stripes

_SIDE_FACES = (0, 1)


class Finish(NamedTuple):
    """Samples of small things."""

    material: Tensor  # 'n' int64
    face: Tensor  # 'n' int64, see `Surface`
    u: Tensor  # 'n', metres, see `Surface`
    v: Tensor
    width_u: Tensor
    width_v: Tensor
    half_u: Tensor  # 'n', half the width of the face, metres
    height: Tensor  # 'n', of the solid, metres
    up: Tensor  # 'n', how far the surface looks up, -1 to 1
    look: Tensor  # '4 n'
    paint: Tensor  # '3 n', its own colour
    body: Tensor  # '3 n', colour of the body of its car


# Per material: strength of grain, cloud and leaf noise, and how often it repeats.
_ROUGHNESS = {
    Material.ROOF: (0.12, 0.1, 0.0, 1.0),
    Material.LEAF: (0.3, 0.16, 0.6, 2.1),
    Material.BARK: (0.25, 0.1, 0.0, 2.0),
    Material.STONE: (0.08, 0.06, 0.0, 1.0),
    Material.CLOTH: (0.08, 0.1, 0.0, 2.5),
    Material.HAIR: (0.1, 0.0, 0.0, 3.0),
    Material.METAL: (0.06, 0.05, 0.0, 1.0),
}


def finish_colours(finish: Finish, style: Style, noise: Tensor, *, patterns: bool) -> Tensor:
    """Paint samples of small things: '3 n', how much light they reflect."""
    table = torch.zeros(len(Material), 4)
    table[:, 3] = 1.0
    for material, row in _ROUGHNESS.items():
        table[material] = torch.tensor(row)
    rough = table.to(finish.u.device)[finish.material].t()
    scale = rough[3]
    at = (finish.u * scale + 31.0 * finish.look[0], finish.v * scale + 17.0 * finish.look[0])
    width = torch.maximum(finish.width_u, finish.width_v) * scale
    fine = sample_noise(noise, at, width, tile_m=4.7)
    factor = 1 + rough[0] * fine[GRAIN] + rough[1] * fine[CLOUD] + rough[2] * fine[LEAF]
    paint = finish.paint * factor.clamp(min=0.15)
    is_leaf = finish.material == Material.LEAF
    paint = paint * torch.where(is_leaf, 0.95 + 0.3 * finish.up, 1.0)
    for material, shader in _SHADERS.items():
        index = (finish.material == material).nonzero()[:, 0]
        if len(index) and (patterns or material in (Material.GLASS, Material.LIGHT)):
            chosen = Finish(*(column.index_select(-1, index) for column in finish))
            skies = Style(*(c[..., index] if c.shape[-1] > 1 else c for c in style))
            paint[:, index] = shader(chosen, skies)
    return paint


def _car_body(finish: Finish, style: Style) -> Tensor:
    """Draw the doors, bumpers, lamps and number plate of a car."""
    u, v, wu, wv = finish.u, finish.v, finish.width_u, finish.width_v
    is_side = (finish.face <= _SIDE_FACES[1]).float()
    is_end = (finish.face >= 4).float()
    is_front = (finish.face == 5).float()
    sky = 0.35 * (style.zenith + style.horizon)
    shine = 0.12 * (0.5 + 0.5 * finish.up).clamp(0, 1)
    paint = finish.paint + shine * (sky - finish.paint)
    sill = band(v, wv, (-1.0, 0.1))
    seams = sum(band(u, wu, (at - 0.015, at + 0.015)) for at in (-0.55, 0.45, 1.05))
    handles = band(v, wv, (0.5, 0.54)) * (band(u, wu, (-0.5, -0.3)) + band(u, wu, (0.5, 0.7)))
    arches = sum(_disc((u - at, v), (wu, wv), 0.37) for at in (-1.3, 1.34))
    dark = torch.as_tensor(sill + is_side * (0.7 * seams * (v > 0.1) + 0.6 * handles + arches))
    lamps = band(u.abs(), wu, (0.48, 0.8)) * band(v, wv, (0.36, 0.54)) * is_end
    plate = band(u, wu, (-0.26, 0.26)) * band(v, wv, (0.14, 0.26)) * is_end
    grille = band(u, wu, (-0.42, 0.42)) * band(v, wv, (0.34, 0.5)) * is_front
    paint = paint * (1 - 0.8 * (dark + 0.9 * grille).clamp(0, 1))
    red = torch.tensor([[0.5], [0.03], [0.03]], device=u.device)
    lamp = red + is_front * (0.75 - red)
    paint = paint + lamps * (lamp - paint)
    return paint + plate * (0.62 - paint)


def _car_windows(finish: Finish, style: Style) -> Tensor:
    """Draw the windows of a car between its pillars; its roof has the colour of the body."""
    is_side = finish.face <= _SIDE_FACES[1]
    is_roof = (finish.face == 2).float()
    share = finish.v / finish.height
    width = finish.width_v / finish.height
    up = band(share, width, (finish.look[1], 0.9))
    # The face is narrower at its top: what counts is how far from the middle of its own row.
    half = finish.half_u * (1 - torch.where(is_side, 0.42, 0.26) * share)
    place = finish.u / half
    inside = band(place, finish.width_u / half, (-0.9, 0.9))
    pillar = band(place, finish.width_u / half, (-0.06, 0.04)) * is_side
    glass = up * inside * (1 - pillar) * (1 - is_roof)
    sky = 0.5 * (style.zenith + style.horizon)
    pane = finish.paint + (0.12 + 0.4 * finish.up.clamp(min=0.0)) * (sky - finish.paint)
    return finish.body + glass * (pane - finish.body)


def _road_sign(finish: Finish, style: Style) -> Tensor:
    """Draw a sign: a ring, a bar across a square, or a board with a rim."""
    del style
    kind, v = finish.look[1], finish.v - 0.5 * finish.height
    widths = (finish.width_u, finish.width_v)
    is_front = (finish.face == 4) | (finish.face == 6)
    inner = _disc((finish.u, v), widths, 0.22)
    arrow = band(finish.u, widths[0], (-0.07, 0.07)) * band(v, widths[1], (-0.2, 0.2))
    text = band(v, widths[1], (-0.05, 0.05)) * band(finish.u, widths[0], (-0.4, 0.4))
    text = text * stripes(finish.u, widths[0], period=0.11, duty=0.6)
    white = torch.where(kind < 0.5, inner, torch.where(kind < 1.5, arrow, text))
    paint = finish.paint + white * (0.8 - finish.paint)
    return torch.where(is_front, paint, 0.22)


def _traffic_light(finish: Finish, style: Style) -> Tensor:
    """Draw three lamps, one of them lit."""
    del style
    paint = finish.paint
    lit = (finish.look[0] * 3).floor()
    colours = ((0.9, 0.05, 0.04), (0.95, 0.5, 0.03), (0.08, 0.85, 0.3))
    for number, colour in enumerate(colours):
        at = finish.height * (0.82 - 0.32 * number)
        disc = _disc((finish.u, finish.v - at), (finish.width_u, finish.width_v), 0.115)
        disc = disc * (finish.face == 4)
        bright = torch.where(lit == number, 1.6, 0.12)
        lamp = torch.tensor(colour, device=paint.device)[:, None] * bright
        paint = paint + disc * (lamp - paint)
    return paint


def _disc(at: tuple[Tensor, Tensor], widths: tuple[Tensor, Tensor], radius_m: float) -> Tensor:
    """Average a disc over a pixel, nearly: exact for a straight rim."""
    width = torch.maximum(*widths).clamp(min=1e-3) * 1.4
    u, v = at
    rim = radius_m - (u * u + v * v).sqrt()
    small = (radius_m / width).clamp(max=1.0)
    return (rim / width + 0.5).clamp(0, 1) * small


_SHADERS = {
    Material.PAINT: _car_body,
    Material.GLASS: _car_windows,
    Material.SIGN: _road_sign,
    Material.LIGHT: _traffic_light,
}
