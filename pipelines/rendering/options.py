"""What can be asked of a renderer, and what it answers. Imports no torch, for the command line."""

from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

from pipelines.parts import read_part
from vid2vid.errors import ConfigError

Dtype = Literal["float32", "bfloat16"]
PictureFormat = Literal["png", "jpg", "webp"]

LARGEST_DETAIL_PX = 8.0  # as generator.detail_px


@dataclass(frozen=True)
class RenderOptions:
    """How labels are read, frames generated and outputs written."""

    instances: Path | None = None
    """Instance maps: lossless video, folder or glob, paired with the label maps frame by frame."""
    palette: str | None = None
    """Palette that the label maps are in; None = the checkpoint's."""
    map: str | None = None
    """Mapping of their ids to those of the checkpoint's palette: its name or a YAML file."""
    boundary: Literal["labels"] | None = None
    """Draw the boundary from the labels where the checkpoint wants instances and there are none."""
    controls: tuple[tuple[str, Path], ...] = ()
    """Streams beside the input, for a checkpoint that takes several: name and place of each."""
    drawn: bool = False
    """The input holds a control's own pictures (edges, poses), not what they are made from."""
    first_frames: tuple[Path, ...] = ()
    """Pictures that the output begins with, oldest first, at most as many as the history; or one
    checkpoint of a still-image generator, which paints as many. () = what the checkpoint's own
    `first_frames` paints, else from zeros."""
    from_zeros: bool = False
    """Begin from zeros although the checkpoint has `first_frames` of its own."""
    seed: int | None = None
    """Of what is drawn while rendering: styles and dropout; None = 0. Refused where nothing is."""
    variant: int | None = None
    """Which picture is shown of a generator that paints several of a map, from 0; None = 0."""
    detail: float | None = None
    """Detail finer than this many pixels is taken whole from the hallucinated or the warped frame:
    0 = softest and steadiest, 2 sharper; None = as trained (`generator.detail_px`)."""
    style_from: Path | None = None
    """Photo whose style is taken, for a checkpoint with style features."""
    style_labels: Path | None = None
    """Label map of that photo, in the palette of the input."""
    style_instances: Path | None = None
    """Instance map of that photo."""
    style: tuple[tuple[str, int], ...] = ()
    """Rows of the checkpoint's tables, each for a class (name or id) or for an instance id."""
    styles: int | None = None
    """So many renderings side by side in every picture, by as many seeds; None = one."""
    is_still: bool = False
    """Generate each frame from zeros, without memory of the ones before it."""
    frames: str | None = None
    """Part of the input: A:B, counted from 0, B not included; None = all."""
    fps: Fraction | None = None
    """Frames per second of pictures; None = 25. A video and a times.csv say it themselves."""
    height: int | None = None
    """Height of the output, px; None = the input's, or what keeps the aspect of `width`."""
    width: int | None = None
    """Width of the output, px; None = the input's, or what keeps the aspect of `height`."""
    audio: Literal["copy", "none"] | None = None
    """Whether the sound of a video comes along; None = it does where the output can have sound."""
    codec: str | None = None
    """One of `vid2vid.video.codecs`; None = the suffix's own."""
    crf: int | None = None
    """Constant rate factor of a lossy video, smaller is better, 0 to 51 or 63; None = 16."""
    lossless: bool = False
    """Write the video without loss."""
    format: PictureFormat | None = None
    """Of the pictures in a folder of stills; None = png."""
    bits: Literal[8, 16] = 8
    """Of a channel of stills in PNG: 16 keeps what the network paints between two levels of 8."""
    quality: int | None = None
    """Of stills in JPEG or WebP, 1 to 100; None = 95, and WebP without loss."""
    preview: Path | None = None
    """Video or folder: label maps and frames side by side."""
    save_flow: Path | None = None
    """Folder of .flo files, named as the input's frames; frames without a past have none."""
    save_occlusion: Path | None = None
    """Video or folder: white where the hallucinated pixel was taken."""
    save_hallucinated: Path | None = None
    """Video or folder: what the generator painted by itself."""

    def __post_init__(self) -> None:
        self.frame_slice()
        if self.from_zeros and self.first_frames:
            raise ConfigError(
                "--first-frame takes 'zeros' alone, or what the output begins with; got both: "
                "leave one out"
            )
        if self.seed is not None and self.seed < 0:
            raise ConfigError(f"--seed must be at least 0; got {self.seed}")
        if self.variant is not None and self.variant < 0:
            raise ConfigError(f"--variant must be at least 0; got {self.variant}")
        if self.styles is not None and self.styles < 1:
            raise ConfigError(f"--styles must be at least 1; got {self.styles}")
        if self.quality is not None and not 1 <= self.quality <= 100:
            raise ConfigError(f"--quality must be 1 to 100; got {self.quality}")
        if self.detail is not None and not 0 <= self.detail <= LARGEST_DETAIL_PX:
            raise ConfigError(
                f"--detail must be 0 to {LARGEST_DETAIL_PX} pixels; got {self.detail}"
            )
        if self.fps is not None and self.fps <= 0:
            raise ConfigError(f"--fps must be above 0; got {self.fps}")
        for name, size in (("height", self.height), ("width", self.width)):
            if size is not None and size < 1:
                raise ConfigError(f"--{name} must be at least 1 pixel; got {size}")

    def frame_slice(self) -> slice:
        """Read `frames`.

        Raises:
            ConfigError: if it is no slice of at least one frame.
        """
        return read_part(self.frames)


@dataclass(frozen=True)
class Rendered:
    """What was rendered."""

    path: Path
    num_frames: int
    height: int
    width: int
    seconds: float  # from before the input is opened to the complete output
    extras: tuple[Path, ...] = ()  # preview, flow, occlusion, hallucinated frames, where asked for
    far_share: float = 0.0  # of the label pixels: far from every colour of the palette


@dataclass(frozen=True)
class Written:
    """What was written by what changes pictures or a video."""

    path: Path
    num_frames: int  # pictures or frames
    height: int  # of the last, px
    width: int
    seconds: float  # from before the input is opened to the complete output
    notes: tuple[str, ...] = ()  # what there is to say of how, each once

    def to_json(self) -> dict[str, object]:
        """Turn it into JSON values; without notes where there are none."""
        values: dict[str, object] = asdict(self)
        values |= {"path": str(self.path), "seconds": round(self.seconds, 3)}
        if not self.notes:
            del values["notes"]
        return values


class RenderingError(OSError):
    """Input, disk or device failed after the first frame was written. Status 1."""
