import json
from fractions import Fraction

import cv2
import numpy as np
import pytest
import yaml
from broken_data import DEFECTS, HEIGHT, WIDTH, label_maps, texture, write, write_healthy
from sample_videos import break_video

from pipelines.build import build_run, training_palette
from pipelines.checking.check import check
from pipelines.checking.subject import Asked
from pipelines.cli.app import main
from pipelines.config.file import read_config
from pipelines.config.run import RunConfig
from pipelines.train import TrainOptions, fit_course, train
from vid2vid.errors import ConfigError, DataError, Vid2VidError
from vid2vid.labels.maps import ids_to_colours
from vid2vid.labels.palettes import load_palette
from vid2vid.video.writing import open_writer

ALONE = pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)


def write_config(root, **changes):
    """Write the file of a tiny run on the data set beside it."""
    patches = {"width": 4, "layers": 1, "scales": 1}
    settings = {
        "name": "tiny",
        "data": {"root": str(root), "height": 16, "width": 16},
        "labels": {"palette": "camvid"},
        "generator": {"width": 4, "downsamplings": 1, "blocks": 2, "flow_scale": 4.0},
        "image_discriminator": patches,
        "video_discriminator": {**patches, "temporal_scales": 1},
        "losses": {"perceptual": 0.0},
        "schedule": {"steps": 2, "clip_length": 4, "clip_length_max": 4, "backprop_frames": 2},
        "training": {"preview_frames": 2, "output": str(root / "runs")},
    }
    file = root / "tiny.yaml"
    file.write_text(yaml.safe_dump({**settings, **changes}))
    return str(file)


def write_broken(root, defects):
    """Write a healthy sequence, and one with each defect."""
    write_healthy(root / "train" / "healthy")
    for defect in defects:
        defect.break_it(write_healthy(root / "train" / defect.name))
    return write_config(root)


def refuses(file):
    """Tell whether training would stop, by letting it read every frame of every sequence."""
    try:
        config = read_config(file, RunConfig)
        run = build_run(config, training_palette(config), "cpu")
        fit_course(config, run.dataset.clip_lengths())
        run.dataset.check_length(config.generator.history + config.schedule.clip_length)
        for index, length in enumerate(run.dataset.clip_lengths()):
            for start in range(length):
                run.dataset.evaluation_clip(index, start, 1)
    except Vid2VidError:
        return True
    return False


def run(*arguments):
    """Run a command in-process; return its status."""
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    return left.value.code or 0


@ALONE
def test_one_defect_is_named_alone_and_agrees_with_training(defect, tmp_path):
    file = write_broken(tmp_path, [defect])
    report = check(file)
    assert {problem.kind for problem in report.problems} == defect.kinds
    assert any(defect.says in problem.to_line() for problem in report.problems)
    assert bool(report.num_errors) == defect.is_error == refuses(file)


def test_all_defects_are_named_in_one_run(tmp_path, capsys):
    file = write_broken(tmp_path, DEFECTS)
    assert run("check", file, "--json") == 2
    said = json.loads(capsys.readouterr().out)
    lines = [f"{each['severity']} {each['message']} {each['places']}" for each in said["problems"]]
    for defect in DEFECTS:
        severity = "error" if defect.is_error else "warning"
        own = [line for line in lines if f"/{defect.name}/" in line or defect.name in line]
        assert any(line.startswith(severity) and defect.says in line for line in own), defect.name
    assert not any("healthy" in line for line in lines)


def test_training_takes_two_steps_on_whatever_passes(tmp_path, capsys):
    file = write_broken(tmp_path, [defect for defect in DEFECTS if not defect.is_error])
    assert run("check", file) == 0
    assert "0 errors, " in capsys.readouterr().out
    assert train(file, TrainOptions(device="cpu")).step == 2


def test_a_healthy_data_set_is_described(tmp_path, capsys):
    write_healthy(tmp_path / "train" / "one")
    write_healthy(tmp_path / "train" / "two", seed=1, count=9)
    assert run("check", tmp_path, "--palette", "camvid") == 0
    said = capsys.readouterr().out
    assert "2 sequences, 17 frames, checked by usual settings and palette 'camvid'" in said
    assert "  one      8 frames  64x48 (width x height)\n  two      9 frames  64x48" in said
    assert "10 Bicyclist" in said
    assert "255 ignored                      -" in said
    assert said.endswith("nothing is wrong\n")


def test_shares_of_classes_are_counted(tmp_path):
    folder = tmp_path / "train" / "one"
    write_healthy(folder)
    ids = np.zeros((HEIGHT, WIDTH), np.uint8)
    ids[:, :16] = 3
    for index in range(8):
        write(folder / "labels" / f"{index:04d}.png", ids)
    classes = check(str(tmp_path), Asked(palette="camvid")).to_json()["classes"]
    assert {each["id"]: each["share"] for each in classes if each["share"]} == {0: 0.75, 3: 0.25}


def test_a_report_holds_a_contact_sheet_and_the_result(tmp_path):
    write_healthy(tmp_path / "train" / "one")
    file = write_config(tmp_path)
    assert run("check", file, "--report", tmp_path / "report") == 0
    sheet = cv2.imread(str(tmp_path / "report" / "contact_sheet.png"))
    assert sheet.shape[1] == 4 * 320
    assert json.loads((tmp_path / "report" / "check.json").read_text())["num_frames"] == 8


def test_a_report_that_cannot_be_written_is_refused_before_anything_is_read(tmp_path, capsys):
    (tmp_path / "report").write_text("mine")
    assert run("check", tmp_path / "nowhere", "--report", tmp_path / "report") == 2
    assert "report is a file: name another" in capsys.readouterr().err


def test_a_video_is_no_data_set(tmp_path):
    (tmp_path / "film.mp4").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"film.mp4 is a video: .*vid2vid prepare .*film.mp4"):
        check(str(tmp_path / "film.mp4"))


def test_a_contact_sheet_lays_the_colours_of_the_labels_over_the_frame(tmp_path):
    folder = write_healthy(tmp_path / "train" / "one")
    for index in range(8):
        write(folder / "frames" / f"{index:04d}.png", np.zeros((HEIGHT, WIDTH, 3), np.uint8))
        write(folder / "labels" / f"{index:04d}.png", np.full((HEIGHT, WIDTH), 1, np.uint8))
    sheet = check(write_config(tmp_path), Asked(sheet=True)).sheet
    assert sheet[100, 100].tolist() == [64, 0, 0]  # half of Building, (128, 0, 0)


def test_a_run_folder_and_settings_say_what_is_checked(tmp_path):
    write_healthy(tmp_path / "train" / "one")
    file = write_config(tmp_path)
    (tmp_path / "tiny.yaml").rename(tmp_path / "config.yaml")
    report = check(str(tmp_path), Asked(("schedule.clip_length=7", "schedule.clip_length_max=7")))
    assert report.subject.name == str(tmp_path / "config.yaml")
    assert [problem.kind for problem in report.problems] == ["short"]
    assert report.num_errors == 1
    assert not (tmp_path / file).exists()


def test_photographs_alone_are_checked_for_controls_that_are_found_in_them(tmp_path):
    folder = write_healthy(tmp_path / "train" / "one")
    (folder / "labels").rename(tmp_path / "away")
    report = check(str(tmp_path), Asked(sheet=True))
    assert report.palette is None
    assert not report.problems
    assert report.sheet.shape[1] == 4 * 2 * 240  # frame and edges


def test_every_stream_of_a_control_is_read(tmp_path):
    folder = write_healthy(tmp_path / "train" / "one")
    for index in range(8):
        write(folder / "sketch" / f"{index:04d}.png", np.zeros((HEIGHT, WIDTH), np.uint8))
    (folder / "sketch" / "0002.png").write_bytes(b"no picture")
    (folder / "sketch" / "0005.png").unlink()
    file = write_config(tmp_path, controls=[{"kind": "picture", "stream": "sketch", "channels": 1}])
    problems = {problem.kind: problem for problem in check(file).problems}
    assert set(problems) == {"unreadable", "missing-partner"}
    assert "0002.png" in problems["unreadable"].message
    assert "0005.png" in problems["missing-partner"].message


def test_a_flow_may_be_missing_at_the_first_frame_and_at_no_other(tmp_path):
    folder = write_healthy(tmp_path / "train" / "one")
    (folder / "flow").mkdir()
    for index in range(1, 8):
        np.save(folder / "flow" / f"{index:04d}.npy", np.zeros((2, HEIGHT, WIDTH), np.float32))
    file = write_config(tmp_path, controls=[{"kind": "flow", "stream": "flow"}])
    assert not check(file).problems
    (folder / "flow" / "0004.npy").unlink()
    assert [problem.kind for problem in check(file).problems] == ["missing-partner"]


def test_instance_maps_are_asked_for_where_the_configuration_needs_them(tmp_path):
    write_healthy(tmp_path / "train" / "one")
    write_healthy(tmp_path / "train" / "two")
    labels = {"palette": "camvid", "boundary": "instances"}
    file = write_config(tmp_path, labels=labels)
    assert "needs instance maps" in check(file).problems[0].message
    for index in range(8):
        path = tmp_path / "train" / "two" / "instances" / f"{index:04d}.png"
        write(path, np.zeros((HEIGHT, WIDTH), np.uint16))
    assert "1 of 2 have none, the first is 'one'" in check(file).problems[0].message
    assert refuses(file)


def test_instance_maps_that_are_used_are_read(tmp_path):
    folder = write_healthy(tmp_path / "train" / "one")
    for index in range(8):
        path = folder / "instances" / f"{index:04d}.png"
        write(path, np.full((HEIGHT, WIDTH), 7, np.uint16))
    path.write_bytes(path.read_bytes()[:60])
    jpeg = folder / "instances" / "0000.jpg"
    (folder / "instances" / "0000.png").unlink()
    write(jpeg, np.full((HEIGHT, WIDTH), 7, np.uint8))
    file = write_config(tmp_path, labels={"palette": "camvid", "boundary": "instances"})
    problems = {problem.kind: problem for problem in check(file).problems}
    assert set(problems) == {"unreadable", "compressed-labels"}
    assert problems["unreadable"].places == (str(path),)
    assert problems["compressed-labels"].places == (str(jpeg),)
    assert not check(write_config(tmp_path)).problems


def test_key_points_are_read(tmp_path):
    folder = write_healthy(tmp_path / "train" / "one")
    (folder / "openpose").mkdir()
    for index in range(8):
        people = [{"pose_keypoints_2d": [1.0, 2.0, 0.5] * (24 if index == 5 else 25)}]
        path = folder / "openpose" / f"{index:04d}.json"
        path.write_text(json.dumps({"people": people}))
    file = write_config(tmp_path, controls=[{"kind": "pose", "skeleton": "body_25"}])
    problems = check(file).problems
    assert [problem.places for problem in problems] == [(str(folder / "openpose" / "0005.json"),)]
    assert "has 72 numbers" in problems[0].message


def test_a_mapping_says_what_the_ids_of_the_files_mean(tmp_path):
    write_healthy(tmp_path / "train" / "one")
    asked = Asked(palette="cityscapes", map="camvid-to-cityscapes")
    report = check(str(tmp_path), asked)
    assert not report.problems
    assert report.palette.name == "cityscapes"
    seen = {each["name"] for each in report.to_json()["classes"] if each["share"]}
    assert {"road", "sky", "car"} <= seen


def test_a_broken_label_video_is_named_once(tmp_path):
    folder = write_healthy(tmp_path / "train" / "one")
    for stream in ("frames", "labels"):
        (folder / stream).rename(tmp_path / stream)
    break_video(folder).rename(folder / "labels.mp4")
    for index, frame in enumerate(texture(0, count=40, height=32, width=48)):
        write(folder / "frames" / f"{index:04d}.png", frame)
    problems = check(write_config(tmp_path)).problems
    broken = [problem for problem in problems if problem.kind == "unreadable"]
    assert len(broken) == 1
    assert "labels.mp4 breaks at frame" in broken[0].message


def test_many_sequences_are_summed_up(tmp_path):
    for index in range(32):
        write_healthy(tmp_path / "train" / f"s{index:02d}", count=1)
    text = check(str(tmp_path), Asked(palette="camvid")).to_text()
    assert "  s29      1 frames" in text
    assert "  and 2 more" in text
    assert "sequence s00 has 1 and is too short like all others" in text
    assert "(31 more like it: s01, s02, s03, ...)" in text


def test_the_official_layout_offers_the_name_that_was_meant(tmp_path):
    healthy = write_healthy(tmp_path / "old")
    for stream, place in (("frames", "train_B/one"), ("labels", "train_insts/one")):
        (tmp_path / place).parent.mkdir()
        (healthy / stream).rename(tmp_path / place)
    controls = [{"kind": "picture", "stream": "inst_s"}]
    problem = check(write_config(tmp_path, controls=controls, labels=None)).problems[0]
    assert problem.kind == "misnamed"
    assert problem.message.endswith("did you mean 'insts'?")


def test_the_official_layout_and_patterns_name_what_is_missing(tmp_path):
    healthy = write_healthy(tmp_path / "old")
    (tmp_path / "train_B").mkdir()
    (tmp_path / "train_A").mkdir()
    (healthy / "frames").rename(tmp_path / "train_B" / "one")
    (healthy / "labels").rename(tmp_path / "train_A" / "uno")
    file = write_config(tmp_path)
    assert "train_A/one" in check(file).problems[0].message
    layout = {"frames": "train_B/{sequence}", "labels": "train_C/{sequence}"}
    data = {"root": str(tmp_path), "height": 16, "width": 16, "layout": layout}
    assert "train_C/one" in check(write_config(tmp_path, data=data)).problems[0].message


def test_only_frames_that_are_used_are_read(tmp_path):
    folder = write_healthy(tmp_path / "train" / "one", count=12)
    (folder / "frames" / "0011.png").write_bytes((folder / "frames/0011.png").read_bytes()[:200])
    data = {"root": str(tmp_path), "height": 16, "width": 16, "frame_range": [0, 8]}
    report = check(write_config(tmp_path, data=data))
    assert report.sequences[0].num_frames == 8
    assert not report.problems


def test_frames_that_a_codec_has_repeated_with_noise_are_named(tmp_path):
    folder = write_healthy(tmp_path / "train" / "one")
    noisy = texture(0)[3].copy()
    noisy[:3, :3] ^= 4
    write(folder / "frames" / "0004.png", noisy)
    problem = check(write_config(tmp_path)).problems[0]
    assert problem.kind == "duplicates"
    assert problem.places == (str(folder / "frames" / "0004.png"),)


def test_repeated_frames_of_a_video_cannot_be_dropped_by_themselves(tmp_path):
    folder = write_healthy(tmp_path / "train" / "one")
    (folder / "frames").rename(tmp_path / "frames")
    frames = texture(0)
    writer = open_writer(
        folder / "frames.mkv", width=WIDTH, height=HEIGHT, rate=Fraction(25), codec="ffv1"
    )
    for index, frame in enumerate([*frames[:4], frames[3], *frames[5:]]):
        writer.write(frame, Fraction(index, 25))
    writer.close()
    (problem,) = check(write_config(tmp_path)).problems
    assert problem.message.startswith("each frame should be a picture of its own; 1 of 8")
    assert "write the video again without them with their labels" in problem.message


def test_label_maps_that_say_nothing_are_an_error(tmp_path):
    folder = write_healthy(tmp_path / "train" / "one")
    for index in range(8):
        ids = np.full((HEIGHT, WIDTH), 255 if index % 2 else 11, np.uint8)
        write(folder / "labels" / f"{index:04d}.png", ids)
    report = check(write_config(tmp_path))
    assert report.num_errors == 1
    problem = report.problems[0]
    assert (problem.severity, problem.kind) == ("error", "ignored")
    assert "every pixel in" in problem.message


def test_ids_in_the_channels_of_colour_pictures_are_as_good_as_grey_ones(tmp_path):
    folder = write_healthy(tmp_path / "train" / "one")
    for path in (folder / "labels").iterdir():
        write(path, cv2.imread(str(path)))
    report = check(write_config(tmp_path))
    assert not report.problems
    assert np.count_nonzero(report.label_pixels) == 11


def test_lossless_label_video_is_not_warned_of_whatever_its_codec(tmp_path):
    folder = write_healthy(tmp_path / "train" / "one")
    (folder / "labels").rename(tmp_path / "labels")
    size = {"width": WIDTH, "height": HEIGHT, "rate": Fraction(25)}
    writer = open_writer(folder / "labels.webm", **size, lossless=True)
    for index, ids in enumerate(label_maps()):
        writer.write(ids_to_colours(ids, load_palette("camvid")), Fraction(index, 25))
    writer.close()
    assert not check(write_config(tmp_path)).problems


def test_what_is_validated_on_is_checked_too(tmp_path):
    write_healthy(tmp_path / "train" / "one")
    file = write_config(tmp_path, validation={"split": "val"})
    (problem,) = check(file).problems
    assert (problem.severity, problem.kind) == ("error", "training")
    assert "val" in problem.message
    write_healthy(tmp_path / "val" / "two")
    assert not check(file).problems


def test_numbers_that_are_times_have_no_gaps(tmp_path):
    folder = write_healthy(tmp_path / "train" / "one")
    for stream in ("frames", "labels"):
        for index, time in enumerate((0, 41, 83, 125, 166, 208, 250, 291)):
            (folder / stream / f"{index:04d}.png").rename(folder / stream / f"t{time:04d}.png")
    assert not check(write_config(tmp_path)).problems


def test_stills_need_no_motion(tmp_path):
    defect = next(defect for defect in DEFECTS if defect.name == "scattered")
    defect.break_it(write_healthy(tmp_path / "train" / "one"))
    schedule = {"steps": 2, "clip_length": 1, "clip_length_max": 1}
    still = {"kind": "pix2pix_unet", "width": 4, "downsamplings": 2}
    file = write_config(tmp_path, generator=still, schedule=schedule, video_discriminator=None)
    assert not check(file).problems


def test_a_layout_without_data_says_what_was_looked_for(tmp_path):
    (tmp_path / "train").mkdir()
    report = check(write_config(tmp_path))
    assert [problem.kind for problem in report.problems] == ["layout"]
    assert "train/<sequence>/frames" in report.problems[0].message


def test_windows_longer_than_every_sequence_are_an_error(tmp_path):
    write_healthy(tmp_path / "train" / "one")
    judge = {"width": 4, "layers": 1, "scales": 1, "temporal_scales": 2}
    schedule = {"steps": 2, "clip_length": 4, "clip_length_max": 9}
    file = write_config(tmp_path, video_discriminator=judge, schedule=schedule)
    assert [problem.kind for problem in check(file).problems] == ["short"]
    assert refuses(file)


def test_data_that_is_not_there_says_what_to_fetch(tmp_path):
    file = write_config(tmp_path, data={"root": "nowhere", "height": 16, "width": 16})
    with pytest.raises(ConfigError, match="there is no nowhere"):
        check(file)


def test_a_palette_that_is_none_is_refused(tmp_path):
    write_healthy(tmp_path / "train" / "one")
    with pytest.raises(DataError, match="a palette must be one of"):
        check(str(tmp_path), Asked(palette="camvidd"))


def test_procedural_streets_have_nothing_to_check(tmp_path):
    data = {"kind": "world", "height": 16, "width": 16, "world": {}}
    file = write_config(tmp_path, data=data, labels={"palette": "cityscapes"})
    assert check(file).to_text().startswith("procedural streets: 0 sequences")


def test_settings_change_what_is_assumed_of_a_bare_folder(tmp_path):
    write_healthy(tmp_path / "val" / "one")
    report = check(str(tmp_path), Asked(("data.split=val",), palette="camvid"))
    assert report.sequences[0].num_frames == 8
    with pytest.raises(ConfigError, match=r"^--set data.spilt=val: .*did you mean 'data.split'"):
        check(str(tmp_path), Asked(("data.spilt=val",)))
