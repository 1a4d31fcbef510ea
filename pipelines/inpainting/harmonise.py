"""Fit an object that was pasted into a picture: files in, a file out."""

from pathlib import Path

import torch
from torch import Tensor

from pipelines.build import choose_device
from pipelines.filling.masks import read_mask
from pipelines.inpainting.inventor import choose_synthesis
from pipelines.inpainting.options import InpaintOptions
from pipelines.rendering.label_choice import check_places
from pipelines.rendering.one_by_one import Rgb, each_picture
from pipelines.rendering.options import RenderOptions, Written
from pipelines.rendering.picture_choice import check_pictures
from vid2vid.errors import DataError
from vid2vid.inpainting.harmonise import harmonise as fit
from vid2vid.video.levels import from_levels, to_levels
from vid2vid.video.reading import read_image
from vid2vid.weights.texture import load_texture


def harmonise(
    picture: Path | str,
    pasted: Path | str,
    mask: Path | str,
    out: Path | str,
    *,
    options: InpaintOptions,
) -> Written:
    """Fit an object into a picture.

    Args:
        picture: what it is pasted into.
        pasted: a picture of the same size with the object in its place.
        mask: white where the object is; it does not grow.
        out: picture.
        options: of preset, weights, iterations, blending, networks and device.

    Raises:
        Vid2VidError: if something does not fit; nothing was written.
    """
    picture, pasted, mask, out = Path(picture), Path(pasted), Path(mask), Path(out)
    plain = RenderOptions(quality=options.quality, instances=mask, style_from=pasted)
    check_places(plain, picture, out)
    check_pictures(plain, out)
    inside, other = read_mask(mask), torch.from_numpy(read_image(pasted))
    chosen = choose_synthesis(options)
    device = choose_device(options.video.device)
    stack = load_texture(options.vgg_weights).stack(chosen).to(device)

    def work(path: Path, rgb: Rgb) -> Tensor:
        for place, size in ((mask, inside.shape), (pasted, other.shape[:2])):
            if size != rgb.shape[:2]:
                raise DataError(
                    f"picture, object and mask must have one size; {path} has "
                    f"{rgb.shape[1]}x{rgb.shape[0]} and {place} {size[1]}x{size[0]}: resize it"
                )
        levels = torch.from_numpy(rgb)
        fitted = fit(from_levels(levels), from_levels(other), inside, stack=stack, options=chosen)
        return to_levels(fitted)

    return each_picture(
        picture, out, work, doing="harmonising", picture_format=None, quality=options.quality
    )
