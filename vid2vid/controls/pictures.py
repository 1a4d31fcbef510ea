"""Make the pictures of all controls of a clip: training and rendering use this one function."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vid2vid.controls.config import (
    DERIVED,
    DRAWN,
    AnyControl,
    BoundaryConfig,
    Drawn,
    KnownConfig,
    PoseConfig,
    Stored,
    source_of,
)
from vid2vid.controls.derived import derive
from vid2vid.controls.files import resizer_of, to_range
from vid2vid.controls.known import make_known
from vid2vid.controls.landmarks import draw_landmarks
from vid2vid.controls.picture_files import of_one_type
from vid2vid.controls.pose import draw_people, sample_drops
from vid2vid.controls.skeletons import MIRRORED_LANDMARKS, SKELETONS, mirrored_person
from vid2vid.data.augment import (
    Augmentation,
    Picture,
    Size,
    apply_to_pictures,
    apply_to_points,
)
from vid2vid.labels.maps import boundary


class Material(NamedTuple):
    """What the pictures of a clip are made of, one entry a frame."""

    canvas: Size  # of the photographs, as key points were found in them
    stored: Mapping[str, Sequence[Picture | None]]  # by stream: as read, or key points 'n p 3';
    # None where the first frame has none, as a flow
    frames: Tensor | None = None  # 't 3 h w' in [-1, 1], photographs as they are to be painted
    previous: Tensor | None = None  # '3 h w', the photograph before the first
    instances: Tensor | None = None  # 't h w', object ids, already cut


def make_pictures(
    controls: Sequence[AnyControl],
    material: Material,
    augmentation: Augmentation,
    *,
    rng: np.random.Generator | None = None,
) -> Tensor | None:
    """Make and stack the pictures of a clip, in the order of the controls.

    Key points are moved with the frame before they are drawn, so that lines keep their width; what
    is stored is resized and cut like the frames; what is derived is found in the photographs as
    they are to be painted, recoloured if they are.

    Args:
        controls: of the configuration.
        material: what they are made of.
        augmentation: what is done to the clip, and the size of the pictures.
        rng: draws the limbs that are left out, and which pixels are known; None leaves out
            nothing, and takes what evaluation takes.

    Returns:
        't c h w' float32 in [-1, 1]; None without controls.
    """
    made = [_make(control, material, augmentation, rng=rng) for control in controls]
    return torch.cat(made, dim=1) if made else None


def _make(
    control: AnyControl,
    material: Material,
    augmentation: Augmentation,
    *,
    rng: np.random.Generator | None,
) -> Tensor:
    """Make the pictures of one control."""
    if isinstance(control, BoundaryConfig):
        if material.instances is None:
            raise ValueError("a control of kind boundary needs instance maps; got None")
        return boundary(material.instances[None])[0]
    if isinstance(control, DRAWN):
        return _draw(control, material, augmentation, rng=rng)
    is_known = isinstance(control, KnownConfig)
    if is_known or (isinstance(control, DERIVED) and control.stream is None):
        if material.frames is None:
            raise ValueError(f"a control of kind {control.kind} needs photographs; got None")
        if is_known:
            return make_known(control, material.frames, rng=rng)
        return derive(control, material.frames, previous=material.previous)
    return _bring(control, material.stored[source_of(control)], augmentation)


def _bring(
    control: Stored, pictures: Sequence[Picture | None], augmentation: Augmentation
) -> Tensor:
    """Cut stored pictures; where the first frame has none, its values are 0."""
    there = [picture for picture in pictures if picture is not None]
    size = augmentation.keep
    result = torch.zeros(len(pictures), control.channels, *size)
    if there:
        cut = apply_to_pictures(of_one_type(there), augmentation, resizer_of(control))
        result[len(pictures) - len(there) :] = to_range(control, cut, flipped=augmentation.flip)
    return result


def move_points(
    control: Drawn, material: Material, augmentation: Augmentation
) -> Iterator[Picture]:
    """Move the key points of every frame with the frame: 'n p 3' each."""
    is_pose = isinstance(control, PoseConfig)
    mirrored = mirrored_person(SKELETONS[control.skeleton]) if is_pose else MIRRORED_LANDMARKS
    canvas = material.canvas if control.canvas is None else Size(*control.canvas)
    for points in material.stored[control.stream]:
        if points is None:
            raise ValueError(f"every frame needs key points in '{control.stream}'; got None")
        yield apply_to_points(points, canvas, augmentation, mirrored=mirrored)


def _draw(
    control: Drawn,
    material: Material,
    augmentation: Augmentation,
    *,
    rng: np.random.Generator | None,
) -> Tensor:
    """Draw key points; the same parts are left out of every frame."""
    is_pose = isinstance(control, PoseConfig)
    dropped = sample_drops(rng, control) if is_pose and rng is not None else frozenset[str]()
    drawn: list[Tensor] = []
    for moved in move_points(control, material, augmentation):
        if isinstance(control, PoseConfig):
            people = draw_people(moved, control, size=augmentation.keep, dropped=dropped)
            drawn.append(torch.from_numpy(people).permute(2, 0, 1).float() / 127.5 - 1)
        else:
            face = draw_landmarks(moved, control, size=augmentation.keep)
            drawn.append(torch.from_numpy(face))
    return torch.stack(drawn)
