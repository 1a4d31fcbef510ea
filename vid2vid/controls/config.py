"""What a configuration says about each control: its kind, its channels, where it comes from.

A control becomes pictures, 't c h w' in [-1, 1], one channel or more. Those of `DERIVED` are found
in the photographs themselves unless `stream` names stored ones; all others need a stream.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from flow.estimators import DISPreset
from vid2vid.controls.control import Control, StreamName
from vid2vid.controls.drawn_config import LandmarksConfig, PoseConfig
from vid2vid.controls.known_config import KnownConfig

FRAMES, LABELS, INSTANCES = "frames", "labels", "instances"
RESERVED = (FRAMES, LABELS, INSTANCES)
"""Streams that every data set may have; no control's own stream has one of these names."""


class EdgesConfig(Control):
    """Canny edges of the photographs: -1, on an edge 1."""

    kind: Literal["edges"] = "edges"
    """Canny edges."""
    stream: StreamName | None = None
    """Stream of pictures that were drawn beforehand; null = found in the photographs."""
    low: float = Field(default=50.0, ge=0.0)
    """An edge goes on while the gradient of 8-bit grey (Sobel, L1) stays above this."""
    high: float = Field(default=100.0, ge=0.0)
    """An edge begins where it is above this."""
    blur_sigma: float = Field(default=1.0, ge=0.0)
    """Of the Gaussian blur before it, px of the trained size; 0 = none."""

    @property
    def channels(self) -> int:
        """Channels of its picture."""
        return 1

    @model_validator(mode="after")
    def _low_is_lower(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low must not be above high; got {self.low:g} and {self.high:g}")
        return self


class GreyConfig(Control):
    """The light of the photographs, for colourisation."""

    kind: Literal["grey"] = "grey"
    """The light of the photographs."""
    stream: StreamName | None = None
    """Stream of grey pictures; null = found in the photographs."""
    space: Literal["luma", "lightness"] = "luma"
    """luma = weighted sum of R, G and B (BT.601); lightness = L of CIE Lab, which a generator with
    colour lab keeps."""

    @property
    def channels(self) -> int:
        """Channels of its picture."""
        return 1


class LowResolutionConfig(Control):
    """The photographs with less detail, enlarged to the size of the frames."""

    kind: Literal["low_resolution"] = "low_resolution"
    """The photographs, shrunk and enlarged again."""
    stream: StreamName | None = None
    """Stream of small pictures; null = the photographs are shrunk."""
    factor: int = Field(default=4, ge=2, le=64)
    """How many pixels of each side become one, each the mean of its area."""
    enlarge: Literal["nearest", "linear", "cubic"] = "cubic"
    """How the small picture is brought to the size of the frames."""

    @property
    def channels(self) -> int:
        """Channels of its picture."""
        return 3


class FlowControlConfig(Control):
    """Motion of the photographs: where each pixel was in the frame before, (dx, dy)."""

    kind: Literal["flow"] = "flow"
    """Motion of the photographs, from each frame to the one before; the first frame has 0."""
    stream: StreamName | None = None
    """Stream of .flo or .npy files ('2 h w', px); null = found in the photographs by DIS."""
    dis: DISPreset = "medium"
    """Preset of DIS: `medium`, `fast` or `ultrafast`."""
    largest_px: float = Field(default=20.0, gt=0.0)
    """Length of dx or dy that becomes 1, px of the trained size; longer ones are cut there."""

    @property
    def channels(self) -> int:
        """Channels of its picture."""
        return 2


class DepthConfig(Control):
    """Distance from the camera: 1 = near, -1 = far, unknown or sky."""

    kind: Literal["depth"] = "depth"
    """Distance from the camera, from 16-bit PNG or .npy files."""
    stream: StreamName = "depth"
    """Stream of 16-bit grey PNG, or of .npy 'h w' in metres."""
    near: float = Field(default=2.0, gt=0.0)
    """Distance that becomes 1, metres; nearer ones are cut there."""
    far: float = Field(default=100.0, gt=0.0)
    """Distance that becomes -1, metres; farther and unknown ones (0) are cut there."""
    inverse: bool = True
    """Whether 1 / distance is spread evenly between the two, which shows what is near in more
    detail; false = the distance itself."""
    unit: float = Field(default=0.001, gt=0.0)
    """Metres of one level of a PNG: 0.001 = millimetres, 0.00390625 = KITTI's 1/256."""

    @property
    def channels(self) -> int:
        """Channels of its picture."""
        return 1

    @model_validator(mode="after")
    def _near_is_nearer(self) -> Self:
        if self.near >= self.far:
            raise ValueError(f"near must be below far; got {self.near:g} and {self.far:g}")
        return self


class DensePoseConfig(Control):
    """DensePose: surface coordinates of a body, and which of 24 parts it is."""

    kind: Literal["densepose"] = "densepose"
    """DensePose pictures, whose blue channel is the part (0 to 24), the others U and V."""
    stream: StreamName = "densepose"
    """Stream of PNG pictures."""

    @property
    def channels(self) -> int:
        """Channels of its picture."""
        return 3


class PictureConfig(Control):
    """Any picture, as it is."""

    kind: Literal["picture"] = "picture"
    """Any picture: a sketch, a damaged video, a rendering, bands of a satellite."""
    stream: StreamName = "pictures"
    """Stream of pictures, of .npy files ('h w' or 'h w c'), or video."""
    channels: int = Field(default=3, ge=1, le=255)
    """3 = colour, 1 = its light, 2 and 4 = the same with alpha; a file of as many channels is
    taken as it is, be it a .npy of many bands, and one of others refused."""
    value_range: tuple[float, float] | None = None
    """Values that become -1 and 1; what lies outside is cut there. null = all that 8 or 16 bits
    hold; floats must be given theirs."""
    alpha: Literal["drop", "black", "white", "refuse"] = "drop"
    """Of pictures with alpha where colours or light are wanted: drop = the colours as they are
    stored; black or white = laid on that ground; refuse = training and rendering stop."""

    @model_validator(mode="after")
    def _range_has_width(self) -> Self:
        if self.value_range is not None and self.value_range[0] == self.value_range[1]:
            raise ValueError(f"value_range must be two different values; got {self.value_range}")
        return self


class BoundaryConfig(Control):
    """Where objects of the instance maps end: 0, beside another object 1."""

    kind: Literal["boundary"] = "boundary"
    """Boundaries of the instance maps, for a network without labels."""

    @property
    def channels(self) -> int:
        """Channels of its picture."""
        return 1


Derived = EdgesConfig | GreyConfig | LowResolutionConfig | FlowControlConfig
Drawn = PoseConfig | LandmarksConfig
Stored = Derived | DepthConfig | DensePoseConfig | PictureConfig
AnyControl = Stored | Drawn | BoundaryConfig | KnownConfig
ControlConfig = Annotated[AnyControl, Field(discriminator="kind")]

DERIVED = (EdgesConfig, GreyConfig, LowResolutionConfig, FlowControlConfig)
DRAWN = (PoseConfig, LandmarksConfig)
STREAMLESS = (BoundaryConfig, KnownConfig)


def stream_of(control: AnyControl) -> str | None:
    """Name the stream of its own that a control is read from; None where it has none."""
    return None if isinstance(control, STREAMLESS) else control.stream


def source_of(control: AnyControl) -> str:
    """Name what a control is made of: its stream, the photographs, or the instance maps."""
    if isinstance(control, BoundaryConfig):
        return INSTANCES
    return stream_of(control) or FRAMES


def name_of(control: AnyControl) -> str:
    """Name a control as people do: by its stream, else by its kind."""
    return stream_of(control) or control.kind


def needs_files(control: AnyControl) -> bool:
    """Tell whether a control is read from files; procedural streets know their depth and flow."""
    return not isinstance(control, DepthConfig) and stream_of(control) is not None


def count_channels(controls: tuple[AnyControl, ...]) -> int:
    """Add up the channels of all pictures."""
    return sum(control.channels for control in controls)


def check_names(controls: tuple[AnyControl, ...]) -> None:
    """Check that each control can be named, and has a stream of its own.

    Raises:
        ValueError: naming the first that cannot.
    """
    names = [name_of(control) for control in controls]
    for name in names:
        if name in RESERVED:
            raise ValueError(
                f"a control's stream must have a name of its own; {name!r} is taken by "
                f"{', '.join(RESERVED)}: choose another"
            )
        if names.count(name) > 1:
            raise ValueError(
                f"each control must come from a stream of its own; two are named {name!r}: name "
                "one of them by its stream"
            )
