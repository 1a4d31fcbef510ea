"""What a configuration says about a data set: where it lies, at what size, how it is varied."""

import string
from pathlib import PurePath
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class StreamPatterns(_Settings):
    """Where each stream of a sequence lies, for data kept in neither of the known layouts.

    A pattern is a path relative to `root`; `{split}` stands for the split and `{sequence}` for the
    name of a sequence. It names a folder of pictures, a video file (its suffix may be left out),
    or, with `*` in its last part, picture files: `gtFine/{split}/{sequence}/*_labelIds.png`.
    """

    frames: str
    """Pattern of the photographs. The sequences are those that this one finds."""
    labels: str | None = None
    """Pattern of the label maps; null = there are none."""
    instances: str | None = None
    """Pattern of the instance maps; null = there are none."""
    controls: dict[str, str] = {}
    """Pattern of each further stream by its name: `{openpose: "poses/{sequence}"}`."""

    @model_validator(mode="after")
    def _check_placeholders(self) -> Self:
        given = (self.frames, self.labels, self.instances, *self.controls.values())
        patterns = [pattern for pattern in given if pattern is not None]
        fields = [
            {name for _, name, _, _ in string.Formatter().parse(p) if name is not None}
            for p in patterns
        ]
        for pattern, names in zip(patterns, fields, strict=True):
            if PurePath(pattern).is_absolute():
                raise ValueError(f"pattern {pattern!r} must be relative to root")
            if "*" in PurePath(pattern).parent.as_posix():
                raise ValueError(f"pattern {pattern!r} may have * in its last part only")
            if unknown := names - {"split", "sequence"}:
                raise ValueError(
                    f"pattern {pattern!r} may hold {{split}} and {{sequence}}; got "
                    + ", ".join(sorted(f"{{{name}}}" for name in unknown))
                )
        if len({"sequence" in names for names in fields}) > 1:
            raise ValueError(f"{{sequence}} must be in all patterns or in none; got {patterns}")
        return self


NamedLayout = Literal["folders", "official", "videos", "pictures", "pairs", "side_by_side"]
DataLayout = Literal["auto"] | NamedLayout | StreamPatterns
Direction = Literal["a_to_b", "b_to_a"]
Fit = Literal["crop", "stretch", "width", "native", "whole_width", "whole"]
TWO_SIDES = ("pairs", "side_by_side")
"""Layouts of pix2pix, which name what they hold A and B."""
WHOLE = ("whole_width", "whole")
"""Fits that cut nothing off, so that frames keep a size of their own."""
Strength = Annotated[float, Field(ge=0.0, lt=1.0)]


class ColourConfig(_Settings):
    """Random colour changes of the photographs, drawn once per clip; 0.2 = a factor in 0.8..1.2."""

    brightness: Strength = 0.0
    """Largest relative change of the brightness; 0 = off."""
    contrast: Strength = 0.0
    """Largest relative change of the contrast about the clip's mean grey; 0 = off."""
    saturation: Strength = 0.0
    """Largest relative change of the saturation; 0 = off."""


class DataConfig(_Settings):
    """One data set: where it lies, the size it is trained at, how its clips are varied.

    What pix2pix and pix2pixHD call preprocessing, with load size L and crop size C:

    ====================  =========================================================================
    resize_and_crop       fit: stretch, height: C, width: C, scale: [L/C, L/C] (286/256 = 1.1171875)
    crop                  fit: native, height: C, width: C
    scale_width           fit: whole_width, width: L, height: C (the smallest that is kept)
    scale_width_and_crop  fit: width, height: C, width: C, scale: [L/C, L/C]
    none                  fit: whole, height and width: the smallest that are kept
    ====================  =========================================================================

    Nothing is rounded to a multiple of 4 or 32: the networks pad and cut by themselves.
    """

    kind: Literal["files"] = "files"
    """Frames, label maps and controls in files; `world` makes procedural streets instead."""
    root: str
    """Folder of the data set; relative paths start at the working directory."""
    split: str = "train"
    """Name of the split, a part of the folder names in every layout."""
    layout: DataLayout = "auto"
    """folders = `<split>/<sequence>/{frames,labels,instances}` and a folder for each further
    stream; official = `<split>_B/<sequence>` or `<split>_img` frames, `<split>_A` labels,
    `<split>_inst` instances, `<split>_<stream>` any other; videos = every video file at and below
    `<split>`, or the root where there is no such folder, is a sequence of photographs; pictures =
    likewise every folder of pictures; pairs = `<split>A` and `<split>B`, or `A/<split>` and
    `B/<split>`; side_by_side = pictures in `<split>` whose left half is A and whose right half is
    B; auto = whichever of them is there, but for side_by_side; or an object of patterns
    `{frames, labels, instances, controls}`. Of A and B one is the frames and the other the labels,
    or the one control that has a stream. Where stills are trained, the pictures of a folder may
    have several sizes."""
    direction: Direction = "a_to_b"
    """Of the layouts `pairs` and `side_by_side`: a_to_b = B are the frames, b_to_a = A are."""
    height: int = Field(gt=0)
    """Height of the training frames, px; with a whole fit the smallest."""
    width: int = Field(gt=0)
    """Width of the training frames, px; with fit whole the smallest."""
    fit: Fit = "crop"
    """crop = keep the aspect: scale to cover the size, then crop, at random in training and
    centred otherwise; stretch = scale each axis by itself; width = scale to the width, keep the
    aspect, and crop; native = crop from the frames as they are; whole_width = scale to the width
    and keep the whole height; whole = keep frames as they are. With the last two frames have
    sizes of their own, so that a batch is one clip or clips of one size. Frames too small for any
    of them are enlarged to cover the size."""
    scale: tuple[float, float] = (1.0, 1.0)
    """Smallest and largest random enlargement beyond the training size before the crop, both
    >= 1; (1, 1) = off."""
    flip: bool = True
    """Mirror half of the clips left to right, key points with their sides swapped. Turn it off
    where sides matter (text, left hand)."""
    stride: tuple[int, int] = (1, 1)
    """Smallest and largest distance in frames between neighbours of a clip; (1, 1) = consecutive.
    A clip takes one distance for all its frames. Evaluation uses the smallest."""
    colour: ColourConfig = ColourConfig()
    """Random colour changes, on the photographs and what is found in them."""
    frame_range: tuple[int, int | None] | None = None
    """Python slice (first, end) of each sequence's frames, to hold frames out: [0, 80] is the
    first 80, [-20, null] the last 20; null = all."""
    cache_mb: int = Field(default=1024, ge=0)
    """Memory for decoded and resized frames, MB, in each loading process; 0 = off."""
    workers: int = Field(default=0, ge=0)
    """Loading processes; 0 = load in the training process. It never changes the clips."""

    @model_validator(mode="after")
    def _check_sides(self) -> Self:
        if self.direction == "b_to_a" and self.layout not in TWO_SIDES:
            raise ValueError(
                f"direction is for layouts with sides A and B ({', '.join(TWO_SIDES)}); layout is "
                f"{self.layout if isinstance(self.layout, str) else 'an object of patterns'!r}: "
                "leave direction out"
            )
        return self

    @model_validator(mode="after")
    def _check_ranges(self) -> Self:
        if self.fit in WHOLE and self.scale != (1.0, 1.0):
            raise ValueError(
                f"scale enlarges frames that are cropped; fit {self.fit!r} crops nothing: leave "
                "scale out, or set fit to crop, stretch, width or native"
            )
        if not 1.0 <= self.scale[0] <= self.scale[1]:
            raise ValueError(f"scale must be (low, high) with 1 <= low <= high; got {self.scale}")
        if not 1 <= self.stride[0] <= self.stride[1]:
            raise ValueError(f"stride must be (low, high) with 1 <= low <= high; got {self.stride}")
        return self
