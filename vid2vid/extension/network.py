"""A still-image generator that is told what is known, as a painter of canvases."""

import torch
from torch import Tensor

from vid2vid.controls.known import blank
from vid2vid.extension.growing import enclose, mark_margins
from vid2vid.extension.margins import Margins
from vid2vid.networks.interface import Generator


class GeneratorPainter:
    """Lets a generator of the control `known` continue windows; a `Painter`."""

    def __init__(
        self, generator: Generator, *, fill: tuple[float, float, float], device: torch.device
    ) -> None:
        """Keep a generator.

        Args:
            generator: on `device`, ready to render.
            fill: red, green and blue of unknown pixels, as in its training.
            device: where it computes.
        """
        # On a CPU convolutions run about twice as fast in this layout.
        self._generator = generator.to(memory_format=torch.channels_last)
        self._fill, self._device = fill, device

    @torch.no_grad()
    def __call__(self, window: Tensor, margins: Margins) -> Tensor:
        """Paint the canvas of a window, the window too; see `Painter`."""
        unknown = mark_margins(window.shape[1], window.shape[2], margins)
        canvas = enclose(window, margins)
        maps = blank(canvas, unknown.to(canvas.device), fill=self._fill).to(self._device)
        (output,) = self._generator(maps[None, None], ())
        return output.hallucinated[0].to(window)
