"""Unroll a generator over a stream of conditioning: training and rendering use this one function.

The state is what the generator needs of the past and nothing more: the last `history` conditioning
maps, and per scale the last `history` frames. Memory does not grow with the length of the video.
A still-image generator has a history of 0, so that its state holds nothing.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from flow.padding import Padding
from vid2vid.networks.interface import Generator
from vid2vid.networks.outputs import GeneratorOutput
from vid2vid.networks.pyramid import pyramid


class RolloutState(NamedTuple):
    """What one generated frame hands to the next. Tensors are padded to what the network needs."""

    past_conditioning: Tensor  # 'b l k h w', oldest first, with what is beside
    pasts: tuple[Tensor, ...]  # per scale, coarsest first: 'b l 3 h w', oldest first
    is_first: bool  # the past is empty: the next frame is hallucinated alone
    padding: Padding
    beside: Tensor | None = None  # 'b c h w', noise and places beside every map; None without


def start_state(
    generator: Generator,
    conditioning: Tensor,
    *,
    past_conditioning: Tensor | None = None,
    first_frames: Tensor | None = None,
    scales: int | None = None,
) -> RolloutState:
    """Make the state before the first generated frame.

    Args:
        generator: the network that will be unrolled.
        conditioning: 'b k h w', the map of the first frame to be generated.
        past_conditioning: 'b l k h w', the maps before it; None repeats the first map.
        first_frames: 'b l 3 h w', the frames before it, oldest first, [-1, 1]; None starts from
            zeros, and the first frame is hallucinated alone.
        scales: spatial scales that run, from the coarsest; None runs all.

    Raises:
        ValueError: if the past has another length, size or batch than the generator needs.
    """
    scales = generator.scales if scales is None else scales
    history = generator.history
    batch, _, height, width = conditioning.shape
    padding = generator.padding(height, width, scales)
    if past_conditioning is None:
        past_conditioning = conditioning.unsqueeze(1).expand(-1, history, -1, -1, -1)
    elif past_conditioning.shape != (batch, history, *conditioning.shape[1:]):
        raise ValueError(
            f"past_conditioning must be {(batch, history, *conditioning.shape[1:])}; got "
            f"{tuple(past_conditioning.shape)}"
        )
    if first_frames is None:
        frames = conditioning.new_zeros(batch, history, 3, height, width)
    elif first_frames.shape != (batch, history, 3, height, width):
        raise ValueError(
            f"first_frames must be {(batch, history, 3, height, width)}; got "
            f"{tuple(first_frames.shape)}"
        )
    else:
        frames = first_frames
    padded = padding.pad(frames)
    levels = pyramid(padded.flatten(0, 1), scales)
    past_conditioning = padding.pad(past_conditioning)
    beside = generator.beside(batch, *padded.shape[-2:])
    if beside is not None:
        beside = beside.to(conditioning)
        repeated = beside.unsqueeze(1).expand(-1, history, -1, -1, -1)
        past_conditioning = torch.cat([past_conditioning, repeated], dim=2)
    return RolloutState(
        past_conditioning=past_conditioning,
        pasts=tuple(level.unflatten(0, (batch, history)) for level in levels),
        is_first=first_frames is None,
        padding=padding,
        beside=beside,
    )


def generate_next(
    generator: Generator, state: RolloutState, conditioning: Tensor
) -> tuple[GeneratorOutput, RolloutState]:
    """Generate one frame and the state after it.

    Args:
        generator: the network.
        state: of the frame before, or from `start_state`.
        conditioning: 'b k h w', the map of this frame.

    Returns:
        The finest scale's output, cropped to the size of `conditioning`, and the next state.
    """
    current = state.padding.pad(conditioning)
    if state.beside is not None:
        current = torch.cat([current, state.beside], dim=1)
    window = torch.cat([state.past_conditioning, current.unsqueeze(1)], dim=1)
    outputs = generator(window, state.pasts, is_first=state.is_first)
    pasts = state.pasts
    if generator.history:
        pasts = tuple(
            torch.cat([past[:, 1:], output.frame.unsqueeze(1)], dim=1)
            for past, output in zip(state.pasts, outputs, strict=True)
        )
    cropped = GeneratorOutput._make(
        None if field is None else state.padding.crop(field) for field in outputs[-1]
    )
    following = state._replace(past_conditioning=window[:, 1:], pasts=pasts, is_first=False)
    return cropped, following


def rollout(
    generator: Generator,
    conditioning: Iterable[Tensor],
    *,
    past_conditioning: Tensor | None = None,
    first_frames: Tensor | None = None,
    scales: int | None = None,
    backprop_frames: int | None = None,
) -> Iterator[GeneratorOutput]:
    """Yield one generated frame for every conditioning map, each seeing the ones before it.

    Args:
        generator: the network.
        conditioning: maps 'b k h w', one per frame to be generated, in order; read lazily.
        past_conditioning: as in `start_state`.
        first_frames: as in `start_state`.
        scales: as in `start_state`.
        backprop_frames: let gradients flow through at most this many frames of the past; None
            never cuts them.
    """
    state: RolloutState | None = None
    for index, maps in enumerate(conditioning):
        if state is None:
            state = start_state(
                generator,
                maps,
                past_conditioning=past_conditioning,
                first_frames=first_frames,
                scales=scales,
            )
        elif backprop_frames is not None and index % backprop_frames == 0:
            # Maps have a graph too where an encoder made a part of them.
            state = state._replace(
                past_conditioning=state.past_conditioning.detach(),
                pasts=tuple(past.detach() for past in state.pasts),
            )
        output, state = generate_next(generator, state, maps)
        yield output
