import pytest

from vid2vid.errors import ConfigError


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
