"""How holes are filled: the published recipe, and one that takes a fraction of its time."""

from dataclasses import dataclass, replace
from typing import Literal

from vid2vid.inpainting.blending import FEATHER_PX, Blending
from vid2vid.inpainting.matching import MatchOptions
from vid2vid.inpainting.optimise import LineSearch, OptimiseOptions, Weights

THINNED = MatchOptions(stride=2, most=4000)
SHORT = OptimiseOptions(iterations=20)

PresetName = Literal["paper", "fast"]
Beginning = Literal["content", "voting"]


@dataclass(frozen=True)
class SynthesisOptions:
    """How the holes of a picture are filled."""

    beginning: Beginning = "voting"
    """Where the optimisation begins: with the `content` (Yang et al. 2017), or with known patches
    voted for the hole, which has texture already."""
    vgg_taps: tuple[int, ...] = (3,)
    """Stages of VGG19 that are compared: 2 is relu3_1, 3 relu4_1."""
    segmenter_taps: tuple[int, ...] = (1, 2)
    """Levels of the segmenter that are compared where there is no VGG19."""
    match: MatchOptions = THINNED
    """How patches of features are cut."""
    optimise: OptimiseOptions = SHORT
    """How each level is optimised."""
    levels: int | None = None
    """Of the pyramid; None = down to about 128 px."""
    overlap: int = 2
    """Known pixels around a hole that are painted as well, so that blending sees what is off."""
    pull: float = 0.1
    """How far what was voted keeps to the broad colours of a content network, 0 to 1. At 0.25 a
    network that says little leaves a square of another colour."""
    blending: Blending = "poisson"
    """How the painting is laid into the picture."""
    feather: int = FEATHER_PX
    """Of the blending `feather`, px."""


PRESETS: dict[PresetName, SynthesisOptions] = {
    "paper": SynthesisOptions(
        beginning="content",
        vgg_taps=(2, 3),
        match=MatchOptions(),
        optimise=OptimiseOptions(iterations=100, rematch=1),
    ),
    "fast": SynthesisOptions(),
}


def preset(
    name: PresetName,
    *,
    weights: Weights = "balanced",
    line_search: LineSearch = "none",
    iterations: int | None = None,
    blending: Blending = "poisson",
) -> SynthesisOptions:
    """Choose a preset, and change what is asked for.

    Args:
        name: `paper`: two layers, patches of stride 1, chosen anew at every evaluation, 100
            iterations a level, from the content. `fast`: one deep layer, patches chosen once a
            level, begun from voted patches.
        weights: of the terms.
        line_search: of L-BFGS.
        iterations: of each level; None = the preset's.
        blending: how the painting is laid in.
    """
    chosen = PRESETS[name]
    own = chosen.optimise
    steps = own.iterations if iterations is None else iterations
    optimise = replace(own, weights=weights, line_search=line_search, iterations=steps)
    return replace(chosen, optimise=optimise, blending=blending)
