"""From a configuration to the discriminators of a run, their weights drawn from its seed."""

from collections.abc import Sequence

from pipelines.config.run import RunConfig
from vid2vid.errors import ConfigError
from vid2vid.labels.palettes import Palette
from vid2vid.networks.critics import ContextCritic, GlobalCritic
from vid2vid.networks.discriminator import MultiScaleDiscriminator
from vid2vid.networks.hole_discriminator import HoleDiscriminator
from vid2vid.networks.segmentation_discriminator import SegmentationDiscriminator
from vid2vid.training.players import Players

# Streams of the seed, so that no two networks start alike.
IMAGE_STREAM, VIDEO_STREAM, REGION_STREAM, SEGMENTATION_STREAM = 1000, 2000, 3000, 4000
HOLE_STREAM, CONTEXT_STREAM, GLOBAL_STREAM = 5000, 6000, 7000


def add_judges(
    players: Players, config: RunConfig, palette: Palette | None, *, channels: int
) -> None:
    """Make the discriminators of a run; one whose terms all have weight 0 is not made.

    Args:
        players: they are put here.
        config: of the run.
        palette: of its label maps; None without labels.
        channels: of a conditioning map.

    Raises:
        ConfigError: if regions are of ids that are no classes.
    """
    losses, seed = config.losses, config.training.seed
    if config.image_discriminator is not None and (losses.image_gan or losses.matching):
        judge = MultiScaleDiscriminator(config.image_discriminator, channels + 3)
        judge.initialise(seed + IMAGE_STREAM)
        players.image_discriminator = judge
    if region := config.region:
        check_ids("region_discriminator.regions.labels", region.regions.labels, palette)
        players.region_size = region.size
        players.region_discriminator = MultiScaleDiscriminator(region, channels + 3)
        players.region_discriminator.initialise(seed + REGION_STREAM)
    if video := config.video:
        players.window = video.window
        shown = 3 * video.window + 2 * (video.window - 1)
        for scale in range(video.temporal_scales):
            judge = MultiScaleDiscriminator(video, shown)
            judge.initialise(seed + VIDEO_STREAM + 100 * scale)
            players.video_discriminators.append(judge)
    if config.segmentation is not None and palette is not None:
        judge = SegmentationDiscriminator(config.segmentation, palette.num_classes)
        judge.initialise(seed + SEGMENTATION_STREAM)
        players.segmentation_discriminator = judge
    if config.hole_discriminator is not None and (losses.hole_gan or losses.matching):
        players.hole_discriminator = HoleDiscriminator(config.hole_discriminator)
        players.hole_discriminator.initialise(seed + HOLE_STREAM)
    _add_critics(players, config)


def _add_critics(players: Players, config: RunConfig) -> None:
    """Make the context and the global critic, as far as they are asked for."""
    critics, seed = config.critics, config.training.seed
    if critics is None or not config.losses.critic_gan:
        return
    players.gp_mask = critics.gp_mask
    if critics.scope != "global":
        players.context_critic = ContextCritic(critics)
        players.context_critic.initialise(seed + CONTEXT_STREAM)
    if critics.scope != "context":
        data = config.data
        players.global_critic = GlobalCritic(critics, height=data.height, width=data.width)
        players.global_critic.initialise(seed + GLOBAL_STREAM)


def check_ids(setting: str, ids: Sequence[int], palette: Palette | None) -> None:
    """Check that label ids are classes.

    Raises:
        ConfigError: if they are not.
    """
    if palette is None:
        return
    wrong = [label for label in ids if not 0 <= label < palette.num_classes]
    if wrong:
        raise ConfigError(
            f"{setting} must hold ids of palette {palette.name!r} "
            f"(0 to {palette.num_classes - 1}); got {wrong}"
        )
