"""Measure styles: how fast instances are pooled, and how far a change of one style reaches.

    python tools/bench_styles.py --out OUT --steps 300

Pooling is that of `instance_mean` against the plain loop over instances and channels, on the same
features, in the same run, in processor time of one core. For the reach, two small pix2pixHD with
styles, without norms and with instance norms, are trained on procedural streets; their styles are
found as `vid2vid styles` does, one car is painted in two of them, and what changes is listed by
distance, in levels of 255. OUT gets both runs and, for each, before, after and the difference
times 4.
"""

import pipelines  # isort: skip  # noqa: F401 - before torch: says how its threads wait

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NamedTuple

import cv2
import numpy as np
import torch
import typer
import yaml
from numpy.typing import NDArray

from pipelines.build import load_generation
from pipelines.editing.choices import Pick
from pipelines.editing.session import EditingSession
from pipelines.styling.find import learn_styles
from pipelines.styling.options import StyleOptions
from pipelines.train import TrainOptions, train
from vid2vid.networks.feature_encoder import instance_mean
from vid2vid.networks.pix2pixhd import Pix2PixHDConfig
from vid2vid.video.pictures import write_picture
from vid2vid.world.clips import WorldClips, WorldDataConfig

REPEATS = 5
CAR = "car"
UNSEEN = 500  # seed of a street that was not trained on
TOLERANCE = 8  # levels of 255, of the mean change beyond the reach with instance norms
NETWORK = {"kind": "pix2pixhd", "width": 12, "downsamplings": 1, "blocks": 2, "features": 3}
HEIGHT, WIDTH = 64, 128


class Reach(NamedTuple):
    """What the restyling of one instance changed, in levels."""

    inside: float  # mean over the instance
    near: float  # mean within the reach of the convolutions
    beyond: float  # mean farther away
    largest: int  # farther away
    same_bits: bool  # rendering again gave the same


def voronoi(count: int, *, height: int, width: int) -> torch.Tensor:
    """Divide a picture among instances with ids as Cityscapes has them: '1 h w'."""
    random = np.random.default_rng(0)
    seeds = np.ones((height, width), np.uint8)
    places = random.choice(height * width, count, replace=False)
    seeds.flat[places] = 0
    mode = cv2.DIST_LABEL_PIXEL
    _, nearest = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=mode)
    ids = random.choice(33_000, count + 1, replace=False).astype(np.int32)
    return torch.from_numpy(ids[nearest])[None]


def plain_loop(features: torch.Tensor, instances: torch.Tensor) -> torch.Tensor:
    """Give every pixel the mean of its instance, one instance and channel after the other."""
    means = torch.empty_like(features)
    for each in torch.unique(instances):
        for sample in range(len(features)):
            rows, columns = (instances[sample] == each).nonzero(as_tuple=True)
            for channel in range(features.shape[1]):
                values = features[sample, channel, rows, columns]
                means[sample, channel, rows, columns] = values.mean()
    return means


def seconds_of(work: Callable[[], torch.Tensor], repeats: int) -> float:
    """Time the fastest of some runs."""
    took: list[float] = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return min(took)


def compare_pooling(count: int, *, height: int = 1024, width: int = 2048) -> str:
    """Pool features both ways and say how they compare."""
    features = torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(0))
    instances = voronoi(count, height=height, width=width)
    ours, loop = instance_mean(features, instances), plain_loop(features, instances)
    fast = seconds_of(lambda: instance_mean(features, instances), REPEATS)
    slow = seconds_of(lambda: plain_loop(features, instances), 2)
    return (
        f"pooling {width}x{height}, {len(torch.unique(instances))} instances, 3 channels: loop "
        f"{slow:.3f} s, instance_mean {fast * 1000:.1f} ms, {slow / fast:.0f} times faster; "
        f"largest difference {float((ours - loop).abs().max()):.1e}"
    )


def reach_px(network: Pix2PixHDConfig) -> int:
    """Add up how far the convolutions of a global generator see, px at full size."""
    step, total = 1, 3 + 3  # stem and head
    for _ in range(network.downsamplings):
        total, step = total + step, 2 * step
    total += network.blocks * 2 * step
    return total + sum(2**level for level in range(network.downsamplings))


def train_styled(norm: str, *, steps: int, out: Path) -> Path:
    """Train a network on streets, and find its styles; returns the checkpoint."""
    settings = {
        "name": f"styles_{norm}",
        "data": {"kind": "world", "height": HEIGHT, "width": WIDTH, "worlds": 8},
        "labels": {"palette": "cityscapes", "boundary": "instances"},
        "generator": {**NETWORK, "norm": norm, "encoder": {"width": 8, "downsamplings": 2}},
        "image_discriminator": {"width": 8, "scales": 1},
        "video_discriminator": None,
        "losses": {"perceptual": 0, "pixel": 20.0},
        "schedule": {"steps": steps, "clip_length": 1, "clip_length_max": 1},
        "training": {"output": str(out), "preview_every": steps, "checkpoint_every": steps},
    }
    file = out / f"styles_{norm}.yaml"
    file.write_text(yaml.safe_dump(settings))
    run = train(file, TrainOptions(device="cpu")).folder
    options = StyleOptions(clusters=4, min_area=0.004, limit=80, device="cpu")
    return learn_styles(run, str(file), options).path


def measure_reach(checkpoint: Path, *, picture: Path | None = None) -> Reach:
    """Paint the largest car of an unseen street in two styles."""
    generation = load_generation(checkpoint, torch.device("cpu"))
    config = generation.config.generator
    data = WorldDataConfig(height=HEIGHT, width=WIDTH, worlds=1, first_seed=UNSEEN)
    labels, instances = _scene(WorldClips(data), _class_id(generation.palette))
    session = EditingSession(generation, labels, instances, seed=1)
    cars = instances[labels == _class_id(generation.palette)]
    car = int(np.bincount(cars).argmax())
    session.restyle(car, Pick(0))
    before = session.render()
    session.restyle(car, Pick(1))
    after = session.render()
    change = np.abs(after.astype(int) - before).max(2)
    away = _distance(instances == car)
    reach = reach_px(config) if isinstance(config, Pix2PixHDConfig) else 0
    beyond = change[away > reach]
    if picture is not None:
        gain = np.clip(4 * np.abs(after.astype(int) - before), 0, 255).astype(np.uint8)
        write_picture(picture, np.concatenate([before, after, gain]))
    return Reach(
        inside=float(change[away == 0].mean()),
        near=float(change[(away > 0) & (away <= reach)].mean()),
        beyond=float(beyond.mean()) if beyond.size else 0.0,
        largest=int(beyond.max(initial=0)),
        same_bits=bool((session.render() == after).all()),
    )


def _class_id(palette: object) -> int:
    classes = getattr(palette, "classes", ())
    return next(each.id for each in classes if each.name == CAR)


def _scene(street: WorldClips, label: int) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Find the frame of a street with the most pixels of a class, of some far apart."""
    clips = [street.evaluation_clip(0, start, 1) for start in range(0, 400, 40)]
    best = max(clips, key=lambda clip: int((clip.labels == label).sum()))
    if best.labels is None or best.instances is None:
        raise ValueError("streets have labels and instances; got None")
    return best.labels[0].numpy(), best.instances[0].numpy()


def _distance(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """How far every pixel is from a mask, px, in the larger of both directions; 0 inside."""
    return cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_C, 3)


def main(
    out: Annotated[Path | None, typer.Option(help="Folder, new: trains, and measures.")] = None,
    instances: Annotated[int, typer.Option(min=1, help="Instances that are pooled.")] = 200,
    steps: Annotated[int, typer.Option(min=1, help="Training steps of each network.")] = 300,
) -> None:
    """Print pooling, and with --out the reach of a style."""
    torch.set_num_threads(1)
    print(compare_pooling(instances))
    if out is None:
        return
    out.mkdir(parents=True)
    for norm in ("none", "instance"):
        checkpoint = train_styled(norm, steps=steps, out=out)
        found = measure_reach(checkpoint, picture=out / f"reach_{norm}.png")
        allowed = 0 if norm == "none" else TOLERANCE
        within = found.largest == 0 if norm == "none" else found.beyond <= TOLERANCE
        print(
            f"norm {norm}: one car restyled changes by {found.inside:.1f} levels on the mean, by "
            f"{found.near:.1f} within {reach_px(Pix2PixHDConfig.model_validate(NETWORK))} px, "
            f"beyond by {found.beyond:.2f} on the mean and {found.largest} at most (tolerance "
            f"{allowed}: {'held' if within else 'not held'}); again the same bits: "
            f"{'yes' if found.same_bits else 'no'}"
        )


if __name__ == "__main__":
    typer.run(main)
