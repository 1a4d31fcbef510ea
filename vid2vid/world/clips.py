"""Clips of procedural streets for training: made where they are used, nothing read from disk."""

from collections import OrderedDict
from typing import Literal, NamedTuple

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field

from flow.confidence import ReferenceFlow
from vid2vid.controls.config import AnyControl, DepthConfig, FlowControlConfig, needs_files
from vid2vid.controls.files import normalise_depth
from vid2vid.controls.pictures import Material, make_pictures
from vid2vid.controls.regions import RegionsConfig, clip_boxes
from vid2vid.data.augment import Picture, Size, unvaried
from vid2vid.data.clips import Clip, ClipRequest
from vid2vid.errors import DataError
from vid2vid.world.config import WorldConfig
from vid2vid.world.render import Renderer, World, WorldFrames

_CLIP_STREAM, _CONTROL_STREAM = 7, 8
_KEPT_WORLDS = 16
_KNOWN_FLOW = "known flow"  # stands for a stream of files


class WorldDataConfig(BaseModel):
    """A data set of procedural streets: how many, how long, at what size."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    kind: Literal["world"] = "world"
    """Procedural streets, not files."""
    height: int = Field(ge=8)
    """Height of the frames, px."""
    width: int = Field(ge=8)
    """Width of the frames, px."""
    worlds: int = Field(default=64, ge=1)
    """How many streets there are."""
    first_seed: int = Field(default=0, ge=0)
    """World seed and style seed of the first street; the next has the next. Streets to test on
    need other seeds than those to train on."""
    style_seed: int | None = Field(default=None, ge=0)
    """Style seed of all streets: one weather and one set of colours. null = each has its own."""
    num_frames: int = Field(default=1000, ge=1)
    """How many frames of each street clips are cut from."""
    stride: int = Field(default=1, ge=1)
    """Distance in frames between neighbours of a clip."""
    workers: int = Field(default=0, ge=0)
    """Loading processes; 0 = render in the training process. It never changes the clips."""
    world: WorldConfig = WorldConfig()
    """Difficulty and path of all streets."""


class _Cut(NamedTuple):
    world_index: int
    start: int


class WorldClips:
    """Cuts clips out of procedural streets, with the true flow in the place of the reference flow.

    May be sent to other processes. A street that was used lately is kept.
    """

    def __init__(
        self,
        config: WorldDataConfig,
        *,
        controls: tuple[AnyControl, ...] = (),
        regions: RegionsConfig | None = None,
        flow_strides: tuple[int, ...] = (1,),
        device: torch.device | str = "cpu",
    ) -> None:
        """Take what the streets are like.

        Args:
            config: their number, size and difficulty.
            controls: whose pictures clips have; depth and flow are the true ones.
            regions: what clips carry boxes of; None = they carry none.
            flow_strides: distances in frames of the clip over which clips carry the true flow; the
                confidence is 0 where a point is hidden in the other frame.
            device: where frames are rendered; clips lie on the CPU all the same.

        Raises:
            ValueError: if a control is read from files, of which there are none.
        """
        if wrong := [control.kind for control in controls if needs_files(control)]:
            raise ValueError(f"streets have no files to read controls from; got {wrong}")
        self.config = config
        self._controls = tuple(
            control.model_copy(update={"stream": _KNOWN_FLOW})
            if isinstance(control, FlowControlConfig)
            else control
            for control in controls
        )
        has_flow = any(isinstance(control, FlowControlConfig) for control in controls)
        self._offsets = tuple(
            -step * config.stride for step in sorted({*flow_strides, *([1] * has_flow)})
        )
        self._flow_strides = flow_strides
        self._regions = regions
        self._device = torch.device(device)
        self._renderers: OrderedDict[int, Renderer] = OrderedDict()

    @property
    def workers(self) -> int:
        """Loading processes."""
        return self.config.workers

    def clip_lengths(self) -> list[int]:
        """List how many frames a clip of each whole street has."""
        return [(self.config.num_frames - 1) // self.config.stride + 1] * self.config.worlds

    def check_length(self, length: int) -> None:
        """Check that clips of `length` frames can be cut.

        Raises:
            DataError: if the streets are too short.
            ValueError: if `length` is not positive.
        """
        if length < 1:
            raise ValueError(f"length must be at least 1; got {length}")
        needed = (length - 1) * self.config.stride + 1
        if needed > self.config.num_frames:
            raise DataError(
                f"clips of length {length} at stride {self.config.stride} need {needed} frames; "
                f"data.num_frames is {self.config.num_frames}: raise it or lower the clip length"
            )

    def clip(self, request: ClipRequest) -> Clip:
        """Render the clip that `request` stands for.

        Raises:
            DataError: if the streets are too short.
        """
        self.check_length(request.length)
        own = (request.seed, request.step, request.position)
        rng = np.random.default_rng((*own, _CLIP_STREAM))
        last = self.config.num_frames - (request.length - 1) * self.config.stride
        cut = _Cut(int(rng.integers(self.config.worlds)), int(rng.integers(last)))
        control_rng = np.random.default_rng((*own, _CONTROL_STREAM))
        return self._render(cut, request.length, control_rng=control_rng)

    def evaluation_clip(self, sequence_index: int, start: int, length: int) -> Clip:
        """Render the clip of a street from a frame on.

        Raises:
            ValueError: if there is no such street, or it has not so many frames from `start` on.
        """
        last = start + (length - 1) * self.config.stride
        is_known = 0 <= sequence_index < self.config.worlds
        if not is_known or start < 0 or length < 1 or last >= self.config.num_frames:
            raise ValueError(
                f"{self.config.worlds} streets have {self.config.num_frames} frames each; got "
                f"street {sequence_index}, start {start}, length {length} at stride "
                f"{self.config.stride}"
            )
        return self._render(_Cut(sequence_index, start), length)

    def _render(
        self, cut: _Cut, length: int, *, control_rng: np.random.Generator | None = None
    ) -> Clip:
        stride = self.config.stride
        renderer = self._renderer(cut.world_index)
        rendered = [renderer.render(cut.start + number * stride) for number in range(length)]
        references: list[ReferenceFlow] = []
        for step in self._flow_strides:
            if step < length:
                motions = [frame.motion(-step * stride) for frame in rendered[step:]]
                flow = torch.cat([motion.flow for motion in motions])
                hidden = torch.cat([motion.occlusion for motion in motions])
                references.append(ReferenceFlow(flow.cpu(), 1 - hidden.cpu()))
        frames = torch.cat([frame.frames for frame in rendered]).cpu()
        labels = torch.cat([frame.labels for frame in rendered]).cpu()
        instances = torch.cat([frame.instances for frame in rendered]).cpu()
        size = Size(self.config.height, self.config.width)
        material = Material(size, self._known(rendered), frames, instances=instances)
        return Clip(
            frames=frames,
            labels=labels,
            instances=instances,
            references=tuple(references),
            name=f"world_{self.config.first_seed + cut.world_index:06d}",
            start=cut.start,
            stride=stride,
            pictures=make_pictures(self._controls, material, unvaried(size), rng=control_rng),
            boxes=clip_boxes(
                self._regions, (), material, augmentation=unvaried(size), labels=labels
            ),
        )

    def _known(self, rendered: list[WorldFrames]) -> dict[str, list[Picture | None]]:
        """List what a street knows, as files of it would hold it; the first frame has no flow."""
        known: dict[str, list[Picture | None]] = {}
        for control in self._controls:
            if isinstance(control, DepthConfig):
                depths = [frame.depth[0].cpu().numpy() for frame in rendered]
                known[control.stream] = [normalise_depth(depth, control) for depth in depths]
            elif isinstance(control, FlowControlConfig):
                motions = [frame.motion(-self.config.stride) for frame in rendered[1:]]
                flows = [motion.flow[0].permute(1, 2, 0).cpu().numpy() for motion in motions]
                known[_KNOWN_FLOW] = [None, *flows]
        return known

    def _renderer(self, world_index: int) -> Renderer:
        """Build a street, or take one that was used lately."""
        if world_index not in self._renderers:
            seed = self.config.first_seed + world_index
            style = seed if self.config.style_seed is None else self.config.style_seed
            self._renderers[world_index] = Renderer(
                [World(seed, style, self.config.world)],
                (self.config.height, self.config.width),
                device=self._device,
                offsets=self._offsets,
            )
        self._renderers.move_to_end(world_index)
        while len(self._renderers) > _KEPT_WORLDS:
            self._renderers.popitem(last=False)
        return self._renderers[world_index]
