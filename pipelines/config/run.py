"""The configuration of a run: one closed schema, put together from what each room asks for."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipelines.config.controls import check_controls, check_sources
from pipelines.config.judges import check_critics, check_norms, check_patches
from pipelines.config.kinds import AnyDataConfig, AnyGeneratorConfig
from pipelines.config.known import check_content, check_expansion, check_filling, check_hole_judge
from pipelines.config.pictures import check_colour, check_depth
from pipelines.reference_flow import FlowConfig
from vid2vid.controls.config import ControlConfig
from vid2vid.controls.regions import check_regions
from vid2vid.data.config import ColourConfig
from vid2vid.first_frames import FirstFramesConfig
from vid2vid.labels.conditioning import ConditioningConfig
from vid2vid.losses.config import LossConfig
from vid2vid.networks.critics import CriticsConfig
from vid2vid.networks.crn import PaintedConfig
from vid2vid.networks.discriminator import DiscriminatorConfig
from vid2vid.networks.generator import GeneratorConfig
from vid2vid.networks.hole_discriminator import HoleDiscriminatorConfig
from vid2vid.networks.segmentation_discriminator import SegmentationDiscriminatorConfig
from vid2vid.temporal import farthest_back
from vid2vid.training.loop import TrainingConfig
from vid2vid.training.players import RegionDiscriminatorConfig, VideoDiscriminatorConfig
from vid2vid.training.schedule import ScheduleConfig, longest_clip
from vid2vid.training.state import OptimizerConfig
from vid2vid.training.validation import ValidationConfig
from vid2vid.world.clips import WorldDataConfig

PATCH_JUDGES = ("image_discriminator", "video_discriminator", "region_discriminator")


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
    `edges`, `grey`, `low_resolution`, `flow`, `depth`, `densepose`, `picture`, `pose`, `landmarks`,
    `boundary` or `known`. Their channels follow those of the labels, in this order."""
    generator: AnyGeneratorConfig = GeneratorConfig()
    """Its `kind` says the family: `sequential` (the default), `pix2pix_unet`, `pix2pix_resnet`,
    `pix2pixhd`, `crn`, `encoder_decoder`, `full_resolution`, `fusion`, `context_encoder`,
    `srn`."""
    image_discriminator: DiscriminatorConfig | None = DiscriminatorConfig()
    """null = none."""
    video_discriminator: VideoDiscriminatorConfig | None = VideoDiscriminatorConfig()
    """null = none."""
    region_discriminator: RegionDiscriminatorConfig | None = None
    """null = none."""
    segmentation_discriminator: SegmentationDiscriminatorConfig | None = None
    """Sorts every pixel of a frame into its label or "generated" (OASIS); null = none."""
    hole_discriminator: HoleDiscriminatorConfig | None = None
    """Judges what holes of a control `known` were filled with (Pathak et al. 2016); null = none."""
    critics: CriticsConfig | None = None
    """A context and a global critic of what was generated of photographs that are known in part by
    a control `known` (SRN); null = none."""
    reference_flow: FlowConfig = FlowConfig()
    losses: LossConfig = LossConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    training: TrainingConfig = TrainingConfig()
    first_frames: FirstFramesConfig | None = None
    """null = none: videos begin from zeros, or with pictures that rendering is given."""
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
    def segmentation(self) -> SegmentationDiscriminatorConfig | None:
        """The segmentation discriminator that is made: none where its term has weight 0."""
        return self.segmentation_discriminator if self.losses.segmentation_gan else None

    @property
    def is_judged(self) -> bool:
        """Whether any discriminator is made: one whose terms all have weight 0 is not."""
        losses = self.losses
        image = self.image_discriminator and (losses.image_gan or losses.matching)
        hole = self.hole_discriminator and (losses.hole_gan or losses.matching)
        critics = self.critics and losses.critic_gan
        return bool(image or self.video or self.region or self.segmentation or hole or critics)

    @property
    def foreground(self) -> tuple[int, ...]:
        """Class ids that the foreground model paints."""
        return () if self.labels is None else self.labels.foreground

    @property
    def trains_stills(self) -> bool:
        """Whether no clip has more than one frame, so that pictures need nothing in common."""
        return self.generator.history == 0 and longest_clip(self.schedule) == 1

    @property
    def needs_instances(self) -> bool:
        """Whether clips must have instance maps."""
        by_styles = self.generator.kind == "pix2pixhd" and self.generator.pools_instances
        by_labels = self.labels is not None and self.labels.boundary == "instances"
        return by_styles or by_labels or any(each.kind == "boundary" for each in self.controls)

    @model_validator(mode="after")
    def _is_painted_from_something(self) -> Self:
        check_sources(self.controls, self.generator, has_labels=self.labels is not None)
        check_controls(self.controls, self.data)
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
        judged = judged or self.segmentation or (self.critics and losses.critic_gan)
        compared = losses.pixel_weight or losses.perceptual or losses.hole or losses.is_spatial
        if not (judged or compared or losses.mrf):
            raise ValueError(
                "losses must compare frames with something; all weights of image_gan, video_gan, "
                "segmentation_gan, critic_gan, matching, perceptual, mrf, pixel, hole and spatial "
                "are 0, none or without a discriminator"
            )
        return self

    @model_validator(mode="after")
    def _labels_can_be_judged(self) -> Self:
        if self.segmentation_discriminator is not None and self.labels is None:
            raise ValueError(
                "segmentation_discriminator learns the labels of pixels; labels is null: give it "
                "a section, or set segmentation_discriminator to null"
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
    def _first_frames_are_seen(self) -> Self:
        if self.first_frames is not None:
            begins = self.training.first_frames
            self.first_frames.check(history=self.generator.history, first_frames=begins)
        return self

    @model_validator(mode="after")
    def _frozen_scales_exist(self) -> Self:
        generator, schedule = self.generator, self.schedule
        others = generator.refiners + generator.enhancers
        if schedule.freeze and not others:
            raise ValueError(
                "schedule.freeze keeps coarser scales fixed under a refiner, an enhancer or a "
                "module; the generator has none: set schedule.freeze to 0"
            )
        if schedule.freeze and schedule.freeze_except > others:
            raise ValueError(
                f"schedule.freeze_except must be at most {others}, so that schedule.freeze keeps "
                f"anything fixed; got {schedule.freeze_except}"
            )
        return self

    @model_validator(mode="after")
    def _variants_are_learnt(self) -> Self:
        generator, losses = self.generator, self.losses
        outputs = generator.outputs if isinstance(generator, PaintedConfig) else 1
        if outputs > 1 and not (losses.pixel_weight or losses.perceptual):
            raise ValueError(
                "generator.outputs above 1 learn from losses.perceptual or losses.pixel, which are "
                f"0; got {outputs}: discriminators see the first picture alone"
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
        judges = {name: each for name in PATCH_JUDGES if (each := getattr(self, name)) is not None}
        check_patches(judges, height=self.data.height, width=self.data.width)
        check_norms(judges, self.losses.adversarial)
        check_critics(self.critics, self.controls, self.schedule, is_judged=self.is_judged)
        return self

    @model_validator(mode="after")
    def _regions_can_be_found(self) -> Self:
        if self.region_discriminator is not None:
            regions = self.region_discriminator.regions
            check_regions(regions, self.controls, has_labels=self.labels is not None)
        return self

    @model_validator(mode="after")
    def _pictures_fit(self) -> Self:
        check_colour(self.generator, self.controls)
        height, width = self.data.height, self.data.width
        check_depth(self.generator, height=height, width=width)
        check_filling(self.generator, self.controls, self.losses, height=height, width=width)
        check_content(self.generator, self.controls, height=height, width=width)
        check_expansion(self.generator, self.controls, self.data)
        judge, smallest = self.hole_discriminator, min(height, width)
        check_hole_judge(judge, self.losses, self.controls, smallest=smallest)
        return self

    @model_validator(mode="after")
    def _batch_divides(self) -> Self:
        if self.training.batch_size % self.training.accumulation:
            raise ValueError(
                "training.batch_size must be a multiple of training.accumulation "
                f"({self.training.accumulation}); got {self.training.batch_size}"
            )
        return self
