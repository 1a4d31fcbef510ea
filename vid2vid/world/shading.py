"""The light that samples send to the camera: colour, sun, shadow, haze, sky."""

from typing import NamedTuple

import torch
from torch import Tensor

from vid2vid.world.facades import Front, facade_colours
from vid2vid.world.finishes import Finish, finish_colours
from vid2vid.world.ground import Ground, ground_colours
from vid2vid.world.materials import Material
from vid2vid.world.plan import VIEW_M
from vid2vid.world.stage import Stage
from vid2vid.world.style import Style, pick
from vid2vid.world.surfaces import BALL_FACE, Surface, take
from vid2vid.world.textures import CLOUD, GRAIN, sample_noise

_SUN_SIZE = 0.9994  # cosine of its radius


class Palette(NamedTuple):
    """What the shading of a stage needs beside its solids."""

    styles: Style  # of the views, stacked
    paints: Tensor  # 'views materials tints 3'
    pitch: Tensor  # 'views 2', of the grid of streets, metres
    noise: Tensor  # see `make_noise`
    patterns: bool


def shade(
    stage: Stage, surface: Surface, palette: Palette, *, shadow: tuple[Tensor, Tensor]
) -> Tensor:
    """Find the light of samples.

    Args:
        stage: what they are samples of.
        surface: 'n' of them.
        palette: colours and light.
        shadow: 'n' and 'n', in [0, 1]: shares of sun and sky that are kept off the ground.

    Returns:
        '3 n', 0 = black, 1 = white.
    """
    material = stage.material.index_select(0, surface.solid)
    style = palette.styles.of(stage.view.index_select(0, surface.solid))
    light = torch.empty_like(surface.ray)
    index = (material == Material.SKY).nonzero()[:, 0]
    light[:, index] = _sky(stage, take(surface, index), palette)
    index = (material == Material.GROUND).nonzero()[:, 0]
    light[:, index] = _ground(stage, take(surface, index), palette)
    index = (material == Material.FACADE).nonzero()[:, 0]
    light[:, index] = _fronts(stage, take(surface, index), palette)
    index = (material > Material.FACADE).nonzero()[:, 0]
    light[:, index] = _small(stage, take(surface, index), palette)
    is_sky, is_ground = material == Material.SKY, material == Material.GROUND
    facing = (surface.normal * style.to_sun).sum(dim=0).clamp(min=0.0)
    # Leaves look every way: a mass of them is lit more evenly than a ball.
    facing = torch.where(material == Material.LEAF, 0.3 + 0.45 * facing, facing)
    no_sun, no_sky = (torch.where(is_ground, share, 0.0) for share in shadow)
    open_sky = (0.72 - 0.28 * surface.normal[1]) * (1 - 0.62 * no_sky)
    lit = light * (style.ambient * open_sky + style.sun * (facing * (1 - 0.92 * no_sun)))
    return torch.where(is_sky, light, _add_haze(lit, surface, style))


def _add_haze(lit: Tensor, surface: Surface, style: Style) -> Tensor:
    """Fade what is far into the colour of the horizon, wholly where nothing more is drawn."""
    distance = surface.depth * (surface.ray * surface.ray).sum(dim=0).sqrt()
    clear = torch.exp(-distance / style.haze_m[0])
    near = ((VIEW_M - 2.0 - distance) / (0.4 * VIEW_M)).clamp(0, 1)
    clear = clear * near * near * (3 - 2 * near)
    return style.horizon + clear * (lit - style.horizon)


def _sky(stage: Stage, surface: Surface, palette: Palette) -> Tensor:
    """Paint the sky: brighter towards the horizon, with clouds and the sun."""
    view = stage.view.index_select(0, surface.solid)
    style = palette.styles.of(view)
    world = stage.rotation[stage.ground][view].permute(1, 2, 0)  # columns: world in the camera
    ray = surface.ray
    x, down, z = (
        ray[0] * world[0, k] + ray[1] * world[1, k] + ray[2] * world[2, k] for k in range(3)
    )
    length = (ray * ray).sum(dim=0).sqrt()
    up = (-down / length).clamp(0, 1)
    share = 1 - (1 - up) * (1 - up)
    share = share * (2 - share)
    sky = style.horizon + share * (style.zenith - style.horizon)
    high = (-down).clamp(min=0.03)
    at = (x / high, z / high)
    pixel = (1.0 / stage.cameras[0].focal_px) / (high * high)
    soft = sample_noise(palette.noise, (at[0] * 0.6, at[1] * 0.6), pixel * 0.6, tile_m=6.0)
    fluffy = sample_noise(palette.noise, (at[0] * 1.7 + 3.0, at[1] * 1.7), pixel * 1.7, tile_m=6.0)
    shape = soft[CLOUD] + 0.35 * fluffy[GRAIN] + 3.2 * (style.clouds[0] - 0.5)
    cloud = (0.5 + 0.7 * shape).clamp(0, 1) * (up * 7.0).clamp(0, 1)
    bright = (style.ambient * 0.55 + style.sun * 0.4 + 0.12) * (1.0 + 0.12 * fluffy[GRAIN])
    sky = sky + 0.85 * cloud * (bright.clamp(max=1.0) - sky)
    toward = (x * style.to_sun[0] + down * style.to_sun[1] + z * style.to_sun[2]) / length
    glow = toward.clamp(min=0.0) ** 24
    disc = ((toward - _SUN_SIZE) * 4e3).clamp(0, 1) * (1 - cloud)
    return sky + style.sun * (0.16 * glow + 1.2 * disc)


def _ground(stage: Stage, surface: Surface, palette: Palette) -> Tensor:
    view = stage.view.index_select(0, surface.solid)
    ground = Ground(surface.x, surface.z, surface.width_u, surface.width_v)
    pitch, style = pick(palette.pitch, view), palette.styles.of(view)
    return ground_colours(ground, pitch, style, noise=palette.noise, patterns=palette.patterns)


def _fronts(stage: Stage, surface: Surface, palette: Palette) -> Tensor:
    solid = surface.solid
    view = stage.view.index_select(0, solid)
    half, look = stage.half.index_select(0, solid).t(), stage.look.index_select(0, solid).t()
    span = torch.where(surface.face <= 1, half[2], half[0])
    front = Front(
        surface.u,
        surface.v,
        surface.width_u,
        surface.width_v,
        span,
        2 * half[1],
        spacing=look[1],
        storey=look[2],
        style=look[3],
        seed=look[0],
    )
    wall = palette.paints[
        view, stage.material.index_select(0, solid), stage.tint.index_select(0, solid)
    ].t()
    style = palette.styles.of(view)
    return facade_colours(front, wall, style, noise=palette.noise, patterns=palette.patterns)


def _small(stage: Stage, surface: Surface, palette: Palette) -> Tensor:
    solid = surface.solid
    view, tint, material = (
        stage.view.index_select(0, solid),
        stage.tint.index_select(0, solid),
        stage.material.index_select(0, solid),
    )
    half = stage.half.index_select(0, solid).t()
    u, v = _leaf_places(surface, material)
    finish = Finish(
        material,
        surface.face,
        u,
        v,
        surface.width_u,
        surface.width_v,
        half_u=torch.where(surface.face <= 1, half[2], half[0]),
        height=2 * half[1],
        up=-surface.normal[1],
        look=stage.look.index_select(0, solid).t(),
        paint=palette.paints[view, material, tint].t(),
        body=palette.paints[view, int(Material.PAINT), tint].t(),
    )
    style = palette.styles.of(view)
    return finish_colours(finish, style, palette.noise, patterns=palette.patterns)


def _leaf_places(surface: Surface, material: Tensor) -> tuple[Tensor, Tensor]:
    """Lay u and v of leaves along the two axes that their side of the tree faces least."""
    size = surface.normal.abs()
    is_side = (size[0] > size[1]) & (size[0] > size[2])
    is_top = ~is_side & (size[1] > size[2])
    is_leaf = (surface.face == BALL_FACE) & (material == Material.LEAF)
    u = torch.where(is_side, surface.z, surface.x)
    v = torch.where(is_top, surface.z, surface.v)
    return torch.where(is_leaf, u, surface.u), torch.where(is_leaf, v, surface.v)
