import cv2
import numpy as np
import pytest

from vid2vid.data.augment import (
    Augmentation,
    Colour,
    Crop,
    Size,
    apply_to_frames,
    apply_to_instances,
    apply_to_labels,
    base_size,
    centred,
    resize_frame,
    resize_ids,
    sample_augmentation,
)
from vid2vid.data.config import ColourConfig, DataConfig


def config_of(height=96, width=128, **settings):
    return DataConfig(root="data", height=height, width=width, **settings)


def draw(config, native, *, seed=0):
    return sample_augmentation(np.random.default_rng(seed), config, Size(*native))


def square(size, *, top, left, side):
    ids = np.zeros(size, np.uint8)
    ids[top : top + side, left : left + side] = 1
    return ids


def edges(profile):
    """Where a profile of 0 and 1 crosses 0.5, in pixels, between the samples."""
    rises = np.flatnonzero(np.diff(np.sign(profile - 0.5)))
    return rises + (0.5 - profile[rises]) / (profile[rises + 1] - profile[rises])


@pytest.mark.parametrize("size", [Size(96, 128), Size(90, 120), Size(45, 60), Size(700, 900)])
def test_edges_of_a_resized_square_agree_in_frame_and_label(size):
    ids = square((360, 480), top=107, left=151, side=121)
    frame = resize_frame(np.repeat(ids[..., None] * 255, 3, axis=2), size)[..., 0] / 255
    label = resize_ids(ids, size).astype(float)
    row, column = size.height * 160 // 360, size.width * 200 // 480
    for line in (np.s_[row], np.s_[:, column]):
        assert len(edges(frame[line])) == 2
        # Nearest neighbour errs by half a pixel, 8 bits by little.
        assert np.abs(edges(frame[line]) - edges(label[line])).max() <= 0.51


def test_mean_offset_between_frame_and_label_edges_is_zero():
    offsets = []
    for left in range(40, 120):
        ids = square((8, 480), top=0, left=left, side=200)
        frame = (
            resize_frame(np.repeat(ids[..., None] * 255, 3, axis=2), Size(8, 130))[4, :, 0] / 255
        )
        offsets.append(edges(frame) - edges(resize_ids(ids, Size(8, 130))[4].astype(float)))
    assert abs(np.mean(offsets)) < 0.05


def test_resized_labels_hold_no_new_ids():
    ids = np.random.default_rng(0).choice(np.uint8([0, 7, 255]), (36, 48))
    for size in (Size(10, 17), Size(70, 100)):
        assert set(np.unique(resize_ids(ids, size))) == {0, 7, 255}


def test_instance_ids_beyond_16_bits_survive():
    ids = np.full((36, 48), 70_000, np.int32)
    augmentation = draw(config_of(12, 16), (36, 48))
    resized = apply_to_instances([ids], augmentation)
    assert resized.dtype == np.int32
    assert (resized == 70_000).all()


def test_a_shrunk_frame_takes_the_mean_of_what_it_covers():
    frame = np.zeros((4, 4, 3), np.uint8)
    frame[::2] = 200
    assert (resize_frame(frame, Size(2, 2)) == 100).all()


def test_one_axis_may_shrink_while_the_other_grows():
    frame = np.tile(np.uint8([[[0]], [[200]]]), (4, 4, 3))
    resized = resize_frame(frame, Size(4, 16))
    assert resized.shape == (4, 16, 3)
    assert (resized == 100).all()


def test_base_size_covers_the_training_size_in_the_frame_aspect():
    assert base_size(config_of(96, 128), Size(360, 480)) == (96, 128)
    assert base_size(config_of(96, 96), Size(360, 480)) == (96, 128)
    assert base_size(config_of(96, 128), Size(800, 1280)) == (96, 154)


def test_stretch_scales_each_axis_by_itself():
    assert base_size(config_of(96, 96, fit="stretch"), Size(360, 480)) == (96, 96)
    wider = config_of(96, 96, fit="stretch", scale=(1.0, 1.5))
    assert base_size(wider, Size(360, 480)) == (144, 144)


def test_base_size_is_the_largest_that_is_ever_cut_from():
    config = config_of(scale=(1.0, 1.3))
    largest = base_size(config, Size(360, 480))
    sizes = [draw(config, (360, 480), seed=seed).size for seed in range(200)]
    assert max(size.height for size in sizes) <= largest.height == 125
    assert min(size.height for size in sizes) >= 96
    assert len(set(sizes)) > 10


def test_random_crops_reach_both_sides_and_stay_inside():
    lefts = [draw(config_of(96, 96), (360, 480), seed=seed).crop.left for seed in range(500)]
    assert (min(lefts), max(lefts)) == (0, 32)


def test_half_of_the_clips_are_mirrored_unless_flip_is_off():
    flips = [draw(config_of(), (360, 480), seed=seed).flip for seed in range(400)]
    assert 160 < sum(flips) < 240
    assert not any(draw(config_of(flip=False), (9, 9), seed=seed).flip for seed in range(20))


def test_one_option_does_not_move_the_draws_of_another():
    plain = draw(config_of(96, 96), (360, 480))
    other = draw(config_of(96, 96, flip=False, colour=ColourConfig(contrast=0.2)), (360, 480))
    assert plain.crop == other.crop
    assert plain.colour == Colour()
    assert other.colour != Colour()


def test_centred_keeps_the_middle_unmirrored():
    augmentation = centred(config_of(96, 96, scale=(1.2, 1.5)), Size(360, 480))
    keep = Size(96, 96)
    assert augmentation == Augmentation(Size(96, 128), Crop(0, 16), keep, False, Colour())


def test_frames_labels_and_instances_are_cut_alike():
    ids = np.arange(36 * 48, dtype=np.int32).reshape(36, 48) % 251
    augmentation = Augmentation(Size(36, 48), Crop(5, 7), Size(12, 16), True, Colour())
    wanted = ids[5:17, 7:23][:, ::-1]
    frames = apply_to_frames([np.repeat(ids[..., None], 3, axis=2).astype(np.uint8)], augmentation)
    assert np.array_equal(apply_to_labels([ids.astype(np.uint8)], augmentation)[0], wanted)
    assert np.array_equal(apply_to_instances([ids], augmentation)[0], wanted)
    np.testing.assert_allclose(frames[0, 1], wanted / 127.5 - 1, atol=1e-6)


def test_frames_reach_from_minus_one_to_one():
    pictures = [np.full((4, 4, 3), level, np.uint8) for level in (0, 255)]
    frames = apply_to_frames(pictures, centred(config_of(4, 4), Size(4, 4)))
    assert frames.dtype == np.float32
    assert (frames[0] == -1).all()
    np.testing.assert_allclose(frames[1], 1, atol=1e-6)


def recoloured(pictures, colour):
    size = Size(*pictures[0].shape[:2])
    return apply_to_frames(pictures, Augmentation(size, Crop(0, 0), size, False, colour))


def test_brightness_multiplies_the_light():
    frames = recoloured([np.full((2, 2, 3), 100, np.uint8)], Colour(brightness=1.5))
    np.testing.assert_allclose(frames, 150 / 127.5 - 1, atol=1e-5)


def test_contrast_is_about_the_mean_of_the_whole_clip():
    dark, light = (np.full((2, 2, 3), level, np.uint8) for level in (80, 120))
    frames = recoloured([dark, light], Colour(contrast=0.5))
    np.testing.assert_allclose((frames[:, 0, 0, 0] + 1) * 127.5, [90, 110], atol=1e-3)


def test_no_saturation_leaves_the_grey_of_opencv():
    picture = np.random.default_rng(0).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    frames = (recoloured([picture], Colour(saturation=0.0))[0] + 1) * 127.5
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    assert np.abs(frames - grey).max() <= 0.51


def test_recoloured_frames_stay_in_range():
    picture = np.random.default_rng(0).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    frames = recoloured([picture], Colour(1.9, 1.9, 1.9))
    assert frames.dtype == np.float32
    assert (frames.min(), frames.max()) == (-1.0, 1.0)


def test_colour_strength_bounds_the_factors():
    config = config_of(colour=ColourConfig(brightness=0.2, saturation=0.1))
    colours = np.array([draw(config, (9, 9), seed=seed).colour for seed in range(300)])
    assert (np.abs(colours - 1).max(axis=0) <= [0.2, 0.0, 0.1]).all()
    assert (np.abs(colours - 1).max(axis=0) > [0.19, -1.0, 0.095]).all()
