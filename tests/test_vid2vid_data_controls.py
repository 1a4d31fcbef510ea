"""Clips with controls: where their streams lie, how they are paired, what clips hold."""

import json
import pickle
from fractions import Fraction

import cv2
import numpy as np
import pytest
import torch

from vid2vid.controls.config import (
    DensePoseConfig,
    DepthConfig,
    EdgesConfig,
    FlowControlConfig,
    LandmarksConfig,
    PictureConfig,
    PoseConfig,
)
from vid2vid.controls.derived import derive
from vid2vid.data.clips import ClipDataset, ClipRequest, collate
from vid2vid.data.config import DataConfig, StreamPatterns
from vid2vid.data.layout import find_sequences
from vid2vid.data.pairing import Source
from vid2vid.data.store import FrameStore
from vid2vid.errors import DataError, VideoError
from vid2vid.video.writing import open_writer

POSE = PoseConfig(skeleton="body_25b")


def write_pictures(folder, count=4, *, size=(16, 24), first=0):
    """Write frames whose columns tell where a pixel came from."""
    folder.mkdir(parents=True)
    for index in range(count):
        ramp = np.linspace(0, 200, size[1])[None].repeat(size[0], 0) + 10 * index
        cv2.imwrite(str(folder / f"{first + index:03d}.png"), ramp.astype(np.uint8))


def write_video(path, count=4, *, size=(16, 24)):
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = open_writer(path, width=size[1], height=size[0], rate=Fraction(25), lossless=True)
    for index in range(count):
        rgb = np.full((*size, 3), 40 * index, np.uint8)
        rgb[4:8, 3 * index : 3 * index + 5] = 255
        writer.write(rgb, Fraction(index, 25))
    writer.close()


def write_poses(folder, count=4, *, name="{:03d}.json"):
    folder.mkdir(parents=True)
    for index in range(count):
        points = [8, 8, 1, 16, 8, 1, *[0] * 69]  # nose and left eye
        person = json.dumps({"people": [{"pose_keypoints_2d": points}]})
        (folder / name.format(index)).write_text(person)


def config(root, **settings):
    return DataConfig(root=str(root), height=16, width=24, flip=False, **settings)


def open_clips(root, *controls, **settings):
    data = config(root, **settings)
    sequences = find_sequences(root, "train", data.layout, with_labels=False, controls=controls)
    return ClipDataset(sequences, data, reader=None, controls=controls)


# Layouts


def test_streams_lie_beside_the_frames_of_a_sequence(tmp_path):
    for stream in ("frames", "depth", "sketch"):
        write_pictures(tmp_path / "train/street" / stream)
    controls = (DepthConfig(), PictureConfig(stream="sketch"), EdgesConfig())
    (sequence,) = find_sequences(tmp_path, "train", with_labels=False, controls=controls)
    assert sequence.labels is None
    assert set(sequence.controls) == {"depth", "sketch"}
    assert sequence.controls["sketch"][2].path.name == "002.png"


@pytest.mark.parametrize(
    ("frames", "stream", "control"),
    [
        ("train_img/x", "train_openpose/x", POSE),
        ("train_img/x", "train_densepose/x", DensePoseConfig()),
        ("train_B/x", "train_A/x", PictureConfig(stream="A")),
    ],
)
def test_the_official_layouts_are_known(tmp_path, frames, stream, control):
    write_pictures(tmp_path / frames)
    write = write_poses if control is POSE else write_pictures
    write(tmp_path / stream)
    (sequence,) = find_sequences(tmp_path, "train", with_labels=False, controls=(control,))
    assert (sequence.name, len(sequence.controls[control.stream])) == ("x", 4)


def test_the_official_layout_of_faces_is_known(tmp_path):
    write_pictures(tmp_path / "train_img/x", 1)
    folder = tmp_path / "train_keypoints/x"
    folder.mkdir(parents=True)
    (folder / "000.txt").write_text("\n".join(f"{i},{i}" for i in range(68)))
    controls = (LandmarksConfig(),)
    (sequence,) = find_sequences(tmp_path, "train", with_labels=False, controls=controls)
    assert sequence.controls["keypoints"][0].path.suffix == ".txt"


def test_patterns_name_every_stream(tmp_path):
    write_video(tmp_path / "videos/cam01.mkv")
    write_poses(tmp_path / "poses/cam01", name="{:012d}_keypoints.json")
    layout = StreamPatterns(frames="videos/{sequence}", controls={"openpose": "poses/{sequence}"})
    (sequence,) = find_sequences(tmp_path, "train", layout, with_labels=False, controls=(POSE,))
    assert sequence.controls["openpose"][3].path.name == "000000000003_keypoints.json"
    with pytest.raises(
        DataError, match="layout must say where 'depth' lies; it has patterns of op"
    ):
        find_sequences(tmp_path, "train", layout, with_labels=False, controls=(DepthConfig(),))
    with pytest.raises(DataError, match="layout must say where 'labels' lies"):
        find_sequences(tmp_path, "train", layout, controls=(POSE,))


def test_patterns_of_controls_hold_the_sequence_too():
    with pytest.raises(ValueError, match=r"\{sequence\} must be in all patterns or in none"):
        StreamPatterns(frames="videos/{sequence}", controls={"openpose": "poses"})


@pytest.mark.parametrize("below", ["", "train"])
def test_videos_alone_are_sequences(tmp_path, below):
    write_video(tmp_path / below / "one.mkv")
    write_video(tmp_path / below / "far/two.mkv", 3)
    (tmp_path / "notes.txt").write_text("no video")
    found = find_sequences(tmp_path, "train", with_labels=False, controls=(EdgesConfig(),))
    assert [(each.name, each.num_frames) for each in found] == [("far/two", 3), ("one", 4)]
    assert find_sequences(tmp_path, "train", "videos", with_labels=False)[1].name == "one"


def test_videos_alone_hold_no_labels(tmp_path):
    write_video(tmp_path / "one.mkv")
    with pytest.raises(
        DataError, match="layout 'videos' holds photographs alone; labels, depth mu"
    ):
        find_sequences(tmp_path, "train", "videos", controls=(DepthConfig(),))
    with pytest.raises(DataError, match=r"looked for train/<sequence>/frames with depth .*train_d"):
        find_sequences(tmp_path, "train", with_labels=False, controls=(DepthConfig(),))


def test_a_folder_without_videos_says_so(tmp_path):
    with pytest.raises(DataError, match="layout 'videos' needs video files; found none below"):
        find_sequences(tmp_path, "train", with_labels=False)


def test_a_missing_stream_is_named(tmp_path):
    write_pictures(tmp_path / "train/street/frames")
    with pytest.raises(DataError, match=r"needs its openpose; there is no folder .*/openpose: add"):
        find_sequences(tmp_path, "train", "folders", with_labels=False, controls=(POSE,))
    (tmp_path / "train/street/openpose").mkdir()
    with pytest.raises(VideoError, match=r"one file a frame \(.json\) was needed; .* has none"):
        find_sequences(tmp_path, "train", "folders", with_labels=False, controls=(POSE,))


def test_a_missing_file_of_a_stream_is_named(tmp_path):
    write_pictures(tmp_path / "train/street/frames")
    write_poses(tmp_path / "train/street/openpose", 3)
    with pytest.raises(DataError, match=r"1 of 4 are missing in .*, the first is '003.json'"):
        find_sequences(tmp_path, "train", with_labels=False, controls=(POSE,))


def test_values_are_not_read_from_video(tmp_path):
    write_pictures(tmp_path / "train/street/frames")
    write_video(tmp_path / "train/street/densepose.mkv")
    with pytest.raises(DataError, match=r"'densepose' must be files .* one a frame; .* is a video"):
        find_sequences(tmp_path, "train", with_labels=False, controls=(DensePoseConfig(),))


def test_a_flow_may_begin_at_the_second_frame(tmp_path):
    control = FlowControlConfig(stream="flow")
    for name, frames in (("a", "pictures"), ("b", "video")):
        base = tmp_path / "train" / name
        write_pictures(base / "frames") if frames == "pictures" else write_video(
            base / "frames.mkv"
        )
        (base / "flow").mkdir()
        for index in range(1, 4):
            np.save(base / f"flow/{index:03d}.npy", np.zeros((2, 16, 24), np.float32))
    for sequence in find_sequences(tmp_path, "train", with_labels=False, controls=(control,)):
        assert sequence.controls["flow"][0] is None
        assert sequence.controls["flow"][1].path.name == "001.npy"


# Clips


def test_edges_of_plain_video_are_those_of_the_frames_as_they_are_painted(tmp_path):
    write_video(tmp_path / "one.mkv", 5)
    colour = {"brightness": 0.3, "contrast": 0.3}
    dataset = open_clips(tmp_path, EdgesConfig(), colour=colour, scale=(1.2, 1.5))
    clip = dataset.clip(ClipRequest(3, 0, 1, 0))
    assert clip.labels is None
    assert clip.pictures.shape == (3, 1, 16, 24)
    assert (clip.pictures == 1).any()
    assert torch.equal(clip.pictures, derive(EdgesConfig(), clip.frames))


def test_clips_of_a_run_are_the_same_again_and_in_other_processes(tmp_path):
    write_pictures(tmp_path / "train/x/frames", 8)
    write_poses(tmp_path / "train/x/openpose", 8)
    control = POSE.model_copy(update={"drop": 0.5})
    dataset = open_clips(tmp_path, control, EdgesConfig())
    other = pickle.loads(pickle.dumps(dataset))
    clips = [dataset.clip(ClipRequest(3, 0, step, 0)) for step in range(8)]
    again = [other.clip(ClipRequest(3, 0, step, 0)) for step in range(8)]
    for one, two in zip(clips, again, strict=True):
        assert torch.equal(one.pictures, two.pictures)
    drawn = [bool((clip.pictures[:, :3] > -1).any()) for clip in clips]
    assert set(drawn) == {True, False}
    whole = dataset.evaluation_clip(0, 0, 8)
    assert (whole.pictures[:, :3] > -1).flatten(1).any(dim=1).all()


def test_drops_do_not_move_other_draws(tmp_path):
    write_pictures(tmp_path / "train/x/frames", 12)
    write_poses(tmp_path / "train/x/openpose", 12)
    plain = open_clips(tmp_path, EdgesConfig(), scale=(1, 2))
    drawn = open_clips(tmp_path, EdgesConfig(), POSE, scale=(1, 2))
    for step in range(4):
        one, two = (each.clip(ClipRequest(2, 0, step, 0)) for each in (plain, drawn))
        assert one.start == two.start
        assert torch.equal(one.frames, two.frames)


def test_stored_streams_are_cut_with_the_frames(tmp_path):
    write_pictures(tmp_path / "train/x/frames", size=(32, 48))
    write_pictures(tmp_path / "train/x/pictures", size=(32, 48))
    control = PictureConfig(channels=1)
    data = config(tmp_path, scale=(1.0, 1.5)).model_copy(update={"flip": True})
    sequences = find_sequences(tmp_path, "train", with_labels=False, controls=(control,))
    dataset = ClipDataset(sequences, data, reader=None, controls=(control,))
    for step in range(6):
        clip = dataset.clip(ClipRequest(2, 0, step, 0))
        assert (clip.pictures[:, 0] - clip.frames[:, 0]).abs().max() < 0.02


def test_frames_that_are_ranged_keep_their_partners(tmp_path):
    write_pictures(tmp_path / "train/x/frames", 6)
    write_poses(tmp_path / "train/x/openpose", 6)
    (sequence,) = find_sequences(
        tmp_path, "train", frame_range=(2, 5), with_labels=False, controls=(POSE,)
    )
    assert [each.path.stem for each in sequence.controls["openpose"]] == ["002", "003", "004"]


def test_a_batch_has_pictures_of_all_clips_or_none(tmp_path):
    write_pictures(tmp_path / "train/x/frames")
    dataset = open_clips(tmp_path, EdgesConfig())
    clips = [dataset.clip(ClipRequest(2, 0, step, 0)) for step in range(2)]
    assert collate(clips).pictures.shape == (2, 2, 1, 16, 24)
    assert collate(clips).labels is None
    with pytest.raises(ValueError, match="all clips of a batch have pictures or none; 1 of 2 do"):
        collate([clips[0], clips[1]._replace(pictures=None)])


def test_stored_pictures_are_kept_in_the_cache(tmp_path):
    write_pictures(tmp_path / "train/x/frames")
    write_pictures(tmp_path / "train/x/pictures")
    dataset = open_clips(tmp_path, PictureConfig())
    before = dataset.evaluation_clip(0, 0, 4).pictures
    for file in (tmp_path / "train/x/pictures").iterdir():
        file.write_bytes(b"gone")
    assert torch.equal(dataset.evaluation_clip(0, 0, 4).pictures, before)


def test_a_store_without_a_reader_has_no_labels(tmp_path):
    write_pictures(tmp_path / "labels", 1)
    with pytest.raises(ValueError, match="label maps need a reader; the store was made without"):
        FrameStore(None, max_bytes=0).labels([Source(tmp_path / "labels/000.png", None)], (16, 24))
