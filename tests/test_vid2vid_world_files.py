"""Worlds in files."""

import json

import cv2
import numpy as np
import pytest

from vid2vid.errors import VideoError
from vid2vid.labels.maps import colours_to_ids
from vid2vid.labels.palettes import load_palette
from vid2vid.video.reading import read_video
from vid2vid.world.files import STREAMS, WorldWriter
from vid2vid.world.render import Renderer, World

SIZE = (32, 48)


@pytest.fixture(scope="module")
def rendered():
    renderer = Renderer([World(0, 0)], SIZE, offsets=(-1,))
    return [renderer.render(frame) for frame in range(2)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, rendered):
    writer = WorldWriter(tmp_path_factory.mktemp("worlds") / "one", SIZE)
    for frame, one in enumerate(rendered):
        writer.write(frame, one)
    return writer.close()


def picture(path):
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def test_every_stream_has_a_file_for_every_frame_but_the_first_has_no_flow(folder):
    for stream in STREAMS:
        names = sorted(path.stem for path in (folder / stream).iterdir())
        assert names == (["000001"] if stream == "flow" else ["000000", "000001"])
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [*STREAMS, "camera.json", "labels.mp4"]
    )


def test_files_hold_what_was_rendered(folder, rendered):
    one = rendered[1]
    frame = picture(folder / "frames" / "000001.png")[..., ::-1]
    expected = ((one.frames[0] + 1) * 127.5).round().permute(1, 2, 0).numpy()
    assert (frame == expected).all()
    labels, instances = (picture(folder / s / "000001.png") for s in ("labels", "instances"))
    assert labels.dtype == np.uint8
    assert (labels == one.labels[0].numpy()).all()
    assert instances.dtype == np.uint16
    assert (instances == one.instances[0].numpy()).all()
    flow, depth, surface = (
        np.load(folder / s / "000001.npy") for s in ("flow", "depth", "surface")
    )
    assert flow.dtype == depth.dtype == np.float32
    assert flow.shape == (2, *SIZE)
    assert (flow == one.motion(-1).flow[0].numpy()).all()
    assert (depth == one.depth[0].numpy()).all()
    assert surface.dtype == np.int64
    assert (surface == one.surface[0].numpy()).all()


def test_occlusion_is_white_where_a_point_was_not_visible(folder, rendered):
    assert (picture(folder / "occlusion" / "000000.png") == 255).all()
    hidden = picture(folder / "occlusion" / "000001.png")
    assert set(np.unique(hidden)) == {0, 255}
    assert ((hidden == 255) == rendered[1].motion(-1).occlusion[0, 0].numpy()).all()


def test_the_label_video_can_be_read_back(folder, rendered):
    palette = load_palette("cityscapes")
    frames = [colours_to_ids(f.rgb, palette) for f in read_video(folder / "labels.mp4")]
    assert len(frames) == 2
    for read, one in zip(frames, rendered, strict=True):
        assert read.exact
        labels = one.labels[0].numpy()
        same = read.ids == labels
        assert same[~np.isin(labels, (17, 18))].all()


def test_cameras_project_as_the_frames_were_rendered(folder, rendered):
    camera = json.loads((folder / "camera.json").read_text())
    assert (camera["height"], camera["width"]) == SIZE
    assert [one["frame"] for one in camera["frames"]] == [0, 1]
    pose = np.array(camera["frames"][1]["camera_to_world"])
    assert np.allclose(pose[:3, 3], rendered[1].cameras[0].centre)
    assert np.allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3))
    assert camera["fx"] == rendered[0].cameras[0].focal_px
    assert (camera["cx"], camera["cy"]) == ((48 - 1) / 2, (32 - 1) / 2)


def test_an_end_before_its_time_leaves_whole_files(tmp_path, rendered):
    writer = WorldWriter(tmp_path / "world", SIZE)
    writer.write(4, rendered[1])
    writer.abort()
    assert not list((tmp_path / "world").rglob(".*"))
    assert (tmp_path / "world" / "labels.partial.mp4").is_file()
    assert (tmp_path / "world" / "flow" / "000004.npy").is_file()
    cameras = json.loads((tmp_path / "world" / "camera.json").read_text())
    assert cameras["frames"][0]["frame"] == 4


def test_an_end_before_the_first_frame_leaves_nothing_to_read(tmp_path):
    writer = WorldWriter(tmp_path / "world", SIZE)
    writer.abort()
    assert not [path for path in (tmp_path / "world").rglob("*") if path.is_file()]


def test_a_folder_with_files_is_refused(tmp_path):
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(VideoError, match=r"must be new or empty; .* holds files"):
        WorldWriter(tmp_path, SIZE)
    with pytest.raises(VideoError, match=r"note\.txt is a file"):
        WorldWriter(tmp_path / "note.txt", SIZE)


def test_a_place_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(VideoError, match="its folders could not be"):
        WorldWriter(tmp_path / "file" / "world", SIZE)


def test_a_file_that_cannot_be_written_is_named(tmp_path, rendered):
    writer = WorldWriter(tmp_path / "world", SIZE)
    (tmp_path / "world" / "depth").rmdir()
    with pytest.raises(VideoError, match=r"depth/000000\.npy could not be"):
        writer.write(0, rendered[0])
    writer.abort()
