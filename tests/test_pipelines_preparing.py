import json
from fractions import Fraction

import cv2
import numpy as np
import pytest
import torch
import yaml
from broken_data import HEIGHT, WIDTH, texture, write
from PIL import Image

from flow.estimators import DIS
from pipelines.checking.check import check
from pipelines.cli.app import main
from pipelines.config.file import read_config
from pipelines.config.run import RunConfig
from pipelines.preparing.options import PrepareOptions, parse_controls
from pipelines.preparing.prepare import prepare
from pipelines.train import TrainOptions, train
from vid2vid.errors import CheckpointError, ConfigError, DataError, VideoError
from vid2vid.labels.palettes import load_palette
from vid2vid.metrics.edges import canny_edges
from vid2vid.networks.segmenter import Segmenter, SegmenterConfig
from vid2vid.video.levels import from_levels
from vid2vid.video.reading import read_video
from vid2vid.video.writing import open_writer
from vid2vid.weights.segmenter import save_segmenter


def write_film(path, *shots, **options):
    """Write a lossless video of shots of moving texture, each given by its number of frames."""
    frames = [f for seed, count in enumerate(shots) for f in texture(seed, count=count)]
    writer = open_writer(path, width=WIDTH, height=HEIGHT, rate=Fraction(25), **options)
    for index, frame in enumerate(frames):
        writer.write(frame, Fraction(index, 25))
    writer.close()
    return path


@pytest.fixture
def film(tmp_path):
    """Two shots, of 12 and 40 frames."""
    return write_film(tmp_path / "film.mkv", 12, 40, codec="ffv1")


@pytest.fixture
def segmenter(tmp_path):
    torch.manual_seed(0)
    network = Segmenter(SegmenterConfig(num_classes=11, widths=(8, 16, 16)))
    path = tmp_path / "tiny.safetensors"
    save_segmenter(path, network, palette=load_palette("camvid"), score={})
    return path


def run(*arguments):
    """Run a command in-process; return its status."""
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    return left.value.code or 0


def frames_of(place):
    return [frame.rgb for frame in read_video(place)]


def asked(film, out, *controls, **options):
    return PrepareOptions((film,), out, controls or ("edges",), **options)


def test_a_film_becomes_a_data_set_that_passes_the_check_and_trains(film, segmenter, tmp_path):
    out = tmp_path / "out"
    names = "edges,grey,flow,labels"
    assert run("prepare", film, out, "--control", names, "--segmenter", segmenter) == 0
    assert not check(str(out)).problems
    small = ("generator.width=4", "image_discriminator.width=4", "video_discriminator.width=4")
    settings = (
        *small,
        "schedule.steps=2",
        "training.precision=float32",
        "training.preview_frames=2",
    )
    options = TrainOptions((*settings, f"training.output={tmp_path / 'runs'}"), device="cpu")
    assert train(out / "config.yaml", options).step == 2


def test_each_shot_is_a_sequence_of_the_very_frames_and_its_end_is_held_out(film, tmp_path):
    out = prepare(asked(film, tmp_path / "out")).folder
    source = frames_of(film)
    for place, part in {
        "train/film_00": slice(0, 12),
        "train/film_01": slice(12, 44),
        "val/film_01": slice(44, 52),
    }.items():
        np.testing.assert_array_equal(frames_of(out / place / "frames.mkv"), source[part])


def test_streams_are_what_training_would_find_in_the_frames(film, segmenter, tmp_path):
    options = asked(film, tmp_path / "out", "edges", "grey", "flow", "labels", segmenter=segmenter)
    folder = prepare(options).folder / "train" / "film_00"
    frames = [from_levels(torch.from_numpy(rgb)) for rgb in frames_of(folder / "frames.mkv")]
    edges = np.asarray(Image.open(folder / "edges" / "000003.png"))
    np.testing.assert_array_equal(
        edges, canny_edges(frames[3], low=50, high=100, blur_sigma=1) * 255
    )
    light = 0.299 * frames[3][0] + 0.587 * frames[3][1] + 0.114 * frames[3][2]
    grey = np.asarray(Image.open(folder / "grey" / "000003.png"))
    assert np.abs(grey - (light.numpy() + 1) * 127.5).max() <= 0.51
    flow = np.load(folder / "flow" / "000003.npy").astype(np.float32)
    expected = DIS("medium")(frames[3][None], frames[2][None])[0].numpy()
    np.testing.assert_allclose(flow, expected, atol=0.01)
    assert not (folder / "flow" / "000000.npy").exists()
    labels = np.asarray(Image.open(folder / "labels" / "000003.png"))
    assert labels.shape == (HEIGHT, WIDTH)
    assert labels.max() < 11


def test_an_exported_segmenter_needs_a_palette_which_goes_along(film, tmp_path):
    class Bright(torch.nn.Module):
        def forward(self, frames):
            light = frames.mean(dim=1, keepdim=True)
            return torch.cat([-light, light], dim=1)

    path = tmp_path / "bright.pt2"
    torch.export.save(torch.export.export(Bright(), (torch.zeros(1, 3, HEIGHT, WIDTH),)), path)
    classes = [
        {"id": 0, "name": "dark", "colour": [0, 0, 0]},
        {"id": 1, "name": "bright", "colour": [255, 255, 255]},
    ]
    (tmp_path / "two.yaml").write_text(yaml.safe_dump({"name": "two", "classes": classes}))
    options = asked(film, tmp_path / "out", "labels", segmenter=path)
    with pytest.raises(ConfigError, match=r"pass --palette NAME or FILE"):
        prepare(options)
    with pytest.raises(ConfigError, match=r"the 2 classes of bright.pt2; 'camvid' has 11"):
        prepare(options._replace(palette="camvid"))
    done = prepare(options._replace(palette=str(tmp_path / "two.yaml")))
    moved = done.folder.rename(tmp_path / "moved")
    frame = frames_of(moved / "train/film_00/frames.mkv")[2]
    labels = np.asarray(Image.open(moved / "train/film_00/labels/000002.png"))
    np.testing.assert_array_equal(labels, frame.astype(float).mean(axis=2) > 127.5)
    assert check(str(moved)).palette.name == "two"


def test_a_film_is_resized_with_its_shape_or_cut_to_one(film, tmp_path):
    one = prepare(asked(film, tmp_path / "one", height=24)).folder
    assert frames_of(one / "train/film_00/frames.mkv")[0].shape == (24, 32, 3)
    both = prepare(asked(film, tmp_path / "both", height=24, width=16)).folder
    cut = frames_of(both / "train/film_00/frames.mkv")[0]
    whole = frames_of(one / "train/film_00/frames.mkv")[0]
    np.testing.assert_array_equal(cut, whole[:, 8:24])
    assert read_config(both / "config.yaml", RunConfig).data.width == 16


def test_wide_pixels_are_made_square(tmp_path):
    film = write_film(tmp_path / "wide.mp4", 12, lossless=True, pixel_aspect=Fraction(2))
    out = prepare(asked(film, tmp_path / "out")).folder
    assert frames_of(out / "train/wide/frames.mkv")[0].shape == (HEIGHT, 2 * WIDTH, 3)


def test_folders_of_videos_and_of_pictures_are_taken_and_named_apart(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write_film(tmp_path / folder / "my film.mp4", 12, lossless=True)
    write_film(tmp_path / "pictures", 12)
    options = PrepareOptions(
        (tmp_path / "a", tmp_path / "b", tmp_path / "pictures"), tmp_path / "out"
    )
    names = [piece.name for piece in prepare(options).plan.pieces]
    assert names == ["my_film", "my_film_2", "pictures"]


def test_a_part_of_a_film_is_cut_at_its_shots_too(film, tmp_path):
    done = prepare(asked(film, tmp_path / "out", part=slice(3, 48), validation=0.0))
    assert [(piece.first, piece.num_frames) for piece in done.plan.pieces] == [(3, 9), (12, 36)]
    own = frames_of(tmp_path / "out" / "train" / "film_01" / "frames.mkv")
    assert np.array_equal(own[0], frames_of(film)[12])


def test_a_part_after_the_end_is_refused(film, tmp_path):
    message = r"--frames must begin before the video ends; .*film.mkv has 52"
    with pytest.raises(DataError, match=message):
        prepare(asked(film, tmp_path / "out", part=slice(60, None)))


@pytest.mark.parametrize(("share", "split"), [(0.25, "val"), (0.0, None)])
def test_what_is_held_out_is_validated_on(film, tmp_path, share, split):
    done = prepare(asked(film, tmp_path / "out", validation=share))
    validation = read_config(str(done.config), RunConfig).validation
    assert (None if validation is None else validation.split) == split


def test_short_shots_are_left_out_and_said(tmp_path, caplog):
    film = write_film(tmp_path / "film.mkv", 12, 5, codec="ffv1")
    done = prepare(asked(film, tmp_path / "out"))
    assert [piece.name for piece in done.plan.pieces] == ["film_00"]
    assert done.to_json()["cuts"] == {"film": [12]}
    assert "shots of fewer than 8 frames are left out: film_01 (5)" in caplog.text
    assert "nothing is held out" in caplog.text


def test_videos_without_a_long_shot_are_refused(tmp_path):
    film = write_film(tmp_path / "film.mkv", 7, 5, codec="ffv1")
    with pytest.raises(DataError, match=r"all 2 have fewer: film_00 \(7\), film_01 \(5\)"):
        prepare(asked(film, tmp_path / "out"))


def test_the_same_command_goes_on_where_it_was_interrupted(film, tmp_path, monkeypatch, capsys):
    whole = prepare(asked(film, tmp_path / "whole")).folder
    encode, calls = cv2.imencode, []

    def interrupt(*arguments):
        calls.append(arguments)
        if len(calls) == 20:  # in the second sequence
            raise KeyboardInterrupt
        return encode(*arguments)

    monkeypatch.setattr(cv2, "imencode", interrupt)
    out = tmp_path / "out"
    assert run("prepare", film, out) == 130
    assert "run the same command again to go on" in capsys.readouterr().err
    assert not out.exists()
    kept = tmp_path / "out.partial/train/film_00/frames.mkv"
    stamp = kept.stat().st_mtime_ns
    assert run("prepare", film, out) == 0
    assert (out / "train/film_00/frames.mkv").stat().st_mtime_ns == stamp
    assert len(calls) == 20 + 40
    names = [path.relative_to(whole) for path in whole.rglob("*")]
    assert sorted(names) == sorted(path.relative_to(out) for path in out.rglob("*"))
    for name in names:
        if name.suffix == ".png":
            assert (whole / name).read_bytes() == (out / name).read_bytes()
        if name.suffix == ".mkv":
            np.testing.assert_array_equal(frames_of(whole / name), frames_of(out / name))


def test_an_unfinished_data_set_of_other_options_is_left_alone(film, tmp_path, monkeypatch):
    def fail(*arguments):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(cv2, "imencode", fail)
        assert run("prepare", film, tmp_path / "out") == 1
    with pytest.raises(VideoError, match="begun with other videos or options"):
        prepare(asked(film, tmp_path / "out", "grey"))
    (tmp_path / "out.partial" / "plan.json").write_text("else")
    with pytest.raises(VideoError, match="must be free for unfinished files"):
        prepare(asked(film, tmp_path / "out"))


def test_a_folder_with_files_is_refused(film, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(VideoError, match=r"must be new or empty; .* holds files"):
        prepare(asked(film, tmp_path / "out"))
    with pytest.raises(VideoError, match="is a file"):
        prepare(asked(film, tmp_path / "out" / "mine"))
    with pytest.raises(VideoError, match="must be writable"):
        prepare(asked(film, tmp_path / "out" / "mine" / "below"))


def test_the_result_can_be_had_as_json(film, tmp_path, capsys):
    assert run("prepare", film, tmp_path / "out", "--json", "--validation", 0) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["config"] == str(tmp_path / "out" / "config.yaml")
    assert said["sequences"][1] == {
        "name": "film_01",
        "split": "train",
        "first": 12,
        "num_frames": 40,
    }


def test_the_next_commands_name_the_size_and_every_stream(film, tmp_path, capsys):
    assert run("prepare", film, tmp_path / "my set", "--control", "grey,edges") == 0
    *_, training, rendering = capsys.readouterr().out.splitlines()
    assert training.startswith("train on them, at 64x48: vid2vid train ")
    place = tmp_path / "my set" / "val" / "film_01"
    assert rendering == (
        f"then render the last of them: vid2vid-render {place}/grey out.mp4 --fps 25 --control "
        f"edges={place}/edges --checkpoint runs/my_set"
    )


def test_large_frames_are_warned_of_before_they_are_written(tmp_path, caplog):
    large = np.zeros((1000, 1004, 3), np.uint8)
    write(tmp_path / "film" / "0.png", large)
    with pytest.raises(DataError, match="a shot must have at least"):
        prepare(asked(tmp_path / "film", tmp_path / "out"))
    assert "at 1004x1000 (width x height), for which" in caplog.text


@pytest.mark.parametrize("text", ["", "edges,edges", "edges,canny"])
def test_unknown_controls_are_refused(text):
    with pytest.raises(ConfigError, match="must be some of edges,grey,flow,labels, each once"):
        parse_controls(text)


def test_a_segmenter_without_labels_is_refused(film, segmenter, tmp_path):
    with pytest.raises(ConfigError, match="add labels to --control edges"):
        prepare(asked(film, tmp_path / "out", segmenter=segmenter))


def test_a_segmenter_that_is_coarser_than_the_frame_is_refused(film, tmp_path):
    class Coarse(torch.nn.Module):
        def forward(self, frames):
            return torch.nn.functional.avg_pool2d(frames, 4).repeat(1, 4, 1, 1)[:, :11]

    path = tmp_path / "coarse.pt2"
    torch.export.save(torch.export.export(Coarse(), (torch.zeros(1, 3, HEIGHT, WIDTH),)), path)
    options = asked(film, tmp_path / "out", "labels", segmenter=path, palette="camvid")
    with pytest.raises(CheckpointError, match=r"returns \(1, 11, 12, 16\)"):
        prepare(options)
