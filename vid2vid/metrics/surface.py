"""How much the colour of one surface point varies over a whole video, wherever it is seen.

One figure for flicker, drift and what has changed when a place is visited again. It needs a world
that names the surface point of every pixel.

The figure is a mean over pairs of visits: the variance of a point seen n times is half the mean
squared difference of its n (n - 1) / 2 pairs, and a point counts with its n - 1 degrees of freedom.
Each pair lies in one block of frames or in two, which is how the interval is found.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from vid2vid.metrics.bootstrap import (
    MIN_UNITS,
    RESAMPLES,
    Interval,
    draw_counts,
    percentile_interval,
)
from vid2vid.metrics.statistics import Floats, mean

BLOCKS = 64
"""At most; above, neighbouring blocks are put together two by two."""

_CAPACITY = 1 << 18  # points of a block followed at most, over all blocks; 15 MB a video
_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio (Knuth, volume 3, 6.4)


class BlockSums(NamedTuple):
    """Pairs of visits added up over the blocks of frames in which the two lie.

    The sum of all of `squares` over the sum of all of `freedom` is the figure.
    """

    squares: Floats  # 'u u', symmetric: squared differences over 2 n, colours in [0, 1]
    freedom: Floats  # 'u u', symmetric: pairs, likewise over 2 n each way; adds up to Σ (n - 1)
    num_points: int  # seen in two frames or more


def surface_variance(sums: BlockSums) -> float:
    """Average the variance of the colour of a point, of colours in [0, 1]; not a number of none."""
    return float(mean(np.array([sums.squares.sum(), sums.freedom.sum()])))


def surface_interval(sums: BlockSums, *, seed: int) -> Interval | None:
    """Find the bootstrap interval of `surface_variance`; None of fewer than three blocks.

    What is resampled are blocks of frames, as for every other figure of one sequence. Points are no
    unit: all points of a frame share its light and its flicker, so that points of the same frames
    tell nothing of other footage. A resample weighs a pair of visits by how often its block was
    drawn, or by the product where it lies in two; a block drawn twice is not paired with its own
    copy, from which it does not differ. Pairs over two blocks are drawn together (u - 1) / u times
    on average, which is made up for.
    """
    num_units = len(sums.squares)
    if num_units < MIN_UNITS:
        return None
    counts = draw_counts(num_units, seed=seed, resamples=RESAMPLES).astype(np.float64)

    def draw(values: Floats) -> Floats:
        own = np.diagonal(values)
        across = values - np.diag(own)
        far = ((counts @ across) * counts).sum(axis=1) * num_units / (num_units - 1)
        return counts @ own + far

    totals = [draw(each) for each in (sums.squares, sums.freedom)]
    return percentile_interval(mean(np.stack(totals, axis=-1)))


class _Rows(NamedTuple):
    """What points showed in blocks."""

    ids: NDArray[np.int64]  # 'm'
    blocks: NDArray[np.int64]  # 'm'
    sums: Floats  # 'm 5': visits, colours of 3 channels, their squares

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> "_Rows":
        """Choose rows, by place or one by one."""
        return _Rows(self.ids[chosen], self.blocks[chosen], self.sums[chosen])

    def join(self, other: "_Rows") -> "_Rows":
        """Put the rows of another behind these."""
        return _Rows(
            np.concatenate([self.ids, other.ids]),
            np.concatenate([self.blocks, other.blocks]),
            np.concatenate([self.sums, other.sums]),
        )


class SurfaceColours:
    """Follows the colours of surface points, frame by frame, in bounded memory.

    Where there is more than can be followed, half of the points are dropped, chosen by a hash of
    their ids, again and again; what remains is a fair sample.
    """

    def __init__(self, *, block_frames: int, capacity: int = _CAPACITY) -> None:
        """Begin a video.

        Args:
            block_frames: of a block; twice as many, again and again, where there would be 64.
            capacity: how many points of a block are followed, over all blocks.
        """
        self._block_frames = block_frames
        self._capacity = capacity
        self._frame = 0
        self._rows = _no_rows()
        self._block = _no_rows()  # the one that is not whole yet, sorted by id
        self._halvings = 0

    def add(self, ids: NDArray[np.int64], rgb: NDArray[np.uint8]) -> None:
        """Take one frame. A point that covers several pixels is seen with their mean colour.

        Args:
            ids: 'h w', the surface point of each pixel; negative = none.
            rgb: 'h w 3'.

        Raises:
            ValueError: if the sizes differ.
        """
        if ids.shape != rgb.shape[:2]:
            raise ValueError(f"ids must be 'h w' of the frame; got {ids.shape} for {rgb.shape}")
        chosen = (ids >= 0) & self._is_followed(ids)
        seen, where = np.unique(ids[chosen], return_inverse=True)
        counts = np.bincount(where)
        colours = [np.bincount(where, rgb[..., c][chosen] / 255.0) / counts for c in range(3)]
        squares = np.square(colours).sum(axis=0)
        self._visit(seen, np.stack([np.ones(len(seen)), *colours, squares], axis=1))
        self._frame += 1
        if self._frame % self._block_frames == 0:
            self._close_block()
        while len(self._rows.ids) + len(self._block.ids) > self._capacity:
            self._halvings += 1
            self._rows = self._rows.take(self._is_followed(self._rows.ids))
            self._block = self._block.take(self._is_followed(self._block.ids))

    def sums(self) -> BlockSums:
        """Add up the pairs of visits of each point over the blocks they lie in."""
        rows = self._rows.join(self._block)
        _, at = np.unique(rows.ids, return_inverse=True)
        visits = np.bincount(at, rows.sums[:, 0])
        is_again = visits[at] > 1
        rows, at = rows.take(is_again), at[is_again]
        units, unit = np.unique(rows.blocks, return_inverse=True)
        shape = (len(units), len(visits))

        def cross(one: Floats, other: Floats) -> Floats:
            """Multiply what a point showed in two blocks, and add up: 'u u'. Pairs count 1 / n."""
            left = csr_array((one, (unit, at)), shape)
            right = csr_array((other / visits[at], (unit, at)), shape)
            return (left @ right.T).toarray()

        count, *colours, square = rows.sums.T
        apart = cross(count, square) - sum(cross(colour, colour) for colour in colours)
        own = np.bincount(unit, count / visits[at], minlength=len(units))
        freedom = cross(count, count) - np.diag(own)
        return BlockSums((apart + apart.T) / 6, freedom, int((visits > 1).sum()))

    def _is_followed(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        return _mix(ids) >> np.uint64(40) & np.uint64((1 << self._halvings) - 1) == 0

    def _visit(self, seen: NDArray[np.int64], sums: Floats) -> None:
        """Add the points that were seen, in the order of their ids, to the block."""
        new = np.setdiff1d(seen, self._block.ids, assume_unique=True)
        if len(new):
            joined = self._block.join(self._fresh(new))
            self._block = joined.take(np.argsort(joined.ids, kind="stable"))
        self._block.sums[np.searchsorted(self._block.ids, seen)] += sums

    def _fresh(self, ids: NDArray[np.int64]) -> _Rows:
        block = np.full(len(ids), self._frame // self._block_frames)
        return _Rows(ids, block, np.zeros((len(ids), 5)))

    def _close_block(self) -> None:
        """Keep a whole block; when there are 64, put each two together."""
        self._rows, self._block = self._rows.join(self._block), _no_rows()
        if self._frame // self._block_frames < BLOCKS:
            return
        self._block_frames *= 2
        rows = self._rows._replace(blocks=self._rows.blocks // 2)
        rows = rows.take(np.lexsort((rows.blocks, rows.ids)))
        is_same = (np.diff(rows.ids) == 0) & (np.diff(rows.blocks) == 0)
        place = np.cumsum(np.append(0, ~is_same))[: len(rows.ids)]
        first = np.flatnonzero(np.append(True, ~is_same)[: len(rows.ids)])
        sums = [np.bincount(place, column, minlength=len(first)) for column in rows.sums.T]
        self._rows = rows.take(first)._replace(sums=np.stack(sums, axis=1))


def _no_rows() -> _Rows:
    return _Rows(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 5)))


def _mix(ids: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Hash ids so that every bit depends on all of theirs."""
    mixed = ids.astype(np.uint64) * _MIX
    mixed ^= mixed >> np.uint64(32)
    return mixed * _MIX
