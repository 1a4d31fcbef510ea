"""Every configuration that comes with the package loads, and trains two steps on tiny data."""

import json
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipelines.config.file import config_names, read_config
from pipelines.config.run import RunConfig
from pipelines.train import TrainOptions, train
from vid2vid.controls.config import stream_of
from vid2vid.errors import ConfigError
from vid2vid.labels.palettes import load_palette
from vid2vid.video.writing import open_writer
from vid2vid.world.clips import WorldDataConfig

FRAMES = 12
SMALL = (
    "data.height=32",
    "data.width=48",
    "data.workers=0",
    "losses.perceptual=0",
    "schedule.steps=2",
    "training.init_from=null",
    "training.precision=float32",
)
HD = ("width=8", "downsamplings=1", "blocks=1", "enhancer_blocks=1")
GENERATORS = {
    "sequential": ("width=8", "downsamplings=1", "blocks=2", "refiner_blocks=1"),
    "pix2pixhd": HD,
    "pix2pix_unet": ("width=4", "downsamplings=3"),
    "pix2pix_resnet": ("width=4", "blocks=1"),
    "crn": ("height=32", "width=8", "widths=[]"),
    "fusion": tuple(f"base.{setting}" for setting in HD),
    "context_encoder": ("width=4", "halvings=3", "bottleneck=8", "overlap=1"),
    "srn": ("width=4",),
}
STAGES = ("cityscapes_seq_1024", "cityscapes_seq_2048")


def _write_sequence(places: dict[str, Path], num_classes: int) -> None:
    """Write a few frames of every stream, as the layout wants them: folders, or patterns."""
    for place in places.values():
        (place.parent if "*" in place.name else place).mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for index in range(FRAMES):
        ids = rng.integers(0, num_classes, (4, 6)).repeat(8, 0).repeat(8, 1).astype(np.uint8)
        points = rng.uniform(1, 30, (68, 2)).round(1).tolist()
        body = [number for x, y in points[:25] for number in (x, y, 0.9)]
        texts = {
            "keypoints": json.dumps(points),
            "openpose": json.dumps({"people": [{"pose_keypoints_2d": body}]}),
        }
        pictures = {
            "frames": rng.integers(0, 255, (32, 48, 3), dtype=np.uint8),
            "labels": ids,
            "instances": ids.astype(np.uint16) * 1000,
        }
        for stream, place in places.items():
            if stream in texts:
                (place / f"{index:06d}.json").write_text(texts[stream])
            elif "*" in place.name:
                name = place.name.replace("*", f"{index:06d}")
                cv2.imwrite(str(place.with_name(name)), pictures[stream])
            else:
                cv2.imwrite(str(place / f"{index:06d}.png"), pictures[stream])


def _folders(config: RunConfig) -> dict[str, str]:
    """Say where the streams of a sequence lie that a configuration reads."""
    if config.name in ("pose", "face"):
        return {
            "pose": {"frames": "videos/s", "openpose": "poses/s"},
            "face": {"frames": "train_img/s", "keypoints": "train_keypoints/s"},
        }[config.name]
    layout = config.data.layout
    if layout == "official":
        return {"frames": "train_B/s", "labels": "train_A/s", "instances": "train_inst/s"}
    if layout == "folders":
        return {"frames": "train/s/frames", "labels": "train/s/labels"}
    named = {"frames": layout.frames, "labels": layout.labels, "instances": layout.instances}
    return {
        stream: pattern.replace("{split}", config.data.split).replace("{sequence}", "s")
        for stream, pattern in named.items()
        if pattern is not None
    }


def _tiny_data(config: RunConfig, root: Path) -> list[str]:
    """Write a data set in the layout that a configuration reads; return the settings for it."""
    if isinstance(config.data, WorldDataConfig):
        return ["data.worlds=1"]
    if config.data.layout == "side_by_side":
        (root / "train").mkdir(parents=True)
        for index in range(FRAMES):
            both = np.random.default_rng(index).integers(0, 255, (32, 96, 3), dtype=np.uint8)
            cv2.imwrite(str(root / f"train/{index:06d}.png"), both)
    elif config.labels is None and not any(stream_of(control) for control in config.controls):
        root.mkdir()
        frames = [np.full((32, 48, 3), 20 * index, np.uint8) for index in range(FRAMES)]
        writer = open_writer(root / "film.mp4", width=48, height=32, rate=Fraction(25))
        for index, rgb in enumerate(frames):
            writer.write(rgb, Fraction(index, 25))
        writer.close()
    else:
        palette = load_palette(config.labels.palette) if config.labels else None
        folders = {stream: root / place for stream, place in _folders(config).items()}
        _write_sequence(folders, palette.num_classes if palette else 2)
    return [f"data.root={root}", "data.frame_range=null", "validation=null"]


@pytest.mark.parametrize("name", config_names())
def test_every_configuration_trains_two_steps(name: str, tmp_path: Path):
    config = read_config(name, RunConfig)
    settings = [
        *SMALL,
        *(f"generator.{setting}" for setting in GENERATORS[config.generator.kind]),
        f"schedule.clip_length={min(2, config.schedule.clip_length)}",
        f"training.output={tmp_path}",
        *_tiny_data(config, tmp_path / "data"),
    ]
    if config.image_discriminator is not None:
        settings += ["image_discriminator.width=4"]
    if config.video_discriminator is not None:
        settings += ["video_discriminator.width=4"]
    if config.segmentation_discriminator is not None:
        settings += ["segmentation_discriminator.width=4"]
    if config.hole_discriminator is not None:
        settings += ["hole_discriminator={width: 4, size: 16}"]
    if config.critics is not None:
        settings += ["critics.width=4", "losses.mrf_network=segmenter", "training.batch_size=2"]
    if config.generator.kind == "context_encoder" and config.generator.form == "centre":
        settings += ["controls=[{kind: known, shape: hole, size: 8}]"]
    if config.generator.kind == "srn":
        height, width = config.generator.window(32, 48)
        (known,) = config.controls
        own = known.model_copy(update={"height": height, "width": width}).model_dump_json()
        settings += [f"controls=[{own}]"]
    trained = train(name, TrainOptions(overrides=settings, device="cpu"))
    assert trained.step == 2
    assert (trained.folder / "model.safetensors").is_file()
    assert (trained.folder / "previews" / "000002.png").is_file()


def test_camvid_can_be_judged_by_its_labels(tmp_path: Path):
    config = read_config("camvid", RunConfig)
    settings = [
        *SMALL,
        *(f"generator.{setting}" for setting in GENERATORS["sequential"]),
        "schedule.clip_length=2",
        f"training.output={tmp_path}",
        *_tiny_data(config, tmp_path / "data"),
        "image_discriminator=null",
        "video_discriminator.width=4",
        "segmentation_discriminator={width: 4, downsamplings: 2}",
        "training.log_every=1",
    ]
    trained = train("camvid", TrainOptions(overrides=settings, device="cpu"))
    line = json.loads((trained.folder / "metrics.jsonl").read_text().splitlines()[-1])
    assert line["segmentation_gan"] > 0
    assert line["segmentation_discriminator"] > 0
    assert "image_gan" not in line


@pytest.mark.parametrize(
    "name",
    ["cityscapes_seq", "camvid", "edges", "superres", "pose", "face", "pix2pix", "colourise"],
)
def test_a_configuration_without_its_data_says_what_to_fetch(name: str, tmp_path: Path):
    absent = tmp_path / "absent"
    with pytest.raises(ConfigError, match=r"(?i)put .* or point to it with --set data.root=FOLDER"):
        train(name, TrainOptions(overrides=[f"data.root={absent}", "losses.perceptual=0"]))


@pytest.mark.parametrize("name", STAGES)
def test_stages_double_the_resolution_and_keep_the_widths(name: str):
    before = read_config("cityscapes_seq", RunConfig)
    stage = read_config(name, RunConfig)
    factor = 2**stage.generator.refiners
    assert stage.data.width == before.data.width * factor
    assert stage.generator.width == before.generator.width
    assert stage.image_discriminator is not None
    assert stage.image_discriminator.scales == 2 + stage.generator.refiners
