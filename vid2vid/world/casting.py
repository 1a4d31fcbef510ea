"""Cast rays through the pixels of a stage: which solid each meets first, and how deep.

The picture is worked on in tiles of 8x8 pixels: every solid is tried on the tiles that its extent
touches, all tiles of all solids at once, and each pixel keeps the nearest.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from vid2vid.world.materials import Material
from vid2vid.world.stage import Extent, Stage, box_planes, ellipsoid_terms, extents

TILE = 8
_LANES = TILE * TILE
_LOW = (1 << 32) - 1
# Where a pixel is sampled that edges cross, pixels from its middle: a 2x2 grid turned so that edges
# along either axis are met at four different places, and widened to soften them.
SUBSAMPLES = ((-0.16, -0.46), (0.46, -0.16), (0.16, 0.46), (-0.46, 0.16))
_THIN_PX = 3.0


class Rays(NamedTuple):
    """Rays (dx, dy, 1) through the middles of the pixels of one view, tile by tile."""

    dx: Tensor  # 'tiles 64'
    dy: Tensor  # 'tiles 64'
    rows: int  # of tiles
    columns: int


class Hits(NamedTuple):
    """What rays meet."""

    inverse: Tensor  # '...', inverse depth, 1/m; 0 in the sky
    solid: Tensor  # '...' int64, row of the stage


class Pairs(NamedTuple):
    """Solids, each with a tile that it may show in."""

    solid: Tensor  # 'k', row of the stage
    tile: Tensor  # 'k', over all views


class Cast(NamedTuple):
    """What the pixels of a stage show."""

    hits: Hits  # 'views·tiles 64'
    pairs: Pairs  # that were tried
    extent: Extent  # of the solids


class Edges(NamedTuple):
    """What the pixels show, in four places each, that edges cross."""

    pixel: Tensor  # 'e' int64, in the order view, tile, pixel of the tile
    hits: Hits  # 'e 4', at `SUBSAMPLES`
    dx: Tensor  # 'e 4', of their rays
    dy: Tensor


def make_rays(stage: Stage) -> Rays:
    """Make the rays of a view; tiles may reach beyond the right and lower border."""
    camera, device = stage.cameras[0], stage.half.device
    rows, columns = (-(-side // TILE) for side in camera.size)
    lane = torch.arange(TILE, device=device)
    y = (torch.arange(rows, device=device)[:, None, None, None] * TILE + lane[:, None]).expand(
        rows, columns, TILE, TILE
    )
    x = (torch.arange(columns, device=device)[:, None, None] * TILE + lane).expand(
        rows, columns, TILE, TILE
    )
    dx = (x.reshape(-1, _LANES) - camera.middle[0]) / camera.focal_px
    dy = (y.reshape(-1, _LANES) - camera.middle[1]) / camera.focal_px
    return Rays(dx, dy, rows, columns)


class Caster:
    """Casts rays at the solids of a stage."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.rays = make_rays(stage)
        self._before, self._behind = box_planes(stage)
        self._terms = ellipsoid_terms(stage)
        up = stage.rotation[stage.ground][:, :, 1]  # the world's y axis in the camera, 'views 3'
        height = (up * stage.centre[stage.ground]).sum(dim=1, keepdim=True)
        self._ground = up / height

    def cast(self) -> Cast:
        """Cast a ray through the middle of every pixel."""
        stage, rays = self.stage, self.rays
        extent = extents(stage)
        num = len(stage.cameras)
        view = torch.arange(num, device=rays.dx.device).repeat_interleave(len(rays.dx))
        keys = self._start(view, rays.dx.repeat(num, 1), rays.dy.repeat(num, 1))
        is_wall = stage.material == Material.FACADE
        walls = self.pairs(extent, is_wall.nonzero()[:, 0], stage.view)
        self._nearest(walls, keys)
        is_other = ~is_wall & (stage.material > Material.SKY)
        rows = [(is_other & (stage.round == kind)).nonzero()[:, 0] for kind in (False, True)]
        others = self.pairs(extent, torch.cat(rows), stage.view)
        seen = (keys >> 32).amin(dim=1).to(torch.int32).view(torch.float32)
        is_hidden = extent.nearest[others.solid] < seen[others.tile]
        others = Pairs(*(column[~is_hidden] for column in others))
        self._nearest(others, keys)
        pairs = Pairs(*map(torch.cat, zip(walls, others, strict=True)))
        return Cast(_unpack(keys), pairs, extent)

    def refine(self, cast: Cast, face: Tensor) -> Edges:
        """Cast four rays more through each pixel that the edge of a solid may cross.

        Args:
            cast: of this stage.
            face: 'views·tiles·64', which side of its solid each pixel shows.
        """
        is_edge = self._find_edges(cast.hits.solid.flatten() * 8 + face, cast)
        edges = is_edge.nonzero()[:, 0]
        slot = torch.zeros(len(is_edge), dtype=torch.int64, device=edges.device)
        slot[edges] = torch.arange(len(edges), device=edges.device)
        tile, lane = edges // _LANES, edges % _LANES
        num_tiles = len(self.rays.dx)
        shift = torch.tensor(SUBSAMPLES, device=edges.device) / self.stage.cameras[0].focal_px
        dx = self.rays.dx[tile % num_tiles, lane, None] + shift[:, 0]
        dy = self.rays.dy[tile % num_tiles, lane, None] + shift[:, 1]
        keys = self._start(tile // num_tiles, dx, dy)
        pairs = cast.pairs
        pair, lane = is_edge.view(-1, _LANES).index_select(0, pairs.tile).nonzero().unbind(dim=1)
        at, solid = slot[pairs.tile[pair] * _LANES + lane], pairs.solid[pair]
        met = self.meet(solid, dx.index_select(0, at), dy.index_select(0, at))
        found = _pack(met, solid[:, None])
        corner = at[:, None] * len(SUBSAMPLES) + torch.arange(len(SUBSAMPLES), device=at.device)
        keys.view(-1).scatter_reduce_(0, corner.view(-1), found.view(-1), "amax")
        return Edges(edges, _unpack(keys), dx, dy)

    def meet(self, solid: Tensor, dx: Tensor, dy: Tensor) -> Tensor:
        """Find the inverse depth at which rays meet solids, 0 where they miss.

        Args:
            solid: 'k', rows of the stage; boxes come before ellipsoids.
            dx: 'k m', of m rays for each.
            dy: 'k m'.
        """
        first = len(solid) - int(self.stage.round.index_select(0, solid).sum())
        boxes = self._meet_boxes(solid[:first], dx[:first], dy[:first])
        return torch.cat([boxes, self._meet_balls(solid[first:], dx[first:], dy[first:])])

    def _meet_boxes(self, solid: Tensor, dx: Tensor, dy: Tensor) -> Tensor:
        before = self._before.index_select(0, solid)[..., None].unbind(dim=1)
        behind = self._behind.index_select(0, solid)[..., None].unbind(dim=1)
        entry = _along(before[0], dx, dy)
        for plane in before[1:]:
            entry = torch.minimum(entry, _along(plane, dx, dy))
        leave = _along(behind[0], dx, dy).clamp(min=0.0)
        for plane in behind[1:]:
            leave = torch.maximum(leave, _along(plane, dx, dy))
        return torch.where(entry > leave, entry, 0.0)

    def _meet_balls(self, solid: Tensor, dx: Tensor, dy: Tensor) -> Tensor:
        c, bx, by, bz, xx, yy, zz, xy, xz, yz = self._terms.index_select(0, solid)[
            ..., None
        ].unbind(dim=1)
        linear = _along(torch.stack([bx, by, bz], dim=1), dx, dy)
        square = dx * _along(torch.stack([xx, 2 * xy, 2 * xz], dim=1), dx, dy)
        square = square + torch.addcmul(zz, dy, torch.addcmul(2 * yz, yy, dy))
        root = linear * linear - c * square
        entry = (root.clamp(min=0.0).sqrt() - linear) / c
        return torch.where((root > 0) & (linear < 0), entry, 0.0)

    def ground_inverse(self, view: Tensor, dx: Tensor, dy: Tensor) -> Tensor:
        """Find the inverse depth of the ground along rays 'k m' of views 'k'; 0 above it."""
        met = _along(self._ground.index_select(0, view)[..., None], dx, dy)
        return met.clamp(min=0.0) + 0.0  # not -0.0, whose bits come last

    def _start(self, view: Tensor, dx: Tensor, dy: Tensor) -> Tensor:
        """Begin with the ground and the sky: the keys of rays 'k m' of views 'k'."""
        inverse = self.ground_inverse(view, dx, dy)
        ground, sky = (row[view, None] for row in (self.stage.ground, self.stage.sky))
        return _pack(inverse, torch.where(inverse > 0, ground, sky))

    def pairs(self, extent: Extent, chosen: Tensor, view: Tensor) -> Pairs:
        """List the tiles that each chosen solid of these extents and views may show in.

        Solids keep the order in which `chosen` names their rows.
        """
        height, width = self.stage.size
        solid = chosen
        left, right, top, bottom = (side[solid] for side in extent[:4])
        inside = (right > -1) & (left < width) & (bottom > -1) & (top < height) & (right > left)
        solid = solid[inside]
        columns, rows = self.rays.columns, self.rays.rows

        def tiles(position: Tensor, slack: float, count: int) -> Tensor:
            return ((position[inside] + slack) / TILE).floor().clamp(0, count - 1).long()

        # A subsample lies up to half a pixel from the middle.
        x0, x1 = tiles(left, -0.5, columns), tiles(right, 0.5, columns)
        y0, y1 = tiles(top, -0.5, rows), tiles(bottom, 0.5, rows)
        across = x1 - x0 + 1
        counts = across * (y1 - y0 + 1)
        pair = torch.repeat_interleave(torch.arange(len(solid), device=solid.device), counts)
        number = torch.arange(len(pair), device=solid.device) - (counts.cumsum(0) - counts)[pair]
        down = torch.div(number, across[pair], rounding_mode="floor")
        tile = (y0[pair] + down) * columns + x0[pair] + number - down * across[pair]
        solid = solid[pair]
        return Pairs(solid, view[solid] * (rows * columns) + tile)

    def _nearest(self, pairs: Pairs, keys: Tensor) -> None:
        """Try solids on their tiles, and keep what is nearer in `keys`."""
        local = pairs.tile % len(self.rays.dx)
        dx, dy = (axis.index_select(0, local) for axis in self.rays[:2])
        inverse = self.meet(pairs.solid, dx, dy)
        lanes = torch.arange(_LANES, device=keys.device)
        pixel = pairs.tile[:, None] * _LANES + lanes
        found = _pack(inverse, pairs.solid[:, None])
        keys.view(-1).scatter_reduce_(0, pixel.view(-1), found.view(-1), "amax")

    def _find_edges(self, side: Tensor, cast: Cast) -> Tensor:
        """Mark pixels next to another side, and those that thin solids may cross: flat, bool."""
        pairs, extent = cast.pairs, cast.extent
        solid = self.to_picture(side)
        edge = torch.zeros_like(solid, dtype=torch.bool)
        for axis in (1, 2):
            size = solid.shape[axis] - 1
            first, second = solid.narrow(axis, 0, size), solid.narrow(axis, 1, size)
            differs = first != second
            edge.narrow(axis, 0, size).logical_or_(differs)
            edge.narrow(axis, 1, size).logical_or_(differs)
        flat = self._to_tiles(edge).reshape(-1)
        slim = torch.minimum(extent.right - extent.left, extent.bottom - extent.top) < _THIN_PX
        thin = slim[pairs.solid]
        row, tile = pairs.solid[thin], pairs.tile[thin]
        camera, local = self.stage.cameras[0], tile % len(self.rays.dx)
        x = self.rays.dx[local] * camera.focal_px + camera.middle[0]
        y = self.rays.dy[local] * camera.focal_px + camera.middle[1]
        left, right, top, bottom = (side[row, None] for side in extent[:4])
        over = (x > left - 0.5) & (x < right + 0.5) & (y > top - 0.5) & (y < bottom + 0.5)
        pixel = tile[:, None] * _LANES + torch.arange(_LANES, device=tile.device)
        flat[pixel[over]] = True
        return flat

    def to_picture(self, values: Tensor) -> Tensor:
        """Lay what was found tile by tile out as pictures: 'views h w'; the overhang is cut off."""
        height, width = self.stage.size
        grid = values.reshape(-1, self.rays.rows, self.rays.columns, TILE, TILE)
        return grid.transpose(2, 3).flatten(3, 4).flatten(1, 2)[:, :height, :width]

    def _to_tiles(self, picture: Tensor) -> Tensor:
        """Undo `to_picture`, with zeros in the overhang: 'views·tiles 64'."""
        height, width = self.stage.size
        rows, columns = self.rays.rows, self.rays.columns
        full = picture.new_zeros(len(picture), rows * TILE, columns * TILE)
        full[:, :height, :width] = picture
        grid = full.view(-1, rows, TILE, columns, TILE).transpose(2, 3)
        return grid.reshape(-1, _LANES)


def _along(plane: Tensor, dx: Tensor, dy: Tensor) -> Tensor:
    """Find the inverse depth of planes 'k 3 1', (a, b, c), along rays 'k m': a dx + b dy + c."""
    a, b, c = plane.unbind(dim=1)
    return torch.addcmul(torch.addcmul(c, a, dx), b, dy)


def _pack(inverse: Tensor, solid: Tensor) -> Tensor:
    """Join inverse depth and solid into one number, greater for what is nearer."""
    # The bits of a float that is not negative, read as a whole number, are in its order.
    # A ray that misses, 0, never hides the sky: that is the last row of its view.
    return (inverse.view(torch.int32).long() << 32) | solid


def _unpack(keys: Tensor) -> Hits:
    inverse = (keys >> 32).to(torch.int32).view(torch.float32)
    return Hits(inverse, keys & _LOW)
