import cv2
import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from vid2vid.controls.config import DepthConfig, EdgesConfig, PictureConfig
from vid2vid.data.augment import Size
from vid2vid.data.batches import StepPlan, clip_batches
from vid2vid.data.clips import ClipDataset, ClipRequest
from vid2vid.data.config import DataConfig, StreamPatterns
from vid2vid.data.layout import find_sequences
from vid2vid.errors import DataError
from vid2vid.labels.files import LabelReader
from vid2vid.labels.palettes import load_palette
from vid2vid.video.reading import read_image

CAMVID = load_palette("camvid")
PICTURE = PictureConfig(stream="sketch")


def write(path, rgb):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), rgb[..., ::-1])


def noise(height, width, *, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def write_halves(path, left, right):
    write(path, np.concatenate([left, right], axis=1))


def colours(ids):
    """A label map in the colours of its palette."""
    table = np.array([each.colour for each in CAMVID.classes], np.uint8)
    return table[ids]


def config(root, **settings):
    base = {"height": 12, "width": 16, "flip": False}
    return DataConfig(root=str(root), **{**base, **settings})


def dataset(root, *, labels=False, controls=(), mixed=True, **settings):
    data = config(root, **settings)
    sequences = find_sequences(
        root,
        data.split,
        data.layout,
        direction=data.direction,
        with_labels=labels,
        controls=controls,
        mixed=mixed,
    )
    reader = LabelReader(CAMVID) if labels else None
    return ClipDataset(sequences, data, reader=reader, controls=controls)


def levels(frames):
    """Turn 't c h w' in [-1, 1] back into pictures 't h w c'."""
    return ((frames + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()


# Side by side


@pytest.mark.parametrize(("direction", "frames"), [("a_to_b", "right"), ("b_to_a", "left")])
def test_one_half_is_the_frame_and_the_other_the_picture(tmp_path, direction, frames):
    halves = {"left": noise(12, 16), "right": noise(12, 16, seed=1)}
    write_halves(tmp_path / "train/a.png", *halves.values())
    clips = dataset(tmp_path, controls=(PICTURE,), layout="side_by_side", direction=direction)
    clip = clips.evaluation_clip(0, 0, 1)
    other = {"left": "right", "right": "left"}[frames]
    assert (levels(clip.frames)[0] == halves[frames]).all()
    assert (levels(clip.pictures)[0] == halves[other]).all()
    assert clips.sequences[0].size == Size(12, 16)


def test_one_half_may_be_a_label_map_in_its_colours(tmp_path):
    ids = np.arange(192).reshape(12, 16) % 11
    write_halves(tmp_path / "train/a.png", colours(ids), noise(12, 16))
    clip = dataset(tmp_path, labels=True, layout="side_by_side").evaluation_clip(0, 0, 1)
    assert (clip.labels[0].numpy() == ids).all()


def test_a_half_in_foreign_colours_is_named(tmp_path):
    write_halves(tmp_path / "train/a.png", noise(12, 16), noise(12, 16))
    clips = dataset(tmp_path, labels=True, layout="side_by_side")
    with pytest.raises(DataError, match=r"the left half of .*a\.png"):
        clips.evaluation_clip(0, 0, 1)


def test_both_halves_are_cut_and_mirrored_alike(tmp_path):
    picture = noise(40, 60)
    write_halves(tmp_path / "train/a.png", picture, picture)
    clips = dataset(
        tmp_path, controls=(PICTURE,), layout="side_by_side", flip=True, scale=(1.0, 1.5)
    )
    drawn = [clips.clip(ClipRequest(1, 0, step, 0)) for step in range(8)]
    assert all((levels(clip.frames) == levels(clip.pictures)).all() for clip in drawn)
    assert len({clip.frames.numpy().tobytes() for clip in drawn}) == 8


def test_frames_alone_need_no_other_half(tmp_path):
    write_halves(tmp_path / "train/a.png", noise(12, 16), noise(12, 16, seed=1))
    clip = dataset(tmp_path, controls=(EdgesConfig(),), layout="side_by_side").evaluation_clip(
        0, 0, 1
    )
    assert (levels(clip.frames)[0] == noise(12, 16, seed=1)).all()


# Pairs


@pytest.mark.parametrize("folders", [("trainA", "trainB"), ("A/train", "B/train")])
@pytest.mark.parametrize("layout", ["auto", "pairs"])
def test_folders_a_and_b_pair_by_name(tmp_path, folders, layout):
    for seed, folder in enumerate(folders):
        write(tmp_path / folder / "x.png", noise(12, 16, seed=seed))
    Image.fromarray(noise(12, 16, seed=2)).save(tmp_path / folders[0] / "y.jpg", quality=95)
    write(tmp_path / folders[1] / "y.png", noise(12, 16, seed=3))
    clips = dataset(tmp_path, controls=(PICTURE,), layout=layout)
    assert [source.path.name for source in clips.sequences[0].frames] == ["x.png", "y.png"]
    clip = clips.evaluation_clip(0, 0, 1)
    assert (levels(clip.frames)[0] == noise(12, 16, seed=1)).all()
    assert (levels(clip.pictures)[0] == noise(12, 16, seed=0)).all()


def test_pairs_go_the_other_way(tmp_path):
    for seed, folder in enumerate(("trainA", "trainB")):
        write(tmp_path / folder / "x.png", noise(12, 16, seed=seed))
    clips = dataset(tmp_path, controls=(PICTURE,), layout="pairs", direction="b_to_a")
    assert (levels(clips.evaluation_clip(0, 0, 1).frames)[0] == noise(12, 16, seed=0)).all()


def test_a_missing_partner_is_named(tmp_path):
    for name in ("x.png", "y.png"):
        write(tmp_path / "trainB" / name, noise(12, 16))
    write(tmp_path / "trainA/x.png", noise(12, 16))
    with pytest.raises(DataError, match=r"1 of 2 are missing in .*trainA, the first is 'y\.png'"):
        dataset(tmp_path, controls=(PICTURE,), layout="pairs")


# Loose pictures of any size


def test_loose_pictures_are_found_where_there_are_no_videos(tmp_path):
    write(tmp_path / "train/a.png", noise(12, 16))
    write(tmp_path / "train/more/b.png", noise(20, 30))
    clips = dataset(tmp_path, controls=(EdgesConfig(),))
    assert [sequence.name for sequence in clips.sequences] == ["train", "more"]


def test_the_pictures_of_each_size_are_a_sequence(tmp_path):
    sizes = {"a": (12, 16), "b": (20, 30), "c": (12, 16)}
    for name, size in sizes.items():
        write(tmp_path / f"trainB/{name}.png", noise(*size))
        write(tmp_path / f"trainA/{name}.png", noise(*size))
    clips = dataset(tmp_path, controls=(PICTURE,), layout="pairs")
    assert [(s.name, s.num_frames, s.size) for s in clips.sequences] == [
        ("train 16x12", 2, (12, 16)),
        ("train 30x20", 1, (20, 30)),
    ]
    assert (
        levels(clips.evaluation_clip(1, 0, 1).pictures)
        == levels(clips.evaluation_clip(1, 0, 1).frames)
    ).all()


def test_clips_of_several_frames_need_one_size(tmp_path):
    for name, size in {"a": (12, 16), "b": (20, 30)}.items():
        write(tmp_path / f"train/{name}.png", noise(*size))
    with pytest.raises(DataError, match="must have one size"):
        dataset(tmp_path, controls=(EdgesConfig(),), mixed=False)


def test_partners_of_another_aspect_are_named_among_many_sizes(tmp_path):
    for folder, second in {"trainA": (20, 20), "trainB": (20, 30)}.items():
        write(tmp_path / folder / "a.png", noise(12, 16))
        write(tmp_path / folder / "b.png", noise(*second))
    message = r"the sketch must have the aspect .*b\.png is 30x20 .*b\.png is 20x20"
    with pytest.raises(DataError, match=message):
        dataset(tmp_path, controls=(PICTURE,), layout="pairs")


# What pix2pix calls preprocessing


def sizes_of(root, count=6, **settings):
    """Where clips are cut from, and their sizes."""
    clips = dataset(root, controls=(EdgesConfig(),), **settings)
    return [tuple(clips.clip(ClipRequest(1, 0, k, 0)).frames.shape[-2:]) for k in range(count)]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"fit": "stretch", "scale": (1.25, 1.25)}, (12, 16)),
        ({"fit": "native"}, (12, 16)),
        ({"fit": "width", "scale": (2.0, 2.0)}, (12, 16)),
        ({"fit": "whole_width"}, (24, 16)),
        ({"fit": "whole"}, (60, 40)),
    ],
)
def test_each_preprocessing_keeps_its_size(tmp_path, settings, expected):
    write(tmp_path / "train/a.png", noise(60, 40))
    assert set(sizes_of(tmp_path, **settings)) == {expected}


def test_a_native_crop_holds_pixels_as_they_are(tmp_path):
    write(tmp_path / "train/a.png", noise(30, 40))
    clips = dataset(tmp_path, controls=(EdgesConfig(),), fit="native")
    cut = levels(clips.evaluation_clip(0, 0, 1).frames)[0]
    assert (cut == read_image(tmp_path / "train/a.png")[9:21, 12:28]).all()


def test_frames_too_small_for_a_fit_are_enlarged(tmp_path):
    write(tmp_path / "train/a.png", noise(6, 40))
    assert set(sizes_of(tmp_path, fit="whole_width")) == {(12, 80)}
    assert set(sizes_of(tmp_path, fit="whole")) == {(12, 80)}
    assert set(sizes_of(tmp_path, fit="native")) == {(12, 16)}


def test_a_batch_has_one_size(tmp_path):
    write(tmp_path / "train/a.png", noise(60, 40))
    write(tmp_path / "train/b.png", noise(60, 50))
    clips = dataset(tmp_path, controls=(EdgesConfig(),), fit="whole")
    assert next(clip_batches(clips, lambda step: StepPlan(1, 1), seed=0)).frames.shape[0] == 1
    with pytest.raises(DataError, match=r"one size; .* is 40x60 .*training.batch_size to 1"):
        list(clip_batches(clips, lambda step: StepPlan(1, 4), seed=0, end_step=20))


# Errors


def test_an_odd_width_has_no_two_halves(tmp_path):
    write(tmp_path / "train/a.png", noise(12, 31))
    with pytest.raises(DataError, match=r"a\.png is 31x12 .* no two equal halves"):
        dataset(tmp_path, layout="side_by_side")


@pytest.mark.parametrize("layout", ["pairs", "side_by_side", "pictures"])
def test_a_layout_that_is_not_there_says_what_it_needs(tmp_path, layout):
    with pytest.raises(DataError, match=f"layout '{layout}' needs"):
        dataset(tmp_path, layout=layout)


def test_folders_without_pictures_are_refused(tmp_path):
    (tmp_path / "trainA").mkdir()
    (tmp_path / "trainB").mkdir()
    with pytest.raises(DataError, match=r"'pairs' needs pictures or videos; found none"):
        dataset(tmp_path, layout="pairs")


@pytest.mark.parametrize("layout", ["pairs", "side_by_side"])
def test_two_sides_hold_no_third(tmp_path, layout):
    with pytest.raises(
        DataError, match=f"'{layout}' has one side beside the frames; labels, sketch"
    ):
        dataset(tmp_path, labels=True, controls=(PICTURE,), layout=layout)


def test_a_half_holds_no_metres(tmp_path):
    with pytest.raises(DataError, match=r"'depth' is of kind depth: set layout to another"):
        dataset(tmp_path, controls=(DepthConfig(),), layout="side_by_side")


def test_pictures_hold_nothing_beside_them(tmp_path):
    with pytest.raises(DataError, match="layout 'pictures' holds photographs alone; sketch must"):
        dataset(tmp_path, controls=(PICTURE,), layout="pictures")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"direction": "b_to_a"}, "direction is for layouts with sides A and B"),
        ({"direction": "b_to_a", "layout": StreamPatterns(frames="a")}, "an object of patterns"),
        ({"fit": "whole", "scale": (1.0, 1.2)}, "fit 'whole' crops nothing: leave scale out"),
        ({"fit": "whole_width", "scale": (1.2, 1.2)}, "fit 'whole_width' crops nothing"),
    ],
)
def test_settings_that_would_do_nothing_are_refused(tmp_path, settings, message):
    with pytest.raises(ValidationError, match=message):
        config(tmp_path, **settings)
