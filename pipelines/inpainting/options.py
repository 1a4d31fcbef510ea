"""What can be asked of inpainting and harmonising, and what they answer. Imports no torch."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pipelines.filling.options import FillOptions
from pipelines.rendering.options import PictureFormat
from vid2vid.errors import ConfigError

PresetName = Literal["paper", "fast"]
WeightsName = Literal["paper", "balanced"]
BlendingName = Literal["poisson", "feather", "laplacian", "hard"]


@dataclass(frozen=True)
class InpaintOptions:
    """How holes are filled, and how pictures are read and written."""

    preset: PresetName = "fast"
    """`paper`: the published recipe; `fast`: begun from known patches, and a fraction of its time.
    """
    weights: WeightsName = "balanced"
    """Of content, texture and smoothness: calibrated on the picture, or as published, which suits
    VGG19 alone."""
    line_search: bool = False
    """Whether L-BFGS searches along each step (strong Wolfe), so that no step leads uphill."""
    iterations: int | None = None
    """Of each level; None = the preset's; 0 = no optimisation."""
    blending: BlendingName = "poisson"
    """How a painting is laid into its hole."""
    patches: Path | None = None
    """Folder of pictures that texture is taken from, beside the picture itself."""
    checkpoint: Path | None = None
    """Of a content network; None = a membrane says what a hole holds."""
    vgg_weights: Path | None = None
    """torchvision's file; None = torch's cache, or the segmenter of the package."""
    format: PictureFormat | None = None
    """Of the pictures in a folder; None = png."""
    quality: int | None = None
    """Of JPEG and WebP, 1 to 100; None = 95, and WebP without loss."""
    video: FillOptions = field(default_factory=FillOptions)
    """How a video is read and written; masks grow by its `dilate`, and it names the device."""

    def __post_init__(self) -> None:
        if self.iterations is not None and self.iterations < 0:
            raise ConfigError(f"--iterations must be at least 0; got {self.iterations}")
        if self.quality is not None and not 1 <= self.quality <= 100:
            raise ConfigError(f"--quality must be 1 to 100; got {self.quality}")
