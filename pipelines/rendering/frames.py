"""Generate the frames of an input, one after the other, each with the parts asked for."""

import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from pipelines.rendering.input_stream import InputFrame
from pipelines.rendering.sinks import RenderedFrame
from vid2vid.first_frames import Inputs, encode_inputs
from vid2vid.labels.conditioning import Conditioning
from vid2vid.networks.interface import Generator
from vid2vid.networks.outputs import GeneratorOutput
from vid2vid.rollout import rollout
from vid2vid.styles import StyleSource
from vid2vid.video.levels import from_levels, to_deep_levels, to_levels


class Parts(NamedTuple):
    """Which parts of a frame are kept beside it."""

    hallucinated: bool = False
    occlusion: bool = False
    flow: bool = False
    deep: bool = False  # the frame in levels of 16 bits


class FrameGenerator(NamedTuple):
    """A generator, what turns an input into its maps, and its output into pictures."""

    network: Generator
    conditioning: Conditioning
    device: torch.device
    parts: Parts = Parts()
    styles: StyleSource | None = None  # of a network with style features

    def stills(self, inputs: Iterable[InputFrame]) -> Iterator[RenderedFrame]:
        """Generate each frame from zeros, without memory of the ones before."""
        for frame in inputs:
            yield next(self.video([frame]))

    def video(
        self,
        inputs: Iterable[InputFrame],
        *,
        first_frames: Sequence[Tensor] = (),
        painter: "FrameGenerator | None" = None,
    ) -> Iterator[RenderedFrame]:
        """Generate frames that each see the ones before.

        Args:
            inputs: read lazily, one a frame.
            first_frames: 'h w 3' uint8, oldest first, at most as many as the history: what comes
                out for the first of them. Where they are fewer, the past before the oldest is
                filled with copies of it. () starts from zeros.
            painter: a still-image generator that paints as many frames as the history, in place of
                `first_frames`.
        """
        inputs = iter(inputs)
        count = len(first_frames) if painter is None else self.network.history
        given = list(itertools.islice(inputs, count))
        if painter is None:
            past = [from_levels(each.to(self.device))[None] for each in first_frames]
            yield from map(self._repeat, given, first_frames)
        else:
            painted = [painter.paint(frame) for frame in given]
            past = [output.frame for output in painted]
            for frame, output in zip(given, painted, strict=True):
                yield self._keep(frame, output, is_first=True)
        yield from self._go_on(inputs, given, past)

    def _go_on(
        self, inputs: Iterator[InputFrame], given: Sequence[InputFrame], past: Sequence[Tensor]
    ) -> Iterator[RenderedFrame]:
        """Generate the frames after those that were given, 'b c h w' each, or from zeros."""
        waiting: deque[InputFrame] = deque()

        def maps() -> Iterator[Tensor]:
            for frame in inputs:
                waiting.append(frame)
                yield self._encode(frame)

        outputs = rollout(
            self.network,
            maps(),
            past_conditioning=self._past([self._encode(frame) for frame in given]),
            first_frames=self._past(past),
        )
        for index, output in enumerate(outputs):
            is_first = index == 0 and not given
            yield self._keep(waiting.popleft(), output, is_first=is_first)

    def paint(self, frame: InputFrame) -> GeneratorOutput:
        """Generate one frame from zeros."""
        return next(rollout(self.network, [self._encode(frame)]))

    def _encode(self, frame: InputFrame) -> Tensor:
        """Make the conditioning 'b k h w' of a frame."""
        labels, instances = (
            None if ids is None else torch.from_numpy(ids)[None, None].to(self.device)
            for ids in (frame.labels, frame.instances)
        )
        pictures = None if frame.pictures is None else frame.pictures[None, None].to(self.device)
        maps = encode_inputs(
            self.conditioning,
            Inputs(labels, instances, pictures),
            styles=self.styles,
            generator=self.network,
        )
        return maps[:, 0]

    def _past(self, known: Sequence[Tensor]) -> Tensor | None:
        """Stack 'b c h w' to 'b l c h w', the oldest repeated to fill the history."""
        if not known:
            return None
        missing = self.network.history - len(known)
        return torch.stack([*[known[0]] * missing, *known], dim=1)

    def _keep(
        self, source: InputFrame, output: GeneratorOutput, *, is_first: bool
    ) -> RenderedFrame:
        """Turn an output into pictures, still on the device.

        The frame that has no past was hallucinated alone: its occlusion is 1, and it has no flow.
        """
        occlusion = output.occlusion if self.parts.occlusion else None
        flow = output.flow if self.parts.flow else None
        if is_first:
            occlusion = torch.ones_like(output.frame[:, :1]) if self.parts.occlusion else None
            flow = None
        return RenderedFrame(
            source=source,
            frame=to_levels(output.frame[0]),
            hallucinated=to_levels(output.hallucinated[0]) if self.parts.hallucinated else None,
            occlusion=to_levels(occlusion[0] * 2 - 1) if occlusion is not None else None,
            flow=flow[0] if flow is not None else None,
            deep=to_deep_levels(output.frame[0]) if self.parts.deep else None,
        )

    def _repeat(self, source: InputFrame, picture: Tensor) -> RenderedFrame:
        """Hand on a given frame: nothing of it was hallucinated, so its occlusion is 0."""
        return RenderedFrame(
            source=source,
            frame=picture,
            hallucinated=picture if self.parts.hallucinated else None,
            occlusion=torch.zeros_like(picture) if self.parts.occlusion else None,
        )
