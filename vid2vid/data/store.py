"""Read the pictures of a data set at the size they are augmented from, and keep the latest."""

import os
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from vid2vid.controls.config import Drawn, LandmarksConfig, Stored, name_of
from vid2vid.controls.files import from_colours, read_stored, resizer_of
from vid2vid.controls.points import read_landmarks, read_openpose
from vid2vid.data.augment import Picture, Size, resize_frame, resize_ids
from vid2vid.data.measuring import cut_half
from vid2vid.data.pairing import NO_SIZE, Source
from vid2vid.labels.files import instances_from_colours, read_instances
from vid2vid.video.reading import ClipVideo, read_image

_MAX_OPEN_VIDEOS = 16


class MapReader(Protocol):
    """Reads label maps."""

    def from_image(self, path: str | Path) -> Picture:
        """Read it from a picture."""
        ...

    def from_colours(self, rgb: Picture, where: str) -> Picture:
        """Read it from the colours of a video frame; `where` names that for a message."""
        ...


class FrameStore:
    """Reads frames, maps and controls, resizes them, and keeps those used last.

    What is kept belongs to the process: after a fork, each goes on for itself.
    """

    def __init__(self, reader: MapReader | None, *, max_bytes: int) -> None:
        """Make an empty store.

        Args:
            reader: of label maps; None reads none.
            max_bytes: of all that is kept.
        """
        self._reader = reader
        self._max_bytes = max_bytes
        self._num_bytes = 0
        self._kept: OrderedDict[tuple[str, Source, Size], Picture] = OrderedDict()
        self._videos: dict[int, OrderedDict[Path, ClipVideo]] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Go to another process without what is kept."""
        return self.__dict__ | {"_num_bytes": 0, "_kept": OrderedDict(), "_videos": {}}

    def frames(self, sources: Sequence[Source], size: Size) -> list[Picture]:
        """Return photographs, each 'h w 3' uint8 RGB of `size`."""

        def read(missing: list[Source]) -> list[Picture]:
            rgbs = self._decode(missing, read_image)
            return [resize_frame(rgb, size) for rgb in rgbs]

        return self._get("frames", sources, size, read)

    def labels(self, sources: Sequence[Source], size: Size) -> list[Picture]:
        """Return label maps, each 'h w' uint8 class ids of `size`, 255 = ignore.

        Raises:
            ValueError: if the store was made without a reader.
        """
        reader = self._reader
        if reader is None:
            raise ValueError("label maps need a reader; the store was made without one")

        def read(missing: list[Source]) -> list[Picture]:
            if missing[0] == Source(missing[0].path, None):
                maps = self._decode(missing, reader.from_image)
            else:
                rgbs = self._decode(missing, read_image)
                named = zip(rgbs, map(_in_words, missing), strict=True)
                maps = [reader.from_colours(rgb, where) for rgb, where in named]
            return [resize_ids(ids, size) for ids in maps]

        return self._get("labels", sources, size, read)

    def instances(self, sources: Sequence[Source], size: Size) -> list[Picture]:
        """Return instance maps, each 'h w' int32 object ids of `size`."""

        def read(missing: list[Source]) -> list[Picture]:
            maps = self._decode(missing, read_instances)
            if missing[0].frame is not None:
                is_grey = self._video(missing[0].path).is_grey_exact
                maps = [instances_from_colours(rgb, is_grey=is_grey) for rgb in maps]
            return [resize_ids(ids, size) for ids in maps]

        return self._get("instances", sources, size, read)

    def stored(
        self, control: Stored, sources: Sequence[Source | None], size: Size
    ) -> list[Picture | None]:
        """Return stored pictures of a control, each of `size`; None where there is no source."""
        resize = resizer_of(control)

        def read(missing: list[Source]) -> list[Picture]:
            if missing[0].frame is None:
                found = self._decode(missing, partial(read_stored, control))
            else:
                rgbs = self._decode(missing, read_image)
                named = zip(rgbs, map(_in_words, missing), strict=True)
                found = [from_colours(control, rgb, where) for rgb, where in named]
            return [resize(picture, size) for picture in found]

        there = [source for source in sources if source is not None]
        pictures = iter(self._get(f"control {name_of(control)}", there, size, read))
        return [None if source is None else next(pictures) for source in sources]

    def points(self, control: Drawn, sources: Sequence[Source]) -> list[Picture]:
        """Return the key points of a control, each 'n p 3' in the pixels of its file."""
        read_one = read_landmarks if isinstance(control, LandmarksConfig) else read_openpose

        def read(missing: list[Source]) -> list[Picture]:
            return [read_one(source.path) for source in missing]

        return self._get(f"control {name_of(control)}", sources, NO_SIZE, read)

    def _get(
        self,
        stream: str,
        sources: Sequence[Source],
        size: Size,
        read: Callable[[list[Source]], list[Picture]],
    ) -> list[Picture]:
        keys = [(stream, source, size) for source in sources]
        found = {key: self._kept[key] for key in keys if key in self._kept}
        missing = [key for key in keys if key not in found]
        if missing:
            pictures = read([source for _, source, _ in missing])
            found.update(zip(missing, pictures, strict=True))
        for key in keys:
            self._keep(key, found[key])
        return [found[key] for key in keys]

    def _keep(self, key: tuple[str, Source, Size], picture: Picture) -> None:
        if key not in self._kept:
            if picture.nbytes > self._max_bytes:
                return
            self._kept[key] = picture
            self._num_bytes += picture.nbytes
        self._kept.move_to_end(key)
        while self._num_bytes > self._max_bytes:
            self._num_bytes -= self._kept.popitem(last=False)[1].nbytes

    def _decode(
        self, sources: list[Source], read_picture: Callable[[Path], Picture]
    ) -> list[Picture]:
        """Read pictures one by one, of halves the half; the frames of a video in one go."""
        if sources[0].frame is None:
            return [cut_half(read_picture(source.path), source.side) for source in sources]
        indices = [source.frame for source in sources if source.frame is not None]
        return list(self._video(sources[0].path).read(indices))

    def _video(self, path: Path) -> ClipVideo:
        # A decoder must not be used, nor even closed, in a process forked from the one that
        # opened it: its threads stay behind.
        videos = self._videos.setdefault(os.getpid(), OrderedDict())
        if path not in videos:
            videos[path] = ClipVideo(path)
            if len(videos) > _MAX_OPEN_VIDEOS:
                videos.popitem(last=False)
        videos.move_to_end(path)
        return videos[path]


def _in_words(source: Source) -> str:
    """Name a frame of a video, or a half of a picture, for a message."""
    if source.frame is not None:
        return f"frame {source.frame} of {source.path}"
    return f"the {source.side} half of {source.path}"
