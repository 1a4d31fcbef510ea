"""Open what an evaluation measures with, and say of the rest which file it needs."""

from pathlib import Path
from typing import NamedTuple

import torch

from flow.raft import RAFT, WeightFileError, load_raft
from pipelines.build import choose_device
from pipelines.evaluation.judging import Instruments
from pipelines.evaluation.options import EvaluateOptions
from pipelines.rendering.label_choice import have_equal_classes
from vid2vid.errors import CheckpointError, ConfigError
from vid2vid.labels.files import LabelReader
from vid2vid.labels.palettes import load_mapping, load_palette
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


def open_toolbox(options: EvaluateOptions) -> Toolbox:
    """Open the networks that are there.

    Raises:
        CheckpointError: if a file that was given cannot be read.
        ConfigError: if the palette is not known or does not fit the segmenter.
        DataError: if there is no such palette or mapping.
    """
    device = choose_device(options.device)
    missing: list[Missing] = []
    segmenter = _open_segmenter(options, device, missing)
    has_labels = options.labels is not None or options.world is not None
    reader = _choose_reader(options, segmenter) if segmenter and has_labels else None
    if segmenter is not None and not has_labels:
        why = "need the label maps that were rendered: --labels PLACE or --world FOLDER"
        missing.append(Missing("pixel accuracy, mean IoU, boundary F1", why))
    if options.world is None:
        why = "need the world that the footage shows: --world FOLDER, of 'vid2vid world'"
        missing.append(Missing("warping error along known flow, surface colour variance", why))
    if not options.palindrome and options.checkpoint is None:
        why = (
            "needs a video rendered from label maps 1 ... N ... 1 (--palindrome VIDEO), or the "
            "checkpoint to drive (--checkpoint FILE)"
        )
        missing.append(Missing("palindrome error", why))
    instruments = Instruments(
        segmenter=segmenter,
        raft=_open_raft(options.raft, device, missing),
        lpips=LPIPS(options.lpips) if options.lpips else None,
        inception=Inception(options.inception) if options.inception else None,
        i3d=I3D(options.i3d) if options.i3d else None,
    )
    wanted = (
        ("LPIPS", options.lpips, f"needs torchvision's {ALEXNET_FILE}: --lpips FILE"),
        ("FID, KID", options.inception, f"need {INCEPTION_FILE} (TorchScript): --inception FILE"),
        ("FVD", options.i3d, f"needs {I3D_FILE} (TorchScript): --i3d FILE"),
    )
    missing += [Missing(what, why) for what, path, why in wanted if path is None]
    return Toolbox(instruments, reader, device, missing)


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


def _choose_reader(options: EvaluateOptions, segmenter: LoadedSegmenter) -> LabelReader:
    """Settle the palette of the label maps, and how it becomes the segmenter's."""
    own = load_palette(options.palette) if options.palette else None
    mapping = load_mapping(options.map) if options.map else None
    target = segmenter.palette or (load_palette(mapping.target) if mapping else own)
    if target is None:
        raise ConfigError(
            f"the classes of {segmenter.name} must be known; its file does not say them: name the "
            "palette of the label maps, --palette NAME"
        )
    if target.num_classes != segmenter.num_classes:
        raise ConfigError(
            f"the palette must have the segmenter's {segmenter.num_classes} classes; "
            f"'{target.name}' has {target.num_classes}: name another (--palette), or another "
            "segmenter (--segmenter)"
        )
    if mapping is None and own is not None and not have_equal_classes(own, target):
        raise ConfigError(
            f"the label maps must be in the segmenter's palette '{target.name}'; they are in "
            f"'{own.name}': pass --map {own.name}-to-{target.name} or a file, or leave --labels out"
        )
    return LabelReader(target, mapping=mapping, source=own if mapping else None)


def _open_raft(path: Path | None, device: torch.device, missing: list[Missing]) -> RAFT | None:
    if path is None:
        why = "needs torchvision's raft_small_C_T_V2-01064c6d.pth or raft_large: --raft FILE"
        missing.append(Missing("warping error along RAFT's flow", why))
        return None
    try:
        return load_raft(path, device=device)
    except WeightFileError as error:
        raise CheckpointError(str(error)) from error
