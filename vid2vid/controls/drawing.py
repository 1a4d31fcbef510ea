"""Show what a generator is given: label maps in their colours, each control in RGB beside them."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from flow.draw import draw_flow
from vid2vid.controls.config import AnyControl, BoundaryConfig, FlowControlConfig, KnownConfig
from vid2vid.labels.maps import ids_to_colours
from vid2vid.labels.palettes import Palette
from vid2vid.video.levels import to_levels

Rgb = NDArray[np.uint8]


class InputDrawing(NamedTuple):
    """Draws the input of a generator, one panel for the labels and one for each control."""

    palette: Palette | None  # None = no labels
    controls: Sequence[AnyControl]

    @property
    def titles(self) -> tuple[str, ...]:
        """What each panel shows."""
        labels = () if self.palette is None else ("labels",)
        return (*labels, *(control.kind.replace("_", " ") for control in self.controls))

    def draw(self, labels: NDArray[np.uint8] | None, pictures: Tensor | None) -> Rgb:
        """Draw one frame's input.

        Args:
            labels: 'h w' ids of the palette; None without one.
            pictures: 'c h w' in [-1, 1], all controls; None without one.

        Returns:
            'h (n w) 3', n panels side by side.

        Raises:
            ValueError: if there are labels or pictures too few.
        """
        panels: list[Rgb] = []
        if self.palette is not None:
            if labels is None:
                raise ValueError("label maps are needed to be drawn; got None")
            panels.append(ids_to_colours(labels, self.palette))
        panels += [draw_control(*part) for part in split_pictures(self.controls, pictures)]
        return np.concatenate(panels, axis=1)

    def draw_clip(
        self, labels: Tensor | None, pictures: Tensor | None, *, step: int = 1
    ) -> list[Rgb]:
        """Draw the input of consecutive frames.

        Args:
            labels: 't h w' ids of the palette; None without one.
            pictures: 't c h w' in [-1, 1], all controls; None without one.
            step: every such pixel is drawn, where a coarser scale is shown.
        """
        count = len(next(part for part in (labels, pictures) if part is not None))
        ids = [None] * count if labels is None else list(labels[:, ::step, ::step].numpy())
        maps = [None] * count if pictures is None else list(pictures[..., ::step, ::step])
        return [self.draw(*frame) for frame in zip(ids, maps, strict=True)]


def split_pictures(
    controls: Sequence[AnyControl], pictures: Tensor | None
) -> Iterator[tuple[AnyControl, Tensor]]:
    """Give each control its own channels of '... c h w'.

    Raises:
        ValueError: if there are not as many channels as the controls have.
    """
    count = sum(control.channels for control in controls)
    given = 0 if pictures is None else pictures.shape[-3]
    if given != count:
        raise ValueError(f"the controls have {count} channels; got {given}")
    if pictures is not None:
        parts = pictures.split([control.channels for control in controls], dim=-3)
        yield from zip(controls, parts, strict=True)


def draw_control(control: AnyControl, picture: Tensor) -> Rgb:
    """Draw one control: one channel as grey, flow by the colour wheel, three channels as they are.

    What a prepared stream of edges, grey or low resolution holds is exactly this. Of `known` the
    photograph is drawn, of a control of any other number of channels the first one.

    Args:
        control: what it is.
        picture: 'c h w' in [-1, 1].

    Returns:
        'h w 3' uint8.
    """
    if isinstance(control, FlowControlConfig):
        drawn = draw_flow(picture[None], max_px=1.0)[0]
        return drawn.permute(1, 2, 0).contiguous().cpu().numpy()
    if isinstance(control, BoundaryConfig):
        picture = picture * 2 - 1
    has_colours = control.channels == 3 or isinstance(control, KnownConfig)
    shown = picture[:3] if has_colours else picture[:1]
    return to_levels(torch.as_tensor(shown)).cpu().numpy()
