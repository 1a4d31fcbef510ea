"""Read a sequence frame by frame: generated, real, its controls, labels, and what a world knows."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipelines.evaluation.ledger import When
from pipelines.evaluation.sources import Footage
from vid2vid.data.pairing import Source
from vid2vid.data.store import FrameStore, MapReader
from vid2vid.errors import DataError
from vid2vid.metrics.controls import perturb, shuffle_in_time
from vid2vid.metrics.warping import StepFlow, known_flow
from vid2vid.video.levels import from_levels, to_levels

_CACHE_BYTES = 0  # each picture is needed once


class Moment(NamedTuple):
    """One frame of everything."""

    when: When
    frames: Tensor  # 'n 3 h w' in [-1, 1]: the systems, then real, shuffled, perturbed
    labels: Tensor | None  # 'h w' uint8, 255 = ignore
    known: StepFlow | None  # of a world; None at its first frame
    surface: NDArray[np.int64] | None  # 'h w', of a world


class Readings(NamedTuple):
    """How a sequence is read."""

    reader: MapReader | None  # of label maps; None leaves them out
    seed: int
    device: torch.device


def read_moments(
    footage: Footage, sequence: int, readings: Readings, *, is_only: bool
) -> Iterator[Moment]:
    """Read a sequence; memory does not grow with its length.

    Raises:
        DataError: if a label map or a file of the world does not fit.
        VideoError: if a frame cannot be read.
    """
    reader = readings.reader or NoLabels()
    store = FrameStore(reader, max_bytes=_CACHE_BYTES)

    def frame(source: Source) -> Tensor:
        rgb = store.frames([source], footage.size)[0]
        return from_levels(torch.from_numpy(np.ascontiguousarray(rgb)).to(readings.device))

    reals = map(frame, footage.real.sources)
    seed = readings.seed + 7919 * sequence
    for index, (real, shuffled) in enumerate(shuffle_in_time(reals, seed=seed)):
        generated = [frame(system.sources[index]) for system in footage.systems]
        perturbed = perturb(real, seed=(readings.seed, sequence, index))
        # Like all others, of whole levels: what is kept of it for longer strides is the same.
        perturbed = from_levels(to_levels(perturbed))
        labels = None
        if footage.labels is not None and readings.reader is not None:
            ids = store.labels([footage.labels.sources[index]], footage.size)[0]
            labels = torch.from_numpy(np.ascontiguousarray(ids)).to(readings.device)
        yield Moment(
            When(sequence, index, is_only),
            torch.stack([*generated, real, shuffled, perturbed]),
            labels,
            *_read_world(footage, index, readings.device),
        )


def _read_world(
    footage: Footage, index: int, device: torch.device
) -> tuple[StepFlow | None, NDArray[np.int64] | None]:
    """Read the flow to the frame before, and the surface points."""
    if footage.world is None:
        return None, None
    surface = _load(_nth(footage.world / "surface", "npy", index, footage=footage), footage)
    if index == 0:
        return None, surface.astype(np.int64)
    occlusion_file = _nth(footage.world / "occlusion", "png", index, footage=footage)
    stem = occlusion_file.stem
    flow = _load(footage.world / "flow" / f"{stem}.npy", footage)
    hidden = cv2.imread(str(occlusion_file), cv2.IMREAD_GRAYSCALE)
    if hidden is None:
        raise DataError(f"an occlusion mask is needed; {occlusion_file} cannot be read")
    motion = known_flow(
        torch.from_numpy(flow.astype(np.float32))[None].to(device),
        torch.from_numpy(hidden.astype(np.float32) / 255)[None, None].to(device),
    )
    return motion, surface.astype(np.int64)


def _nth(folder: Path, suffix: str, index: int, *, footage: Footage) -> Path:
    """Find the file of a frame; the numbers of a world begin where it was started."""
    first = _first_number(folder, suffix)
    path = folder / f"{first + index:06d}.{suffix}"
    if not path.is_file():
        raise DataError(
            f"the world of '{footage.name}' must have a file for each of {footage.num_frames} "
            f"frames; there is none for frame {index} in {folder}: render the world again"
        )
    return path


@lru_cache(maxsize=64)  # asked at every frame
def _first_number(folder: Path, suffix: str) -> int:
    return min((int(path.stem) for path in folder.glob(f"[0-9]*.{suffix}")), default=0)


def _load(path: Path, footage: Footage) -> NDArray[np.generic]:
    """Read an array of the world and check its size."""
    try:
        array: NDArray[np.generic] = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(f"an array of a world is needed; {path} cannot be read") from error
    if array.shape[-2:] != tuple(footage.size):
        raise DataError(
            f"a world must have the size of the generated frames, height {footage.size.height} and "
            f"width {footage.size.width}; {path} has {array.shape}: render one like the other"
        )
    return array


class NoLabels:
    """Stands where labels are not read."""

    def from_image(self, path: str | Path) -> NDArray[np.uint8]:
        """Refuse."""
        raise ValueError(f"labels are not read here; got {path}")

    def from_colours(self, rgb: NDArray[np.uint8], where: str) -> NDArray[np.uint8]:
        """Refuse."""
        raise ValueError(f"labels are not read here; got {rgb.shape} of {where}")
