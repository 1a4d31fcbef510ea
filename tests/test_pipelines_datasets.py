import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from tiny_runs import tiny_config as plain_config

from pipelines.build import load_generation, palette_for
from pipelines.datasets import build_dataset, flow_strides, needs_flow
from pipelines.holdout import open_holdout
from pipelines.train import TrainOptions, train
from vid2vid.errors import ConfigError
from vid2vid.world.clips import WorldClips

NO_MOTION = "losses={perceptual: 0, flow: 0, warp: 0, generated_warp: 0, video_gan: 0, matching: 0}"
WORLD = {"kind": "world", "height": 32, "width": 48, "worlds": 2, "num_frames": 20}


def dataset_of(config):
    return build_dataset(config, palette_for(config), device=torch.device("cpu"))


@pytest.mark.parametrize(
    ("changes", "needed"),
    [
        ((), True),
        ((NO_MOTION,), False),
        ((NO_MOTION, "losses.flow=1"), True),
        ((NO_MOTION, "losses.flow=1", "generator.flow=false"), False),
        ((NO_MOTION, "losses.generated_warp=1", "generator.flow=false"), True),
        ((NO_MOTION, "losses.video_gan=1"), True),
        ((NO_MOTION, "losses.matching=1", "video_discriminator=null"), False),
    ],
)
def test_reference_flow_is_estimated_only_for_terms_that_use_it(tiny_config, changes, needed):
    config = tiny_config(*changes)
    assert needs_flow(config) == needed
    clip = dataset_of(config).evaluation_clip(0, start=0, length=4)
    assert bool(clip.references) == needed


def test_coarse_temporal_scales_cost_no_flow_where_they_are_not_made(tiny_config):
    changes = ("video_discriminator.temporal_scales=2", "schedule.clip_length_max=7")
    assert flow_strides(tiny_config(*changes, "losses.video_gan=0", "losses.matching=0")) == (1,)


def test_boxes_of_labels_are_those_of_instances_where_there_are_any(tiny_config):
    for folder in Path(tiny_config().data.root).glob("train/*"):
        shutil.copytree(folder / "labels", folder / "instances")
    regions = "region_discriminator={regions: {labels: [1]}, width: 4, layers: 1, scales: 1}"
    with_regions = dataset_of(tiny_config(regions))
    assert with_regions.evaluation_clip(0, start=0, length=2).instances is not None
    assert dataset_of(tiny_config()).evaluation_clip(0, start=0, length=2).instances is None


def test_missing_data_is_asked_for(tiny_config):
    config = tiny_config("data.root=/nowhere", "fetch='fetch CamVid and unpack it to data/camvid'")
    with pytest.raises(
        ConfigError, match=r"there is no /nowhere\. fetch CamVid .* data.root=FOLDER"
    ):
        dataset_of(config)


def test_instance_boundaries_need_instance_maps(tiny_config):
    config = tiny_config("labels.boundary=instances")
    with pytest.raises(
        ConfigError, match=r"labels.boundary 'instances' needs instance maps; .*data"
    ):
        dataset_of(config)


def world_config(**sections):
    small = {"width": 4, "layers": 1, "scales": 1}
    return plain_config(
        **{
            "data": WORLD,
            "labels": {"palette": "cityscapes", "boundary": "instances"},
            "image_discriminator": small,
            "video_discriminator": {**small, "temporal_scales": 2},
            "schedule": {"steps": 2, "clip_length": 8},
            **sections,
        }
    )


def test_procedural_streets_carry_the_flow_that_the_terms_need():
    dataset = dataset_of(world_config())
    assert isinstance(dataset, WorldClips)
    clip = dataset.evaluation_clip(0, start=0, length=5)
    assert [len(reference.flow) for reference in clip.references] == [4, 2]
    none = {
        "perceptual": 0,
        "flow": 0,
        "warp": 0,
        "generated_warp": 0,
        "video_gan": 0,
        "matching": 0,
    }
    assert dataset_of(world_config(losses=none)).evaluation_clip(0, 0, 2).references == ()


def test_procedural_streets_have_the_ids_of_cityscapes():
    with pytest.raises(ConfigError, match=r"labels.palette is 'camvid': set it to cityscapes"):
        dataset_of(world_config(labels={"palette": "camvid"}))


def test_a_run_on_procedural_streets_trains_resumes_and_has_nothing_held_out(tmp_path):
    path = tmp_path / "street.yaml"
    path.write_text(world_config().model_dump_json())
    output = f"training.output={tmp_path}"
    done = train(str(path), TrainOptions((output, "schedule.steps=2")))
    assert done.step == 2
    assert (done.folder / "model.safetensors").is_file()
    with pytest.raises(ValueError, match=r"data.frame_range must end before the sequence does"):
        open_holdout(load_generation(done.folder, torch.device("cpu")))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({**WORLD, "world": 2}, "data.world"),
        ({**WORLD, "wurlds": 2}, "data.wurlds"),
        ({**WORLD, "kind": "street"}, "data"),
    ],
)
def test_a_wrong_setting_of_the_streets_is_named(tmp_path, data, message):
    path = tmp_path / "street.yaml"
    path.write_text(json.dumps({**world_config().model_dump(mode="json"), "data": data}))
    with pytest.raises(ConfigError, match=message):
        train(str(path), TrainOptions(()))


def test_controls_of_a_street_need_no_palette_and_no_files():
    controls = [{"kind": "depth"}, {"kind": "flow"}]
    config = plain_config(data=WORLD, labels=None, controls=controls)
    clip = dataset_of(config).evaluation_clip(0, 0, 3)
    assert clip.pictures.shape == (3, 3, 32, 48)


def test_a_boundary_without_instance_maps_says_what_to_do(tiny_config):
    config = tiny_config("controls=[{kind: edges}, {kind: boundary}]")
    with pytest.raises(ConfigError, match=r"control 'boundary' needs instance maps; .*leave it"):
        dataset_of(config)


def test_labels_and_controls_come_together(tiny_config):
    config = tiny_config("controls=[{kind: edges}]")
    clip = dataset_of(config).evaluation_clip(0, 0, 3)
    assert clip.labels.shape == (3, *clip.pictures.shape[2:])
    assert clip.pictures.shape[1] == 1


@pytest.mark.parametrize("control", ["{kind: picture, stream: A, channels: 1}", "{kind: edges}"])
def test_a_network_on_pictures_can_be_trained(tiny_file, tmp_path, control):
    rng = np.random.default_rng(0)
    for folder in ("train_A/x", "train_B/x"):
        (tmp_path / "pairs" / folder).mkdir(parents=True)
        for index in range(6):
            picture = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
            cv2.imwrite(str(tmp_path / "pairs" / folder / f"{index}.png"), picture)
    settings = [f"data={{root: {tmp_path / 'pairs'}, height: 16, width: 16}}", "labels=null"]
    settings += [f"controls=[{control}]", "generator={kind: pix2pix_unet, width: 2}"]
    settings += ["generator.downsamplings=3", "schedule.steps=2"]
    settings += ["video_discriminator=null"]
    folder = train(tiny_file, TrainOptions(settings, device="cpu")).folder
    generation = load_generation(folder, torch.device("cpu"))
    assert (generation.step, generation.conditioning.channels) == (2, 1)
    assert (folder / "previews" / "000002.png").is_file()
