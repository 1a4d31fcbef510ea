"""What the discriminators of a configuration must be for its data and its losses."""

from collections.abc import Mapping

from vid2vid.losses.adversarial import Adversarial
from vid2vid.networks.discriminator import DiscriminatorConfig
from vid2vid.training.players import RegionDiscriminatorConfig

PATCH_REST = 3  # pixels left after the halvings, of which two convolutions take one each


def check_patches(judges: Mapping[str, DiscriminatorConfig], *, height: int, width: int) -> None:
    """Check that frames are large enough for every patch network.

    Args:
        judges: patch discriminators by the name of their section.
        height: of the frames, px.
        width: likewise.

    Raises:
        ValueError: if they are not.
    """
    for name, judge in judges.items():
        if judge.pixel or judge.padding > 1:
            continue
        smallest, came = min(height, width), "data has"
        if isinstance(judge, RegionDiscriminatorConfig):
            smallest, came = judge.size, "its size is"
        needed = PATCH_REST * 2 ** (judge.layers + judge.scales - 1)
        if smallest < needed:
            raise ValueError(
                f"{name}.padding 1 needs frames of at least {needed} pixels in height and "
                f"width with {judge.layers} layers and {judge.scales} scales; {came} "
                f"{smallest}: set {name}.padding to 2 or lower {name}.layers"
            )


def check_norms(judges: Mapping[str, DiscriminatorConfig], adversarial: Adversarial) -> None:
    """Check that a critic whose slope is held at every sample does not mix samples.

    Args:
        judges: patch discriminators by the name of their section.
        adversarial: kind of the loss.

    Raises:
        ValueError: if one does.
    """
    for name, judge in judges.items():
        if adversarial == "wasserstein" and judge.norm == "batch":
            raise ValueError(
                "losses.adversarial 'wasserstein' holds the slope of a discriminator at every "
                f"sample by itself; {name}.norm 'batch' mixes them: set it to instance or group"
            )
