"""Fill the holes of a picture by patches of its own texture, coarse to fine.

Yang et al. 2017, "High-Resolution Image Inpainting using Multi-Scale Neural Patch Synthesis".
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from vid2vid.errors import DataError
from vid2vid.filling.inventor import Inventor
from vid2vid.inpainting.blending import blend
from vid2vid.inpainting.masks import Hole, grow, split_holes, widen_slice
from vid2vid.inpainting.melting import melt
from vid2vid.inpainting.membrane import membrane
from vid2vid.inpainting.optimise import Level, Optimised, optimise
from vid2vid.inpainting.presets import SynthesisOptions
from vid2vid.inpainting.pyramid import (
    count_levels,
    enlarge,
    level_sizes,
    shrink,
    shrink_sample,
)
from vid2vid.inpainting.stack import FeatureStack
from vid2vid.inpainting.texture import Texture
from vid2vid.inpainting.voting import (
    Sketch,
    begin,
    breadth,
    draw_near,
    follow,
    halvings_to_begin,
)

APART_PX = 32
"""Holes nearer to each other than this are filled together."""
KEPT_PX = 9
"""Over which the colours of a sketch are averaged, that its optimisation keeps."""
LEAST_AROUND_PX = 96
"""Pixels around a hole that texture is taken from, at least; else as many as the hole is long."""


class _Room(NamedTuple):
    """What a level is filled from."""

    picture: Tensor  # '3 h w', its hole filled by a membrane
    unknown: Tensor  # 'h w' bool
    samples: list[Tensor]  # '3 h w' each

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the picture."""
        return self.picture.shape[1], self.picture.shape[2]


class _State(NamedTuple):
    """How far the painting of a hole is, after a level."""

    content: Tensor | None  # '3 h w'; None below the first level that is optimised
    drawn: Sketch | None  # None where the optimisation begins with the content

    @property
    def picture(self) -> Tensor | None:
        """What was painted."""
        return self.content if self.drawn is None else self.drawn.picture


class PatchSynthesis:
    """Fills holes of any form, place and number; an `Inventor`."""

    def __init__(
        self,
        stack: FeatureStack,
        options: SynthesisOptions,
        *,
        content: Inventor | None = None,
        samples: Sequence[Tensor] = (),
    ) -> None:
        """Keep what fills.

        Args:
            stack: whose features are compared, on the device that computes.
            options: how.
            content: what says roughly what a hole holds. None = nothing does: then a membrane is
                where the optimisation begins, or voting goes by what is known alone.
            samples: '3 h w' in [-1, 1], pictures that texture is taken from too.
        """
        self._stack, self._options = stack, options
        self._content, self._samples = content, samples

    def __call__(self, picture: Tensor, unknown: Tensor) -> Tensor:
        """Fill a picture; see `Inventor`.

        Raises:
            DataError: if no patch of the picture is known to take texture from.
        """
        result, left = picture, unknown.clone()
        for hole in split_holes(unknown, apart=APART_PX):
            result = self._fill_hole(result, left, hole)
            left &= ~hole.unknown
        return result

    def _fill_hole(self, picture: Tensor, left: Tensor, hole: Hole) -> Tensor:
        """Fill one hole from its surroundings; what else is unknown there is left."""
        around = max(hole.longest_side, LEAST_AROUND_PX)
        rows = widen_slice(hole.rows, around, limit=left.shape[0])
        columns = widen_slice(hole.columns, around, limit=left.shape[1])
        part, unknown = picture[:, rows, columns], left[rows, columns]
        device = self._stack.mean.device
        painted = self.paint(part.to(device), unknown.to(device)).to(picture)
        options = self._options
        filled = blend(part, painted, unknown, method=options.blending, feather=options.feather)
        result = picture.clone()
        own = hole.unknown[rows, columns]
        result[:, rows, columns] = torch.where(own, filled, part)
        return result

    def paint(self, picture: Tensor, unknown: Tensor) -> Tensor:
        """Paint the holes of a picture, and a little of what is known around them.

        Args:
            picture: '3 h w' in [-1, 1].
            unknown: 'h w' bool, at least one.

        Returns:
            '3 h w' in [-1, 1], not blended yet.

        Raises:
            DataError: as a call.
        """
        spanned = membrane(picture, unknown)
        height, width = unknown.shape
        levels = self._options.levels or count_levels(height, width)
        before = max(0, halvings_to_begin(unknown) + 1 - levels) if self._votes else 0
        sizes = level_sizes(height, width, levels=before + levels)
        state = _State(None, None)
        for left, size in zip(reversed(range(len(sizes))), sizes, strict=True):
            samples = [shrink_sample(each.to(picture), left) for each in self._samples]
            room = _Room(*shrink(spanned, unknown, size), samples)
            if not room.unknown.any():
                continue
            drawn = self._draw(state.drawn, room) if self._votes else None
            if left < levels:
                state = self._paint_level(state.content, drawn, room=room, is_last=left == 0)
            else:
                state = _State(None, drawn)
        return spanned if state.picture is None else state.picture

    @property
    def _votes(self) -> bool:
        return self._options.beginning == "voting"

    def _draw(self, coarse: Sketch | None, room: _Room) -> Sketch:
        """Draw a sketch of a level, from that of the level below."""
        gallery = (room.picture, *room.samples)
        if coarse is None:
            return begin(gallery, room.unknown)
        return follow(coarse, gallery, room.unknown)

    def _paint_level(
        self, content: Tensor | None, drawn: Sketch | None, *, room: _Room, is_last: bool
    ) -> _State:
        """Optimise one level of the pyramid, from the content and the sketch so far."""
        level, mask = room.picture, room.unknown
        larger = self._guess(level, mask) if content is None else enlarge(content, room.size)
        content = torch.where(mask, larger, level)
        if drawn is None:
            return _State(self._optimise(room, content, is_last=is_last).picture, None)
        done = self._optimise(room, self._join(drawn, room, content), is_last=is_last)
        return _State(content, drawn._replace(picture=done.picture))

    def _guess(self, level: Tensor, mask: Tensor) -> Tensor:
        """Say roughly what a hole holds."""
        return membrane(level, mask) if self._content is None else self._content(level, mask)

    def _join(self, drawn: Sketch, room: _Room, content: Tensor) -> Tensor:
        """Join the windows of a sketch, whose broad colours are drawn near to the content's."""
        mask = room.unknown
        if drawn.sources is None:
            return content
        gallery = [drawn.picture, *room.samples]
        joined = melt(gallery, drawn.sources, unknown=mask, colours=drawn.picture)
        pull = 0.0 if self._content is None else self._options.pull
        return draw_near(joined, content, mask, pull=pull, broad=breadth(mask)).clamp(-1, 1)

    def _optimise(self, room: _Room, start: Tensor, *, is_last: bool) -> Optimised:
        """Optimise one level; a coarse one that holds no known patch is passed over."""
        level, mask, samples = room
        free = grow(mask, self._options.overlap)
        begun = torch.where(free, start, level)
        options = self._options
        try:
            texture = Texture(self._stack, begun, mask, options=options.match, samples=samples)
        except DataError:
            if is_last:
                raise
            return Optimised(begun, [], is_whole=True)
        done = optimise(Level(level, free, begun, begun), texture, options.optimise)
        if options.beginning == "content":
            return done
        # Deep features say little of colour: what is voted has the right ones already.
        return done._replace(
            picture=draw_near(done.picture, begun, free, pull=1, broad=KEPT_PX).clamp(-1, 1)
        )
