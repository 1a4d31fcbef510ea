"""Optimise the pixels of a hole by content, texture and smoothness (Yang et al. 2017, equation 1).

The published weights are for pixels in levels of 0 to 255 and a network that takes levels; with
other features they do nothing or everything. `balanced` ones are calibrated on the picture.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from vid2vid.inpainting.matching import Assignment
from vid2vid.inpainting.stack import CAFFE_SCALE
from vid2vid.inpainting.texture import Texture, sum_energies
from vid2vid.video.levels import HALF_RANGE

Weights = Literal["paper", "balanced"]
LineSearch = Literal["none", "strong_wolfe"]

PAPER_WEIGHT = 5e-6  # alpha and beta (Yang et al. 2017, section 3.5)
HISTORY = 25  # of L-BFGS (released code)
EVALUATIONS = 1.25  # to an iteration (torch's and the released code's limit)
_LEAST = 1e-12


@dataclass(frozen=True)
class OptimiseOptions:
    """Of the optimisation of one level."""

    iterations: int = 100
    weights: Weights = "balanced"
    line_search: LineSearch = "none"
    rematch: int = 0
    """Evaluations after which patches are chosen anew; 0 = once."""
    texture: float = 1.0
    """Of the texture term, times what `weights` say."""
    content: float = 1.0
    """Of the content term."""
    smoothness: float = 1.0
    """Of the smoothness term, times what `weights` say."""


class Level(NamedTuple):
    """A level of a pyramid, where its optimisation begins, and what it is held to."""

    picture: Tensor  # '3 h w' in [-1, 1], known pixels
    free: Tensor  # 'h w' bool, pixels that may change
    start: Tensor  # '3 h w' in [-1, 1]
    content: Tensor  # '3 h w' in [-1, 1], the content reference


class Scales(NamedTuple):
    """Factors of the three terms."""

    content: float
    texture: float
    smoothness: float


class Optimised(NamedTuple):
    """The end of an optimisation."""

    picture: Tensor  # '3 h w' in [-1, 1]; outside the free pixels that of the level, bit for bit
    objectives: list[float]  # at every evaluation
    is_whole: bool  # False: a value was not finite, and the best picture before it is returned


def total_variation(picture: Tensor) -> Tensor:
    """Sum the squared differences of neighbours of 'c h w' (Yang et al. 2017, equation 5)."""
    right = picture[:, :, 1:] - picture[:, :, :-1]
    below = picture[:, 1:] - picture[:, :-1]
    return right.square().sum() + below.square().sum()


def optimise(level: Level, texture: Texture | None, options: OptimiseOptions) -> Optimised:
    """Minimise the joint objective over the free pixels of a level by L-BFGS.

    Args:
        level: where to begin.
        texture: its known patches; None = no texture term.
        options: how.
    """
    free = level.free
    objective = _Objective(level, texture, options)
    pixels = level.start[:, free].clone().requires_grad_()
    optimiser = torch.optim.LBFGS(
        [pixels],
        lr=1,
        max_iter=options.iterations,
        max_eval=max(1, int(options.iterations * EVALUATIONS)),
        history_size=HISTORY,
        tolerance_grad=0,
        tolerance_change=0,
        line_search_fn="strong_wolfe" if options.line_search == "strong_wolfe" else None,
    )
    best = _Best(pixels.detach().clone())

    def evaluate() -> Tensor:
        optimiser.zero_grad()
        value = objective(pixels)
        value.backward()
        best.see(float(value.detach()), pixels)
        return value.detach()

    try:
        if options.iterations:
            optimiser.step(evaluate)
            best.end(pixels)
    except FloatingPointError:
        pass
    result = level.picture.clone()
    result[:, free] = best.pixels.clamp(-1, 1)
    return Optimised(result, best.objectives, best.is_whole)


class _Best:
    """The last pixels at which all was finite, as `optimise` goes."""

    def __init__(self, pixels: Tensor) -> None:
        self.pixels, self.is_whole = pixels, True
        self.objectives: list[float] = []
        self._lowest = float("inf")

    def see(self, value: float, pixels: Tensor) -> None:
        """Keep pixels that are lower than all before.

        Raises:
            FloatingPointError: if the objective or its gradient is not finite.
        """
        self.objectives.append(value)
        gradient = pixels.grad
        if gradient is None or not gradient.isfinite().all() or value != value:
            self.is_whole = False
            raise FloatingPointError
        if value < self._lowest:
            self._lowest, self.pixels = value, pixels.detach().clone()

    def end(self, pixels: Tensor) -> None:
        """Note whether the last step led anywhere."""
        self.is_whole = bool(pixels.isfinite().all())


class _Objective:
    """The three terms, and the patches that are constant for a while."""

    def __init__(self, level: Level, texture: Texture | None, options: OptimiseOptions) -> None:
        self._level, self._texture, self._options = level, texture, options
        self._assignments: list[Assignment] = []
        self._evaluations = 0
        self._scales = _published(options) if options.weights == "paper" else self._calibrate()

    def __call__(self, pixels: Tensor) -> Tensor:
        level, scales = self._level, self._scales
        mask = level.free.expand_as(level.picture)
        picture = level.picture.masked_scatter(mask, pixels)
        apart = (pixels - level.content[:, level.free]).square().sum()
        value = scales.content * apart
        if scales.smoothness:
            value = value + scales.smoothness * total_variation(picture)
        if self._texture is not None and scales.texture:
            value = value + scales.texture * self._texture_energy(self._texture, picture)
        self._evaluations += 1
        return value

    def _texture_energy(self, texture: Texture, picture: Tensor) -> Tensor:
        features = texture.features(picture)
        every = self._options.rematch
        if not self._assignments or (every and self._evaluations % every == 0):
            self._assignments = texture.assign([layer.detach() for layer in features])
        return sum_energies(features, self._assignments)

    def _calibrate(self) -> Scales:
        """Weigh the texture so that it pulls, at first, as hard as content at a pixel's distance.

        The content term has no gradient where it begins. It is measured where every pixel is off by
        as much as known neighbours differ: texture then may change pixels about as much as texture
        does. The smoothness term is measured at the same distance, and is a hundredth.
        """
        level, options = self._level, self._options
        count = max(1, 3 * int(level.free.sum()))
        contrast = _contrast(level.picture, ~level.free)
        content = options.content / count
        pull = 2 * contrast / count**0.5
        texture = 0.0
        if self._texture is not None and options.texture:
            pixels = level.start[:, level.free].clone().requires_grad_()
            mask = level.free.expand_as(level.picture)
            picture = level.picture.masked_scatter(mask, pixels)
            energy = self._texture_energy(self._texture, picture)
            (gradient,) = torch.autograd.grad(energy, pixels)
            texture = options.texture * pull / max(float(gradient.norm()), _LEAST)
        return Scales(content, texture, 0.01 * options.smoothness / count)


def _published(options: OptimiseOptions) -> Scales:
    """Express the published weights for pixels in [-1, 1] and torchvision's activations."""
    levels = HALF_RANGE**2
    return Scales(
        content=options.content * levels,
        texture=options.texture * PAPER_WEIGHT * CAFFE_SCALE**2,
        smoothness=options.smoothness * PAPER_WEIGHT * levels,
    )


def _contrast(picture: Tensor, known: Tensor) -> float:
    """Find by how much known neighbours of '3 h w' differ, root mean square, at least a level."""
    differences = [
        (picture[:, :, 1:] - picture[:, :, :-1])[:, known[:, 1:] & known[:, :-1]],
        (picture[:, 1:] - picture[:, :-1])[:, known[1:] & known[:-1]],
    ]
    joined = torch.cat([each.flatten() for each in differences])
    if not len(joined):
        return 1 / HALF_RANGE
    return max(float(joined.square().mean().sqrt()), 1 / HALF_RANGE)
