"""Turn a stream of label maps into a video: decode, generate, encode, each in its own thread.

`Renderer.load(checkpoint).render("labels.mp4", "out.mp4")` is the pipeline's door; the step below
it, for maps that are no files, is `for out in rollout(generator, maps)` of `vid2vid.rollout`.
"""

import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self

import torch
from torch import Tensor

from pipelines.build import Generation, choose_device, load_generation
from pipelines.console import progress
from pipelines.rendering.detail import set_detail
from pipelines.rendering.first_frames import (
    make_painter,
    open_painter,
    read_first_frames,
    warn_of_zeros,
)
from pipelines.rendering.frames import FrameGenerator, Parts
from pipelines.rendering.input_choice import choose_inputs
from pipelines.rendering.input_stream import InputStream, open_input
from pipelines.rendering.label_choice import (
    check_branches,
    check_places,
    choose_conditioning,
)
from pipelines.rendering.options import Dtype, Rendered, RenderOptions
from pipelines.rendering.outputs import Outputs
from pipelines.rendering.partial import raise_beside
from pipelines.rendering.picture_choice import check_pictures
from pipelines.rendering.sound_choice import takes_sound
from pipelines.rendering.stream import Consumer, ReadAhead
from pipelines.rendering.style_choice import choose_styles
from pipelines.rendering.style_grid import StyleGrid
from pipelines.rendering.variant import set_variant
from vid2vid.controls.drawing import InputDrawing
from vid2vid.data.augment import Size
from vid2vid.errors import ConfigError
from vid2vid.networks.still import hold_dropout
from vid2vid.video.reading import is_video
from vid2vid.weights.street import packaged_street

LOGGER = logging.getLogger(__name__)

FOREIGN_SCALE = 1.5  # times higher or lower than what was trained with: things look different

PLAIN = RenderOptions()

AHEAD = 4  # frames in each queue: enough to even out key frames, little at any size
NOTABLE_FAR_SHARE = 0.01  # of label pixels that were snapped from a far colour; exact video has 0


class Beginning(NamedTuple):
    """What a video begins with; nothing starts from zeros."""

    pictures: Sequence[Tensor]  # 'h w 3' uint8, oldest first
    painter: FrameGenerator | None  # paints as many frames as the history


class Renderer:
    """A checkpoint, ready to render."""

    def __init__(
        self, generation: Generation, *, device: torch.device, dtype: Dtype = "float32"
    ) -> None:
        """Keep a generator that lies on `device`; `dtype` is the arithmetic of its convolutions."""
        # On a CPU convolutions run about twice as fast in this layout.
        generation.generator.to(memory_format=torch.channels_last)
        self.generation = generation
        self.is_packaged = False
        """Whether the generator is that of the package."""
        self._device = device
        self._dtype = dtype

    @classmethod
    def load(
        cls,
        checkpoint: Path | str | None = None,
        *,
        device: str | None = None,
        dtype: Dtype = "float32",
    ) -> Self:
        """Read a checkpoint.

        Args:
            checkpoint: a file or a run folder; None = the small generator of the package, which
                paints procedural streets and is told of.
            device: such as "cpu" or "cuda:0"; None takes a GPU where there is one.
            dtype: arithmetic of the convolutions; frames and flow are float32 in any case.

        Raises:
            CheckpointError: if there is none or it does not fit.
            ConfigError: if the device is not there.
        """
        chosen = choose_device(device)
        place = packaged_street() if checkpoint is None else checkpoint
        renderer = cls(load_generation(place, chosen), device=chosen, dtype=dtype)
        renderer.is_packaged = checkpoint is None
        if renderer.is_packaged:
            LOGGER.info(
                "paints with the small generator of the package, trained on procedural streets "
                "alone: --checkpoint takes one of your own"
            )
        return renderer

    def render(
        self, labels: Path | str, out: Path | str, options: RenderOptions = PLAIN
    ) -> Rendered:
        """Render a whole input. Memory does not grow with its length.

        Args:
            labels: video, folder or glob of label maps; "-" reads a video from standard input.
            out: .mp4, .mkv, .webm, .gif, a folder of PNGs, or a picture for an input of one frame.
            options: how, and what else is written.

        Raises:
            Vid2VidError: if input, options or outputs do not fit; no frame was written.
            RenderingError: if input or disk failed later. What there is of the output then lies
                beside it and plays: out.partial.mp4.
            KeyboardInterrupt: after Ctrl-C, likewise.
        """
        labels, out = Path(labels), Path(out)
        started = time.perf_counter()
        opened = open_painter(options, self.generation, self._device)
        conditioning = choose_conditioning(options, self.generation, opened)
        check_branches(options, self.generation)
        check_places(options, labels, out)
        check_pictures(options, out)
        inputs = choose_inputs(options, self.generation)
        styles = choose_styles(options, self.generation, inputs.reader)
        frame_generator = FrameGenerator(
            self.generation.generator, conditioning, self._device, _parts(options), styles
        )
        painter = None if opened is None else make_painter(opened, options, self._device)
        warn_of_zeros(options, self.generation)
        _reseed(options, [frame_generator, *([painter] if painter else [])])
        hold_dropout(self.generation.generator, hold=is_video(labels) or not options.is_still)
        set_detail(self.generation, options.detail)
        set_variant(self.generation.generator, options)
        with_sound = takes_sound(options, labels, out)
        stream = open_input(labels, inputs, options, with_sound=with_sound)
        if self.is_packaged:
            _tell_of_size(stream.size, self.generation)
        beginning = Beginning(read_first_frames(options, stream.size), painter)
        drawing = InputDrawing(self.generation.palette, inputs.controls)
        grid = StyleGrid.of(options, frame_generator)
        shown = stream if grid is None else grid.enlarge(stream)
        outputs = Outputs(out, shown, options=options, drawing=drawing)
        try:
            self._run(
                stream,
                outputs,
                grid or frame_generator,
                beginning=None if options.is_still else beginning,
            )
            paths = outputs.close()
        except BaseException as error:
            raise_beside(error, outputs.abort(), written=f"{outputs.num_written} frames")
        _warn_of_far_colours(inputs.far_share)
        return Rendered(
            path=paths[-1],
            num_frames=outputs.num_written,
            height=shown.size.height,
            width=shown.size.width,
            seconds=time.perf_counter() - started,
            extras=tuple(paths[:-1]),
            far_share=inputs.far_share,
        )

    def _run(
        self,
        stream: InputStream,
        outputs: Outputs,
        frame_generator: FrameGenerator | StyleGrid,
        *,
        beginning: Beginning | None,
    ) -> None:
        """Send every frame through the chain; without a beginning each is a still by itself."""
        with (
            ReadAhead(stream.frames, ahead=AHEAD) as labels,
            Consumer(outputs.write, ahead=AHEAD) as encoder,
            progress(stream.num_frames, "rendering") as bar,
            torch.inference_mode(),
            torch.autocast(self._device.type, torch.bfloat16, enabled=self._dtype == "bfloat16"),
        ):
            if beginning is None:
                frames = frame_generator.stills(labels)
            else:
                frames = frame_generator.video(
                    labels, first_frames=beginning.pictures, painter=beginning.painter
                )
            for rendered in frames:
                encoder.put(rendered)
                bar.advance()


def _tell_of_size(size: Size, generation: Generation) -> None:
    """Say which size suits the generator of the package, where another one is rendered."""
    height, width = generation.config.data.height, generation.config.data.width
    if max(size.height / height, height / size.height) > FOREIGN_SCALE:
        LOGGER.warning(
            "frames are %dx%d, and the generator of the package knows streets at %dx%d: "
            "--height %d renders at its scale",
            size.width,
            size.height,
            width,
            height,
            height,
        )


def _parts(options: RenderOptions) -> Parts:
    """Tell which parts are written."""
    return Parts(
        hallucinated=options.save_hallucinated is not None,
        occlusion=options.save_occlusion is not None,
        flow=options.save_flow is not None,
        deep=options.bits == 16,
    )


def _reseed(options: RenderOptions, frame_generators: Sequence[FrameGenerator]) -> None:
    """Begin what is drawn from the seed of the options.

    Raises:
        ConfigError: if a seed was given and nothing is drawn.
    """
    networks = [each.network for each in frame_generators]
    if options.seed is not None and not any(network.is_random for network in networks):
        raise ConfigError(
            "--seed is for a checkpoint with style features, noise, or dropout in rendering; this "
            "one draws nothing: leave it out"
        )
    for network in networks:
        network.reseed(options.seed or 0)


def _warn_of_far_colours(far_share: float) -> None:
    if far_share > NOTABLE_FAR_SHARE:
        LOGGER.warning(
            "%.0f %% of the label pixels were far from every colour of the palette and took a "
            "class that stands near them: write label video without loss",
            100 * far_share,
        )
