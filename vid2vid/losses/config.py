"""Which losses are computed, and how much each of them counts."""

from pydantic import BaseModel, ConfigDict, Field

from vid2vid.losses.adversarial import Adversarial, Reduction
from vid2vid.networks.features import VggName

PIXEL_WITHOUT_PERCEPTUAL = 10.0


class LossConfig(BaseModel):
    """Weights of the terms; a term of weight 0 is not computed. Defaults: the official recipe."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    adversarial: Adversarial = "least_squares"
    """`least_squares` (official), `hinge` or `logistic`."""
    scales: Reduction = "sum"
    """Scores of the patch networks are summed (official) or averaged over scales."""
    image_gan: float = Field(default=1.0, ge=0)
    """Image discriminator, on single frames."""
    video_gan: float = Field(default=1.0, ge=0)
    """Video discriminators, each temporal scale."""
    region_gan: float = Field(default=1.0, ge=0)
    """Region discriminator, on boxes of single frames."""
    matching: float = Field(default=10.0, ge=0)
    """Feature matching, with every discriminator."""
    perceptual: float = Field(default=10.0, ge=0)
    """Perceptual loss on VGG features; needs torchvision's weight file."""
    vgg: VggName = "vgg19"
    """Network of the perceptual loss."""
    vgg_weights: str | None = None
    """Path of its weight file; null looks in torch's own cache. Nothing is downloaded."""
    pixel: float | None = Field(default=None, ge=0)
    """L1 to the real frame; null = 10 where the perceptual loss is off, else 0."""
    flow: float = Field(default=10.0, ge=0)
    """L1 of the predicted flow to the reference flow, per pixel of length."""
    warp: float = Field(default=10.0, ge=0)
    """L1 of the real previous frame, carried along the predicted flow, to the real frame."""
    generated_warp: float = Field(default=10.0, ge=0)
    """L1 of a generated frame to the one before it, carried along the reference flow."""
    occlusion: float = Field(default=0.0, ge=0)
    """Mean occlusion where the flow can be trusted (official: 1 when starting from zeros)."""
    hallucinated: float = Field(default=1.0, ge=0)
    """Share of the frame's own losses that the hallucinated frame is held to as well."""

    @property
    def pixel_weight(self) -> float:
        """Weight of the pixel term, with null resolved."""
        if self.pixel is not None:
            return self.pixel
        return 0.0 if self.perceptual else PIXEL_WITHOUT_PERCEPTUAL
