"""Keep estimated flow on disk, for reference flow that is asked for again and again.

An entry is one flow as float16 in an .npz file, whose name is the SHA-256 of everything that the
flow depends on: the estimator and both frames. Flow is rounded to float16 whether it comes from the
disk or not, so that no result depends on what was kept; a flow of 32 to 64 px is 1/64 px off at
most. At 512x256 an entry takes 512 KiB.
"""

import hashlib
import io
import logging
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor

from flow.estimators import check_pair

_logger = logging.getLogger(__name__)

_WRITES_BETWEEN_LOOKS = 256  # a look at 10,000 entries takes some 50 ms


class IdentifiedEstimator(Protocol):
    """A `FlowEstimator` that says what its results depend on, beside the frames."""

    @property
    def identity(self) -> str:
        """Name, settings, weights and versions."""
        ...

    def __call__(self, current: Tensor, previous: Tensor) -> Tensor:
        """Estimate the flow, see `FlowEstimator`."""
        ...


class CachedFlow:
    """An estimator that looks into a folder first, as a `FlowEstimator`.

    Several processes may share the folder: an entry appears whole or not at all. One that cannot
    be read, or is damaged, is estimated and written again. A full folder keeps what it has, since
    clips are drawn at random and any entry is as likely as another to be wanted next.
    """

    def __init__(
        self, estimator: IdentifiedEstimator, folder: Path | str, *, max_bytes: int
    ) -> None:
        """Open or make the folder.

        Args:
            estimator: finds what is not there.
            folder: of the entries, for any number of estimators.
            max_bytes: size of the folder at which no more is written. A process notices what
                others write after each 256 entries of its own.

        Raises:
            OSError: if the folder cannot be made or written to.
        """
        self._estimator = estimator
        self._folder = Path(folder)
        self._max_bytes = max_bytes
        self._num_bytes = 0
        self._num_writes = 0
        self._has_room = True
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=self._folder):
            pass

    @torch.no_grad()
    def __call__(self, current: Tensor, previous: Tensor) -> Tensor:
        """Find or estimate the flow, see `FlowEstimator`. The pairs are estimated one by one.

        Raises:
            ValueError: if the two are not 'b 3 h w' of one size.
        """
        check_pair(current, previous)
        digests, other_digests = _digest(current), _digest(previous)
        flows = [
            self._find(one[None], other[None], f"{digest} {other_digest}")
            for one, other, digest, other_digest in zip(
                current, previous, digests, other_digests, strict=True
            )
        ]
        return torch.stack(flows).float().to(current.device)

    def _find(self, current: Tensor, previous: Tensor, frames: str) -> Tensor:
        """Read one flow or estimate it: '2 h w', float16, on the CPU."""
        key = hashlib.sha256(f"{self._estimator.identity} {frames}".encode()).hexdigest()
        path = self._folder / key[:2] / f"{key[2:]}.npz"
        kept = _read(path, (2, *current.shape[2:]))
        if kept is not None:
            return kept
        flow = self._estimator(current, previous)[0].half().cpu()
        if self._has_room:
            self._keep(path, flow)
        return flow

    def _keep(self, path: Path, flow: Tensor) -> None:
        """Write an entry if the folder has room for it."""
        content = io.BytesIO()
        np.savez(content, flow=flow.numpy())
        entry = content.getvalue()
        try:
            if self._num_writes % _WRITES_BETWEEN_LOOKS == 0:
                self._num_bytes = sum(_sizes(self._folder))
            if self._num_bytes + len(entry) > self._max_bytes:
                self._has_room = False
                _logger.warning(
                    "the flow cache %s holds its %.0f MB: what is not in it is estimated each time",
                    self._folder, self._max_bytes / 2**20,
                )  # fmt: skip
                return
            _write(path, entry)
            self._num_bytes += len(entry)
            self._num_writes += 1
        except OSError as error:
            self._has_room = False
            _logger.warning(
                "the flow cache %s cannot be written to any more (%s): what is not in it is "
                "estimated each time", self._folder, error.strerror,
            )  # fmt: skip


def _digest(frames: Tensor) -> list[str]:
    """Tell the contents of each frame of 'b 3 h w' by 64 characters."""
    pictures = frames.detach().float().contiguous().cpu().numpy()
    digests: list[str] = []
    for picture in pictures:
        digest = hashlib.sha256(str(picture.shape).encode())
        digest.update(picture.data)
        digests.append(digest.hexdigest())
    return digests


def _read(path: Path, shape: tuple[int, ...]) -> Tensor | None:
    """Read an entry; None where there is none of this shape that is whole, by its checksum."""
    try:
        with path.open("rb") as file, np.load(file) as entry:
            flow = entry["flow"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, EOFError, TypeError, BadZipFile):
        flow = None
    if flow is None or flow.dtype != np.float16 or flow.shape != shape:
        _logger.warning("the flow cache entry %s is damaged and is estimated again", path)
        return None
    return torch.from_numpy(flow)


def _write(path: Path, entry: bytes) -> None:
    """Write a file under another name, then rename it."""
    path.parent.mkdir(exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".partial")
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(entry)
        partial.replace(path)
    except BaseException:  # Ctrl-C too
        partial.unlink(missing_ok=True)
        raise


def _sizes(folder: Path) -> Iterator[int]:
    """List the sizes of the files below a folder, bytes."""
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                yield (Path(root) / name).stat().st_size
            except FileNotFoundError:  # another process has renamed it
                continue
