"""Several renderings of one input, each with styles of its own, side by side in every picture."""

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Self

import torch
from torch import Tensor

from pipelines.rendering.frames import FrameGenerator
from pipelines.rendering.input_stream import InputFrame, InputStream
from pipelines.rendering.options import RenderOptions
from pipelines.rendering.sinks import RenderedFrame
from vid2vid.data.augment import Size
from vid2vid.errors import ConfigError
from vid2vid.styles import ChosenStyles, PhotoStyles, Styles, StyleSource

ASPECT = 16 / 9
"""Width through height of a grid, about."""
_EMPTY, _DEEP_EMPTY = 255, 65535  # levels of the cells that are left over


class StyleGrid(NamedTuple):
    """Generates every frame several times; cell i is what the seed i above the first one gives.

    First frames are the same in all cells.
    """

    cells: tuple[FrameGenerator, ...]
    seed: int  # of the first cell

    @classmethod
    def of(cls, options: RenderOptions, generator: FrameGenerator) -> Self | None:
        """Make the grid that `--styles` asks for; None where it does not.

        Raises:
            ConfigError: if all cells would be equal, or something else is written of each frame.
        """
        if options.styles is None:
            return None
        _check_grid(options, generator)
        seed = options.seed or 0
        styles = [reseed_styles(generator.styles, seed + index) for index in range(options.styles)]
        return cls(tuple(generator._replace(styles=each) for each in styles), seed)

    def enlarge(self, stream: InputStream) -> InputStream:
        """Say of an input what holds for the grids that are made of it: their size."""
        columns = choose_columns(len(self.cells), stream.size)
        rows = math.ceil(len(self.cells) / columns)
        return stream._replace(size=Size(stream.size.height * rows, stream.size.width * columns))

    def stills(self, inputs: Iterable[InputFrame]) -> Iterator[RenderedFrame]:
        """Generate each frame from zeros; see `FrameGenerator`."""
        for frame in inputs:
            yield from self._join([cell.stills([frame]) for cell in self.cells])

    def video(
        self,
        inputs: Iterable[InputFrame],
        *,
        first_frames: Sequence[Tensor] = (),
        painter: FrameGenerator | None = None,
    ) -> Iterator[RenderedFrame]:
        """Generate frames that each see the ones before; see `FrameGenerator`."""
        streams = zip(self.cells, itertools.tee(inputs, len(self.cells)), strict=True)
        yield from self._join(
            [
                cell.video(stream, first_frames=first_frames, painter=painter)
                for cell, stream in streams
            ]
        )

    def _join(self, cells: Sequence[Iterator[RenderedFrame]]) -> Iterator[RenderedFrame]:
        """Lay out what the cells generate, frame by frame, so that no more than one is kept."""
        network = self.cells[0].network
        while True:
            made: list[RenderedFrame] = []
            for index, cell in enumerate(cells):
                network.reseed(self.seed + index)  # noise is drawn at the first frame of each
                network.variant = index % network.variants
                frame = next(cell, None)
                if frame is None:
                    return
                made.append(frame)
            deep = [each.deep for each in made if each.deep is not None]
            yield made[0]._replace(
                frame=lay_out([each.frame for each in made]),
                deep=lay_out(deep, empty=_DEEP_EMPTY) if deep else None,
            )


def reseed_styles(styles: StyleSource | None, seed: int) -> StyleSource | None:
    """Draw what is drawn of a source of styles by another seed."""
    if isinstance(styles, Styles):
        return styles._replace(seed=seed)
    if isinstance(styles, ChosenStyles) and isinstance(styles.rest, Styles):
        return styles._replace(rest=styles.rest._replace(seed=seed))
    return styles


def choose_columns(count: int, size: Size) -> int:
    """Choose in how many columns pictures of a size come near to `ASPECT`, few cells left over."""

    def badness(columns: int) -> float:
        rows = math.ceil(count / columns)
        aspect = columns * size.width / (rows * size.height)
        return abs(math.log(aspect / ASPECT)) + (columns * rows - count) / count

    return min(range(1, count + 1), key=badness)


def lay_out(pictures: Sequence[Tensor], *, empty: int = _EMPTY) -> Tensor:
    """Lay out pictures 'h w 3' row by row; cells that are left over have one level, white."""
    height, width, channels = pictures[0].shape
    columns = choose_columns(len(pictures), Size(height, width))
    rows = math.ceil(len(pictures) / columns)
    grid = pictures[0].new_full((rows, columns, height, width, channels), empty)
    for index, picture in enumerate(pictures):
        grid[index // columns, index % columns] = picture
    return torch.cat([torch.cat(list(row), dim=1) for row in grid])


def _check_grid(options: RenderOptions, generator: FrameGenerator) -> None:
    """Refuse a grid of equal cells, or with parts beside it.

    Raises:
        ConfigError: naming the option.
    """
    network, styles = generator.network, generator.styles
    if not (network.features or network.noise or network.variants > 1):
        raise ConfigError(
            "--styles is for a checkpoint with style features, noise, or several pictures of a "
            "map; this one has none: leave it out"
        )
    rest = styles.rest if isinstance(styles, ChosenStyles) else styles
    if not network.noise and isinstance(rest, PhotoStyles):
        raise ConfigError(
            "--styles draws each rendering anew, and --style-from fixes what is drawn: leave one "
            "of them out"
        )
    if not network.noise and isinstance(rest, Styles) and not rest.tables:
        raise ConfigError(
            "--styles draws from tables of styles; the checkpoint holds none: make them with "
            "'vid2vid styles CHECKPOINT DATA'"
        )
    parts = {
        "--preview": options.preview,
        "--save-flow": options.save_flow,
        "--save-occlusion": options.save_occlusion,
        "--save-hallucinated": options.save_hallucinated,
    }
    for option, place in parts.items():
        if place is not None:
            raise ConfigError(
                f"--styles writes several renderings in one; {option} shows a part of a single "
                "one: leave one of them out, and render it by its --seed"
            )
