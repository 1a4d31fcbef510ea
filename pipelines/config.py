"""The configuration of a run: one closed schema, put together from what each room asks for."""

from collections.abc import Callable, Mapping
from typing import Annotated, Self, cast

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from pipelines.reference_flow import FlowConfig
from vid2vid.controls.config import (
    ControlConfig,
    DensePoseConfig,
    FlowControlConfig,
    check_names,
    name_of,
    needs_files,
)
from vid2vid.controls.regions import check_regions
from vid2vid.data.config import ColourConfig, DataConfig
from vid2vid.labels.conditioning import ConditioningConfig
from vid2vid.losses.config import LossConfig
from vid2vid.networks.discriminator import DiscriminatorConfig
from vid2vid.networks.generator import GeneratorConfig
from vid2vid.networks.pix2pix import ResNetConfig, UNetConfig
from vid2vid.networks.pix2pixhd import Pix2PixHDConfig
from vid2vid.temporal import farthest_back
from vid2vid.training.loop import TrainingConfig
from vid2vid.training.players import RegionDiscriminatorConfig, VideoDiscriminatorConfig
from vid2vid.training.schedule import ScheduleConfig, longest_clip
from vid2vid.training.state import OptimizerConfig
from vid2vid.training.validation import ValidationConfig
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
    labels: ConditioningConfig | None = ConditioningConfig()
    """null = no label maps; then there must be controls."""
    controls: tuple[ControlConfig, ...] = ()
    """What frames are painted from beside label maps, or in their place; each has a `kind`:
    `edges`, `grey`, `low_resolution`, `flow`, `depth`, `densepose`, `picture`, `pose`, `landmarks`
    or `boundary`. Their channels follow those of the labels, in this order."""
    generator: AnyGeneratorConfig = GeneratorConfig()
    """Its `kind` says the family: `sequential` (the default), `pix2pix_unet`, `pix2pix_resnet`,
    `pix2pixhd`."""
    image_discriminator: DiscriminatorConfig | None = DiscriminatorConfig()
    """null = none."""
    video_discriminator: VideoDiscriminatorConfig | None = VideoDiscriminatorConfig()
    """null = none."""
    region_discriminator: RegionDiscriminatorConfig | None = None
    """null = none."""
    reference_flow: FlowConfig = FlowConfig()
    losses: LossConfig = LossConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    training: TrainingConfig = TrainingConfig()
    validation: ValidationConfig | None = None
    """null = none."""

    @property
    def video(self) -> VideoDiscriminatorConfig | None:
        """The video discriminators that are made: none where all their terms have weight 0."""
        judged = self.losses.video_gan or self.losses.matching
        return self.video_discriminator if judged else None

    @property
    def region(self) -> RegionDiscriminatorConfig | None:
        """The region discriminator that is made: none where all its terms have weight 0."""
        judged = self.losses.region_gan or self.losses.matching
        return self.region_discriminator if judged else None

    @property
    def foreground(self) -> tuple[int, ...]:
        """Class ids that the foreground model paints."""
        return () if self.labels is None else self.labels.foreground

    @property
    def needs_instances(self) -> bool:
        """Whether clips must have instance maps."""
        by_styles = self.generator.kind == "pix2pixhd" and self.generator.pools_instances
        by_labels = self.labels is not None and self.labels.boundary == "instances"
        return by_styles or by_labels or any(each.kind == "boundary" for each in self.controls)

    @model_validator(mode="after")
    def _is_painted_from_something(self) -> Self:
        if self.labels is None and not self.controls:
            raise ValueError(
                "frames must be painted from something; labels is null and controls is empty: "
                "give labels a section, or name a control such as {kind: edges}"
            )
        if self.labels is None and all(each.kind == "boundary" for each in self.controls):
            raise ValueError(
                "a boundary alone is no control to paint from: add another, or give labels a "
                "section"
            )
        generator = self.generator
        by_class = isinstance(generator, Pix2PixHDConfig) and generator.pooling == "labels"
        if self.labels is None and generator.features and by_class:
            raise ValueError(
                "generator.pooling 'labels' needs labels, which is null: set generator.pooling to "
                "instances or generator.features to 0"
            )
        check_names(self.controls)
        return self

    @model_validator(mode="after")
    def _controls_fit_the_data(self) -> Self:
        data = self.data
        for control in self.controls:
            if isinstance(data, WorldDataConfig):
                if needs_files(control):
                    raise ValueError(
                        f"control '{name_of(control)}' is read from files, and procedural streets "
                        "have none: leave it out, or set data to a data set in files"
                    )
            elif isinstance(control, DensePoseConfig) and data.flip:
                raise ValueError(
                    "control 'densepose' cannot be mirrored, for its coordinates differ from side "
                    "to side: set data.flip to false"
                )
            elif isinstance(control, FlowControlConfig) and control.stream and data.stride[1] > 1:
                raise ValueError(
                    f"control '{control.stream}' holds the flow between neighbours; data.stride is "
                    f"{list(data.stride)}: set it to [1, 1], or the control's stream to null, so "
                    "that the flow is found in the photographs"
                )
        return self

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
    def _kept_flow_comes_again(self) -> Self:
        data = self.data
        if self.reference_flow.cache is None:
            return self
        if isinstance(data, WorldDataConfig):
            raise ValueError(
                "reference_flow.cache keeps what is estimated; the flow of procedural streets is "
                "known: leave it out"
            )
        if data.scale != (1.0, 1.0) or data.colour != ColourConfig():
            raise ValueError(
                "reference_flow.cache keeps the flow of frames that come again; data.scale and "
                "data.colour make new ones for every clip: leave them out, or the cache"
            )
        return self

    @model_validator(mode="after")
    def _something_is_learnt(self) -> Self:
        losses = self.losses
        judged = (self.image_discriminator and (losses.image_gan or losses.matching)) or (
            self.video_discriminator and (losses.video_gan or losses.matching)
        )
        # The region discriminator says nothing of the rest of a frame: it is not enough.
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
        if self.foreground and self.generator.kind != "sequential":
            raise ValueError(
                "labels.foreground is painted by a sequential generator; generator.kind is "
                f"{self.generator.kind!r}: set labels.foreground to []"
            )
        if self.foreground and isinstance(self.generator, GeneratorConfig):
            self.generator.check_foreground()
        return self

    @model_validator(mode="after")
    def _patches_fit(self) -> Self:
        for name in ("image_discriminator", "video_discriminator", "region_discriminator"):
            judge: DiscriminatorConfig | None = getattr(self, name)
            if judge is None or judge.pixel or judge.padding > 1:
                continue
            smallest, came = min(self.data.height, self.data.width), "data has"
            if isinstance(judge, RegionDiscriminatorConfig):
                smallest, came = judge.size, "its size is"
            needed = PATCH_REST * 2 ** (judge.layers + judge.scales - 1)
            if smallest < needed:
                raise ValueError(
                    f"{name}.padding 1 needs frames of at least {needed} pixels in height and "
                    f"width with {judge.layers} layers and {judge.scales} scales; {came} "
                    f"{smallest}: set {name}.padding to 2 or lower {name}.layers"
                )
        return self

    @model_validator(mode="after")
    def _regions_can_be_found(self) -> Self:
        if self.region_discriminator is not None:
            regions = self.region_discriminator.regions
            check_regions(regions, self.controls, has_labels=self.labels is not None)
        return self

    @model_validator(mode="after")
    def _batch_divides(self) -> Self:
        if self.training.batch_size % self.training.accumulation:
            raise ValueError(
                "training.batch_size must be a multiple of training.accumulation "
                f"({self.training.accumulation}); got {self.training.batch_size}"
            )
        return self
