"""What a still-image generator of a configuration must have: the lightness it keeps, a fit size."""

from collections.abc import Sequence

from pydantic import BaseModel

from vid2vid.controls.config import AnyControl, GreyConfig
from vid2vid.networks.fusion import FusionConfig
from vid2vid.networks.pix2pix import Pix2PixConfig, UNetConfig


def check_colour(generator: BaseModel, controls: Sequence[AnyControl]) -> None:
    """Check that a generator of colours alone is given the lightness, and no other one in vain.

    Raises:
        ValueError: if it is not.
    """
    base = generator.base if isinstance(generator, FusionConfig) else generator
    paints_colours = isinstance(base, Pix2PixConfig) and base.colour == "lab"
    if paints_colours and isinstance(generator, FusionConfig):
        raise ValueError(
            "generator.base.colour 'lab' is for a generator of one pass: set it to rgb"
        )
    if paints_colours and sum(map(_is_lightness, controls)) != 1:
        raise ValueError(
            "generator.colour 'lab' paints colours of a given lightness; controls has "
            f"{sum(map(_is_lightness, controls))} of {{kind: grey, space: lightness}}: give it "
            "one, or set generator.colour to rgb"
        )


def lightness_channel(
    generator: BaseModel, controls: Sequence[AnyControl], first: int
) -> int | None:
    """Tell which channel of a map holds the lightness that a generator keeps.

    Args:
        generator: of the run.
        controls: of the run.
        first: channel of the first of them.

    Returns:
        None where it paints whole frames.
    """
    if not (isinstance(generator, Pix2PixConfig) and generator.colour == "lab"):
        return None
    before = next(index for index, control in enumerate(controls) if _is_lightness(control))
    return first + sum(control.channels for control in controls[:before])


def check_depth(generator: BaseModel, *, height: int, width: int) -> None:
    """Check that a U-Net does not halve frames oftener than they have pixels.

    Raises:
        ValueError: if padding would have to double a side.
    """
    base = generator.base if isinstance(generator, FusionConfig) else generator
    if not isinstance(base, UNetConfig):
        return
    smallest = min(height, width)
    if smallest <= 2 ** (base.downsamplings - 1):
        raise ValueError(
            f"generator.downsamplings {base.downsamplings} needs frames of more than "
            f"{2 ** (base.downsamplings - 1)} pixels a side, or most of what it sees is padding; "
            f"data has {width}x{height} (width x height): set it to "
            f"{max(2, (smallest - 1).bit_length())} or less, or enlarge data.height and data.width"
        )


def _is_lightness(control: AnyControl) -> bool:
    return isinstance(control, GreyConfig) and control.space == "lightness"
