"""Make the page of a study, and the key by which its answers are read."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.console import progress
from pipelines.evaluation.footage import NoLabels
from pipelines.evaluation.sources import cut_alike, find_places, match_places
from pipelines.study.options import StudyOptions
from pipelines.study.trials import Trial, choose_trials, clip_length
from vid2vid.data.augment import Size
from vid2vid.data.pairing import Stream, open_stream
from vid2vid.data.store import FrameStore
from vid2vid.errors import DataError
from vid2vid.video.encoding import claim
from vid2vid.video.reading import open_video

PAGE_NAME, KEY_NAME = "study.html", "key.json"
KEY_FORMAT = "vid2vid-study-key-1"

_QUALITY = 90  # of the embedded WebP, the same for both systems; two thirds of the JPEG's size
_DAMAGE_CELLS = 24  # along the shorter side: a mosaic that nobody takes for the better one


class Study(NamedTuple):
    """What was made."""

    page: Path
    key: Path
    num_pairs: int
    num_sentinels: int
    num_bytes: int  # of the page


def make_study(options: StudyOptions) -> Study:
    """Write the page, which holds every picture it shows, and the key, which stays with you.

    Raises:
        DataError: if the systems do not fit each other.
        VideoError: if frames cannot be read, or the folder not be written.
    """
    streams = _open_streams(options)
    lengths = [len(stream.sources) for stream in streams["a"]]
    trials = choose_trials(
        lengths, pairs=options.pairs, clip_frames=options.clip_frames, seed=options.seed
    )
    probe = options.out / f"{PAGE_NAME}.partial"
    claim(probe)
    probe.unlink()
    with progress(len(trials), "making the study", unit="pairs") as bar:
        shown: list[dict[str, Any]] = []
        for index, trial in enumerate(trials):
            shown.append({"id": index, **_clips(trial, streams, options)})
            bar.advance()
    name = _name(trials, options)
    page, key = options.out / PAGE_NAME, options.out / KEY_NAME
    _save(page, _render(shown, streams["a"], name=name, options=options))
    _save(key, json.dumps(_key(trials, name, options), indent=1))
    sentinels = sum(trial.is_sentinel for trial in trials)
    return Study(page, key, len(trials) - sentinels, sentinels, page.stat().st_size)


def _open_streams(options: StudyOptions) -> dict[str, list[Stream]]:
    """Open the sequences of both systems and of the reference, in one order."""
    wanted = {"a": options.first, "b": options.second, "reference": options.reference}
    first = find_places(options.first)
    streams: dict[str, list[Stream]] = {}
    for name, path in wanted.items():
        if path is not None:
            places = match_places(first, find_places(path), path)
            streams[name] = [open_stream("frames", place.path) for place in places]
    for index in range(len(first)):
        alike = cut_alike([opened[index] for opened in streams.values()], options.frames)
        for opened, stream in zip(streams.values(), alike, strict=True):
            opened[index] = stream
    for name, opened in streams.items():
        for ours, theirs in zip(streams["a"], opened, strict=True):
            if len(ours.sources) != len(theirs.sources):
                raise DataError(
                    f"a pair must show the same moment, so all need equally many frames; "
                    f"{ours.place} has {len(ours.sources)}, {theirs.place} ({name}) has "
                    f"{len(theirs.sources)}: cut the longer one"
                )
    return streams


def _clips(
    trial: Trial, streams: dict[str, list[Stream]], options: StudyOptions
) -> dict[str, list[str]]:
    """Encode the two clips of a trial, and the reference's."""
    own = streams["a"][trial.sequence]
    part = slice(trial.start, trial.start + clip_length(own, options.clip_frames))

    def read(name: str) -> list[NDArray[np.uint8]]:
        stream = streams[name][trial.sequence]
        store = FrameStore(NoLabels(), max_bytes=0)
        size = own.size if options.height is None else _size_for(own.size, options.height)
        return store.frames(stream.sources[part], size)

    intact = trial.left if trial.right == "damaged" else trial.right
    sides: dict[str, list[str]] = {}
    for side, name in (("left", trial.left), ("right", trial.right)):
        pictures = _damage(read(intact)) if name == "damaged" else read(name)
        sides[side] = [_encode(picture) for picture in pictures]
    if "reference" in streams:
        sides["reference"] = [_encode(picture) for picture in read("reference")]
    return sides


def _encode(picture: NDArray[np.uint8]) -> str:
    """Make a WebP data URI of 'h w 3' RGB."""
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    data = cv2.imencode(".webp", bgr, [cv2.IMWRITE_WEBP_QUALITY, _QUALITY])[1].tobytes()
    return f"data:image/webp;base64,{b64encode(data).decode('ascii')}"


def _damage(pictures: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    """Make the damaged side of a sentinel: a coarse mosaic."""
    height, width = pictures[0].shape[:2]
    cell = max(2, round(min(height, width) / _DAMAGE_CELLS))
    coarse = (max(1, width // cell), max(1, height // cell))
    return [
        cv2.resize(
            cv2.resize(each, coarse, interpolation=cv2.INTER_AREA),
            (width, height),
            interpolation=cv2.INTER_NEAREST,
        ).astype(np.uint8, copy=False)
        for each in pictures
    ]


def _size_for(size: Size, height: int) -> Size:
    """Shrink to the height that is shown; what would be enlarged is left to the browser."""
    if height >= size.height:
        return size
    return Size(height, max(1, round(size.width * height / size.height)))


def _render(
    shown: list[dict[str, Any]], own: list[Stream], *, name: str, options: StudyOptions
) -> str:
    template = Template((files("pipelines.study") / "page.html").read_text("utf-8"))
    study = {
        "study": name,
        "seconds": options.display_seconds,
        "height": options.height or own[0].size.height,
        "fits": options.height is None,  # shrinks to the window, so that both buttons are seen
        "aspect": own[0].size.width / own[0].size.height,
        "rate": float(open_video(own[0].place).rate),
        "trials": shown,
    }
    return template.substitute(
        question=escape(options.question), study=json.dumps(study).replace("<", "\\u003c")
    )


def _name(trials: list[Trial], options: StudyOptions) -> str:
    """Name a study by what it shows, without telling the people who see it."""
    what = f"{options.first} {options.second} {options.clip_frames} {trials}"
    return hashlib.sha256(what.encode()).hexdigest()[:16]


def _key(trials: list[Trial], name: str, options: StudyOptions) -> dict[str, Any]:
    return {
        "format": KEY_FORMAT,
        "study": name,
        "a": str(options.first),
        "b": str(options.second),
        "reference": str(options.reference) if options.reference else None,
        "clip_frames": options.clip_frames,
        "display_seconds": options.display_seconds,
        "seed": options.seed,
        "trials": [{"id": k, **trial._asdict()} for k, trial in enumerate(trials)],
    }


def _save(path: Path, text: str) -> None:
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
