"""How much detail a rollout keeps: a choice of rendering, whatever the training took."""

from pipelines.build import Generation
from vid2vid.errors import ConfigError
from vid2vid.networks.generator import SequentialGenerator


def set_detail(generation: Generation, detail_px: float | None) -> None:
    """Set below how many pixels a frame takes its detail from one side, see `blend`.

    Args:
        generation: its generator is changed, until the next call.
        detail_px: standard deviation that parts the bands; None = as trained.

    Raises:
        ConfigError: if it is given and the generator mixes nothing.
    """
    network = generation.generator
    mixes = isinstance(network, SequentialGenerator) and network.has_flow
    if detail_px is not None and not mixes:
        raise ConfigError(
            "--detail is for a checkpoint that warps the frame before; this one paints each frame "
            "anew: leave it out"
        )
    if isinstance(network, SequentialGenerator):
        network.detail_px = network.config.detail_px if detail_px is None else detail_px
