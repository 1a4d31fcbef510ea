"""Open what an evaluation measures with, and say of the rest which file it needs."""

from pathlib import Path
from typing import NamedTuple

import torch

from flow.raft import RAFT, WeightFileError, load_raft
from pipelines.build import Generation, choose_device
from pipelines.evaluation.judging import Instruments
from pipelines.evaluation.options import EvaluateOptions
from pipelines.evaluation.translation import choose_reader, why_unread
from vid2vid.errors import CheckpointError
from vid2vid.labels.files import LabelReader
from vid2vid.metrics.learned import ALEXNET_FILE, I3D, I3D_FILE, INCEPTION_FILE, LPIPS, Inception
from vid2vid.weights.segmenter import LoadedSegmenter, load_segmenter


class Missing(NamedTuple):
    """Metrics that are not measured, and why."""

    what: str
    why: str


class Toolbox(NamedTuple):
    """Everything that an evaluation measures with."""

    instruments: Instruments
    reader: LabelReader | None  # of the label maps; None where there are none to read
    device: torch.device
    missing: list[Missing]


def open_toolbox(options: EvaluateOptions, generation: Generation | None = None) -> Toolbox:
    """Open the networks that are there.

    Args:
        options: which of them were given.
        generation: of the checkpoint that rendered the label maps, where there is one.

    Raises:
        CheckpointError: if a file that was given cannot be read.
        ConfigError: if the palette is not known or does not fit the segmenter.
        DataError: if there is no such palette or mapping.
    """
    device = choose_device(options.device)
    missing: list[Missing] = []
    segmenter = _open_segmenter(options, device, missing)
    reader = None
    if segmenter is not None:
        reader = _open_reader(options, segmenter, generation, missing=missing)
    instruments = Instruments(
        segmenter=segmenter,
        raft=_open_raft(options.raft, device),
        lpips=LPIPS(options.lpips) if options.lpips else None,
        inception=Inception(options.inception) if options.inception else None,
        i3d=I3D(options.i3d) if options.i3d else None,
    )
    wanted = (
        (
            "warping error along known flow, surface colour variance",
            options.world,
            "need the world that the footage shows: --world FOLDER, of 'vid2vid world'",
        ),
        (
            "palindrome error",
            options.palindrome or options.checkpoint,
            "needs a video rendered from label maps 1 ... N ... 1 (--palindrome VIDEO), or the "
            "checkpoint to drive (--checkpoint FILE)",
        ),
        (
            "warping error along RAFT's flow",
            options.raft,
            "needs torchvision's raft_small_C_T_V2-01064c6d.pth or raft_large: --raft FILE",
        ),
        ("LPIPS", options.lpips, f"needs torchvision's {ALEXNET_FILE}: --lpips FILE"),
        ("FID, KID", options.inception, f"need {INCEPTION_FILE} (TorchScript): --inception FILE"),
        ("FVD", options.i3d, f"needs {I3D_FILE} (TorchScript): --i3d FILE"),
    )
    missing += [Missing(what, why) for what, given, why in wanted if not given]
    return Toolbox(instruments, reader, device, missing)


def _open_reader(
    options: EvaluateOptions,
    segmenter: LoadedSegmenter,
    generation: Generation | None,
    *,
    missing: list[Missing],
) -> LabelReader | None:
    """Make the reader of label maps that the segmenter judges; say why where there is none."""
    why = "need the label maps that were rendered: --labels PLACE or --world FOLDER"
    if options.labels is not None or options.world is not None:
        why = why_unread(options, segmenter, generation)
    if why is not None:
        missing.append(Missing("pixel accuracy, mean IoU, boundary F1", why))
        return None
    default = generation.palette if generation else None
    return choose_reader(options, segmenter, default=default)


def _open_segmenter(
    options: EvaluateOptions, device: torch.device, missing: list[Missing]
) -> LoadedSegmenter | None:
    """Load the segmenter; without one of the user's, the package's where it carries one."""
    if options.segmenter is not None:
        return load_segmenter(options.segmenter, device=device)
    try:
        return load_segmenter(None, device=device)
    except CheckpointError as error:
        missing.append(Missing("label adherence, FD-seg, KD-seg", str(error)))
        return None


def _open_raft(path: Path | None, device: torch.device) -> RAFT | None:
    if path is None:
        return None
    try:
        return load_raft(path, device=device)
    except WeightFileError as error:
        raise CheckpointError(str(error)) from error
