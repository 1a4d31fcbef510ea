"""From a checkpoint of kind `srn` to what continues pictures of any size."""

import logging
from pathlib import Path
from typing import NamedTuple

from pipelines.build import Generation, choose_device, load_generation
from pipelines.config.run import RunConfig
from vid2vid.controls.known_config import KnownConfig
from vid2vid.errors import CheckpointError
from vid2vid.extension.extender import Extender
from vid2vid.extension.layout import Layout
from vid2vid.extension.network import GeneratorPainter
from vid2vid.weights.extension import packaged_extension

LOGGER = logging.getLogger(__name__)


class Continuation(NamedTuple):
    """A checkpoint that continues pictures."""

    generation: Generation
    layout: Layout  # that it was trained for
    fill: tuple[float, float, float]  # red, green and blue of unknown pixels
    painter: GeneratorPainter

    def extender(self, *, scale: float | None = None) -> Extender:
        """Make what continues whole pictures, at a scale or at the one that suits each."""
        return Extender(self.painter, self.layout, scale=scale)


def load_continuation(checkpoint: Path | None, *, device: str | None) -> Continuation:
    """Read a checkpoint.

    Args:
        checkpoint: a file or a run folder; None = the network of the package, which is told of.
        device: such as "cpu" or "cuda:0"; None takes a GPU where there is one.

    Raises:
        CheckpointError: if there is none, or it does not continue pictures.
        ConfigError: if the device is not there.
    """
    place = packaged_extension() if checkpoint is None else checkpoint
    chosen = choose_device(device)
    generation = load_generation(place, chosen)
    layout, fill = _read_known(generation.config, generation.path)
    if checkpoint is None:
        LOGGER.info(
            "extends with the small network of the package, trained from %s: --checkpoint takes "
            "one of your own",
            layout.describe(),
        )
    painter = GeneratorPainter(generation.generator, fill=fill, device=chosen)
    return Continuation(generation, layout, fill, painter)


def _read_known(config: RunConfig, path: Path) -> tuple[Layout, tuple[float, float, float]]:
    """Read what was known in training, and the colour of what was not.

    Raises:
        CheckpointError: unless frames were painted from a known window alone.
    """
    controls = config.controls
    if config.generator.kind == "srn" and config.labels is None and len(controls) == 1:
        only = controls[0]
        if isinstance(only, KnownConfig) and only.window is not None:
            position = only.position or "centre"
            size = (config.data.height, config.data.width)
            return Layout(*size, *only.window, position), only.fill
    raise CheckpointError(
        "extending needs a checkpoint of kind srn whose only input is a known window; "
        f"{path} holds one of kind {config.generator.kind}: give one that was trained with a "
        "configuration such as srn_small"
    )
