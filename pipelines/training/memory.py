"""How much memory a training run takes, before it begins: networks, optimisers, and one step."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import torch

from flow.confidence import ReferenceFlow
from pipelines.build import build_conditioning, build_players
from pipelines.config.run import RunConfig
from pipelines.datasets import flow_strides, needs_flow
from vid2vid.data.clips import ClipBatch
from vid2vid.labels.palettes import Palette
from vid2vid.losses.config import WITHOUT_FEATURES
from vid2vid.networks.interface import Generator
from vid2vid.temporal import farthest_back
from vid2vid.training.clip_step import StepSettings, gather_gradients
from vid2vid.training.loop import moment_of
from vid2vid.training.memory import imitate_autocast, measure_memory, weight_bytes
from vid2vid.training.players import Players
from vid2vid.training.schedule import longest_clip
from vid2vid.training.targets import Targets, prepare
from vid2vid.weights.features import empty_features, empty_mrf_features

META = torch.device("meta")
ADAM_MOMENTS = 2


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes on the device at the moment when a step of the run needs most."""

    parameters: int  # of every player
    gradients: int
    optimiser: int  # Adam's two moments
    average: int  # EMA of the generator
    perceptual: int  # frozen feature networks
    clip: int  # batch of the longest clips, encoded
    activations: int  # of the longest chunk that the gradient flows back through
    chunk_frames: int

    def to_json(self) -> dict[str, int]:
        """Return JSON values, the total among them."""
        return {**asdict(self), "total": self.total}

    @property
    def total(self) -> int:
        """All of it."""
        return (
            self.parameters
            + self.gradients
            + self.optimiser
            + self.average
            + self.perceptual
            + self.clip
            + self.activations
        )


def estimate_memory(config: RunConfig, palette: Palette | None) -> MemoryEstimate:
    """Measure a step on the meta device: no data, no weight file and no memory is needed.

    All spatial scales run, and what is trained at the end of the run. What the
    libraries of a device take for themselves is not counted, nor frames that loading keeps.
    """
    players = _players_on_meta(config, palette)
    last = moment_of(players.generator, config.schedule, config.schedule.steps - 1)
    players.freeze(last.frozen)
    longest = players.generator.history + longest_clip(config.schedule)
    clip = measure_memory(
        lambda: make_clips(config, palette, players.generator, length=longest, device=META)
    )
    trained = [each for _, each in players.trained()]
    frozen = [each for each in (players.features, players.mrf_features) if each is not None]
    gradients = weight_bytes(trained)
    if config.training.precision == "bfloat16":
        for network in (*trained, *frozen):
            imitate_autocast(network)
    step = measure_memory(make_step(config, palette, players, device=META))
    return MemoryEstimate(
        parameters=weight_bytes(trained, trained_only=False),
        gradients=gradients,
        optimiser=ADAM_MOMENTS * gradients,
        average=weight_bytes([players.generator], trained_only=False),
        perceptual=weight_bytes(frozen, trained_only=False),
        clip=clip.left,
        activations=max(step.peak - gradients, clip.peak - clip.left),
        chunk_frames=min(config.schedule.backprop_frames, longest_clip(config.schedule)),
    )


def make_step(
    config: RunConfig, palette: Palette | None, players: Players, *, device: torch.device
) -> Callable[[], object]:
    """Make what gathers the gradients of one part of a batch, of clips that hold nothing.

    Two chunks run, so that the gradients of one are there while the other runs, and as many as
    the windows of all video discriminators reach back; further ones take no more.
    """
    network, chunk = players.generator, config.schedule.backprop_frames
    reach = farthest_back(len(players.video_discriminators), players.window)
    frames = min(longest_clip(config.schedule), max(2 * chunk, reach + chunk))
    length = network.history + frames
    batch = make_clips(config, palette, network, length=length, device=device)
    parts = config.training.accumulation * config.schedule.critic_steps
    part = batch.part(0, parts)
    settings = StepSettings(network.scales, chunk, from_zeros=False)
    return lambda: gather_gradients(players, part, config.losses, settings)


def describe_memory(estimate: MemoryEstimate) -> str:
    """Write an estimate as one line."""
    parts = {
        "weights": estimate.parameters + estimate.perceptual,
        "gradients": estimate.gradients,
        "Adam": estimate.optimiser,
        "average": estimate.average,
        "clip": estimate.clip,
        f"activations of {estimate.chunk_frames} frames": estimate.activations,
    }
    listed = ", ".join(f"{name} {_size(number)}" for name, number in parts.items())
    return f"a training step takes about {_size(estimate.total)}: {listed}"


def _size(number: int) -> str:
    """Write a number of bytes as people say it."""
    return f"{number / 1e9:.2f} GB" if number >= 1e9 else f"{number / 1e6:.1f} MB"


def _players_on_meta(config: RunConfig, palette: Palette | None) -> Players:
    """Make every network without its weights; that of the perceptual loss without its file."""
    off = config.losses.model_copy(update=WITHOUT_FEATURES)
    with META:
        players = build_players(config.model_copy(update={"losses": off}), palette)
        if config.losses.perceptual:
            players.features = empty_features(config.losses)
        if config.losses.mrf:
            players.mrf_features = empty_mrf_features(config.losses)
    return players


def make_clips(
    config: RunConfig,
    palette: Palette | None,
    generator: Generator,
    *,
    length: int,
    device: torch.device,
) -> Targets:
    """Make a batch of clips of `length` frames as a step takes it, all zeros."""
    clips = config.training.batch_size * config.schedule.critic_steps
    shape = (clips, length, config.data.height, config.data.width)
    conditioning = build_conditioning(config, palette)
    strides = flow_strides(config) if needs_flow(config) else ()
    with device:
        batch = ClipBatch(
            frames=_pictures(shape, channels=3),
            labels=torch.zeros(shape, dtype=torch.uint8),
            instances=torch.zeros(shape, dtype=torch.int32),
            references=tuple(_reference(shape, stride) for stride in strides if stride < length),
            names=(),
            starts=(),
            strides=(),
            pictures=_pictures(shape, channels=conditioning.pictures),
            boxes=_all_boxes(config, shape),
        )
    return prepare(batch, conditioning, device=device, pooling=generator.pooling)


def _all_boxes(config: RunConfig, shape: tuple[int, int, int, int]) -> torch.Tensor | None:
    """Make as many boxes of every frame as there may be; they always lie on the CPU."""
    if config.region is None:
        return None
    batch, length, height, width = shape
    box = torch.tensor([0.0, 0.0, width, height], device="cpu")
    return box.expand(batch, length, config.region.regions.most, 4)


def _reference(shape: tuple[int, int, int, int], stride: int) -> ReferenceFlow:
    """Make the reference flow of clips 'b t h w' over a stride."""
    batch, length, *size = shape
    spanned = (batch, length - stride, *size)
    return ReferenceFlow(_pictures(spanned, channels=2), _pictures(spanned, channels=1))


def _pictures(shape: tuple[int, ...], *, channels: int) -> torch.Tensor:
    """Make pictures 'b t c h w' of a shape 'b t h w'."""
    return torch.zeros(*shape[:2], channels, *shape[2:])
