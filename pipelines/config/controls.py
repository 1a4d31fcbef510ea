"""What frames are painted from: whether it is anything, can be named, and is in the data."""

from collections.abc import Sequence

from vid2vid.controls.config import (
    AnyControl,
    DensePoseConfig,
    FlowControlConfig,
    check_names,
    name_of,
    needs_files,
)
from vid2vid.data.config import DataConfig
from vid2vid.networks.beside import BesideConfig
from vid2vid.networks.fusion import FusionConfig, check_passes
from vid2vid.networks.pix2pixhd import Pix2PixHDConfig
from vid2vid.world.clips import WorldDataConfig


def check_sources(
    controls: tuple[AnyControl, ...], generator: BesideConfig, *, has_labels: bool
) -> None:
    """Check that frames are painted from something, and that the generator finds it.

    Raises:
        ValueError: if they are not, or it does not.
    """
    if not has_labels and not controls:
        raise ValueError(
            "frames must be painted from something; labels is null and controls is empty: "
            "give labels a section, or name a control such as {kind: edges}"
        )
    if not has_labels and all(each.kind == "boundary" for each in controls):
        raise ValueError(
            "a boundary alone is no control to paint from: add another, or give labels a section"
        )
    styled = generator if isinstance(generator, Pix2PixHDConfig) and generator.features else None
    if not has_labels and styled is not None and styled.pooling == "labels":
        raise ValueError(
            "generator.pooling 'labels' needs labels, which is null: set generator.pooling to "
            "instances or generator.features to 0"
        )
    check_names(controls)
    if isinstance(generator, FusionConfig):
        check_passes(generator, [name_of(control) for control in controls])


def check_controls(controls: Sequence[AnyControl], data: DataConfig | WorldDataConfig) -> None:
    """Check that the data has every control, in clips as they are cut.

    Raises:
        ValueError: naming the first that it has not.
    """
    for control in controls:
        if isinstance(data, WorldDataConfig):
            if needs_files(control):
                raise ValueError(
                    f"control '{name_of(control)}' is read from files, and procedural streets "
                    "have none: leave it out, or set data to a data set in files"
                )
        elif isinstance(control, DensePoseConfig) and data.flip:
            raise ValueError(
                "control 'densepose' cannot be mirrored, for its coordinates differ from side "
                "to side: set data.flip to false"
            )
        elif isinstance(control, FlowControlConfig) and control.stream and data.stride[1] > 1:
            raise ValueError(
                f"control '{control.stream}' holds the flow between neighbours; data.stride is "
                f"{list(data.stride)}: set it to [1, 1], or the control's stream to null, so "
                "that the flow is found in the photographs"
            )


def pass_channels(
    generator: BesideConfig, controls: Sequence[AnyControl], first: int
) -> list[list[int]]:
    """List the channels of a map that hold the pictures of each pass of a fusion.

    Args:
        generator: of the run; any other has no passes.
        controls: of the run.
        first: channel of the first of them.
    """
    if not isinstance(generator, FusionConfig):
        return []
    channels: dict[str, list[int]] = {}
    for control in controls:
        channels[name_of(control)] = list(range(first, first + control.channels))
        first += control.channels
    return [[each for name in names for each in channels[name]] for names in generator.passes]
