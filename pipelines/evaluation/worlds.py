"""What a world knows of its frames: where each point was before, and which point it is."""

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from vid2vid.data.augment import Size
from vid2vid.data.measuring import in_words
from vid2vid.errors import DataError
from vid2vid.metrics.warping import StepFlow, known_flow

_SUFFIXES = {"surface": "npy", "occlusion": "png", "flow": "npy"}


class World(NamedTuple):
    """A folder of `vid2vid world`, found to have a file for every frame that is asked for."""

    folder: Path
    first: int  # number of the first frame
    size: Size

    def file(self, stream: str, index: int) -> Path:
        """Name the file of a frame, counted from 0."""
        return self.folder / stream / f"{self.first + index:06d}.{_SUFFIXES[stream]}"


class Truth(NamedTuple):
    """What is known of one frame."""

    motion: StepFlow | None  # to the frame before; None of the first
    surface: NDArray[np.int64]  # 'h w'


def open_world(folder: Path, *, num_frames: int, size: Size, skipped: int = 0) -> World:
    """Check that a world has what is needed for every frame, at the right size.

    Args:
        folder: as `vid2vid world` writes it.
        num_frames: of the video that shows it.
        size: of the frames that are judged.
        skipped: frames before them, in a world that has more than are judged.

    Raises:
        DataError: naming the first file that is missing, or does not fit.
    """
    numbers = [int(path.stem) for path in (folder / "surface").glob("[0-9]*.npy")]
    is_whole = len(numbers) == num_frames
    world = World(folder, min(numbers, default=0) + (0 if is_whole else skipped), size)
    for index in range(num_frames):
        streams = ("surface", "occlusion", "flow") if index else ("surface",)
        for path in (world.file(stream, index) for stream in streams):
            if not path.is_file():
                raise DataError(
                    f"a world must have surface points for each of {num_frames} frames, and flow "
                    f"and occlusion for each but the first; {path} is missing: write it again "
                    f"with 'vid2vid world' to --frames {num_frames} from --start {world.first}, "
                    "or leave --world out"
                )
    _load(world, "surface", 0)
    if num_frames > 1:
        read_truth(world, 1, torch.device("cpu"))
    return world


def read_truth(world: World, index: int, device: torch.device) -> Truth:
    """Read what is known of a frame.

    Raises:
        DataError: if a file cannot be read or has another size.
    """
    surface = _load(world, "surface", index).astype(np.int64)
    if index == 0:
        return Truth(None, surface)
    flow = _load(world, "flow", index).astype(np.float32)
    path = world.file("occlusion", index)
    hidden = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if hidden is None:
        raise DataError(
            f"an occlusion mask is needed; {path} cannot be read: write the world again"
        )
    _check_size(world, path, hidden)
    motion = known_flow(
        torch.from_numpy(flow)[None].to(device),
        torch.from_numpy(hidden.astype(np.float32) / 255)[None, None].to(device),
    )
    return Truth(motion, surface)


def _load(world: World, stream: str, index: int) -> NDArray[np.generic]:
    path = world.file(stream, index)
    try:
        array: NDArray[np.generic] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(
            f"an array of a world is needed; {path} cannot be read: write the world again"
        ) from error
    _check_size(world, path, array)
    return array


def _check_size(world: World, path: Path, array: NDArray[np.generic]) -> None:
    if array.shape[-2:] != tuple(world.size):
        raise DataError(
            f"a world must have the size of the generated frames, {in_words(world.size)}; {path} "
            f"is {in_words(Size(*array.shape[-2:]))}: write the world at that size"
        )
