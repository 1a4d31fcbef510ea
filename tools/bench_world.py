"""Measure the procedural street: speed, exactness of its truth, and what estimators make of it.

    python tools/bench_world.py OUT --raft raft_small.pth --device cuda --batch 64

Prints frames per second, the geometry of the street, and how well a frame is made from the one
before it; writes OUT/contact_sheet.png, ten worlds, and OUT/estimators.png, the end-point error
against the speed of the camera. Without --raft, only DIS is measured: torchvision's weight files
raft_small_C_T_V2-*.pth and raft_large_C_T_SKHT_V2-*.pth fit. --quick takes little of everything.
"""

import pipelines  # isort: skip  # noqa: F401 - before torch: says how its threads wait

import tempfile
import time
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import torch
import typer
from matplotlib.figure import Figure
from torch import Tensor

from flow import DIS, FlowEstimator, end_point_error, pixel_grid, warp
from flow.raft import load_raft
from vid2vid.video.levels import to_levels
from vid2vid.video.pictures import write_picture
from vid2vid.world.config import WorldConfig
from vid2vid.world.files import WorldWriter, pose_matrix
from vid2vid.world.render import Renderer, World, WorldFrames
from vid2vid.world.solids import PARTS_PER_THING
from vid2vid.world.surfaces import SKY_DEPTH_M

SMALL, LARGE = (128, 256), (256, 512)
FRAME = 20  # of every world that is looked at
WARPED_FRAMES = (20, 60, 100)  # whose warping is averaged: a street has slow moments
MOVING_KINDS = (1, 2, 3, 4)  # of parts: people, cars ahead, oncoming cars, cyclists
SPEEDS_MPS = (2.0, 5.0, 10.0, 15.0, 20.0, 30.0)


class Geometry(NamedTuple):
    """How exact the truth of one pair of frames is."""

    reprojection_px: float  # largest difference of the flow from depth and poses
    parts: float  # share of pixels whose part is that of the pixel they fetch
    points: float  # share of pixels whose point is within one pixel of that
    things: int
    classes: int
    motion_px: float  # mean


class Warping(NamedTuple):
    """How well a frame is made from the one before, dB where nothing is hidden."""

    warped: float
    still: float  # without warping


def measure_geometry(previous: WorldFrames, current: WorldFrames) -> Geometry:
    """Compare flow, depth, parts and points of two consecutive frames of one world."""
    motion = current.motion(-1)
    place = pixel_grid(*current.depth.shape[1:], dtype=torch.float64) + motion.flow[0]
    points, others = _world_points(current), _world_points(previous)
    is_still = ~_moves(current.parts[0])
    expected = _project(points, previous)
    seen = motion.occlusion[0, 0] == 0
    distance = torch.linalg.vector_norm(expected - place, dim=0)
    column, row = (place[i].round().long() for i in (0, 1))
    column, row = column.clamp(0, place.shape[2] - 1), row.clamp(0, place.shape[1] - 1)
    same = (previous.parts[0, row, column] == current.parts[0])[seen]
    is_solid = seen & is_still & (current.depth[0] < SKY_DEPTH_M)
    gap = torch.linalg.vector_norm(others[:, row, column] - points, dim=0)
    footprint = _footprints(others, previous.parts[0])[row, column]
    return Geometry(
        reprojection_px=distance[is_still & seen].max().item(),
        parts=same.double().mean().item(),
        points=(gap <= footprint)[is_solid].double().mean().item(),
        things=len((current.parts // PARTS_PER_THING).unique()),
        classes=len(current.labels.unique()),
        motion_px=torch.linalg.vector_norm(motion.flow, dim=1).mean().item(),
    )


def measure_warping(previous: WorldFrames, current: WorldFrames) -> Warping:
    """Warp a frame by the true flow onto the next one, fetched bicubically."""
    motion = current.motion(-1)
    shown = (1 - motion.occlusion).expand_as(current.frames)
    made = [warp(previous.frames, motion.flow, interpolation="bicubic"), previous.frames]
    errors = [((one - current.frames) / 2).square()[shown > 0].mean().item() for one in made]
    return Warping(*(-10 * np.log10(error) for error in errors))


def mean_warping(world: World, size: tuple[int, int]) -> Warping:
    """Average the warping of several frames of one world."""
    each = [measure_warping(*render_pair(world, size, frame)) for frame in WARPED_FRAMES]
    return Warping(*np.mean(each, axis=0).tolist())


def render_pair(world: World, size: tuple[int, int], frame: int) -> tuple[WorldFrames, WorldFrames]:
    """Render a frame and the one after it."""
    renderer = Renderer([world], size, offsets=(-1,))
    return renderer.render(frame), renderer.render(frame + 1)


def measure_speed(device: str, batch: int, frames: int) -> float:
    """Count the frames of SMALL size that are rendered in a second, with all outputs in memory."""
    worlds = [World(seed, seed) for seed in range(batch)]
    renderer = Renderer(worlds, SMALL, device=device)
    for frame in range(2):
        renderer.render(frame)
    _wait(device)
    began = time.perf_counter()
    for frame in range(2, 2 + frames):
        renderer.render(frame)
    _wait(device)
    return batch * frames / (time.perf_counter() - began)


def measure_speed_with_files(frames: int) -> float:
    """Count the frames of SMALL size that are rendered and written in a second."""
    renderer = Renderer([World(0, 0)], SMALL, offsets=(-1,))
    renderer.render(0)
    with tempfile.TemporaryDirectory() as folder:
        writer = WorldWriter(Path(folder) / "world", SMALL)
        began = time.perf_counter()
        for frame in range(1, 1 + frames):
            writer.write(frame, renderer.render(frame))
        writer.close()
        return frames / (time.perf_counter() - began)


def write_contact_sheet(path: Path, size: tuple[int, int], count: int) -> None:
    """Show one frame of each of several worlds, two to a row."""
    pictures = [
        Renderer([World(seed, seed)], size, offsets=()).render(FRAME + 25 * seed).frames[0]
        for seed in range(count)
    ]
    rows = [torch.cat(pictures[at : at + 2], dim=2) for at in range(0, count, 2)]
    write_picture(path, to_levels(torch.cat(rows, dim=1)).numpy())


def measure_estimators(
    estimators: dict[str, FlowEstimator], size: tuple[int, int], seeds: range
) -> dict[str, list[float]]:
    """Find the mean end-point error of estimators where nothing is hidden, for each speed."""
    errors: dict[str, list[float]] = {name: [] for name in estimators}
    for speed in SPEEDS_MPS:
        config = WorldConfig(speed=speed)
        pairs = [render_pair(World(seed, seed, config), size, FRAME) for seed in seeds]
        for name, estimator in estimators.items():
            found = [
                end_point_error(
                    estimator(current.frames, previous.frames),
                    current.motion(-1).flow,
                    1 - current.motion(-1).occlusion,
                ).item()
                for previous, current in pairs
            ]
            errors[name].append(sum(found) / len(found))
    return errors


def draw_estimators(path: Path, errors: dict[str, list[float]]) -> None:
    """Draw the end-point errors against the speed of the camera."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for name, values in errors.items():
        axes.plot(SPEEDS_MPS, values, marker="o", label=name)
    axes.set_xlabel("speed of the camera, m/s")
    axes.set_ylabel("end-point error where nothing is hidden, px")
    axes.legend()
    figure.savefig(path, dpi=120)


def main(
    out: Annotated[Path, typer.Argument(help="Folder for the pictures.")],
    raft: Annotated[Path | None, typer.Option(help="Weight file of torchvision's RAFT.")] = None,
    device: Annotated[str, typer.Option(help="Of the rate in memory.")] = "cpu",
    batch: Annotated[int, typer.Option(min=1, help="Worlds rendered together there.")] = 1,
    quick: Annotated[bool, typer.Option("--quick")] = False,
) -> None:
    """Print what was measured and write the pictures."""
    out.mkdir(parents=True, exist_ok=True)
    size, count, frames = (SMALL, 2, 2) if quick else (LARGE, 10, 100)
    print(f"{torch.get_num_threads()} threads, {SMALL[1]}x{SMALL[0]}")
    print(f"in memory   {measure_speed(device, batch, frames):8.1f} frames/s on {device}")
    print(f"with files  {measure_speed_with_files(frames):8.1f} frames/s")
    _print_geometry(size, count)
    estimators: dict[str, FlowEstimator] = {
        "DIS medium": DIS("medium"),
        "DIS ultrafast": DIS("ultrafast"),
    }
    if raft is not None:
        network = load_raft(raft)
        estimators[network.name] = network
    errors = measure_estimators(estimators, size, range(1 if quick else 3))
    for name, values in errors.items():
        row = "  ".join(f"{value:.2f}" for value in values)
        print(f"{name:<14} px at {', '.join(f'{s:g}' for s in SPEEDS_MPS)} m/s:  {row}")
    draw_estimators(out / "estimators.png", errors)
    write_contact_sheet(out / "contact_sheet.png", size, count)


def _print_geometry(size: tuple[int, int], count: int) -> None:
    """Print a row for each world."""
    print("world  reproject px  parts %  points %  things  classes  motion px", end="")
    print("  smooth dB  patterns dB  not warped dB (smooth, patterns)")
    for seed in range(count):
        geometry = measure_geometry(*render_pair(World(seed, seed), size, FRAME))
        smooth, full = (
            mean_warping(World(seed, seed, WorldConfig(patterns=patterns)), size)
            for patterns in (False, True)
        )
        print(f"{seed:>5}{geometry.reprojection_px:>14.1e}{100 * geometry.parts:>9.2f}", end="")
        print(f"{100 * geometry.points:>10.2f}{geometry.things:>8}{geometry.classes:>9}", end="")
        print(f"{geometry.motion_px:>11.2f}{smooth.warped:>11.1f}{full.warped:>13.1f}", end="")
        print(f"{smooth.still:>15.1f}, {full.still:.1f}")


def _moves(parts: Tensor) -> Tensor:
    """Tell which parts belong to things that move."""
    kind = (parts // PARTS_PER_THING) >> 29
    return (kind >= MOVING_KINDS[0]) & (kind <= MOVING_KINDS[-1])


def _world_points(rendered: WorldFrames) -> Tensor:
    """Find the points of pixels from depth and pose: '3 h w' float64, metres."""
    camera, depth = rendered.cameras[0], rendered.depth[0].double()
    x, y = pixel_grid(*depth.shape, dtype=torch.float64)
    dx, dy = (
        (axis - middle) / camera.focal_px
        for axis, middle in zip((x, y), camera.middle, strict=True)
    )
    point = torch.stack([dx * depth, dy * depth, depth, torch.ones_like(depth)])
    return torch.einsum("ij,jhw->ihw", torch.from_numpy(pose_matrix(camera)), point)[:3]


def _project(points: Tensor, rendered: WorldFrames) -> Tensor:
    """Find the places of world points in the picture of a frame: '2 h w', pixels."""
    camera = rendered.cameras[0]
    to_camera = torch.from_numpy(np.linalg.inv(pose_matrix(camera)))
    x, y, z = torch.einsum("ij,jhw->ihw", to_camera[:3, :3], points) + to_camera[:3, 3, None, None]
    return torch.stack(
        [axis / z * camera.focal_px + c for axis, c in zip((x, y), camera.middle, strict=True)]
    )


def _footprints(points: Tensor, parts: Tensor) -> Tensor:
    """Find how much of its surface each pixel covers, from the neighbours of its part: 'h w'."""
    total = torch.zeros_like(points[0])
    for axis in (0, 1):
        reach = torch.zeros_like(total)
        for shift in (-1, 1):
            gap = torch.linalg.vector_norm(points - points.roll(shift, axis + 1), dim=0)
            gap = torch.where(parts == parts.roll(shift, axis), gap, 0.0)
            reach = torch.maximum(reach, gap)
        total = total + reach
    # Without a neighbour of its own part, the width of a pixel seen straight on has to do.
    return total.clamp(min=1e-3)


def _wait(device: str) -> None:
    """Wait until a GPU has done all that it was told."""
    if device != "cpu":
        torch.cuda.synchronize()


if __name__ == "__main__":
    typer.run(main)
