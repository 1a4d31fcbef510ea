"""How good a generator is on frames that it was not trained on, against what costs nothing.

Used by the demo and by the benchmarks in tools/. The flow that judges is DIS on the real frames.
"""

from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from flow.confidence import ReferenceFlow, reference_flow
from flow.estimators import DIS
from flow.metrics import end_point_error, warping_error
from pipelines.build import Generation
from pipelines.datasets import open_files
from vid2vid.controls.drawing import InputDrawing
from vid2vid.data.clips import ClipDataset, collate
from vid2vid.data.config import DataConfig
from vid2vid.metrics.baselines import mean_colours, paint
from vid2vid.metrics.image import gradient_energy, psnr
from vid2vid.metrics.similarity import ssim
from vid2vid.networks.outputs import GeneratorOutput
from vid2vid.training.preview import generate_clip
from vid2vid.training.targets import prepare

Start = Literal["real", "zeros", "one_step"]


class Holdout(NamedTuple):
    """Frames that were held out of one sequence, and what lies before them."""

    conditioning: Tensor  # '1 t k h w', of the `history` frames before and the held-out ones
    labels: Tensor | None  # 't h w', the same frames; None without labels
    frames: Tensor  # 't 3 h w', real, the same frames
    history: int
    reference: ReferenceFlow  # of the held-out frames to the frame before each, 'n c h w'
    mean: Tensor  # '3 h w', mean of the training frames
    colours: Tensor | None  # 'k+1 3', mean training colour of each class, then of all

    @property
    def real(self) -> Tensor:
        """The held-out frames, 'n 3 h w'."""
        return self.frames[self.history :]


class Scores(NamedTuple):
    """One value per held-out frame."""

    psnr: Tensor  # dB
    ssim: Tensor
    warping_error: Tensor  # mean squared, frames in [0, 1], where the real flow can be trusted
    gradient_ratio: Tensor  # gradient energy relative to that of the real frames


def open_holdout(generation: Generation, *, end: int | None = None) -> Holdout:
    """Cut the held-out frames of the first sequence: those from `data.frame_range`'s end on.

    Args:
        generation: says which data, size and history.
        end: index after the last held-out frame; None = to the end of the sequence.

    Raises:
        ValueError: if the run held nothing out.
    """
    dataset = _open_all_frames(generation)
    return _cut_holdout(generation, dataset, 0, end=end)


def open_holdouts(generation: Generation) -> list[Holdout]:
    """Cut the held-out frames of every sequence, as `open_holdout` does of the first.

    Raises:
        ValueError: if the run held nothing out.
    """
    dataset = _open_all_frames(generation)
    return [_cut_holdout(generation, dataset, index) for index in range(len(dataset.sequences))]


def _open_all_frames(generation: Generation) -> ClipDataset:
    """Open the data of a run with the frames that it held out.

    Raises:
        ValueError: if the run held nothing out.
    """
    config = generation.config
    if generation.generator.features:
        raise ValueError("held-out frames are generated without style features; these need them")
    kept = config.data.frame_range if isinstance(config.data, DataConfig) else None
    if not isinstance(config.data, DataConfig) or kept is None or kept[1] is None:
        raise ValueError(f"data.frame_range must end before the sequence does; got {kept}")
    whole = config.data.model_copy(update={"frame_range": None})
    return open_files(config, whole, generation.palette)


def _cut_holdout(
    generation: Generation, dataset: ClipDataset, index: int, *, end: int | None = None
) -> Holdout:
    """Cut the held-out frames of one sequence, with what lies before them."""
    data, palette = generation.config.data, generation.palette
    kept = data.frame_range if isinstance(data, DataConfig) else None
    history = max(1, generation.generator.history)  # one frame before, for the reference flow
    num_frames = dataset.sequences[index].num_frames
    trained_on = range(num_frames)[slice(*(kept or ()))]
    start = trained_on.stop - history
    clip = dataset.evaluation_clip(index, start=start, length=(end or num_frames) - start)
    trained = dataset.evaluation_clip(index, start=trained_on.start, length=len(trained_on))
    device = next(generation.generator.parameters()).device
    targets = prepare(collate([clip]), generation.conditioning, device=device)
    frames, colours = clip.frames, None
    if palette is not None and trained.labels is not None:
        colours = mean_colours(trained.frames, trained.labels, palette.num_classes)
    return Holdout(
        conditioning=targets.conditioning,
        labels=clip.labels,
        frames=frames,
        history=history,
        reference=reference_flow(DIS(), frames[history:], frames[history - 1 : -1]),
        mean=trained.frames.mean(dim=0),
        colours=colours,
    )


def unroll(generation: Generation, holdout: Holdout, start: Start) -> list[GeneratorOutput]:
    """Generate the held-out frames.

    Args:
        generation: the network.
        holdout: the frames.
        start: `real` gives the real frames before the first one and nothing more; `zeros` gives
            nothing; `one_step` gives the real frames before every one.
    """
    history, maps = holdout.history, holdout.conditioning
    past = holdout.frames.to(maps.device).unsqueeze(0)
    generator = generation.generator
    if not generator.history:
        return generate_clip(generator, maps[:, history:], first_frames=None)
    if start == "one_step":
        windows = [slice(index - history, index + 1) for index in range(history, maps.shape[1])]
        return [
            generate_clip(generator, maps[:, window], first_frames=past[:, window][:, :history])[0]
            for window in windows
        ]
    if start == "zeros":
        return generate_clip(generator, maps[:, history:], first_frames=None)
    return generate_clip(generator, maps, first_frames=past[:, :history])


def draw_inputs(generation: Generation, holdout: Holdout) -> list[NDArray[np.uint8]]:
    """Draw what each held-out frame is painted from: 'h (n w) 3' RGB, its n panels in a row."""
    drawing = InputDrawing(generation.palette, generation.config.controls)
    maps = holdout.conditioning[0, holdout.history :].cpu()
    pictures = maps[:, generation.conditioning.label_channels :] if drawing.controls else None
    labels = None if holdout.labels is None else holdout.labels[holdout.history :]
    return drawing.draw_clip(labels, pictures)


def frames_of(outputs: list[GeneratorOutput]) -> Tensor:
    """Stack the composed frames: 'n 3 h w', on the CPU."""
    return torch.cat([output.frame for output in outputs]).float().cpu()


def label_painting(holdout: Holdout) -> Tensor:
    """Paint each label with its mean training colour: 'n 3 h w'.

    Raises:
        ValueError: if there are no labels.
    """
    if holdout.labels is None or holdout.colours is None:
        raise ValueError("label painting needs labels; the run has none")
    return paint(holdout.labels[holdout.history :], holdout.colours)


def mean_frame(holdout: Holdout) -> Tensor:
    """Repeat the mean of the training frames: 'n 3 h w'."""
    return holdout.mean.expand_as(holdout.real)


def repeat_last(holdout: Holdout) -> Tensor:
    """Repeat the last real frame before the held-out ones: 'n 3 h w'."""
    return holdout.frames[holdout.history - 1].expand_as(holdout.real)


def score(holdout: Holdout, frames: Tensor, *, start: Start) -> Scores:
    """Score generated frames against the real ones.

    Args:
        holdout: the real frames.
        frames: 'n 3 h w', generated.
        start: how they were. The frame that the warping error compares with is the generated one
            before, with `one_step` the real one; with `zeros` the first frame has none, and its
            warping error is not a number.
    """
    real = holdout.real
    real_before = holdout.frames[holdout.history - 1 : -1]
    before = real_before if start == "one_step" else torch.cat([real_before[:1], frames[:-1]])
    flow, confidence = holdout.reference
    warping = warping_error(frames, before, flow, confidence)
    if start == "zeros":
        warping[0] = torch.nan
    return Scores(
        psnr=psnr(frames, real),
        ssim=ssim(frames, real),
        warping_error=warping,
        gradient_ratio=gradient_energy(frames) / gradient_energy(real),
    )


def flow_ratio(holdout: Holdout, outputs: list[GeneratorOutput]) -> float:
    """Relate the end-point error of the predicted flow to that of zero flow, both against DIS.

    Returns:
        Below 1 where the prediction beats "nothing moves"; not a number without a flow branch.
    """
    if outputs[0].flow is None:
        return float("nan")
    flow = torch.cat([output.flow for output in outputs if output.flow is not None]).float().cpu()
    target, confidence = holdout.reference
    own = end_point_error(flow, target, confidence).nanmean()
    return float(own / end_point_error(torch.zeros_like(flow), target, confidence).nanmean())
