"""Which losses are computed, and how much each of them counts."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from vid2vid.losses.adversarial import Adversarial, Reduction
from vid2vid.losses.spatial import SpatialFilter, SpatialForm, SpatialKind, SpatialWeighting
from vid2vid.networks.features import VggLayers, VggName, VggPooling

PerceptualNetwork = Literal["vgg", "segmenter"]
MrfNetwork = Literal["either", "vgg", "segmenter"]
MrfWeight = Annotated[float, Field(ge=0)]
PerceptualBalance = Literal["decaying", "calibrated"]

PIXEL_WITHOUT_PERCEPTUAL = 10.0
WITHOUT_FEATURES: Mapping[str, float] = MappingProxyType({"perceptual": 0.0, "mrf": 0.0})
"""The settings with which no feature network is loaded."""


class LossConfig(BaseModel):
    """Weights of the terms; a term of weight 0 is not computed. Defaults: the official recipe."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    adversarial: Adversarial = "least_squares"
    """`least_squares` (official), `hinge`, `logistic`, or `wasserstein` with a penalty."""
    gradient_penalty: float = Field(default=10.0, ge=0)
    """Holds the slope of every Wasserstein critic, `critics` among them, at 1; 0 lets it grow
    without bound, unless the discriminators are `spectral`. Not used with the other kinds."""
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
    hole_gan: float = Field(default=1.0, ge=0)
    """Hole discriminator, on what holes were filled with (Yang et al. 2017: 0.001)."""
    hole: float = Field(default=0.0, ge=0)
    """Square of the difference to the real frame, in holes and, ten times, on the ring of known
    pixels that generator.overlap paints as well (Yang et al. 2017: 0.999)."""
    critic_gan: float = Field(default=0.001, ge=0)
    """Context and global critic, each (SRN), on frames whose unknown part was generated."""
    matching: float = Field(default=10.0, ge=0)
    """Feature matching, with every patch discriminator and the hole discriminator."""
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
    mrf: float = Field(default=0.0, ge=0)
    """Implicit diversified MRF (GMCNN, SRN: 0.05): every feature of a real frame is to be met by a
    generated one of its own. Works on what was painted, before known pixels are put back."""
    mrf_levels: tuple[MrfWeight, MrfWeight, MrfWeight, MrfWeight, MrfWeight] = (0, 0, 1, 2, 0)
    """Weight of the features at each level, from whole size to a sixteenth: of VGG conv1_2, 2_2,
    3_2, 4_2 and 5_2 (SRN's code: conv3_2 and twice conv4_2)."""
    mrf_network: MrfNetwork = "either"
    """Whose features: those of `vgg`, which needs torchvision's weight file, of the `segmenter` of
    the package, or `either`: VGG where vgg_weights is given or lies in torch's cache, else the
    segmenter, which the run then says."""
    pixel: float | None = Field(default=None, ge=0)
    """L1 to the real frame; null = 10 where the perceptual loss is off, else 0."""
    spatial: SpatialKind | Literal["none"] = "none"
    """L1 to the real frame in what is unknown of it, by the control known, and L1 in the rest; the
    weight of unknown pixels falls with their distance: `rsv`, gently (SRN), `confidence`, steeply
    (GMCNN), or not at all, `plain`."""
    spatial_weight: float = Field(default=5.04, ge=0)
    """Of the unknown part, a mean over all pixels (SRN: 5, its code 5.04)."""
    known_weight: float = Field(default=1.44, ge=0)
    """Of the known part, a mean over it (SRN's code)."""
    spatial_filter: SpatialFilter = "box"
    """What confidence spreads with, a quarter of the height wide: a `box`, as in SRN's code, or a
    `gaussian`."""
    spatial_form: SpatialForm = "max"
    """Of the denominator of rsv: `max`, SRN's paper, or `additive`, its code."""
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

    @model_validator(mode="after")
    def _mrf_compares_a_level(self) -> "LossConfig":
        if self.mrf and not any(self.mrf_levels):
            raise ValueError(
                "mrf_levels must have a level above 0 where mrf is; got "
                f"{list(self.mrf_levels)}: set mrf to 0"
            )
        return self

    @property
    def spatial_weighting(self) -> SpatialWeighting | None:
        """How unknown pixels are weighted; None without that term."""
        if self.spatial == "none":
            return None
        return SpatialWeighting(self.spatial, self.spatial_filter, self.spatial_form)

    @property
    def is_spatial(self) -> bool:
        """Whether unknown pixels are compared, near ones more than far ones or all alike."""
        return self.spatial != "none" and self.spatial_weight > 0

    @property
    def pixel_weight(self) -> float:
        """Weight of the pixel term, with null resolved."""
        if self.pixel is not None:
            return self.pixel
        return 0.0 if self.perceptual else PIXEL_WITHOUT_PERCEPTUAL
