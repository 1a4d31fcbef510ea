"""The networks of a run: the generator and whoever judges it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from pydantic import Field
from torch import nn

from vid2vid.controls.regions import RegionsConfig
from vid2vid.networks.critics import ContextCritic, Critic, GlobalCritic, PenaltyMask
from vid2vid.networks.discriminator import DiscriminatorConfig, MultiScaleDiscriminator
from vid2vid.networks.features import FeatureNetwork
from vid2vid.networks.hole_discriminator import HoleDiscriminator
from vid2vid.networks.interface import Generator
from vid2vid.networks.segmentation_discriminator import SegmentationDiscriminator


class VideoDiscriminatorConfig(DiscriminatorConfig):
    """A video discriminator per temporal scale; each sees a window of frames and their flow."""

    window: int = Field(default=3, ge=2)
    """Frames that are judged together."""
    temporal_scales: int = Field(default=2, ge=1, le=4)
    """Scale s looks at frames window^s apart."""


class RegionDiscriminatorConfig(DiscriminatorConfig):
    """An image discriminator on boxes of a frame, each resized to one size."""

    regions: RegionsConfig
    """What is boxed."""
    size: int = Field(default=64, ge=16, le=512)
    """Height and width that every box is resized to, px."""


@dataclass
class Players:
    """Generator, discriminators, and the frozen feature networks of losses."""

    generator: Generator
    image_discriminator: MultiScaleDiscriminator | None = None
    video_discriminators: list[MultiScaleDiscriminator] = field(default_factory=list)
    window: int = 3
    features: FeatureNetwork | None = None
    classes: int = 0  # channels of a map that hold one label class each, the first ones
    region_discriminator: MultiScaleDiscriminator | None = None
    region_size: int = 0  # px, height and width of what it sees
    segmentation_discriminator: SegmentationDiscriminator | None = None
    hole_discriminator: HoleDiscriminator | None = None
    overlap: int = 0  # px around a hole that the generator paints as well
    context_critic: ContextCritic | None = None
    global_critic: GlobalCritic | None = None
    gp_mask: PenaltyMask = "binary"  # of both critics
    mrf_features: FeatureNetwork | None = None  # frozen, of the ID-MRF loss

    def trained(self) -> Iterator[tuple[str, nn.Module]]:
        """Yield the name and the network of every player that has an optimiser."""
        yield "generator", self.generator
        if self.image_discriminator is not None:
            yield "image_discriminator", self.image_discriminator
        if self.region_discriminator is not None:
            yield "region_discriminator", self.region_discriminator
        if self.segmentation_discriminator is not None:
            yield "segmentation_discriminator", self.segmentation_discriminator
        if self.hole_discriminator is not None:
            yield "hole_discriminator", self.hole_discriminator
        for name, critic in self.critics().items():
            yield f"{name}_discriminator", critic
        for scale, discriminator in enumerate(self.video_discriminators):
            yield f"video_discriminator_{scale}", discriminator

    def critics(self) -> dict[str, Critic]:
        """Return the critics that there are, by what they judge."""
        both = {"context": self.context_critic, "global": self.global_critic}
        return {name: critic for name, critic in both.items() if critic is not None}

    def freeze(self, stages: int) -> None:
        """Train all stages of the generator but the `stages` coarsest ones."""
        for index, stage in enumerate(self.generator.stages):
            stage.requires_grad_(index >= stages)
