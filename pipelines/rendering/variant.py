"""Which picture of a generator with several is the frame: a choice of rendering."""

from pipelines.rendering.options import RenderOptions
from vid2vid.errors import ConfigError
from vid2vid.networks.interface import Generator


def set_variant(generator: Generator, options: RenderOptions) -> None:
    """Set which picture is shown.

    Args:
        generator: is changed, until the next call.
        options: say which, or how many side by side.

    Raises:
        ConfigError: if there are no such pictures.
    """
    count, variant, together = generator.variants, options.variant, options.styles
    if variant is not None and count == 1:
        raise ConfigError(
            "--variant is for a checkpoint that paints several pictures of a map; this one paints "
            "one: leave it out"
        )
    if variant is not None and variant >= count:
        raise ConfigError(f"--variant must be 0 to {count - 1} for this checkpoint; got {variant}")
    if variant is not None and together is not None:
        raise ConfigError(
            "--variant shows one picture of a map, --styles several in a grid; got both: leave one "
            "out"
        )
    if together is not None and count > 1 and together > count:
        raise ConfigError(
            f"--styles must be at most {count} for this checkpoint, the pictures that it paints of "
            f"a map; got {together}"
        )
    generator.variant = variant or 0
