"""The configuration of a run: one closed schema, put together from what each room asks for."""

from collections.abc import Callable, Mapping
from typing import Annotated, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from flow.estimators import DISPreset
from vid2vid.data.config import DataConfig
from vid2vid.labels.conditioning import ConditioningConfig
from vid2vid.losses.config import LossConfig
from vid2vid.networks.discriminator import DiscriminatorConfig
from vid2vid.networks.generator import GeneratorConfig
from vid2vid.networks.pix2pix import ResNetConfig, UNetConfig
from vid2vid.networks.pix2pixhd import Pix2PixHDConfig
from vid2vid.temporal import farthest_back
from vid2vid.training.loop import TrainingConfig
from vid2vid.training.players import VideoDiscriminatorConfig
from vid2vid.training.schedule import ScheduleConfig, longest_clip
from vid2vid.training.state import OptimizerConfig
from vid2vid.world.clips import WorldDataConfig


def kind_or(default: str) -> Callable[[object], str]:
    """Make the function that reads the kind of a section, which is `default` where it says none."""

    def kind(section: object) -> str:  # its name is that of the key in messages
        if isinstance(section, Mapping):
            return str(cast("Mapping[str, object]", section).get("kind", default))
        return str(getattr(section, "kind", default))

    return kind


AnyDataConfig = Annotated[
    Annotated[DataConfig, Tag("files")] | Annotated[WorldDataConfig, Tag("world")],
    Discriminator(kind_or("files")),
]
AnyGeneratorConfig = Annotated[
    Annotated[GeneratorConfig, Tag("sequential")]
    | Annotated[UNetConfig, Tag("pix2pix_unet")]
    | Annotated[ResNetConfig, Tag("pix2pix_resnet")]
    | Annotated[Pix2PixHDConfig, Tag("pix2pixhd")],
    Discriminator(kind_or("sequential")),
]


class FlowConfig(BaseModel):
    """Where the reference flow of real frames comes from; that of procedural streets is known."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    dis: DISPreset = "medium"
    """Preset of DIS, the estimator that needs no weights: `medium`, `fast` or `ultrafast`."""
    check: Literal["forward_backward", "photometric", "none"] = "forward_backward"
    """How its confidence is found: `forward_backward`, `photometric` (official), or `none`."""


PATCH_REST = 3  # pixels left after the halvings, of which two convolutions take one each


class RunConfig(BaseModel):
    """Everything about a training run; a checkpoint carries it whole."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: str = Field(pattern=r"^[\w.-]+$")
    """Of the run, and of its folder."""
    fetch: str = ""
    """What to fetch and where to put it, said when the data is not there."""
    data: AnyDataConfig
    """Its `kind` says where clips come from: `files` (the default) or `world`."""
    labels: ConditioningConfig = ConditioningConfig()
    generator: AnyGeneratorConfig = GeneratorConfig()
    """Its `kind` says the family: `sequential` (the default), `pix2pix_unet`, `pix2pix_resnet`,
    `pix2pixhd`."""
    image_discriminator: DiscriminatorConfig | None = DiscriminatorConfig()
    """null = none."""
    video_discriminator: VideoDiscriminatorConfig | None = VideoDiscriminatorConfig()
    """null = none."""
    reference_flow: FlowConfig = FlowConfig()
    losses: LossConfig = LossConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    training: TrainingConfig = TrainingConfig()

    @property
    def video(self) -> VideoDiscriminatorConfig | None:
        """The video discriminators that are made: none where all their terms have weight 0."""
        judged = self.losses.video_gan or self.losses.matching
        return self.video_discriminator if judged else None

    @model_validator(mode="after")
    def _video_windows_fit(self) -> Self:
        video = self.video_discriminator
        if video is None:
            return self
        needed = farthest_back(video.temporal_scales, video.window) + 1
        longest = longest_clip(self.schedule)
        if needed > longest:
            raise ValueError(
                f"video_discriminator with {video.temporal_scales} temporal scales and a window of "
                f"{video.window} must have clips of {needed} frames; the longest of schedule has "
                f"{longest}: raise schedule.clip_length_max or lower temporal_scales"
            )
        return self

    @model_validator(mode="after")
    def _something_is_learnt(self) -> Self:
        losses = self.losses
        judged = (self.image_discriminator and (losses.image_gan or losses.matching)) or (
            self.video_discriminator and (losses.video_gan or losses.matching)
        )
        if not (judged or losses.pixel_weight or losses.perceptual):
            raise ValueError(
                "losses must compare frames with something; all weights of image_gan, video_gan, "
                "matching, perceptual and pixel are 0 or without a discriminator"
            )
        return self

    @model_validator(mode="after")
    def _refiners_join(self) -> Self:
        if len(self.schedule.refine_at) > self.generator.refiners:
            raise ValueError(
                f"schedule.refine_at must have at most one share per refiner "
                f"({self.generator.refiners}); got {self.schedule.refine_at}"
            )
        return self

    @model_validator(mode="after")
    def _frozen_scales_exist(self) -> Self:
        generator = self.generator
        if self.schedule.freeze and not (generator.refiners or generator.enhancers):
            raise ValueError(
                "schedule.freeze keeps coarser scales fixed under a refiner or an enhancer; the "
                "generator has none: set schedule.freeze to 0"
            )
        return self

    @model_validator(mode="after")
    def _foreground_has_a_network(self) -> Self:
        if self.labels.foreground and self.generator.kind != "sequential":
            raise ValueError(
                "labels.foreground is painted by a sequential generator; generator.kind is "
                f"{self.generator.kind!r}: set labels.foreground to []"
            )
        if self.labels.foreground and isinstance(self.generator, GeneratorConfig):
            self.generator.check_foreground()
        return self

    @model_validator(mode="after")
    def _patches_fit(self) -> Self:
        smallest = min(self.data.height, self.data.width)
        for name in ("image_discriminator", "video_discriminator"):
            judge: DiscriminatorConfig | None = getattr(self, name)
            if judge is None or judge.pixel or judge.padding > 1:
                continue
            needed = PATCH_REST * 2 ** (judge.layers + judge.scales - 1)
            if smallest < needed:
                raise ValueError(
                    f"{name}.padding 1 needs frames of at least {needed} pixels in height and "
                    f"width with {judge.layers} layers and {judge.scales} scales; data has "
                    f"{smallest}: set {name}.padding to 2 or lower {name}.layers"
                )
        return self

    @model_validator(mode="after")
    def _batch_divides(self) -> Self:
        if self.training.batch_size % self.training.accumulation:
            raise ValueError(
                "training.batch_size must be a multiple of training.accumulation "
                f"({self.training.accumulation}); got {self.training.batch_size}"
            )
        return self
