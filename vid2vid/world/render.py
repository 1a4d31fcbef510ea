"""Render frames of worlds, with everything that is true of their pixels."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from vid2vid.world.casting import Cast, Caster, Edges, Hits
from vid2vid.world.config import WorldConfig
from vid2vid.world.ground import Ground, ground_labels
from vid2vid.world.materials import Material
from vid2vid.world.scene import Camera, Layout
from vid2vid.world.shading import Palette, shade
from vid2vid.world.shadows import Shadows, find_shadows
from vid2vid.world.stage import make_stage
from vid2vid.world.style import Style, light_at, make_look, pick
from vid2vid.world.surfaces import Surface, find_surface, join_surfaces, surface_ids, take
from vid2vid.world.textures import make_noise
from vid2vid.world.truth import Motion, find_motion

_NOISE_SEED = 0  # things have their own places in the one noise
_KEPT_CASTS = 16  # of the frames that were asked for last, and those around them


class WorldFrames(NamedTuple):
    """One frame of each of several worlds, and all that is true of it."""

    frames: Tensor  # 'b 3 h w', RGB in [-1, 1]
    labels: Tensor  # 'b h w' uint8, Cityscapes ids
    instances: Tensor  # 'b h w' int32, class · 1000 + k, or the class where it has no instances
    depth: Tensor  # 'b h w', metres along the optical axis; 1e6 in the sky
    parts: Tensor  # 'b h w' int64, the part of an object, the same in all frames
    surface: Tensor  # 'b h w' int64, the point of its surface; -1 in the sky
    offsets: tuple[int, ...]  # of other frames from this one
    motions: tuple[Motion, ...]  # to each of them
    cameras: tuple[Camera, ...]

    def motion(self, offset: int) -> Motion:
        """Return the motion to another frame of those that the renderer was made for.

        Raises:
            ValueError: if it was not made for that one.
        """
        if offset not in self.offsets:
            raise ValueError(f"offset must be one of {self.offsets}; got {offset}")
        return self.motions[self.offsets.index(offset)]


class World:
    """A street and its look. Any frame may be asked for, before or after any other."""

    def __init__(self, world_seed: int, style_seed: int, config: WorldConfig | None = None) -> None:
        """Make a world.

        Args:
            world_seed: of the layout: streets, houses, traffic.
            style_seed: of the look: weather, light, colours.
            config: its difficulty and the path through it.

        Raises:
            ValueError: if a seed is negative.
        """
        if world_seed < 0 or style_seed < 0:
            raise ValueError(f"seeds must be at least 0; got {world_seed} and {style_seed}")
        self.config = config or WorldConfig()
        self.layout = Layout(world_seed, self.config)
        self.look = make_look(style_seed)


class Renderer:
    """Renders frames of worlds, all at one size, together."""

    def __init__(
        self,
        worlds: Sequence[World],
        size: tuple[int, int],
        *,
        device: torch.device | str = "cpu",
        offsets: tuple[int, ...] = (-1, 1),
    ) -> None:
        """Take the worlds; they must agree in whether patterns are drawn.

        Args:
            worlds: at least one.
            size: (height, width), pixels, at least (8, 8).
            device: where it is computed. On the CPU the worlds are rendered one by one, so that a
                frame has the same bits whichever others are rendered with it.
            offsets: of the other frames to which the motion is found: the one before, the next.

        Raises:
            ValueError: if there is no world, the size is too small, or they do not agree.
        """
        if not worlds or min(size) < 8:
            raise ValueError(
                f"worlds must be one or more, size at least (8, 8); got {len(worlds)} and {size}"
            )
        if len({world.config.patterns for world in worlds}) > 1:
            raise ValueError("worlds must agree in config.patterns; some have it and some have not")
        device = torch.device(device)
        groups = [list(worlds)] if device.type != "cpu" else [[world] for world in worlds]
        self._groups = [Group(group, size, device, offsets=offsets) for group in groups]

    @torch.no_grad()
    def render(self, frame: int) -> WorldFrames:
        """Render one frame of every world.

        Args:
            frame: its number, 25 to a second; may be negative.
        """
        parts = [group.render(frame) for group in self._groups]
        if len(parts) == 1:
            return parts[0]
        motions = tuple(
            Motion(*map(torch.cat, zip(*same, strict=True)))
            for same in zip(*(p.motions for p in parts), strict=True)
        )
        return WorldFrames(
            frames=torch.cat([part.frames for part in parts]),
            labels=torch.cat([part.labels for part in parts]),
            instances=torch.cat([part.instances for part in parts]),
            depth=torch.cat([part.depth for part in parts]),
            parts=torch.cat([part.parts for part in parts]),
            surface=torch.cat([part.surface for part in parts]),
            offsets=parts[0].offsets,
            motions=motions,
            cameras=tuple(camera for part in parts for camera in part.cameras),
        )


class Group:
    """Worlds that are rendered as one batch; `Renderer` decides which."""

    def __init__(
        self,
        worlds: list[World],
        size: tuple[int, int],
        device: torch.device,
        *,
        offsets: tuple[int, ...],
    ) -> None:
        self._worlds, self._size, self._device = worlds, size, device
        self._offsets = offsets
        self._casts: OrderedDict[int, tuple[Caster, Cast]] = OrderedDict()
        self._noise = make_noise(_NOISE_SEED).to(device)
        self._paints = torch.stack([world.look.paints for world in worlds]).to(device)
        plans = [world.layout.plan for world in worlds]
        pitch = [(plan.width_m, plan.length_m) for plan in plans]
        self._pitch = torch.tensor(pitch, device=device)

    def render(self, frame: int) -> WorldFrames:
        """Render one frame of every world, see `Renderer`."""
        others = [self._cast(frame + offset) for offset in self._offsets]
        caster, cast = self._cast(frame)
        stage, dx, dy = caster.stage, *self._rays(caster)
        surface = find_surface(stage, _flat(cast), (dx, dy))
        edges = caster.refine(cast, surface.face)
        palette = self._palette(frame)
        shadows = find_shadows(caster, cast, palette.styles)
        light = self._light(caster, (surface, edges), palette, shadows=shadows)
        picture = caster.to_picture
        ground = Ground(surface.x, surface.z, surface.width_u, surface.width_v)
        is_ground = stage.material.index_select(0, surface.solid) == Material.GROUND
        below = ground_labels(ground, pick(self._pitch, stage.view.index_select(0, surface.solid)))
        labels = torch.where(is_ground, below, stage.label.index_select(0, surface.solid))
        instances = torch.where(is_ground, below, stage.instance.index_select(0, surface.solid))
        return WorldFrames(
            frames=torch.stack([picture(channel) for channel in light], dim=1) * 2 - 1,
            labels=picture(labels).to(torch.uint8),
            instances=picture(instances).to(torch.int32),
            depth=picture(surface.depth),
            parts=picture(stage.part.index_select(0, surface.solid)),
            surface=picture(surface_ids(stage, surface)),
            offsets=self._offsets,
            motions=tuple(
                find_motion(caster, surface, other, number=number)
                for number, other in enumerate(others)
            ),
            cameras=stage.cameras,
        )

    def _cast(self, frame: int) -> tuple[Caster, Cast]:
        """Cast the rays of a frame, or take them from the frame rendered before."""
        if frame not in self._casts:
            scenes = [
                world.layout.scene(frame, self._size, self._offsets) for world in self._worlds
            ]
            caster = Caster(make_stage(scenes, self._device))
            self._casts[frame] = (caster, caster.cast())
        self._casts.move_to_end(frame)
        while len(self._casts) > _KEPT_CASTS:
            self._casts.popitem(last=False)
        return self._casts[frame]

    def _rays(self, caster: Caster) -> tuple[Tensor, Tensor]:
        """Repeat the rays for every world, and lay them out flat."""
        num = len(self._worlds)
        return caster.rays.dx.repeat(num, 1).flatten(), caster.rays.dy.repeat(num, 1).flatten()

    def _palette(self, frame: int) -> Palette:
        styles = [light_at(w.look.style, frame, w.config.light_change) for w in self._worlds]
        stacked = Style(*(torch.stack(c).to(self._device) for c in zip(*styles, strict=True)))
        patterns = self._worlds[0].config.patterns
        return Palette(stacked, self._paints, self._pitch, self._noise, patterns)

    def _light(
        self,
        caster: Caster,
        seen: tuple[Surface, Edges],
        palette: Palette,
        *,
        shadows: Shadows,
    ) -> Tensor:
        """Shade every pixel once, or four times where edges cross it: '3 n' in [0, 1]."""
        surface, edges = seen
        num_samples = edges.dx.shape[1]
        hits = Hits(*(column.flatten() for column in edges.hits))
        finer = find_surface(caster.stage, hits, (edges.dx.flatten(), edges.dy.flatten()))
        is_whole = torch.ones_like(surface.depth, dtype=torch.bool)
        is_whole[edges.pixel] = False
        whole = is_whole.nonzero()[:, 0]
        samples = join_surfaces(take(surface, whole), finer)
        pixel = torch.cat([whole, edges.pixel.repeat_interleave(num_samples)])
        dark = (
            shadows.sun.flatten().index_select(0, pixel),
            shadows.sky.flatten().index_select(0, pixel),
        )
        # Highlights are cut before they are averaged, or they would show as jagged edges.
        shaded = shade(caster.stage, samples, palette, shadow=dark).clamp(0, 1)
        light = torch.empty_like(surface.ray)
        light[:, whole] = shaded[:, : len(whole)]
        light[:, edges.pixel] = shaded[:, len(whole) :].unflatten(1, (-1, num_samples)).mean(dim=2)
        return light.sqrt()


def _flat(cast: Cast) -> Hits:
    return Hits(*(column.flatten() for column in cast.hits))
