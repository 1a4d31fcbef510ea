"""What the discriminators of a configuration must be for its data and its losses."""

from collections.abc import Mapping, Sequence

from vid2vid.controls.config import AnyControl
from vid2vid.losses.adversarial import Adversarial
from vid2vid.networks.critics import CriticsConfig
from vid2vid.networks.discriminator import DiscriminatorConfig
from vid2vid.training.players import RegionDiscriminatorConfig
from vid2vid.training.schedule import ScheduleConfig

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


def check_critics(
    critics: CriticsConfig | None,
    controls: Sequence[AnyControl],
    schedule: ScheduleConfig,
    *,
    is_judged: bool,
) -> None:
    """Check that critics find what was generated, and that what they take turns for is there.

    Args:
        critics: of the run; None = none.
        controls: likewise.
        schedule: likewise.
        is_judged: there are discriminators of any kind.

    Raises:
        ValueError: if they do not, or it is not.
    """
    if critics is not None and all(each.kind != "known" for each in controls):
        raise ValueError(
            "critics judge what was generated of photographs that are known in part; controls has "
            "none of kind known: add one, or set critics to null"
        )
    turns = {"critic_steps": schedule.critic_steps > 1, "critic_warmup": schedule.critic_warmup > 0}
    if not is_judged and (asked := [name for name, is_set in turns.items() if is_set]):
        raise ValueError(
            f"schedule.{asked[0]} trains discriminators more than the generator; there are none: "
            "add critics, or leave it out"
        )
