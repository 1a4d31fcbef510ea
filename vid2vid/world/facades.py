"""House fronts: rows of windows, shop fronts below, bricks between; and sides without windows."""

from typing import NamedTuple

import torch
from torch import Tensor

from vid2vid.world.style import Style
from vid2vid.world.textures import CLOUD, GRAIN, band, sample_noise, scatter_numbers, stripes

_SHOP_STYLE = 0.45  # houses above have shops in the ground floor


class Front(NamedTuple):
    """Points of house fronts."""

    u: Tensor  # 'n', metres from the middle of the front
    v: Tensor  # 'n', metres above the ground
    width_u: Tensor  # 'n', metres that a pixel covers
    width_v: Tensor
    span: Tensor  # 'n', half the width of the front
    height: Tensor  # 'n', of the house, metres
    spacing: Tensor  # 'n', between the middles of windows, metres
    storey: Tensor  # 'n', height of a storey, metres
    style: Tensor  # 'n', in [0, 1]
    seed: Tensor  # 'n', in [0, 1], of the house


class _Panes(NamedTuple):
    glass: Tensor  # 'n', share of the pixel
    frame: Tensor  # 'n', share of it that is glass or frame
    sill: Tensor  # 'n'
    glow: Tensor  # 'n', brightness of the pane


def facade_colours(
    front: Front, wall: Tensor, style: Style, *, noise: Tensor, patterns: bool
) -> Tensor:
    """Paint points of house fronts: '3 n'; `wall`, '3 n', is the colour of the plaster."""
    width = torch.maximum(front.width_u, front.width_v)
    rough = sample_noise(noise, (front.u + 37.0 * front.seed, front.v), width, tile_m=4.3)
    soft = sample_noise(noise, (front.u, front.v + 19.0 * front.seed), width, tile_m=23.0)
    wall = wall * (1 + 0.07 * rough[GRAIN] + 0.09 * soft[CLOUD])
    # Dirt and dimmer light near the ground.
    wall = wall * (0.72 + 0.28 * (front.v / 2.5).clamp(0, 1))
    if not patterns:
        return wall
    wall = wall * (1 - 0.16 * _bricks(front))
    panes = _find_panes(front)
    shop, is_shop = _shop(front)
    frame_colour = torch.where(front.style > 0.3, 0.75, 0.12)
    painted = wall + panes.sill * (0.6 * wall + 0.12 - wall)
    painted = painted + panes.frame * (frame_colour - painted)
    sky = 0.5 * (style.zenith + style.horizon)
    glass = 0.035 + sky * (0.08 + 0.42 * panes.glow) * (0.75 + 0.25 * soft[CLOUD].clamp(-1, 1))
    painted = painted + panes.glass * (glass - painted)
    return painted + is_shop * (shop * (0.6 + 0.8 * panes.glow) - painted)


def _bricks(front: Front) -> Tensor:
    """Draw the joints between courses of bricks, on houses that show them."""
    courses = stripes(front.v, front.width_v, period=0.22, duty=0.14)
    return courses * (front.style * 7.0).frac().gt(0.5)


def _find_panes(front: Front) -> _Panes:
    """Lay rows of windows on fronts that are long enough, the same in every storey."""
    count = (2 * (front.span - 0.5) / front.spacing).floor().clamp(min=1.0)
    spacing = 2 * (front.span - 0.5) / count
    column = (front.u + front.span - 0.5) / spacing
    first = torch.where(front.style > _SHOP_STYLE, front.storey + 0.3, torch.zeros_like(front.u))
    row = (front.v - 0.3 - first) / front.storey
    share_u = 0.42 + 0.26 * (front.style * 13.0).frac()
    share_v = 0.5 + 0.16 * (front.style * 5.0).frac()
    inside = band(front.u, front.width_u, (0.5 - front.span, front.span - 0.5))
    inside = inside * band(front.v, front.width_v, (first + 0.5, front.height - 0.7))
    width_u, width_v = front.width_u / spacing, front.width_v / front.storey
    edge_u, edge_v = 0.1 / spacing, 0.09 / front.storey
    across = _pulse(column, width_u, 0.5 * share_u)
    up = _pulse(row, width_v, 0.5 * share_v)
    across_glass = _pulse(column, width_u, 0.5 * share_u - edge_u)
    up_glass = _pulse(row, width_v, 0.5 * share_v - edge_v)
    bar = _pulse(column, width_u, 0.25 * edge_u)
    sill = _pulse(row + 0.5 * share_v + 0.04, width_v, torch.full_like(row, 0.03)) * across
    number = scatter_numbers(column.floor(), row.floor(), (front.seed * 65536).long())
    fade = 1 / (1 + 6 * (width_u * width_u + width_v * width_v))
    glow = 0.5 + (number - 0.5) * fade
    glass = across_glass * up_glass * (1 - bar / across_glass.clamp(min=0.05)).clamp(min=0.0)
    return _Panes(glass * inside, across * up * inside, sill * inside, glow)


def _shop(front: Front) -> tuple[Tensor, Tensor]:
    """Draw the ground floor of a house with shops: panes, and a coloured board above them."""
    has_shop = (front.style > _SHOP_STYLE).float()
    inside = band(front.u, front.width_u, (0.4 - front.span, front.span - 0.4))
    floor = band(front.v, front.width_v, (0.0, 3.35)) * has_shop * inside
    board = band(front.v, front.width_v, (2.65, 3.3))
    base = band(front.v, front.width_v, (0.0, 0.45))
    posts = stripes(front.u + front.span, front.width_u, period=3.1, duty=0.09)
    hue = (front.seed * torch.tensor([[11.0], [23.0], [41.0]], device=front.u.device)).frac()
    sign = 0.05 + 0.4 * hue * hue
    glass = torch.full_like(hue, 0.07)
    shop = glass + (base + posts - base * posts) * (0.16 - glass)
    return shop + board * (sign - shop), floor


def _pulse(position: Tensor, width: Tensor, half: Tensor) -> Tensor:
    """Average over a pixel what is 1 within `half` of the middle of every unit, 0 elsewhere."""
    reach = width.clamp(min=1e-4) * 1.4

    def until(place: Tensor) -> Tensor:
        whole = place.floor()
        return whole * 2 * half + (place - whole - 0.5 + half).clamp(min=0.0).minimum(2 * half)

    return (until(position + 0.5 * reach) - until(position - 0.5 * reach)) / reach
