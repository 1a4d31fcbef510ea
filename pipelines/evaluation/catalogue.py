"""Every metric of a report: its name, its direction, and how it is measured, in words."""

from dataclasses import dataclass
from typing import Literal

from vid2vid.metrics import statistics
from vid2vid.metrics.statistics import Statistic

Group = Literal["frames", "sets", "labels", "time"]

GROUP_TITLES: dict[Group, str] = {
    "frames": "Frame by frame, against the real frame",
    "sets": "As a set, against the set of real frames",
    "labels": "Label adherence",
    "time": "Over time",
}

FLOW_TITLES = {"dis": "DIS", "raft": "RAFT", "known": "known flow"}


@dataclass(frozen=True)
class Metric:
    """One figure of a report."""

    key: str
    title: str
    unit: str
    better: Literal["higher", "lower", "one"]
    group: Group
    about: str
    statistic: Statistic = statistics.mean
    is_temporal: bool = False
    built_in: str = ""  # why the real video beats its controls in part by construction
    drifts: bool = False  # whether its slope over time is reported
    digits: int = 3


_FRAMES = (
    Metric(
        "psnr", "PSNR", "dB", "higher", "frames",
        "Peak signal-to-noise ratio of RGB, mean over frames; 100 dB where frames are equal.",
        drifts=True, digits=2,
    ),
    Metric(
        "ssim", "SSIM", "", "higher", "frames",
        "Structural similarity, 11x11 Gaussian window, per channel on [0, 1] (Wang et al. 2004).",
        drifts=True,
    ),
    Metric(
        "ms_ssim", "MS-SSIM", "", "higher", "frames",
        "The same over five scales (Wang et al. 2003).",
    ),
    Metric(
        "blur_ssim", "Blur-SSIM", "", "higher", "frames",
        "SSIM after both were blurred by a Gaussian of 2 px at a height of 256: layout without "
        "texture.",
    ),
    Metric(
        "canny_f1", "Canny-F1", "", "higher", "frames",
        "F1 of Canny edges (thresholds 100 and 200), met within 0.75 % of the diagonal, counted "
        "over the whole video.",
        statistics.f1,
    ),
    Metric(
        "gradient_ratio", "Gradient energy", "x real", "one", "frames",
        "Mean squared difference of neighbouring luma, relative to the real frame: below 1 is "
        "blurred, above 1 noisy.",
        drifts=True,
    ),
    Metric(
        "contrast_ratio", "Contrast", "x real", "one", "frames",
        "Standard deviation of the luma relative to the real frame.",
        drifts=True,
    ),
    Metric(
        "colour_shift", "Colour shift", "levels", "lower", "frames",
        "Distance of the mean colour from the real frame's, mean over the channels, 0 to 255.",
        drifts=True, digits=2,
    ),
    Metric(
        "lpips", "LPIPS", "", "lower", "frames",
        "Learned perceptual distance, AlexNet, version 0.1 (Zhang et al. 2018).",
    ),
)  # fmt: skip

_SETS = (
    Metric(
        "fd_seg", "FD-seg", "", "lower", "sets",
        "Fréchet distance of the segmenter's last features, averaged over a 4x4 grid of each "
        "frame. Not comparable with FID; biased upward by few vectors, so compare at equal N.",
        digits=4,
    ),
    Metric(
        "kd_seg", "KD-seg", "", "lower", "sets",
        "Squared maximum mean discrepancy with the cubic kernel on the same features, unbiased; "
        "pairs from one block are left out.",
        digits=4,
    ),
    Metric(
        "fid", "FID", "", "lower", "sets",
        "Fréchet distance of Inception features, frames resized as clean-fid does (Parmar et al. "
        "2022). Wants at least 2048 frames.",
        digits=2,
    ),
    Metric(
        "kid", "KID", "", "lower", "sets",
        "Squared maximum mean discrepancy of the same features (Bińkowski et al. 2018); pairs from "
        "one block are left out.",
        digits=4,
    ),
    Metric(
        "fvd", "FVD", "", "lower", "sets",
        "Fréchet distance of I3D logits of clips of 16 frames, resized to 224x224 (Unterthiner et "
        "al. 2018). Wants at least 2048 clips.",
        digits=2,
    ),
)  # fmt: skip

_LABELS = (
    Metric(
        "pixel_accuracy", "Pixel accuracy", "", "higher", "labels",
        "Share of pixels in which the segmenter finds the class that was asked for. The real "
        "frames' score is the ceiling.",
        statistics.pixel_accuracy,
    ),
    Metric(
        "mean_iou", "Mean IoU", "", "higher", "labels",
        "Intersection over union, one confusion matrix over all frames, mean over the classes that "
        "occur in truth or prediction.",
        statistics.mean_iou,
    ),
    Metric(
        "boundary_f1", "Boundary F1", "", "higher", "labels",
        "F1 of class boundaries, met within 0.75 % of the diagonal (Csurka et al. 2013).",
        statistics.f1,
    ),
)  # fmt: skip

_TIME = (
    Metric(
        "tof", "tOF", "px", "lower", "time",
        "Mean length of the difference between the Farneback flow of the generated frames and that "
        "of the real ones (Chu et al. 2020).",
        is_temporal=True,
        built_in="the real video is its own reference and scores 0",
    ),
    Metric(
        "flicker", "Flicker", "levels", "lower", "time",
        "How far the luma of a frame's cells (8 along the shorter side) lies from the mean of its "
        "two neighbours in time. Zero for a frozen video: read it with tOF.",
        is_temporal=True, drifts=True,
    ),
    Metric(
        "surface_variance", "Surface colour variance", "x 1e-3", "lower", "time",
        "Variance of the colour of one surface point over all frames that show it, colours in "
        "[0, 1]: flicker, drift and forgotten places in one figure. N counts points; the interval "
        "of one sequence is over blocks of frames, at most 64, and the pairs of them.",
        is_temporal=True,
    ),
    Metric(
        "palindrome", "Palindrome error", "levels", "lower", "time",
        "Mean absolute difference between the two visits of a frame when the label maps are driven "
        "1 ... N ... 1.",
        is_temporal=True, digits=2,
        built_in="both visits of a real frame are the same frame, which scores 0",
    ),
)  # fmt: skip


def warping_key(flow: str, stride: int) -> str:
    """Name the warping error along a flow over a stride."""
    return f"warping_{flow}_{stride}"


def _warping(flow: str, stride: int) -> Metric:
    how = {
        "dis": "DIS estimates the flow of the real frames",
        "raft": "RAFT estimates the flow of the real frames",
        "known": "the flow is the world's own",
    }[flow]
    return Metric(
        key=warping_key(flow, stride),
        title=f"Warping error, {FLOW_TITLES[flow]}" + ("" if stride == 1 else f", stride {stride}"),
        unit="x 1e-3",
        better="lower",
        group="time",
        about="Mean squared difference between a frame and the one before it warped to it, in "
        f"[0, 1], without occluded pixels and motion boundaries (Lai et al. 2018); {how}. Over "
        "longer strides the flow is chained from single steps. Blurred and frozen videos score "
        "well: read it with gradient energy and tOF.",
        is_temporal=True,
        built_in="" if flow == "known" else "the flow is estimated on the real frames it is to fit",
        drifts=stride == 1,
    )


def list_metrics(strides: tuple[int, ...]) -> dict[str, Metric]:
    """List all metrics by key, in the order of the report."""
    warping = tuple(_warping(flow, stride) for flow in FLOW_TITLES for stride in strides)
    metrics = (*_FRAMES, *_SETS, *_LABELS, *warping, *_TIME)
    return {metric.key: metric for metric in metrics}
