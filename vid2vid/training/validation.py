"""How a run does on frames that it is not trained on, and which of its moments was the best."""

from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

Criterion = Literal["psnr", "ssim"]


class ValidationConfig(BaseModel):
    """Frames that are kept from training, and generated again and again to see how the run does."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    split: str | None = None
    """Name of the split that holds them; null = that of `data`, with a `frame_range` of its own.
    Procedural streets need neither: the streets after those of `data` are taken."""
    frame_range: tuple[int, int | None] | None = None
    """Python slice (first, end) of each sequence's frames: [-20, null] is the last 20; null =
    all."""
    every: int = Field(default=500, ge=1)
    """Steps between validations; one more is made at the end."""
    frames: int = Field(default=16, ge=1)
    """Generated frames of each sequence, in one rollout, as far as it has them."""
    sequences: int = Field(default=4, ge=1)
    """Sequences at most, spread evenly over all that there are."""
    best_by: Criterion = "psnr"
    """What makes the best checkpoint, which is kept as best.safetensors: `psnr` or `ssim`."""


class Scores(NamedTuple):
    """Means over the generated frames of all sequences."""

    psnr: float  # dB
    ssim: float


class Best(NamedTuple):
    """The best validation of a run so far."""

    step: int
    scales: int  # spatial scales that ran
    score: float  # larger is better

    def beats(self, other: "Best | None") -> bool:
        """Tell whether this one is kept; scores of fewer scales, on smaller frames, count less."""
        return other is None or (self.scales, self.score) > (other.scales, other.score)
