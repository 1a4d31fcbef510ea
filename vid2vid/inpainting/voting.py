"""Texture to begin from: a hole as the mean of the known patches of pixels that are nearest to it.

The texture term on the pixels themselves, minimised in turn over patches and pixels, coarse to fine
(Wexler et al. 2007, "Space-Time Completion of Video"; Kwatra et al. 2005). From a smooth content
alone L-BFGS finds but a weak texture, for the patches nearest to something smooth are smooth.
A sketch is drawn at one level; finer ones take over where it copied from, so that what is fine is
copied too.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from vid2vid.inpainting.matching import make_patches, match, overlay, touching
from vid2vid.inpainting.pyramid import enlarge, shrink, shrink_sample

SIZE = 7  # px, of a patch (Wexler et al. 2007 have 5 to 7)
ROUNDS = 6  # of choosing patches and laying them
SHARP_PX = 0.6  # deviation at which the last vote of a level has the energy of real texture
COARSEST = 24  # px, of the longer side of the first level
MOST_SEARCHED = 20_000  # known windows that are compared; of more, every so many
MOST_FOR_LOST = 4000  # likewise, for the few whose source is lost at a finer level
BROAD = 9  # px, over which colours are averaged to be broad ones


class Sketch(NamedTuple):
    """A hole filled by voting."""

    picture: Tensor  # '3 h w'; what is known within a patch of the hole may be painted over
    sources: "Sources | None"  # None where no patch is known


Gallery = Sequence[Tensor]
"""Pictures that are copied from, '3 h w' each: the one with the hole, and samples all known."""


class Sources(NamedTuple):
    """Where the windows that touch a hole are copied from."""

    wanted: Tensor  # 'h-6 w-6' bool, windows by their first pixel
    places: Tensor  # 'm 3' int64: which picture, row and column; in the order of the windows' rows


def vote(gallery: Gallery, sources: Sources, *, spread: float | None = None) -> Tensor:
    """Lay the sources' pixels over a hole, and over the known pixels within a patch of it.

    Blending takes from the latter by how much the painting is off at the rim.

    Args:
        gallery: the picture first.
        sources: of its windows.
        spread: deviation of how much a pixel of a patch counts by its distance from the middle, px;
            None = all alike, a mean that is smooth where patches disagree.
    """
    chosen, kernel = _cut(gallery, sources.places), None
    if spread is not None:
        distance = torch.arange(SIZE, device=chosen.device) - SIZE // 2
        profile = torch.exp(-(distance / spread).square() / 2).clamp_min(1e-9)
        kernel = profile[:, None] * profile
    mean, weight = overlay(chosen, sources.wanted, size=SIZE, kernel=kernel)
    return torch.where(weight > 0, mean, gallery[0])


def sketch(gallery: Gallery, unknown: Tensor, content: Tensor, *, pull: float) -> Sketch | None:
    """Fill a hole by voting, from a few pixels up to the size of the picture.

    Args:
        gallery: in [-1, 1], the picture first, its hole filled somehow.
        unknown: 'h w' bool.
        content: '3 h w' in [-1, 1], whose broad colours are kept to.
        pull: how far, in [0, 1]: 0 = not at all.

    Returns:
        None where no patch of the picture is known.
    """
    picture = gallery[0]
    sizes = [(picture.shape[1], picture.shape[2])]
    while max(sizes[0]) > 2 * COARSEST:
        sizes.insert(0, (-(-sizes[0][0] // 2), -(-sizes[0][1] // 2)))
    last: Sketch | None = None
    for index, size in enumerate(sizes):
        level, mask = shrink(picture, unknown, size)
        broad, _ = shrink(content, unknown, size)
        samples = [shrink_sample(each, len(sizes) - 1 - index) for each in gallery[1:]]
        if last is None:
            last = Sketch(torch.where(mask, broad, level), None)
        last = _begin(last, (level, *samples), mask)
        for _ in range(ROUNDS):
            rooms = (last.picture, *samples)
            sources = search(rooms, mask)
            if sources is None:
                break
            voted = torch.where(mask, vote(rooms, sources), level)
            last = Sketch(draw_near(voted, broad, mask, pull=pull), sources)
    if last is None or last.sources is None:
        return None
    return _sharpen(last.sources, (last.picture, *gallery[1:]), last.picture)


def follow(coarse: Sketch, gallery: Gallery, unknown: Tensor) -> Sketch:
    """Take a sketch to a level of twice the size: its broad colours, with the sources' detail.

    Args:
        coarse: of the level below.
        gallery: of the finer level, the picture first, its hole filled somehow.
        unknown: 'h w' bool.
    """
    begun = _begin(coarse, gallery, unknown)
    if begun.sources is None:
        return begun
    return _sharpen(begun.sources, (begun.picture, *gallery[1:]), coarse.picture)


def _sharpen(sources: Sources, gallery: Gallery, coarse: Tensor) -> Sketch:
    """Copy what is fine, and keep the colours of something no finer, averaged over 2x2 px."""
    copied = vote(gallery, sources, spread=SHARP_PX)
    height, width = copied.shape[1:]
    size = (-(-height // 2), -(-width // 2))
    apart = F.adaptive_avg_pool2d(coarse[None], size) - F.adaptive_avg_pool2d(copied[None], size)
    return Sketch((copied + enlarge(apart[0], (height, width))).clamp(-1, 1), sources)


def _begin(coarse: Sketch, gallery: Gallery, unknown: Tensor) -> Sketch:
    """Enlarge a sketch, and find where its finer windows come from."""
    picture = gallery[0]
    filled = torch.where(
        unknown, enlarge(coarse.picture, (picture.shape[1], picture.shape[2])), picture
    )
    if coarse.sources is None or coarse.picture.shape == picture.shape:
        return coarse._replace(picture=filled)
    rooms = (filled, *gallery[1:])
    sources = refine(coarse.sources, rooms, unknown)
    if sources is None:
        return Sketch(filled, None)
    return Sketch(torch.where(unknown, vote(rooms, sources), picture), sources)


def draw_near(picture: Tensor, content: Tensor, unknown: Tensor, *, pull: float) -> Tensor:
    """Move the broad colours of a hole towards those of the content.

    Args:
        picture: '3 h w'.
        content: '3 h w'.
        unknown: 'h w' bool, what may change.
        pull: how far, 0 to 1.
    """
    if not pull:
        return picture
    mask = unknown[None].float()
    apart = torch.cat([(content - picture) * mask, mask])
    blurred = F.avg_pool2d(apart[None], BROAD, 1, BROAD // 2)[0]
    return torch.where(unknown, picture + pull * blurred[:3] / blurred[3:].clamp_min(0.1), picture)


def search(gallery: Gallery, unknown: Tensor) -> Sources | None:
    """Find the nearest known window for each that touches a hole; None where none is known."""
    wanted = touching(unknown, SIZE)
    known = _list_known(gallery, ~wanted)
    if not len(known):
        return None
    return Sources(wanted, _search_some(gallery, _at_home(wanted), known))


def refine(coarse: Sources, gallery: Gallery, unknown: Tensor) -> Sources | None:
    """Take over sources at twice the size; what has none that is known is searched for.

    Args:
        coarse: of the level below.
        gallery: the picture first, its hole filled somehow.
        unknown: 'h w' bool.

    Returns:
        None where no window is known.
    """
    wanted = touching(unknown, SIZE)
    known = _list_known(gallery, ~wanted)
    if not len(known):
        return None
    home = _at_home(wanted)
    place = home[:, 1:]
    table = place.new_full((*coarse.wanted.shape, 3), -1)
    table[coarse.wanted] = coarse.places
    parent = torch.minimum(place // 2, place.new_tensor(coarse.wanted.shape) - 1)
    source = table[parent[:, 0], parent[:, 1]]
    finer = source.clone()
    finer[:, 1:] = 2 * source[:, 1:] + (place - 2 * parent)
    limits = place.new_tensor([[each.shape[1], each.shape[2]] for each in gallery]) - SIZE
    inside = (source[:, 0] >= 0) & (finer[:, 1:] <= limits[finer[:, 0]]).all(dim=1)
    finer = torch.where(inside[:, None], finer, home)
    lost = finer[:, 0] == 0
    own = finer[lost]
    lost[lost.clone()] = wanted[own[:, 1], own[:, 2]]
    if lost.any():
        fewer = known[:: -(-len(known) // MOST_FOR_LOST)]
        finer[lost] = _search_some(gallery, home[lost], fewer)
    return Sources(wanted, finer)


def _at_home(windows: Tensor) -> Tensor:
    """List windows of the picture itself as places: 'm 3'."""
    return F.pad(windows.nonzero(), (1, 0))


def _list_known(gallery: Gallery, known: Tensor) -> Tensor:
    """List the places that may be copied from: 'n 3'."""
    places = [_at_home(known)]
    for number, sample in enumerate(gallery[1:], start=1):
        rows, columns = (max(0, side - SIZE + 1) for side in sample.shape[1:])
        whole = torch.ones(rows, columns, dtype=torch.bool, device=known.device)
        places.append(F.pad(whole.nonzero(), (1, 0), value=number))
    return torch.cat(places)


def _search_some(gallery: Gallery, wanted: Tensor, known: Tensor) -> Tensor:
    """Find among known places the nearest to each wanted one: 'm 3'."""
    if len(known) > MOST_SEARCHED:
        known = known[:: -(-len(known) // MOST_SEARCHED)]
    patches = make_patches(_cut(gallery, known))
    return known[match(_cut(gallery, wanted), patches, metric="distance")]


def _cut(gallery: Gallery, places: Tensor) -> Tensor:
    """Cut windows out: 'm d'."""
    cut = gallery[0].new_empty(len(places), 3 * SIZE * SIZE)
    for number in places[:, 0].unique().tolist():
        own = places[:, 0] == number
        windows = gallery[number].unfold(1, SIZE, 1).unfold(2, SIZE, 1)
        _, rows, columns = places[own].T
        cut[own] = windows[:, rows, columns].transpose(0, 1).flatten(1)
    return cut
