"""A first guess of a hole: filled from its rim inwards by the nearest known windows.

Unlike a smooth guess it has texture and edges, which all that follows at finer levels keeps to.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from vid2vid.inpainting.places import MIDDLE, MOST_SEARCHED, SIZE, Gallery, cut, list_known

VOTE_PX = 1.0  # deviation of how much a window counts by its distance from a pixel
MOST_PAIRS = 60_000_000  # of a window and a known one: about 2 s on one core
LEAST_SEARCHED = 2000


def peel(gallery: Gallery, unknown: Tensor) -> Tensor | None:
    """Fill a hole ring by ring.

    Every pixel of a ring asks for the known window that is nearest in what is known of the window
    around it; those of one ring are laid over one another.

    Args:
        gallery: in [-1, 1], the picture first; what it holds at unknown pixels is left where
            nothing is known to begin from.
        unknown: 'h w' bool.

    Returns:
        '3 h w'; None where no window is known.
    """
    most = min(MOST_SEARCHED, max(LEAST_SEARCHED, MOST_PAIRS // max(1, int(unknown.sum()))))
    places = list_known(gallery, unknown, most=most)
    if not len(places):
        return None
    known, picture, left = cut(gallery, places), gallery[0].clone(), unknown.clone()
    squares = known.square()
    while left.any():
        ring = left & (F.max_pool2d((~left)[None, None].float(), 3, 1, 1)[0, 0] > 0)
        if not ring.any():
            break
        rows, columns = ring.nonzero().T
        first = torch.stack([torch.zeros_like(rows), rows - MIDDLE, columns - MIDDLE], dim=1)
        limits = first.new_tensor([0, left.shape[0] - SIZE, left.shape[1] - SIZE])
        first = torch.minimum(first.clamp_min(0), limits)
        seen = cut([(~left).expand_as(picture).to(picture)], first)
        queries = cut([picture], first) * seen
        apart = torch.addmm(seen @ squares.T, queries, known.T, alpha=-2)
        voted = _lay(known[apart.argmin(dim=1)], first, ring)
        picture = torch.where(ring, voted, picture)
        left = left & ~ring
    return picture


def _lay(windows: Tensor, first: Tensor, ring: Tensor) -> Tensor:
    """Lay windows, 'm d', by their first pixels over one another: '3 h w', of use in the ring."""
    height, width = ring.shape
    total = windows.new_zeros(4, height * width)
    centres = ring.nonzero()
    pixels = windows.view(-1, 3, SIZE, SIZE)
    for row in range(SIZE):
        for column in range(SIZE):
            place = first[:, 1:] + first.new_tensor([row, column])
            distance = (place - centres).square().sum(dim=1)
            share = torch.exp(-distance / (2 * VOTE_PX**2)) + 1e-6
            values = torch.cat([pixels[:, :, row, column].T * share, share[None]])
            total.index_add_(1, place[:, 0] * width + place[:, 1], values)
    return (total[:3] / total[3:].clamp_min(1e-9)).view(3, height, width)
