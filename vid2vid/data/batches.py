"""Batches of clips for training, the same in every run.

A clip follows from `(seed, step, position)` alone, so training resumes exactly at any step, with
any number of loading processes.
"""

import os
import signal
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import NamedTuple, Protocol

import cv2
import torch
from torch.utils.data import DataLoader, Dataset

from vid2vid.data.clips import Clip, ClipBatch, ClipRequest, collate
from vid2vid.errors import Vid2VidError


class ClipSource(Protocol):
    """Where clips come from: files (`ClipDataset`) or procedural streets (`WorldClips`)."""

    @property
    def workers(self) -> int:
        """Loading processes; 0 = load in the training process."""
        ...

    def clip_lengths(self) -> list[int]:
        """List how many frames a clip of each whole sequence has, at the smallest stride."""
        ...

    def check_length(self, length: int) -> None:
        """Check that clips of `length` frames can be cut.

        Raises:
            DataError: if no sequence is long enough.
        """
        ...

    def clip(self, request: ClipRequest) -> Clip:
        """Make the clip that `request` stands for."""
        ...

    def evaluation_clip(self, sequence_index: int, start: int, length: int) -> Clip:
        """Make the clip of a sequence from a frame on, without varying it.

        Raises:
            ValueError: if the sequence has not so many frames.
        """
        ...


class StepPlan(NamedTuple):
    """What one training step takes."""

    length: int  # frames in a clip
    batch_size: int  # clips of one process


class _Requested(Dataset[Clip | Vid2VidError]):
    """Hands errors over as results: raised in a loading process, they lose their message."""

    def __init__(self, dataset: ClipSource) -> None:
        self._dataset = dataset

    def __getitem__(self, request: ClipRequest) -> Clip | Vid2VidError:
        try:
            return self._dataset.clip(request)
        except Vid2VidError as error:
            return error


def _collate_results(results: list[Clip | Vid2VidError]) -> ClipBatch | Vid2VidError:
    errors = [result for result in results if isinstance(result, Vid2VidError)]
    if errors:
        return errors[0]
    try:
        return collate([result for result in results if isinstance(result, Clip)])
    except Vid2VidError as error:
        return error


def clip_batches(
    dataset: ClipSource,
    plan: Callable[[int], StepPlan],
    *,
    seed: int,
    start_step: int = 0,
    end_step: int | None = None,
    rank: int = 0,
) -> Iterator[ClipBatch]:
    """Yield the batches of the steps from `start_step` on.

    Batches do not depend on `workers`, nor on where the run started, and the global random
    state is left alone. Closing or dropping the iterator ends its processes.

    Args:
        dataset: where the clips are cut from.
        plan: gives the clip length and the batch size of a step.
        seed: of the run.
        start_step: the first step.
        end_step: the step after the last; None = go on for ever.
        rank: number of this process among those that train together; each gets other clips.

    Raises:
        DataError: if no sequence is long enough, or a label map does not fit the palette.
        VideoError: if a picture cannot be read.
    """
    steps = count(start_step) if end_step is None else range(start_step, end_step)
    loader = DataLoader(
        _Requested(dataset),
        batch_sampler=_requests(dataset, plan, steps=steps, seed=seed, rank=rank),
        num_workers=dataset.workers,
        collate_fn=_collate_results,
        worker_init_fn=_prepare_worker,
        generator=torch.Generator(),  # or the loader would draw a seed from the global one
    )
    with _without_opencv_threads():
        batches = iter(loader)  # starts the processes
    for batch in batches:
        if isinstance(batch, Vid2VidError):
            raise batch
        yield batch


def _requests(
    dataset: ClipSource,
    plan: Callable[[int], StepPlan],
    *,
    steps: Iterable[int],
    seed: int,
    rank: int,
) -> Iterator[list[ClipRequest]]:
    for step in steps:
        length, batch_size = plan(step)
        dataset.check_length(length)
        positions = range(rank * batch_size, (rank + 1) * batch_size)
        yield [ClipRequest(length, seed, step, position) for position in positions]


@contextmanager
def _without_opencv_threads() -> Generator[None, None, None]:
    """Stop OpenCV's threads for a while: a process forked beside them hangs in its pool."""
    num_threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(num_threads)


def _prepare_worker(worker_index: int) -> None:
    del worker_index
    # A group of its own: Ctrl-C and a SIGTERM to the whole group reach the training process alone,
    # which finishes its step, saves, and ends this one. The handlers of that process are not ours.
    os.setpgrp()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    cv2.setNumThreads(1)  # workers are the parallelism, as torch has it too
