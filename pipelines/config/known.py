"""What a run that fills photographs must have: one control that says what is known of them."""

from collections.abc import Sequence

from pydantic import BaseModel

from vid2vid.controls.config import AnyControl, KnownConfig
from vid2vid.controls.known import place_window
from vid2vid.data.config import WHOLE, DataConfig
from vid2vid.losses.config import LossConfig
from vid2vid.networks.context_encoder import ContextEncoderConfig
from vid2vid.networks.hole_discriminator import HoleDiscriminatorConfig
from vid2vid.networks.srn import SRNConfig
from vid2vid.world.clips import WorldDataConfig


def known_channel(controls: Sequence[AnyControl], first: int) -> int | None:
    """Tell with which channel of a map the control `known` begins.

    Args:
        controls: of the run.
        first: channel of the first of them.

    Returns:
        None where whole frames are painted.
    """
    for control in controls:
        if isinstance(control, KnownConfig):
            return first
        first += control.channels
    return None


def _find_known(controls: Sequence[AnyControl]) -> KnownConfig | None:
    """Find the control `known`; there is one at most."""
    return next((each for each in controls if isinstance(each, KnownConfig)), None)


def check_filling(
    generator: BaseModel,
    controls: Sequence[AnyControl],
    losses: LossConfig,
    *,
    height: int,
    width: int,
) -> None:
    """Check that what is known lies in the frame and is kept, and that losses find what is not.

    Raises:
        ValueError: if it does not or is not, or they do not.
    """
    known = _find_known(controls)
    if known is not None and known.shape != "irregular":
        place_window(known, height, width)
    if known is not None and not isinstance(generator, ContextEncoderConfig | SRNConfig):
        raise ValueError(
            "control 'known' is for a generator that keeps what is known, of kind srn or "
            f"context_encoder; got {getattr(generator, 'kind', None)!r}: leave the control out, or "
            "change generator.kind"
        )
    if known is None and losses.spatial != "none":
        raise ValueError(
            f"losses.spatial {losses.spatial!r} weighs pixels by what is known; controls has none "
            "of kind known: add one, or set losses.spatial to none"
        )


def check_expansion(
    generator: BaseModel, controls: Sequence[AnyControl], data: DataConfig | WorldDataConfig
) -> None:
    """Check that an SRN is given a window that it can expand to the frame.

    Raises:
        ValueError: if it is not.
    """
    if not isinstance(generator, SRNConfig):
        return
    known = _find_known(controls)
    if known is None:
        raise ValueError(
            "generator.kind 'srn' extends photographs; controls has none of kind known: add {kind: "
            "known, shape: window, height: 64, width: 64, position: random}"
        )
    if isinstance(data, DataConfig) and data.fit in WHOLE:
        raise ValueError(
            f"generator.kind 'srn' is built for one size of frames; data.fit {data.fit!r} leaves "
            "them theirs: set it to crop, stretch, width or native"
        )
    generator.check_canvas(data.height, data.width, known.window)


def check_content(
    generator: BaseModel, controls: Sequence[AnyControl], *, height: int, width: int
) -> None:
    """Check that a content network is given holes where it paints them.

    Raises:
        ValueError: if it is not.
    """
    if not isinstance(generator, ContextEncoderConfig):
        return
    known = _find_known(controls)
    if known is None:
        raise ValueError(
            "generator.kind 'context_encoder' fills holes; controls has none of kind known: add "
            "{kind: known, shape: hole, size: 56} or {kind: known, shape: irregular, share: "
            "[0.2, 0.3]}"
        )
    smallest, least = min(height, width), generator.trained_size
    if smallest < least:
        raise ValueError(
            f"generator.halvings {generator.halvings} needs frames of at least {least} pixels a "
            f"side; data has {width}x{height} (width x height): lower it, or enlarge data.height "
            "and data.width"
        )
    if generator.form == "whole":
        return
    largest = smallest // 2 - 2 * generator.overlap
    if known.size is None or known.size > largest:
        came = f"shape {known.shape!r}" if known.size is None else f"size {known.size}"
        raise ValueError(
            f"generator.form 'centre' paints the middle half of frames; its control known must be "
            f"of shape 'hole' and at most {largest} pixels in size, so that {generator.overlap} "
            f"pixels overlap on every side; got {came}: change it, or set generator.form to whole"
        )


def check_hole_judge(
    judge: HoleDiscriminatorConfig | None,
    losses: LossConfig,
    controls: Sequence[AnyControl],
    *,
    smallest: int,
) -> None:
    """Check that what judges holes finds them.

    Args:
        judge: the hole discriminator; None = none.
        losses: of the run.
        controls: of the run.
        smallest: the shorter side of the frames, px.

    Raises:
        ValueError: if there are none, or the discriminator cannot see them.
    """
    has_holes = _find_known(controls) is not None
    asks = "losses.hole" if losses.hole else "hole_discriminator"
    if (losses.hole or judge is not None) and not has_holes:
        raise ValueError(
            f"{asks} is for photographs with holes; controls has none of kind known: add one, or "
            f"set {asks} to {'0' if losses.hole else 'null'}"
        )
    if judge is None:
        return
    if judge.size > smallest:
        raise ValueError(
            f"hole_discriminator.size must be at most {smallest}, the shorter side of the frames; "
            f"got {judge.size}: lower it"
        )
    if losses.adversarial == "wasserstein":
        raise ValueError(
            "losses.adversarial 'wasserstein' holds the slope of a discriminator at every sample "
            "by itself; hole_discriminator mixes them by batch norm: set it to null, or "
            "losses.adversarial to logistic"
        )
