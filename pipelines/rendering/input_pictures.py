"""Make what a generator is given of one frame: its label map, and the pictures of its controls."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipelines.rendering.input_choice import Inputs
from pipelines.rendering.options import RenderOptions
from vid2vid.controls.config import (
    DRAWN,
    FRAMES,
    INSTANCES,
    LABELS,
    STREAMLESS,
    AnyControl,
    LandmarksConfig,
    LowResolutionConfig,
    stream_of,
)
from vid2vid.controls.files import from_colours, may_be_video, read_stored, suffixes_of
from vid2vid.controls.pictures import Material, make_pictures
from vid2vid.controls.points import doubt_points, read_landmarks, read_openpose
from vid2vid.data.augment import Picture, Size, resize_frame, resize_ids, unvaried
from vid2vid.data.measuring import in_words
from vid2vid.data.pairing import (
    Source,
    Stream,
    open_control,
    open_instances,
    open_stream,
    pair,
    pair_control,
)
from vid2vid.data.store import FrameStore
from vid2vid.errors import ConfigError, VideoError
from vid2vid.video.containers import STANDARD_INPUT
from vid2vid.video.levels import from_levels
from vid2vid.video.reading import IMAGE_SUFFIXES, read_image

_logger = logging.getLogger(__name__)


class MainReader:
    """Reads the input itself, whatever it holds."""

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs
        self._control = inputs.control_of(inputs.main)

    @property
    def suffixes(self) -> frozenset[str]:
        """Suffixes of its files, where it is no video."""
        return IMAGE_SUFFIXES if self._control is None else suffixes_of(self._control)

    @property
    def may_be_video(self) -> bool:
        """Whether it may be a video."""
        return self._control is None or may_be_video(self._control)

    def from_file(self, path: Path) -> Picture:
        """Read one frame's file."""
        control, labels = self._control, self._inputs.reader
        if self._inputs.main == LABELS and labels is not None:
            return labels.from_image(path)
        if control is None or isinstance(control, STREAMLESS):
            return read_image(path)
        if isinstance(control, DRAWN):
            is_face = isinstance(control, LandmarksConfig)
            return read_landmarks(path) if is_face else read_openpose(path)
        return read_stored(control, path)

    def from_colours(self, rgb: NDArray[np.uint8], where: str) -> Picture:
        """Read one frame of a video; `where` names it for a message."""
        control, labels = self._control, self._inputs.reader
        if self._inputs.main == LABELS and labels is not None:
            return labels.from_colours(rgb, where)
        if control is None or isinstance(control, (*STREAMLESS, *DRAWN)):
            return rgb
        return from_colours(control, rgb, where)

    def open(self, source: Path, *, mixed: bool = False) -> Stream:
        """List the frames of the input, and check that they have one size unless `mixed`."""
        if self._control is None:
            return open_stream(self._inputs.main, source, mixed=mixed)
        return open_control(self._control, source, mixed=mixed)

    def native_size(self, first: Picture, options: RenderOptions) -> Size:
        """Find the size that the input has without --height and --width.

        Key points have that of their canvas; of a small picture it is what it is enlarged to.

        Raises:
            ConfigError: if key points have no canvas.
        """
        control = self._control
        if isinstance(control, LowResolutionConfig):
            return Size(first.shape[0] * control.factor, first.shape[1] * control.factor)
        if not isinstance(control, DRAWN):
            return Size(*first.shape[:2])
        if control.canvas is not None:
            return Size(*control.canvas)
        if options.height is None or options.width is None:
            raise ConfigError(
                "key points do not say how large the picture is that they lie in, nor does the "
                "checkpoint (controls.canvas): pass its --height and --width"
            )
        return Size(options.height, options.width)


class PictureMaker:
    """Makes the maps and pictures of one frame after another; keeps no more than the last one."""

    def __init__(self, source: Path, inputs: Inputs, options: RenderOptions) -> None:
        """Pair every stream beside the input with it.

        Raises:
            DataError: if a partner is missing, or sizes differ.
            VideoError: if a stream cannot be read.
        """
        self._inputs = inputs
        self._store = FrameStore(inputs.reader, max_bytes=0)
        self._previous: Tensor | None = None
        self._beside = _pair_all(source, inputs, options)

    def make(
        self, index: int, value: Picture, *, size: Size, native: Size
    ) -> tuple[NDArray[np.uint8] | None, NDArray[np.int32] | None, Tensor | None]:
        """Make the label map, instance map and pictures of a frame.

        Args:
            index: of the frame in the part that is rendered.
            value: what the input holds of it.
            size: of the output.
            native: of the input, which key points without a canvas of their own lie in.

        Returns:
            'h w', 'h w' and 'c h w', each None where it is not taken.
        """
        inputs = self._inputs
        labels = resize_ids(value, size) if inputs.main == LABELS else None
        instances = None
        if source := self._source(INSTANCES, index):
            instances = self._store.instances([source], size)[0]
        if not inputs.controls:
            return labels, instances, None
        frame = self._photograph(index, value, size)
        if self._previous is not None and frame is not None and self._previous.shape != frame.shape:
            self._previous = None  # of another size: no frame of the same video
        material = Material(
            canvas=native,
            stored=self._stored(index, value, size),
            frames=None if frame is None else frame[None],
            previous=self._previous,
            instances=None if instances is None else torch.from_numpy(instances)[None],
        )
        self._previous = frame
        if not index:
            _warn_of_points(inputs.controls, material)
        pictures = make_pictures(inputs.controls, material, unvaried(size))
        return labels, instances, None if pictures is None else pictures[0]

    def _source(self, stream: str, index: int) -> Source | None:
        sources = self._beside.get(stream)
        return None if sources is None else sources[index]

    def _photograph(self, index: int, value: Picture, size: Size) -> Tensor | None:
        """Bring the photograph to the size of the output: '3 h w'."""
        if self._inputs.main == FRAMES:
            rgb = resize_frame(value, size)
        elif source := self._source(FRAMES, index):
            rgb = self._store.frames([source], size)[0]
        else:
            return None
        return from_levels(torch.from_numpy(np.ascontiguousarray(rgb)))

    def _stored(self, index: int, value: Picture, size: Size) -> dict[str, list[Picture | None]]:
        """Read what the streams of controls hold of a frame."""
        found: dict[str, list[Picture | None]] = {}
        for control in self._inputs.controls:
            stream = stream_of(control)
            if stream is None or isinstance(control, STREAMLESS):
                continue
            source = self._source(stream, index)
            if stream == self._inputs.main:
                found[stream] = [value]
            elif isinstance(control, DRAWN):
                found[stream] = [*self._store.points(control, [source] if source else [])]
            else:
                found[stream] = self._store.stored(control, [source], size)
        return found


def _warn_of_points(controls: Sequence[AnyControl], first: Material) -> None:
    """Warn of key points that are no pixels of the picture that they should lie in."""
    for control in controls:
        if isinstance(control, DRAWN) and control.stream in first.stored:
            canvas = first.canvas if control.canvas is None else Size(*control.canvas)
            points = [each for each in first.stored[control.stream] if each is not None]
            if points and (doubt := doubt_points(points, canvas)):
                _logger.warning(
                    "key points must be pixels of their picture, %s; of those of '%s' at the first "
                    "frame %s", in_words(canvas), control.stream, doubt,
                )  # fmt: skip


def _pair_all(
    source: Path, inputs: Inputs, options: RenderOptions
) -> Mapping[str, Sequence[Source | None]]:
    """Find the file or frame of every other stream that belongs to each frame of the part."""
    if not inputs.beside and options.instances is None:
        return {}
    if source == STANDARD_INPUT:
        raise VideoError(
            "what lies beside the input is paired with all of its frames, and standard input can "
            "be read once: save it to a file and name that"
        )
    mixed = options.is_still
    main = MainReader(inputs).open(source, mixed=mixed)
    paired: dict[str, Sequence[Source | None]] = {}
    if options.instances is not None:
        paired[INSTANCES] = pair(main, open_instances(options.instances, mixed=mixed))
    for name, place in inputs.beside.items():
        control = inputs.control_of(name)
        if control is None:
            paired[name] = pair(main, open_stream(name, place, mixed=mixed))
        else:
            opened = open_control(control, place, mixed=mixed)
            paired[name] = pair_control(main, opened, control)
    return {name: sources[options.frame_slice()] for name, sources in paired.items()}
