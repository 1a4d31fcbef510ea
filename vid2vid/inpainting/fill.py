"""Fill the holes of a picture by patches of its own texture, coarse to fine.

Yang et al. 2017, "High-Resolution Image Inpainting using Multi-Scale Neural Patch Synthesis".
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from vid2vid.errors import DataError
from vid2vid.filling.inventor import Inventor
from vid2vid.inpainting.blending import blend
from vid2vid.inpainting.masks import Hole, grow, split_holes, widen_slice
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
from vid2vid.inpainting.voting import Gallery, Sketch, draw_near, follow, sketch

APART_PX = 32
"""Holes nearer to each other than this are filled together."""
LEAST_AROUND_PX = 96
"""Pixels around a hole that texture is taken from, at least; else as many as the hole is long."""


class PatchSynthesis:
    """Fills holes of any form, place and number; an `Inventor`."""

    def __init__(
        self,
        stack: FeatureStack,
        options: SynthesisOptions,
        *,
        content: Inventor = membrane,
        samples: Sequence[Tensor] = (),
    ) -> None:
        """Keep what fills.

        Args:
            stack: whose features are compared, on the device that computes.
            options: how.
            content: what says roughly what a hole holds.
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
        sizes = level_sizes(height, width, levels=levels)
        last: Optimised | None = None
        drawn: Sketch | None = None
        for index, size in enumerate(sizes):
            level, mask = shrink(spanned, unknown, size)
            samples = self._shrink_samples(len(sizes) - 1 - index)
            if last is None:
                content = self._content(level, mask)
                drawn = self._sketch((level, *samples), mask, content)
            else:
                content = torch.where(mask, enlarge(last.picture, size), level)
                if drawn is not None:
                    finished = drawn._replace(picture=last.picture)
                    drawn = follow(finished, (content, *samples), mask)
            start = content if drawn is None else drawn.picture
            is_last = index == len(sizes) - 1
            last = self._optimise(level, mask, start, samples=samples, is_last=is_last)
        if last is None:
            return spanned
        return last.picture

    def _shrink_samples(self, halvings: int) -> list[Tensor]:
        device = self._stack.mean.device
        return [shrink_sample(each.to(device), halvings) for each in self._samples]

    def _sketch(self, gallery: Gallery, mask: Tensor, content: Tensor) -> Sketch | None:
        if self._options.beginning == "content":
            return None
        return sketch(gallery, mask, content, pull=self._options.pull)

    def _optimise(
        self, level: Tensor, mask: Tensor, start: Tensor, *, samples: list[Tensor], is_last: bool
    ) -> Optimised:
        """Optimise one level; a coarse one that holds no known patch is passed over."""
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
        return done._replace(picture=draw_near(done.picture, begun, free, pull=1).clamp(-1, 1))
