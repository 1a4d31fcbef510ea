import pytest
import torch

from pipelines.build import (
    build_conditioning,
    build_generator,
    build_players,
    palette_for,
)
from vid2vid.errors import ConfigError
from vid2vid.labels.palettes import load_palette
from vid2vid.networks.generator import GeneratorConfig
from vid2vid.networks.pix2pix import UNetConfig


def test_defaults_are_the_official_recipe(tiny_config):
    config = tiny_config("generator={}", "optimizer={}", "losses={}")
    assert (config.generator.width, config.generator.blocks) == (128, 9)
    assert (config.optimizer.learning_rate, config.optimizer.betas) == (2e-4, (0.5, 0.999))
    losses = config.losses
    assert (losses.matching, losses.perceptual, losses.flow, losses.warp) == (10, 10, 10, 10)
    assert config.schedule.backprop_frames > 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            ["video_discriminator.temporal_scales=2"],
            r"2 temporal scales and a window of 3 must have clips of 7 frames; "
            r"the longest of schedule has 4: raise schedule.clip_length_max or lower",
        ),
        (
            ["image_discriminator=null", "video_discriminator=null", "losses.pixel=0"],
            r"losses must compare frames with something",
        ),
        (
            ["losses={perceptual: 0, pixel: 0, image_gan: 0, video_gan: 0, matching: 0}"],
            r"losses must compare frames with something",
        ),
        (
            ["training.batch_size=3", "training.accumulation=2"],
            r"training.batch_size must be a multiple of training.accumulation \(2\); got 3",
        ),
        (
            ["schedule.refine_at=[0.5]"],
            r"schedule.refine_at must have at most one share per refiner \(0\); got \(0.5,\)",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(tiny_config, changes, message):
    with pytest.raises(ConfigError, match=message):
        tiny_config(*changes)


@pytest.mark.parametrize("name", ["a/b", "", "a b"])
def test_a_name_must_be_that_of_a_folder(tiny_config, name):
    with pytest.raises(ConfigError, match="name"):
        tiny_config(f"name='{name}'")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            ["generator={kind: pix2pixHD}"],
            r"generator\.kind must be one of 'sequential', 'pix2pix_unet', 'pix2pix_resnet', "
            r"'pix2pixhd', 'crn', 'encoder_decoder', 'full_resolution', 'fusion', "
            r"'context_encoder', 'srn'; "
            r"got 'pix2pixHD'; did you mean 'pix2pixhd'\?",
        ),
        (
            ["generator={kind: pix2pixhd, enhancer: 1}"],
            r"no setting 'generator\.enhancer'; did you mean 'generator\.enhancers'\?",
        ),
        (
            ["generator={kind: pix2pixhd, encoder: {wdth: 1}}"],
            r"no setting 'generator\.encoder\.wdth'; did you mean 'generator\.encoder\.width'\?",
        ),
        (
            ["generator={kind: pix2pix_resnet, refiners: 1}"],
            r"no setting 'generator\.refiners'; 'generator' has noise, noise_form, position, norm",
        ),
        (
            ["generator={kind: pix2pix_unet, norm: bach}"],
            r"generator\.norm must be 'instance', 'instance_plain', 'batch', 'group' or 'none'; "
            r"got 'bach'; did you",
        ),
        (["generator=5"], r"generator must be a section \(name: value\); got 5"),
        (
            ["generator={width: 12, refiners: 2}", "labels.foreground=[1]"],
            r"generator\.width must be divisible by 8 with 2 refiners and a foreground .* got 12",
        ),
        (
            ["generator={kind: pix2pixhd}", "labels.foreground=[1]"],
            r"painted by a sequential generator; generator\.kind is 'pix2pixhd'",
        ),
        (
            ["generator={kind: pix2pixhd}", "schedule.freeze=0.5"],
            r"fixed under a refiner, an enhancer or a module; the generator has none",
        ),
        (
            ["image_discriminator={padding: 1, scales: 2}"],
            r"image_discriminator\.padding 1 needs frames of at least 48 pixels in height and "
            r"width with 3 layers and 2 scales; data has 16: set image_discriminator\.padding to 2",
        ),
        (
            ["region_discriminator={padding: 1, size: 32, regions: {labels: [1]}}"],
            r"region_discriminator\.padding 1 needs frames of at least 48 .*; its size is 32: set",
        ),
        (
            ["region_discriminator={regions: {parts: [face]}}"],
            r"parts 'face' needs a control of kind landmarks or pose; controls has none",
        ),
    ],
)
def test_generators_of_all_kinds_are_checked(tiny_config, changes, message):
    with pytest.raises(ConfigError, match=message):
        tiny_config(*changes)


def test_a_generator_without_a_kind_is_sequential(tiny_config):
    assert type(tiny_config("generator={width: 8}").generator) is GeneratorConfig
    u_net = tiny_config("generator={kind: pix2pix_unet, downsamplings: 3}").generator
    assert type(u_net) is UNetConfig


def test_small_frames_can_be_judged_with_padding_1(tiny_config):
    small = "image_discriminator={padding: 1, layers: 2, scales: 1, width: 4}"
    judge = build_players(tiny_config(small), load_palette("camvid")).image_discriminator
    channels = next(judge.parameters()).shape[1]
    assert judge(torch.zeros(1, channels, 16, 16))[0][-1].numel() > 0
    pixel = tiny_config("image_discriminator={padding: 1, pixel: true}")
    assert pixel.image_discriminator.pixel


CONTROLS_THAT_DO_NOT_FIT = [
    (["labels=null"], r"labels is null and controls is empty: give labels a section, or name"),
    (["labels=null", "controls=[{kind: boundary}]"], r"boundary alone is no control to paint from"),
    (["labels.pictures=0"], r"no setting 'labels.pictures'; .* \[\{kind: picture, channels: 3\}\]"),
    (
        ["controls=[{kind: densepose}]", "data.flip=true"],
        r"'densepose' cannot be mirrored, .*: set data.flip to false",
    ),
    (
        ["controls=[{kind: flow, stream: flow}]", "data.stride=[1, 2]"],
        r"'flow' holds the flow between neighbours; data.stride is \[1, 2\]: set it to \[1, 1\]",
    ),
    (
        ["controls=[{kind: edges}, {kind: edges}]"],
        r"each control must come from a stream of its own; two are named 'edges'",
    ),
    (["controls=[{kind: picture, stream: labels}]"], r"'labels' is taken by frames, labels, inst"),
    (
        ["controls=[{kind: pose}]", "data={kind: world, height: 32, width: 32}"],
        r"the setting 'controls\[0\].skeleton' is missing",
    ),
    (
        ["controls=[{kind: densepose}]", "data={kind: world, height: 32, width: 32}"],
        r"'densepose' is read from files, and procedural streets have none: leave it out",
    ),
    (["controls=[{kind: edge}]"], r"controls\[0\].kind must be one of 'edges', .*did you mean 'e"),
    (["controls=[{kind: edges, low: 9, high: 3}]"], r"low must not be above high; got 9 and 3"),
    (["controls=[{kind: depth, near: 9, far: 3}]"], r"near must be below far; got 9 and 3"),
    (
        ["labels=null", "controls=[{kind: edges}]", "generator={kind: pix2pixhd, features: 2, "
         "pooling: labels}"],
        r"generator.pooling 'labels' needs labels, which is null: set generator.pooling to inst",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "message"), CONTROLS_THAT_DO_NOT_FIT)
def test_controls_that_do_not_fit_are_refused(tiny_config, changes, message):
    with pytest.raises(ConfigError, match=message):
        tiny_config(*changes)


def test_controls_add_their_channels_to_those_of_the_labels(tiny_config):
    config = tiny_config("controls=[{kind: edges}, {kind: flow}, {kind: pose, skeleton: body_25}]")
    conditioning = build_conditioning(config, palette_for(config))
    assert (conditioning.label_channels, conditioning.channels) == (2, 2 + 1 + 2 + 3)
    assert build_generator(config, palette_for(config)).conditioning_channels == 8


def test_a_control_needs_no_labels(tiny_config):
    config = tiny_config("labels=null", "controls=[{kind: landmarks}]")
    assert palette_for(config) is None
    assert build_conditioning(config, None).channels == 15
    assert config.foreground == ()
    assert not config.needs_instances
