"""The texture term of a level: how far a hole's features are from known patches of features."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from vid2vid.errors import DataError
from vid2vid.inpainting.masks import widen_slice
from vid2vid.inpainting.matching import (
    Assignment,
    MatchOptions,
    Patches,
    assign,
    cut_patches,
    make_patches,
    texture_energy,
    thin,
    touching,
)
from vid2vid.inpainting.stack import FeatureStack


class Window(NamedTuple):
    """The part of a picture that features are computed of: its holes, and what they see."""

    rows: slice
    columns: slice

    def cut(self, planes: Tensor) -> Tensor:
        """Cut '... h w'."""
        return planes[..., self.rows, self.columns]


class Texture:
    """Known patches of one level of a pyramid, and the windows that are compared with them."""

    def __init__(
        self,
        stack: FeatureStack,
        picture: Tensor,
        unknown: Tensor,
        *,
        options: MatchOptions,
        samples: Sequence[Tensor] = (),
    ) -> None:
        """Gather the known patches.

        Args:
            stack: what features are of.
            picture: '3 h w' in [-1, 1], its holes filled somehow.
            unknown: 'h w' bool, at least one.
            options: of the patches.
            samples: '3 h w' in [-1, 1] of the same scale, of which every patch is known.

        Raises:
            DataError: if nowhere is a patch of known features.
        """
        self._stack = stack.fitted(picture, unknown)
        self.window = _lay_window(unknown, self._stack, options.size)
        self._size = options.size
        parts = self._stack.shrink(self.window.cut(unknown))
        self._wanted = [touching(part, options.size) for part in parts]
        self._patches = _gather(self._stack, picture, unknown, options, samples)

    def features(self, picture: Tensor) -> list[Tensor]:
        """Compute the features of the window of a picture, '3 h w'."""
        return self._stack(self.window.cut(picture))

    def assign(self, features: Sequence[Tensor]) -> list[Assignment]:
        """Choose known patches for the windows that touch a hole, layer by layer."""
        return [
            assign(layer, wanted, patches, size=self._size)
            for layer, wanted, patches in zip(features, self._wanted, self._patches, strict=True)
        ]


def sum_energies(features: Sequence[Tensor], assignments: Sequence[Assignment]) -> Tensor:
    """Add the texture terms of the layers."""
    return torch.stack(
        [texture_energy(*pair) for pair in zip(features, assignments, strict=True)]
    ).sum()


def _lay_window(unknown: Tensor, stack: FeatureStack, size: int) -> Window:
    """Lay a window around all holes, large enough that its own border changes no feature."""
    spans: list[slice] = []
    around = stack.reach + size * stack.multiple
    for axis in (1, 0):
        places = unknown.any(dim=axis).nonzero()[:, 0]
        limit = unknown.shape[1 - axis]
        box = slice(int(places[0]), int(places[-1]) + 1)
        wide = widen_slice(box, around, limit=limit)
        start = wide.start // stack.multiple * stack.multiple
        stop = min(-(-wide.stop // stack.multiple) * stack.multiple, limit)
        spans.append(slice(start, stop))
    return Window(*spans)


@torch.no_grad()
def _gather(
    stack: FeatureStack,
    picture: Tensor,
    unknown: Tensor,
    options: MatchOptions,
    samples: Sequence[Tensor],
) -> list[Patches]:
    """Cut the known patches of a picture and of samples, layer by layer."""
    found: list[list[Tensor]] = [[] for _ in stack.strides]
    nothing = (torch.zeros_like(sample[0], dtype=torch.bool) for sample in samples)
    most = options.most // (1 + len(samples))
    for each, mask in ((picture, unknown), *zip(samples, nothing, strict=True)):
        for layer, part, kept in zip(stack(each), stack.shrink(mask), found, strict=True):
            if min(part.shape) >= options.size:
                known = ~touching(part, options.size)
                known = thin(known, stride=options.stride, most=most)
                kept.append(cut_patches(layer, known, size=options.size))
    layers = [torch.cat(kept) if kept else torch.zeros(0, 1) for kept in found]
    if any(len(layer) == 0 for layer in layers):
        cells = options.size * stack.multiple
        raise DataError(
            f"filling needs known squares of {cells}x{cells} px to take texture from; a picture of "
            f"{picture.shape[2]}x{picture.shape[1]} with {int(unknown.sum())} unknown pixels has "
            "none: give pictures to take it from, or a smaller mask"
        )
    return [make_patches(layer) for layer in layers]
