"""What the discriminators are shown of a chunk: conditioning and frames, or windows with flow."""

from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torchvision.ops import roi_align

from vid2vid.losses.config import LossConfig
from vid2vid.temporal import frame_stride, window_indices
from vid2vid.training.chunks import Chunk
from vid2vid.training.critic_judge import CriticExhibit
from vid2vid.training.judges import PatchExhibit
from vid2vid.training.label_judge import LabelExhibit
from vid2vid.training.players import Players
from vid2vid.training.targets import Targets

COLOURS = slice(-3, None)  # channels of a frame behind its conditioning


def image_exhibit(chunk: Chunk, players: Players, losses: LossConfig) -> Iterator[PatchExhibit]:
    """Show every frame of the chunk with its conditioning, the hallucinated frame beside it."""
    if players.image_discriminator is None:
        return
    maps, output = chunk.conditioning, chunk.output
    # Without flow the frame is the hallucinated one: it would be judged twice.
    judged_alone = losses.hallucinated > 0 and output.flow is not None
    yield PatchExhibit(
        name="image",
        discriminator=players.image_discriminator,
        real=torch.cat([maps, chunk.real_judged], dim=1),
        fake=torch.cat([maps, chunk.judged], dim=1),
        hallucinated=torch.cat([maps, output.hallucinated], dim=1) if judged_alone else None,
        weight=losses.image_gan,
        frames=COLOURS,
    )


def label_exhibit(chunk: Chunk, players: Players, losses: LossConfig) -> Iterator[LabelExhibit]:
    """Show every frame of the chunk alone, and the hallucinated one, with the labels asked for."""
    if players.segmentation_discriminator is None:
        return
    if chunk.labels is None:
        raise ValueError("a segmentation discriminator needs the labels of a chunk; got None")
    output = chunk.output
    judged_alone = losses.hallucinated > 0 and output.flow is not None
    yield LabelExhibit(
        name="segmentation",
        discriminator=players.segmentation_discriminator,
        real=chunk.real,
        fake=output.frame,
        hallucinated=output.hallucinated if judged_alone else None,
        labels=chunk.labels,
    )


def hole_exhibit(chunk: Chunk, players: Players, losses: LossConfig) -> Iterator[PatchExhibit]:
    """Show every frame of the chunk alone, its holes and their borders as they were painted."""
    if players.hole_discriminator is None:
        return
    yield PatchExhibit(
        name="hole",
        discriminator=players.hole_discriminator,
        real=chunk.real,
        fake=chunk.output.hallucinated,
        hallucinated=None,
        weight=losses.hole_gan,
    )


def critic_exhibits(
    chunk: Chunk, players: Players, rng: np.random.Generator
) -> Iterator[CriticExhibit]:
    """Show every frame of the chunk to each critic, its known pixels as they were."""
    critics = players.critics()
    if not critics:
        return
    output = chunk.output
    if output.mask is None:
        raise ValueError("critics need the mask of what was generated; got None")
    seed = int(rng.integers(2**62))
    for name, critic in critics.items():
        yield CriticExhibit(
            name=name,
            critic=critic,
            real=chunk.real,
            fake=output.frame,
            mask=output.mask,
            penalty_mask=players.gp_mask,
            seed=seed,
        )


def region_exhibit(chunk: Chunk, players: Players, losses: LossConfig) -> Iterator[PatchExhibit]:
    """Show the boxes of all frames of the chunk, each resized; nothing where there is none."""
    if players.region_discriminator is None or chunk.boxes is None or not count_boxes(chunk):
        return
    maps, output, size = chunk.conditioning, chunk.output, players.region_size
    judged_alone = losses.hallucinated > 0 and output.flow is not None

    def cut(pictures: Tensor) -> Tensor:
        return cut_boxes(torch.cat([maps, pictures], dim=1), cast("Tensor", chunk.boxes), size=size)

    yield PatchExhibit(
        name="region",
        discriminator=players.region_discriminator,
        real=cut(chunk.real_judged),
        fake=cut(chunk.judged),
        hallucinated=cut(output.hallucinated) if judged_alone else None,
        weight=losses.region_gan,
        is_resized=True,
        frames=COLOURS,
    )


def count_boxes(chunk: Chunk) -> int:
    """Count the boxes of all frames of a chunk."""
    return 0 if chunk.boxes is None else int(_is_box(chunk.boxes).sum())


def cut_boxes(pictures: Tensor, boxes: Tensor, *, size: int) -> Tensor:
    """Cut boxes out of pictures and resize them, each pixel the mean of what it covers.

    Args:
        pictures: 'b c h w'.
        boxes: 'b n 4', (left, top, right, bottom) in px, on the CPU; a row of zeros is no box.
        size: height and width of the result.

    Returns:
        'm c size size' of all m boxes, picture after picture, float32.
    """
    index, _ = torch.nonzero(_is_box(boxes), as_tuple=True)
    rois = torch.cat([index.unsqueeze(1).float(), boxes[_is_box(boxes)]], dim=1)
    return roi_align(pictures.float(), rois.to(pictures.device), size, aligned=True)


def _is_box(boxes: Tensor) -> Tensor:
    """Tell boxes from rows of zeros: 'b n'."""
    return boxes[..., 2] > boxes[..., 0]


def video_exhibits(
    new: Sequence[Tensor],
    past: Sequence[Tensor],
    targets: Targets,
    players: Players,
    *,
    newest: int,
    losses: LossConfig,
) -> Iterator[PatchExhibit]:
    """Show, per temporal scale, the windows that the chunk completes.

    Args:
        new: frames 'b 3 h w' of the chunk, with their graph.
        past: generated frames before them, detached.
        targets: the clip.
        players: the discriminators, one per temporal scale.
        newest: index in the clip of the last frame of the chunk.
        losses: weight of the adversarial term.
    """
    fakes = [*past, *new]
    offset = newest + 1 - len(fakes)  # index in the clip of fakes[0]
    reals = list(targets.frames[:, offset : newest + 1].unbind(1))
    for scale, discriminator in enumerate(players.video_discriminators):
        stride = frame_stride(scale, players.window)
        windows = window_indices(len(fakes), len(new), window=players.window, stride=stride)
        if not windows:
            continue
        flows = torch.cat(
            [_window_flow(targets, window, scale=scale, offset=offset) for window in windows]
        )
        flows = flows / players.generator.flow_scale
        yield PatchExhibit(
            name=f"video_{scale}",
            discriminator=discriminator,
            real=torch.cat([_window_frames(reals, windows), flows], dim=1),
            fake=torch.cat([_window_frames(fakes, windows), flows], dim=1),
            hallucinated=None,
            weight=losses.video_gan,
            frames=slice(3 * players.window),
        )


def _window_frames(frames: Sequence[Tensor], windows: Sequence[tuple[int, ...]]) -> Tensor:
    """Stack windows of frames: '(w b) (k 3) h w', oldest frame first."""
    return torch.cat([torch.cat([frames[i] for i in window], dim=1) for window in windows])


def _window_flow(targets: Targets, window: tuple[int, ...], *, scale: int, offset: int) -> Tensor:
    """Join the reference flows between the frames of one window: 'b (k-1 2) h w'.

    The flow is that between the spaced frames themselves, at every temporal scale.
    """
    flow = targets.references[scale].flow
    stride = targets.frames.shape[1] - flow.shape[1]
    return torch.cat([flow[:, offset + i - stride] for i in window[1:]], dim=1)
