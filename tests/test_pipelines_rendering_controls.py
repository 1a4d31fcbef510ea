"""Rendering from controls: photographs, stored streams, key points, alone and together."""

import json
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from tiny_runs import label_folder, label_maps, label_video, pictures, tiny_checkpoint, write_first

from pipelines.bench import drive_palindrome, time_render
from pipelines.cli.app import main
from pipelines.render import Renderer
from pipelines.rendering.options import RenderOptions
from vid2vid.controls.config import EdgesConfig, PoseConfig
from vid2vid.controls.derived import derive
from vid2vid.controls.pose import draw_people
from vid2vid.errors import ConfigError, DataError, VideoError
from vid2vid.rollout import rollout
from vid2vid.video.levels import from_levels, to_levels
from vid2vid.video.reading import read_image, read_video

UNET = {"kind": "pix2pix_unet", "width": 2, "downsamplings": 3}
EDGES = {"kind": "edges"}
POSE = {"kind": "pose", "skeleton": "body_25"}


def load(folder, *controls, labels=None, generator=UNET):
    sections = {
        "controls": list(controls),
        "labels": labels,
        "generator": generator,
        "image_discriminator": None,
        "video_discriminator": None,
        "losses": {"pixel": 1},
    }
    return Renderer.load(tiny_checkpoint(folder, **sections), device="cpu")


def photographs(folder, count=3, **size):
    folder.mkdir()
    for place in write_first(folder, count, **size):
        place.rename(folder / f"{int(place.stem[6:]):04d}.png")
    return folder


def poses(folder, count=3, *, name="clip_{:012d}_keypoints.json"):
    """A person whose nose moves right, joined to a neck that stays; nothing else is seen."""
    folder.mkdir()
    for index in range(count):
        points = [2 + 4 * index, 3, 0.9, 12, 10, 0.9] + [0] * 69
        text = json.dumps({"people": [{"pose_keypoints_2d": points}]})
        (folder / name.format(index)).write_text(text)
    return folder


@pytest.mark.parametrize(("canvas", "warns"), [([16, 24], False), ([3, 4], True)])
def test_key_points_outside_of_their_canvas_are_warned_of(tmp_path, caplog, canvas, warns):
    renderer = load(tmp_path / "run", {**POSE, "canvas": canvas})
    folder = poses(tmp_path / "in")
    renderer.render(folder, tmp_path / "out", RenderOptions(height=16, width=24))
    assert ("'openpose' at the first frame 100% lie outside" in caplog.text) is warns


def painted(renderer, maps):
    with torch.no_grad():
        output = next(rollout(renderer.generation.generator, [maps]))
    return to_levels(output.frame[0]).numpy()


def test_photographs_are_turned_into_edges_of_the_output_size(tmp_path):
    renderer = load(tmp_path / "run", EDGES)
    folder = photographs(tmp_path / "in", height=32, width=48)
    found = pictures(renderer.render(folder, tmp_path / "out", RenderOptions(height=16)).path)
    small = cv2.resize(read_image(folder / "0001.png"), (24, 16), interpolation=cv2.INTER_AREA)
    edges = derive(EdgesConfig(), from_levels(torch.from_numpy(small))[None])
    assert (found[1] == painted(renderer, edges)).all()


def test_the_preview_shows_every_control_beside_the_frame(tmp_path):
    renderer = load(tmp_path / "run", {"kind": "picture"}, EDGES)
    folder, preview = photographs(tmp_path / "in"), tmp_path / "preview"
    options = RenderOptions(preview=preview, controls=(("frames", folder),))
    out = renderer.render(folder, tmp_path / "out", options)
    shown = pictures(preview)
    assert shown.shape == (3, 16, 72, 3)
    assert (shown[:, :, :24] == pictures(folder)).all()
    assert set(np.unique(shown[:, :, 24:48])) == {0, 255}
    assert (shown[:, :, 48:] == pictures(out.path)).all()


def test_flow_is_shown_by_the_colour_wheel_and_rest_is_white(tmp_path):
    renderer = load(tmp_path / "run", {"kind": "flow"})
    folder, preview = photographs(tmp_path / "in", 2), tmp_path / "preview"
    renderer.render(folder, tmp_path / "out", RenderOptions(preview=preview))
    shown = pictures(preview)
    assert (shown[0, :, :24] == 255).all()
    assert np.ptp(shown[1, :, :24]) > 0


def test_drawn_edges_are_taken_as_they_are(tmp_path):
    renderer = load(tmp_path / "run", EDGES)
    folder = tmp_path / "in"
    folder.mkdir()
    drawn = np.zeros((16, 24), np.uint8)
    drawn[5] = 255
    cv2.imwrite(str(folder / "0.png"), drawn)
    out = renderer.render(folder, tmp_path / "out", RenderOptions(drawn=True))
    edges = torch.from_numpy(drawn)[None, None] / 127.5 - 1
    assert (pictures(out.path)[0] == painted(renderer, edges)).all()


def test_a_small_video_becomes_as_many_times_larger_as_it_was_trained_to(tmp_path):
    control = {"kind": "low_resolution", "factor": 4, "enlarge": "nearest"}
    renderer = load(tmp_path / "run", control)
    small = photographs(tmp_path / "small", 2, height=4, width=6)
    out = renderer.render(small, tmp_path / "out", RenderOptions(drawn=True))
    assert (out.num_frames, out.height, out.width) == (2, 16, 24)
    large = read_image(small / "0000.png").repeat(4, 0).repeat(4, 1)
    maps = from_levels(torch.from_numpy(large))[None]
    assert (pictures(out.path)[0] == painted(renderer, maps)).all()


def test_key_points_are_drawn_on_the_canvas_that_the_size_says(tmp_path):
    renderer = load(tmp_path / "run", POSE)
    folder = poses(tmp_path / "poses")
    options = RenderOptions(height=16, width=24, fps=Fraction(10))
    out = renderer.render(folder, tmp_path / "out.mkv", options)
    times = [frame.time for frame in read_video(out.path)]
    assert times == [Fraction(0), Fraction(1, 10), Fraction(2, 10)]
    out = renderer.render(folder, tmp_path / "out", options)
    people = np.zeros((1, 137, 3), np.float32)
    people[0, :2] = [[6, 3, 0.9], [12, 10, 0.9]]
    drawn = draw_people(people, PoseConfig(skeleton="body_25"), size=(16, 24))
    maps = from_levels(torch.from_numpy(drawn))[None]
    assert (pictures(out.path)[1] == painted(renderer, maps)).all()


def test_the_canvas_of_a_checkpoint_is_the_size_of_its_output(tmp_path):
    renderer = load(tmp_path / "run", {**POSE, "canvas": [32, 48]})
    folder = poses(tmp_path / "poses", 2)
    out = renderer.render(folder, tmp_path / "out")
    assert (out.height, out.width) == (32, 48)
    assert renderer.render(folder, tmp_path / "half", RenderOptions(height=16)).width == 24


def test_key_points_without_a_canvas_need_a_size(tmp_path):
    renderer = load(tmp_path / "run", POSE)
    with pytest.raises(
        ConfigError, match=r"how large the picture is .*: pass its --height and --w"
    ):
        renderer.render(poses(tmp_path / "poses"), tmp_path / "out", RenderOptions(height=16))


def test_a_video_of_drawn_people_is_taken_where_it_is_said(tmp_path):
    renderer = load(tmp_path / "run", POSE)
    video = label_video(tmp_path / "drawn.mkv", 2)
    with pytest.raises(DataError, match=r"'openpose', files .* \(.json\); .*mkv is a video: give"):
        renderer.render(video, tmp_path / "out")
    out = renderer.render(video, tmp_path / "out", RenderOptions(drawn=True))
    maps = from_levels(torch.from_numpy(pictures(video)[1]))[None]
    assert (pictures(out.path)[1] == painted(renderer, maps)).all()


def test_label_maps_come_first_and_their_controls_beside(tmp_path):
    renderer = load(tmp_path / "run", EDGES, labels={"palette": "camvid"})
    labels = label_folder(tmp_path / "labels", 3)
    folder = tmp_path / "photographs"
    folder.mkdir()
    for index, place in enumerate(write_first(tmp_path, 3)):
        place.rename(folder / f"street_{index}.png")
    with pytest.raises(ConfigError, match=r"input is 'labels', and 'frames' was not given: pass -"):
        renderer.render(labels, tmp_path / "out")
    options = RenderOptions(controls=(("frames", folder),))
    found = pictures(renderer.render(labels, tmp_path / "out", options).path)
    frames = torch.stack([from_levels(torch.from_numpy(each)) for each in pictures(folder)])
    ids = torch.from_numpy(label_maps(3)[2])[None, None]
    edges = derive(EdgesConfig(), frames[2:])[None]
    maps = renderer.generation.conditioning(ids, pictures=edges)[:, 0]
    assert (found[2] == painted(renderer, maps)).all()


def test_a_control_beside_the_input_may_be_drawn_beforehand(tmp_path):
    renderer = load(tmp_path / "run", EDGES, labels={"palette": "camvid"})
    labels, folder = label_folder(tmp_path / "labels", 2), tmp_path / "edges"
    folder.mkdir()
    for index in range(2):
        cv2.imwrite(str(folder / f"street_{index}.png"), np.full((16, 24), 255, np.uint8))
    options = RenderOptions(controls=(("edges", folder),), frames="1:2")
    found = pictures(renderer.render(labels, tmp_path / "out", options).path)[0]
    ids = torch.from_numpy(label_maps(2)[1])[None, None]
    maps = renderer.generation.conditioning(ids, pictures=torch.ones(1, 1, 1, 16, 24))[:, 0]
    assert (found == painted(renderer, maps)).all()


def test_boundaries_of_instances_go_beside_pictures(tmp_path):
    renderer = load(tmp_path / "run", {"kind": "picture"}, {"kind": "boundary"})
    folder, instances = photographs(tmp_path / "in", 2), tmp_path / "instances"
    with pytest.raises(ConfigError, match="none were given: pass --instances FOLDER"):
        renderer.render(folder, tmp_path / "out")
    instances.mkdir()
    for index in range(2):
        ids = (np.arange(24) > 11).astype(np.uint8)[None].repeat(16, 0)
        cv2.imwrite(str(instances / f"{index:04d}.png"), ids)
    preview = tmp_path / "preview"
    options = RenderOptions(instances=instances, preview=preview)
    assert renderer.render(folder, tmp_path / "out", options).num_frames == 2
    assert pictures(preview)[0, 0, 24:48, 0].nonzero()[0].tolist() == [11, 12]


def test_arrays_are_read_as_depth(tmp_path):
    control = {"kind": "depth", "near": 1.0, "far": 3.0, "inverse": False}
    renderer = load(tmp_path / "run", control)
    folder = tmp_path / "depth"
    folder.mkdir()
    np.save(folder / "000004.npy", np.full((16, 24), 2.0, np.float32))
    found = pictures(renderer.render(folder, tmp_path / "out").path)[0]
    assert (found == painted(renderer, torch.zeros(1, 1, 16, 24))).all()


def test_a_sequential_generator_takes_controls_too(tmp_path):
    generator = {"width": 4, "downsamplings": 1, "blocks": 2}
    renderer = load(tmp_path / "run", EDGES, {"kind": "flow"}, generator=generator)
    folder = photographs(tmp_path / "in", 4)
    assert renderer.render(folder, tmp_path / "out").num_frames == 4


def test_landmarks_are_drawn_frame_by_frame(tmp_path):
    renderer = load(tmp_path / "run", {"kind": "landmarks", "canvas": [16, 24]})
    folder, preview = tmp_path / "faces", tmp_path / "preview"
    folder.mkdir()
    for index in range(2):
        lines = (f"{2 + i % 17},{3 + index + i // 17 * 3}" for i in range(68))
        (folder / f"{index}.txt").write_text("\n".join(lines))
    out = renderer.render(folder, tmp_path / "out", RenderOptions(preview=preview))
    assert (out.num_frames, out.height, out.width) == (2, 16, 24)
    assert (pictures(preview)[0, :, :24] != pictures(preview)[1, :, :24]).any()


def test_key_points_lie_beside_photographs_in_their_pixels(tmp_path):
    renderer = load(tmp_path / "run", EDGES, POSE)
    folder = photographs(tmp_path / "in", 3, height=32, width=48)
    people = poses(tmp_path / "poses", name="{:04d}_keypoints.json")
    preview = tmp_path / "preview"
    options = RenderOptions(height=16, controls=(("openpose", people),), preview=preview)
    renderer.render(folder, tmp_path / "out", options)
    columns = pictures(preview)[2, :, 24:48].any(axis=(0, 2)).nonzero()[0]
    assert 4 <= columns.min() <= 6
    assert 5 <= columns.max() <= 7


def test_a_network_with_styles_takes_controls(tmp_path):
    styled = {"kind": "pix2pixhd", "width": 2, "downsamplings": 1, "blocks": 1, "features": 2}
    renderer = load(tmp_path / "run", {"kind": "picture"}, generator=styled)
    folder, instances = photographs(tmp_path / "in", 1), tmp_path / "instances"
    instances.mkdir()
    cv2.imwrite(str(instances / "0000.png"), np.zeros((16, 24), np.uint8))
    found = renderer.render(folder, tmp_path / "out", RenderOptions(instances=instances)).path
    maps = from_levels(torch.from_numpy(read_image(folder / "0000.png")))[None]
    styles = torch.zeros(1, 2, 16, 24)  # the checkpoint holds none
    assert (pictures(found)[0] == painted(renderer, torch.cat([maps, styles], dim=1))).all()


@pytest.mark.parametrize("option", ["palette", "map"])
def test_controls_have_no_palette(tmp_path, option):
    renderer = load(tmp_path / "run", EDGES)
    options = RenderOptions(**{option: "camvid"})
    with pytest.raises(ConfigError, match=f"--{option} is for label maps; this checkpoint takes n"):
        renderer.render(photographs(tmp_path / "in", 1), tmp_path / "out", options)


def test_pictures_of_other_channels_are_refused(tmp_path):
    renderer = load(tmp_path / "run", {"kind": "picture", "channels": 15})
    with pytest.raises(DataError, match=r"takes pictures of 15 channels; .* has 1: set"):
        renderer.render(label_folder(tmp_path / "in", 1), tmp_path / "out")
    maps = torch.zeros(1, 15, 16, 24)
    assert next(rollout(renderer.generation.generator, [maps])).frame.shape == (1, 3, 16, 24)


@pytest.mark.parametrize(
    ("control", "options", "message"),
    [
        (
            EDGES,
            {"controls": (("frames", Path("x")),)},
            "'frames' is the input itself: leave it out",
        ),
        (EDGES, {"controls": (("depth", Path("x")),)}, "depth=PATH is no stream .* nothing beside"),
        ({"kind": "picture"}, {"drawn": True}, "'pictures' is a stream of pictures of 3 channels"),
        ({"kind": "landmarks"}, {"drawn": True}, "'keypoints' is a stream of pictures of 15"),
    ],
)
def test_streams_that_do_not_fit_are_refused(tmp_path, control, options, message):
    renderer = load(tmp_path / "run", control)
    with pytest.raises(ConfigError, match=message):
        renderer.render(photographs(tmp_path / "in", 1), tmp_path / "out", RenderOptions(**options))


def test_label_maps_are_not_drawn(tmp_path):
    renderer = load(tmp_path / "run", labels={"palette": "camvid"})
    with pytest.raises(ConfigError, match="--drawn is for a checkpoint whose input is a control"):
        renderer.render(label_folder(tmp_path / "in", 1), tmp_path / "o", RenderOptions(drawn=True))


def test_the_command_takes_streams_by_name(tmp_path, capsys):
    load(tmp_path / "run", EDGES, labels={"palette": "camvid"})
    labels, folder = label_folder(tmp_path / "labels", 2), tmp_path / "edges"
    folder.mkdir()
    for index in range(2):
        cv2.imwrite(str(folder / f"street_{index}.png"), np.zeros((16, 24), np.uint8))
    command = ["render", str(labels), str(tmp_path / "out"), "-c", str(tmp_path / "run")]
    for pair, status in ((f"edges={folder}", 0), ("edges", 2)):
        with pytest.raises(SystemExit) as ended:
            main([*command, "--control", pair])
        assert ended.value.code == status
    assert "--control must be NAME=PATH, each name once; got 'edges'" in capsys.readouterr().err


def test_a_render_from_controls_is_timed_and_driven_there_and_back(tmp_path):
    renderer = load(tmp_path / "run", EDGES, {"kind": "flow"})
    folder, scratch = photographs(tmp_path / "in", 3), tmp_path / "scratch"
    options = RenderOptions()
    timing = time_render(tmp_path / "run", folder, options, device="cpu", dtype="float32")
    assert (timing.num_frames, timing.height, timing.width) == (3, 16, 24)
    scratch.mkdir()
    visits = list(drive_palindrome(renderer.generation, folder, options, scratch=scratch))
    assert [visit[0] for visit in visits] == [1, 0]
    for _, there, back in visits:  # a still-image generator sees the same pictures both ways
        assert (there == back).all()


def test_nothing_lies_beside_standard_input(tmp_path):
    renderer = load(tmp_path / "run", EDGES, {"kind": "picture"})
    options = RenderOptions(controls=(("pictures", tmp_path),))
    with pytest.raises(VideoError, match="standard input can be read once: save it to a file"):
        renderer.render("-", tmp_path / "out", options)
