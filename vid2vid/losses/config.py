"""Which losses are computed, and how much each of them counts."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from vid2vid.losses.adversarial import Adversarial, Reduction
from vid2vid.networks.features import VggLayers, VggName, VggPooling

PerceptualNetwork = Literal["vgg", "segmenter"]
PerceptualBalance = Literal["decaying", "calibrated"]

PIXEL_WITHOUT_PERCEPTUAL = 10.0


class LossConfig(BaseModel):
    """Weights of the terms; a term of weight 0 is not computed. Defaults: the official recipe."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    adversarial: Adversarial = "least_squares"
    """`least_squares` (official), `hinge`, `logistic`, or `wasserstein` with a penalty."""
    gradient_penalty: float = Field(default=10.0, ge=0)
    """Holds the slope of every Wasserstein critic at 1; 0 lets it grow without bound, unless the
    discriminators are `spectral`. Not used with the other kinds."""
    scales: Reduction = "sum"
    """Scores of the patch networks are summed (official) or averaged over scales."""
    image_gan: float = Field(default=1.0, ge=0)
    """Image discriminator, on single frames."""
    video_gan: float = Field(default=1.0, ge=0)
    """Video discriminators, each temporal scale."""
    region_gan: float = Field(default=1.0, ge=0)
    """Region discriminator, on boxes of single frames."""
    segmentation_gan: float = Field(default=1.0, ge=0)
    """Segmentation discriminator, on single frames."""
    matching: float = Field(default=10.0, ge=0)
    """Feature matching, with every patch discriminator."""
    perceptual: float = Field(default=10.0, ge=0)
    """Perceptual loss on the features of a frozen network."""
    perceptual_network: PerceptualNetwork = "vgg"
    """That network: `vgg`, which needs torchvision's weight file, or the `segmenter` of the
    package, which needs none and knows streets alone."""
    perceptual_balance: PerceptualBalance = "decaying"
    """Weights of its layers: `decaying` from the deepest (pix2pixHD), or `calibrated`: the pixels
    and five layers, each divided by its own mean at `calibrate_at`, the deepest ten times (CRN)."""
    calibrate_at: float = Field(default=0.5, ge=0, le=1)
    """Share of the run after which they are divided, once and for all (official half of it)."""
    all_variants: float = Field(default=0.001, ge=0, le=1)
    """Share of all pictures in the losses of a generator with several, beside the best for each
    class, so that each learns something (official 0.001). In 300 steps on four photographs two of
    three pictures learnt nothing with that: short runs need more, such as 0.2."""
    vgg: VggName = "vgg19"
    """Which VGG."""
    vgg_layers: VggLayers = "first"
    """Of each of its five blocks: the `first` (relu1_1 ... relu5_1, pix2pixHD) or the `second`
    (relu1_2 ... relu5_2, CRN)."""
    vgg_pooling: VggPooling = "max"
    """`max`, as it was trained, or `average` (CRN)."""
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
