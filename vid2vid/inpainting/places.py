"""Where the windows of a hole are copied from: known places whose pixels are nearest to them.

Searched exactly where a picture is small; else taken over from half the size, and improved by what
the neighbours copy and by chance (Barnes et al. 2009, "PatchMatch").
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from vid2vid.inpainting.matching import make_patches, match, touching

SIZE = 7  # px, of a window (Wexler et al. 2007 have 5 to 7)
MIDDLE = SIZE // 2
MOST_SEARCHED = 20_000  # known windows that are compared; of more, every so many
MOST_FOR_LOST = 4000  # likewise, for windows whose source is not known at a finer level
CHUNK = 32_768  # windows at a time: 19 MB of pixels
DRAWN = 3  # places drawn by chance for a window, from all over the picture to nearby
NARROWER = 6  # times, from one draw to the next

Gallery = Sequence[Tensor]
"""Pictures that are copied from, '3 h w' each: the one with the hole, and samples all known."""


class Sources(NamedTuple):
    """Where the windows that touch a hole are copied from."""

    wanted: Tensor  # 'h-6 w-6' bool, windows by their first pixel
    places: Tensor  # 'm 3' int64: which picture, row and column; in the order of the windows' rows
    apart: Tensor  # 'm', the sum of squared differences; infinite where there is no known place


def at_home(windows: Tensor) -> Tensor:
    """List windows of the picture itself as places: 'm 3'."""
    return F.pad(windows.nonzero(), (1, 0))


def cut(gallery: Gallery, places: Tensor) -> Tensor:
    """Cut windows out: 'm d'."""
    channels = gallery[0].shape[0]
    pixels = gallery[0].new_empty(len(places), channels * SIZE * SIZE)
    for number in places[:, 0].unique().tolist():
        own = places[:, 0] == number
        windows = gallery[number].unfold(1, SIZE, 1).unfold(2, SIZE, 1)
        _, rows, columns = places[own].T
        pixels[own] = windows[:, rows, columns].transpose(0, 1).flatten(1)
    return pixels


def list_known(gallery: Gallery, unknown: Tensor, *, most: int) -> Tensor:
    """List places that may be copied from, every so many if there are more than `most`: 'n 3'."""
    places = [at_home(~touching(unknown, SIZE))]
    for number, sample in enumerate(gallery[1:], start=1):
        rows, columns = (max(0, side - SIZE + 1) for side in sample.shape[1:])
        whole = torch.ones(rows, columns, dtype=torch.bool, device=unknown.device)
        places.append(F.pad(whole.nonzero(), (1, 0), value=number))
    known = torch.cat(places)
    return known[:: max(1, -(-len(known) // most))]


def search(gallery: Gallery, unknown: Tensor) -> Sources | None:
    """Find the nearest known window for each that touches a hole.

    Args:
        gallery: the picture first, its hole filled somehow.
        unknown: 'h w' bool.

    Returns:
        None where no window is known.
    """
    wanted, known = touching(unknown, SIZE), list_known(gallery, unknown, most=MOST_SEARCHED)
    if not len(known):
        return None
    return Sources(wanted, *_search_some(gallery, at_home(wanted), known))


def take_over(coarse: Sources, gallery: Gallery, unknown: Tensor) -> Sources | None:
    """Bring sources to twice the size; what has none that is known there is searched for.

    Args:
        coarse: of the level below.
        gallery: the picture first, its hole filled somehow.
        unknown: 'h w' bool.

    Returns:
        None where no window is known.
    """
    wanted, fewer = touching(unknown, SIZE), list_known(gallery, unknown, most=MOST_FOR_LOST)
    if not len(fewer):
        return None
    home = at_home(wanted)
    middle = home[:, 1:] + MIDDLE
    limits = home.new_tensor(coarse.wanted.shape) - 1
    parent = torch.minimum((middle // 2 - MIDDLE).clamp_min(0), limits)
    places = _lay_out(coarse)[parent[:, 0], parent[:, 1]]
    inner = middle - 2 * (parent + MIDDLE)
    places[:, 1:] = 2 * (places[:, 1:] + MIDDLE) + inner - MIDDLE
    lost = ~_are_known(gallery, ~wanted, places)
    places[lost] = home[lost]
    apart = _compare(gallery, home, places)
    if lost.any():
        places[lost], apart[lost] = _search_some(gallery, home[lost], fewer)
    return Sources(wanted, places, apart)


def improve(gallery: Gallery, sources: Sources, generator: torch.Generator) -> Sources:
    """Try for every window what its neighbours copy, and places drawn by chance.

    Args:
        gallery: the picture first, its hole filled somehow.
        sources: what is known so far; its distances may be out of date.
        generator: of chance, on the CPU.
    """
    home, table = at_home(sources.wanted), F.pad(_lay_out(sources), (0, 0, 1, 1, 1, 1), value=-1)
    places = sources.places.clone()
    apart = torch.empty_like(sources.apart)
    longest = max(max(each.shape[1:]) for each in gallery)
    for start in range(0, len(home), CHUNK):
        part = slice(start, start + CHUNK)
        own, queries = places[part], cut(gallery, home[part])
        best = (queries - cut(gallery, own)).square().sum(dim=1)
        for candidates in _candidates(table, home[part], generator, reach=longest / 2):
            tried = candidates(own)
            known = _are_known(gallery, ~sources.wanted, tried).nonzero()[:, 0]
            distance = (queries[known] - cut(gallery, tried[known])).square().sum(dim=1)
            nearer = distance < best[known]
            best[known[nearer]], own[known[nearer]] = distance[nearer], tried[known[nearer]]
        apart[part] = best
    return Sources(sources.wanted, places, apart)


def _candidates(
    table: Tensor, home: Tensor, generator: torch.Generator, *, reach: float
) -> list[Callable[[Tensor], Tensor]]:
    """List what is tried for windows, each a function of the best places so far: 'm 3'."""

    def beside(down: int, right: int) -> Callable[[Tensor], Tensor]:
        shift = home.new_tensor([0, down, right])
        neighbour = table[home[:, 1] + 1 - down, home[:, 2] + 1 - right]
        return lambda _: torch.where(neighbour[:, :1] < 0, neighbour, neighbour + shift)

    def nearby(radius: float) -> Callable[[Tensor], Tensor]:
        def draw(best: Tensor) -> Tensor:
            by = (2 * torch.rand(len(best), 2, generator=generator) - 1) * radius
            return best + F.pad(by.round().long(), (1, 0)).to(best.device)

        return draw

    radii = [max(2.0, reach / NARROWER**index) for index in range(DRAWN)]
    return [*(beside(*by) for by in ((0, 1), (1, 0), (0, -1), (-1, 0))), *map(nearby, radii)]


def _lay_out(sources: Sources) -> Tensor:
    """Lay places out as their windows lie: 'h-6 w-6 3', -1 where none is wanted."""
    table = sources.places.new_full((*sources.wanted.shape, 3), -1)
    table[sources.wanted] = sources.places
    return table


def _are_known(gallery: Gallery, known: Tensor, places: Tensor) -> Tensor:
    """Tell which places lie within their picture, and hold nothing unknown: 'm' bool."""
    sides = places.new_tensor([[each.shape[1], each.shape[2]] for each in gallery]) - SIZE
    number, first = places[:, 0], places[:, 1:]
    inside = (number >= 0) & (first >= 0).all(dim=1)
    inside &= (first <= sides[number.clamp_min(0)]).all(dim=1)
    own = (inside & (number == 0)).nonzero()[:, 0]
    inside[own] = known[first[own, 0], first[own, 1]]
    return inside


def _compare(gallery: Gallery, some: Tensor, other: Tensor) -> Tensor:
    """Sum the squared differences of windows: 'm'."""
    pairs = zip(some.split(CHUNK), other.split(CHUNK), strict=True)
    distances = [(cut(gallery, one) - cut(gallery, two)).square().sum(dim=1) for one, two in pairs]
    return torch.cat(distances)


def _search_some(gallery: Gallery, wanted: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """Find among known places the nearest to each wanted one: 'm 3', and how far they are: 'm'."""
    patches = make_patches(cut(gallery, known))
    found = [match(cut(gallery, part), patches, metric="distance") for part in wanted.split(CHUNK)]
    places = known[torch.cat(found)]
    return places, _compare(gallery, wanted, places)
