"""Join two pictures into one, side by side, with a painted transition between them."""

import logging
import time
from pathlib import Path

import torch
from torch import Tensor

from pipelines.extending.network import Continuation
from pipelines.rendering.options import RenderOptions, Written
from pipelines.rendering.picture_choice import check_pictures
from vid2vid.errors import CheckpointError, ConfigError
from vid2vid.extension.layout import HALVINGS
from vid2vid.extension.morphing import Joiner
from vid2vid.networks.srn import SRN
from vid2vid.networks.still import StillGenerator
from vid2vid.video.encoding import claim
from vid2vid.video.levels import from_levels, to_levels
from vid2vid.video.pictures import PICTURE_SUFFIXES, not_whole, write_picture
from vid2vid.video.reading import read_image

LOGGER = logging.getLogger(__name__)


def morph(
    left: Path | str,
    right: Path | str,
    out: Path | str,
    *,
    continuation: Continuation,
    gap: int | None = None,
    quality: int | None = None,
) -> Written:
    """Put two pictures side by side and paint what lies between them.

    Args:
        left: picture.
        right: picture of the same height.
        out: .png, .jpg or .webp.
        continuation: a checkpoint.
        gap: between the pictures, px; None = a quarter of the narrower one's width.
        quality: of JPEG and WebP, 1 to 100; None = 95, and WebP without loss.

    Raises:
        Vid2VidError: if something does not fit; nothing was written.
    """
    started = time.perf_counter()
    out = Path(out)
    _check_out(out, [Path(left), Path(right)], quality)
    pictures = _read_pair(Path(left), Path(right), continuation)
    height = int(pictures[0].shape[1])
    narrower = min(int(each.shape[2]) for each in pictures)
    between = max(HALVINGS, narrower // 4) if gap is None else gap
    joiner = _joiner_of(continuation)
    joint = joiner.plan(height, narrower, between)
    note = (
        f"joins over {between} px, continuing strips of {joint.strip}x{height} "
        f"at {joint.small_strip}x{joint.small_height}"
    )
    LOGGER.info("%s", note)
    whole = to_levels(joiner.join(pictures[0], pictures[1], between).cpu())
    try:
        write_picture(out, whole.numpy(), quality=quality)
    except OSError as error:
        raise not_whole(out, error) from error
    seconds = time.perf_counter() - started
    return Written(out, 1, whole.shape[0], whole.shape[1], seconds=seconds, notes=(note,))


def _joiner_of(continuation: Continuation) -> Joiner:
    """Take the network out of its generator.

    Raises:
        CheckpointError: if it is no SRN.
    """
    generator = continuation.generation.generator
    if isinstance(generator, StillGenerator) and isinstance(generator.network, SRN):
        return Joiner(generator.network, continuation.layout, fill=continuation.fill)
    raise CheckpointError(
        f"joining needs a checkpoint of kind srn; {continuation.generation.path} holds another: "
        "give one that was trained with a configuration such as srn_small"
    )


def _read_pair(left: Path, right: Path, continuation: Continuation) -> tuple[Tensor, Tensor]:
    """Read two pictures: '3 h w' in [-1, 1] each, on the device of the network.

    Raises:
        ConfigError: if their heights differ.
        VideoError: if one cannot be read.
    """
    device = next(continuation.generation.generator.parameters()).device
    one, other = (
        from_levels(torch.from_numpy(read_image(path))).to(device) for path in (left, right)
    )
    if one.shape[1] != other.shape[1]:
        raise ConfigError(
            f"two pictures must have one height to be joined; {left} has {one.shape[1]} pixels, "
            f"{right} {other.shape[1]}: resize one"
        )
    return one, other


def _check_out(out: Path, sources: list[Path], quality: int | None) -> None:
    """Refuse an output that is no picture, one of the pictures, or cannot be written.

    Raises:
        ConfigError: naming it.
        VideoError: if it cannot be written.
    """
    if out.suffix.lower() not in PICTURE_SUFFIXES or out.is_dir():
        raise ConfigError(
            f"two pictures become one of {', '.join(sorted(PICTURE_SUFFIXES))}; got {out}: name "
            "it so"
        )
    if out.resolve() in [source.resolve() for source in sources]:
        raise ConfigError(
            f"the output needs a place of its own; {out} is one of the pictures: choose another "
            "name"
        )
    check_pictures(RenderOptions(quality=quality), out)
    partial = out.with_name(f"{out.stem}.partial{out.suffix}")
    claim(partial)
    partial.unlink()
