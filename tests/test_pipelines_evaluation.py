import json
import re
import sys
import types

import cv2
import numpy as np
import pytest
import torch
from conftest import make_moving_square
from stand_ins import LikeLpips, export
from tiny_runs import label_folder, tiny_checkpoint
from torchvision.models import alexnet
from torchvision.models.optical_flow import raft_small

from pipelines.cli import main
from pipelines.evaluation.charts import Line, Mark, line_chart, nice_ticks
from pipelines.evaluation.evaluate import evaluate, name_systems
from pipelines.evaluation.options import EvaluateOptions
from pipelines.evaluation.results import Figure, is_trusted
from pipelines.evaluation.sources import find_footage, find_places
from pipelines.evaluation.visits import read_visits
from vid2vid.errors import CheckpointError, ConfigError, DataError, VideoError
from vid2vid.labels.palettes import load_palette
from vid2vid.metrics.bootstrap import Interval
from vid2vid.networks.segmenter import Segmenter, SegmenterConfig
from vid2vid.weights.segmenter import save_segmenter

SIDE = {"height": 24, "width": 32}


def write(folder, num_frames=6, *, seed=0, change=0, first=0, **size):
    """A square that moves, as PNGs; `change` is added to every level."""
    clip = make_moving_square(num_frames=num_frames, **(size or SIDE))
    folder.mkdir(parents=True)
    for index, frame in enumerate(clip.frames):
        levels = ((frame + 1) * 127.5).clamp(0, 255).byte().permute(1, 2, 0).numpy()
        moved = np.clip(levels.astype(int) + change, 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"{first + index:06d}.png"), moved[..., ::-1])
    return folder


@pytest.fixture
def pair(tmp_path):
    return write(tmp_path / "real"), write(tmp_path / "ours", change=10)


def run(*words):
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    return left.value.code or 0


def options(pair, tmp_path, **more):
    real, *systems = pair
    given = {"real": real, "generated": tuple(systems), "report": tmp_path / "report"}
    return EvaluateOptions(**(given | {"device": "cpu"} | more))


def test_a_report_is_written_with_every_figure_its_interval_and_n(pair, tmp_path, capsys):
    report = tmp_path / "report"
    words = ("evaluate", "--real", pair[0], "--generated", pair[1], "--report", report)
    assert run(*words, "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    held = json.loads((report / "report.json").read_text())
    assert printed == held
    assert held["format"] == "vid2vid-evaluation-1"
    psnr = held["systems"]["ours"]["psnr"]
    assert psnr["n"] == 6
    assert psnr["value"] == pytest.approx(20 * np.log10(255 / 10), abs=0.3)
    assert set(held["controls"]) >= {"real", "shuffled", "perturbed"}
    assert set(held["metrics"]) == set(held["systems"]["ours"])


def test_the_terminal_says_what_was_not_measured_and_which_file_it_needs(pair, tmp_path, capsys):
    words = ("evaluate", "--real", pair[0], "--generated", pair[1], "--report", tmp_path / "r")
    assert run(*words) == 0
    out = capsys.readouterr().out
    for name in ("inception-2015-12-05.pt", "i3d_torchscript.pt", "alexnet-owt-7be5be79.pth"):
        assert name in out
    assert "warping error along RAFT's flow: needs torchvision's raft_small" in out
    assert "MS-SSIM: needs frames of at least 176 pixels a side; these have 24" in out
    assert out.splitlines()[-1] == str(tmp_path / "r" / "report.html")


def test_the_page_holds_all_it_shows_and_asks_nothing_of_the_net(pair, tmp_path):
    done = evaluate(options(pair, tmp_path))
    page = done.page_path.read_text()
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert sources
    assert all(source.startswith("data:") for source in sources)
    strips = json.loads(re.search(r'id="strips">(.*?)</script>', page, re.DOTALL)[1])["strips"]
    assert {name: len(strip) for name, strip in strips.items()} == {"ours": 6, "real": 6}
    assert not re.search(r"\$[a-z_]+", page)
    for metric in done.results.metrics.values():
        assert metric.about.split(".")[0].split("'")[0] in page


def test_several_systems_stand_in_one_table(pair, tmp_path, capsys):
    third = write(tmp_path / "theirs", change=30)
    words = ("evaluate", "--real", pair[0], "--report", tmp_path / "r", "--json")
    assert run(*words, "--compare", pair[1], third) == 0
    systems = json.loads(capsys.readouterr().out)["systems"]
    assert list(systems) == ["ours", "theirs"]
    assert systems["ours"]["psnr"]["value"] > systems["theirs"]["psnr"]["value"]


@pytest.mark.parametrize("words", [(), ("--compare", "a"), ("a", "b"), ("--compare",)])
def test_what_is_judged_must_be_said_in_one_way(words, tmp_path, capsys):
    status = run("evaluate", "--real", tmp_path, "--report", tmp_path / "r", *words)
    assert status == 2
    assert "--generated PLACE, several as --compare A B C" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["evaluate", "bench", "study"])
def test_every_command_that_judges_has_help(command, capsys):
    assert run(command, "--help") == 0
    assert f"Usage: vid2vid {command}" in capsys.readouterr().out


def test_the_same_seed_gives_the_same_report(pair, tmp_path):
    one = evaluate(options(pair, tmp_path, report=tmp_path / "a")).report
    other = evaluate(options(pair, tmp_path, report=tmp_path / "b")).report
    assert one == other


def test_several_sequences_are_the_units_of_the_bootstrap(tmp_path):
    for name in ("one", "two", "three"):
        write(tmp_path / "real" / name)
        write(tmp_path / "ours" / name, change=len(name) * 4)
    done = evaluate(options((tmp_path / "real", tmp_path / "ours"), tmp_path))
    figure = done.results.figures["ours"]["colour_shift"]
    assert done.report["settings"]["unit"] == "sequences"
    assert figure.count == 18
    assert figure.interval.low < figure.value < figure.interval.high


def test_memory_of_a_long_video_is_bounded(pair, tmp_path):
    from pipelines.evaluation.catalogue import list_metrics
    from pipelines.evaluation.ledger import Ledger, When

    ledger = Ledger(list_metrics((1,)))
    for frame in range(20_000):
        ledger.note(("ours", "psnr"), When(0, frame, True), frame / 1000)
    assert len(ledger.units(("ours", "psnr"))) <= 256
    assert len(ledger.curve(("ours", "psnr"))) <= 400
    assert ledger.count(("ours", "psnr")) == 20_000


def write_world(folder, num_frames=6, *, start=0):
    clip = make_moving_square(num_frames=num_frames, **SIDE)
    for stream in ("flow", "occlusion", "surface", "labels"):
        (folder / stream).mkdir(parents=True)
    for k in range(num_frames):
        name = f"{start + k:06d}"
        ids = np.arange(24 * 32, dtype=np.int64).reshape(24, 32)
        np.save(folder / "surface" / f"{name}.npy", ids)
        cv2.imwrite(str(folder / "labels" / f"{name}.png"), clip.labels[k].numpy())
        hidden = (
            (clip.occlusion[k - 1, 0].numpy() * 255).astype(np.uint8)
            if k
            else np.full((24, 32), 255, np.uint8)
        )
        cv2.imwrite(str(folder / "occlusion" / f"{name}.png"), hidden)
        if k:
            np.save(folder / "flow" / f"{name}.npy", clip.flow[k - 1].numpy())
    return folder


@pytest.mark.parametrize("start", [0, 4])
def test_a_world_gives_known_flow_and_surface_points(pair, tmp_path, start):
    world = write_world(tmp_path / "world", start=start)
    found = evaluate(options(pair, tmp_path, world=world)).results.figures
    assert found["real"]["warping_known_1"].value < 0.1
    assert found["perturbed"]["warping_known_1"].value > found["real"]["warping_known_1"].value
    assert found["real"]["surface_variance"].count == 24 * 32


def test_a_world_of_another_size_or_without_a_frame_is_refused(pair, tmp_path):
    world = write_world(tmp_path / "world")
    (world / "flow" / "000003.npy").unlink()
    with pytest.raises(DataError, match=r"000003\.npy cannot be read"):
        evaluate(options(pair, tmp_path, world=world))
    for path in (world / "surface").iterdir():
        np.save(path, np.zeros((4, 4), np.int64))
    with pytest.raises(DataError, match="must have the size of the generated frames"):
        evaluate(options(pair, tmp_path, world=world))
    with pytest.raises(DataError, match="'vid2vid world' has written"):
        evaluate(options(pair, tmp_path, world=tmp_path / "real"))


def test_labels_are_judged_by_a_segmenter_with_real_as_the_ceiling(pair, tmp_path):
    (tmp_path / "two.yaml").write_text(
        "name: two\nclasses:\n  - {id: 0, name: ground, colour: [0, 0, 0]}\n"
        "  - {id: 1, name: square, colour: [255, 0, 0]}\n"
    )
    labels = write_world(tmp_path / "world") / "labels"
    segmenter = export(tmp_path / "s.pt2", size=(24, 32))
    more = {"labels": labels, "palette": str(tmp_path / "two.yaml"), "segmenter": segmenter}
    found = evaluate(options(pair, tmp_path, **more)).results.figures
    for key in ("pixel_accuracy", "mean_iou", "boundary_f1"):
        assert 0 <= found["ours"][key].value <= 1
        assert found["real"][key].count == 6
    assert found["ours"]["fd_seg"].count == 6 * 16
    assert "kd_seg" in found["ours"]
    with pytest.raises(ConfigError, match="--palette NAME"):
        evaluate(options(pair, tmp_path, labels=labels, segmenter=segmenter))
    with pytest.raises(ConfigError, match="must have the segmenter's 2 classes; 'camvid' has 11"):
        evaluate(options(pair, tmp_path, **(more | {"palette": "camvid"})))


def test_a_palindrome_is_read_from_both_ends(pair, tmp_path):
    place = write(tmp_path / "back", 6)
    for k in range(5):
        name = f"{4 - k:06d}.png"
        picture = cv2.imread(str(place / name))
        cv2.imwrite(str(place / f"{6 + k:06d}.png"), np.clip(picture.astype(int) + 7, 0, 255))
    visits = list(read_visits(place, num_frames=6))
    assert [visit.frame for visit in visits] == [0, 1, 2, 3, 4]
    found = evaluate(options(pair, tmp_path, palindrome=(place,))).results
    assert found.figures["ours"]["palindrome"].value == pytest.approx(7, abs=0.2)
    assert found.figures["real"]["palindrome"].value == 0
    assert found.figures["shuffled"]["palindrome"].value > 0
    with pytest.raises(DataError, match="must have 9, each but the last twice"):
        list(read_visits(place, num_frames=5))


def test_a_checkpoint_is_timed_and_driven_there_and_back(tmp_path, capsys):
    checkpoint = tiny_checkpoint(tmp_path / "run")
    labels = label_folder(tmp_path / "labels", 5)
    real = write(tmp_path / "real", 5, height=16, width=24)
    ours = write(tmp_path / "ours", 5, height=16, width=24)
    done = evaluate(options((real, ours), tmp_path, labels=labels, checkpoint=checkpoint))
    assert done.report["render"]["num_frames"] == 5
    assert done.results.figures["ours"]["palindrome"].count == 4
    assert "Throughput" in done.page_path.read_text()


def test_bench_prints_throughput_latency_first_frame_and_memory(tmp_path, capsys):
    checkpoint = tiny_checkpoint(tmp_path / "run")
    labels = label_folder(tmp_path / "labels", 6)
    assert run("bench", checkpoint, labels, "--device", "cpu", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["num_frames"], found["height"], found["width"]) == (6, 16, 24)
    assert found["latency_ms"]["p50"] <= found["latency_ms"]["p95"] <= found["latency_ms"]["p99"]
    assert min(found[k] for k in ("frames_per_second", "first_frame_seconds", "macs_per_frame")) > 0
    assert run("bench", checkpoint, labels, "--device", "cpu", "--frames", "0:3") == 0
    assert "throughput" in capsys.readouterr().out
    assert run("bench", checkpoint, labels, "--device", "cpu", "--frames", "0:1") == 2
    assert "two frames or more" in capsys.readouterr().err


def test_places_are_videos_folders_folders_of_those_or_lists(tmp_path):
    write(tmp_path / "all" / "b")
    write(tmp_path / "all" / "a")
    (tmp_path / "list.txt").write_text("all/b\n\nall/a\n")
    assert [place.name for place in find_places(tmp_path / "all")] == ["a", "b"]
    assert [place.name for place in find_places(tmp_path / "list.txt")] == ["b", "a"]
    assert [place.name for place in find_places(tmp_path / "all" / "a")] == ["a"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"empty has none: check the path"):
        find_places(tmp_path / "empty")


def test_sequences_pair_by_name_where_they_can(tmp_path):
    for place in ("real/a", "real/b", "ours/b", "ours/a"):
        write(tmp_path / place)
    (tmp_path / "ours.txt").write_text("ours/b\nours/a\n")
    found = find_footage(options((tmp_path / "real", tmp_path / "ours.txt"), tmp_path))
    assert [each.systems[0].place.name for each in found] == ["a", "b"]


def test_streams_that_do_not_fit_are_refused_before_anything_is_measured(pair, tmp_path):
    real, ours = pair
    short = write(tmp_path / "short", 5)
    with pytest.raises(DataError, match="must be as many as the real frames, 6"):
        find_footage(options((real, short), tmp_path))
    with pytest.raises(DataError, match="must have the aspect"):
        find_footage(options((real, write(tmp_path / "wide", height=24, width=48)), tmp_path))
    other = write(tmp_path / "large", height=48, width=64)
    with pytest.raises(DataError, match="must be of one size"):
        find_footage(options((real, ours, other), tmp_path))
    (tmp_path / "two.txt").write_text(f"{real}\n{real}\n")
    with pytest.raises(DataError, match=r"as many sequences as the real one, 1; .* has 2"):
        find_footage(options((real, tmp_path / "two.txt"), tmp_path))


def test_real_frames_take_the_size_of_the_generated_ones(tmp_path):
    real = write(tmp_path / "real", height=48, width=64)
    ours = write(tmp_path / "ours")
    settings = evaluate(options((real, ours), tmp_path)).report["settings"]
    assert (settings["height"], settings["width"]) == (24, 32)
    assert settings["real_resized_from"] == [48, 64]


def test_options_that_contradict_each_other_are_refused(pair, tmp_path):
    for more, expected in (
        ({"generated": ()}, "a generated video is needed"),
        ({"palindrome": (tmp_path, tmp_path)}, "once for each of 1 systems"),
        ({"checkpoint": tmp_path}, "needs the label maps it rendered"),
        ({"checkpoint": tmp_path, "labels": tmp_path, "palindrome": (tmp_path,)}, "leave --palin"),
    ):
        with pytest.raises(ConfigError, match=expected):
            options(pair, tmp_path, **more)


def test_a_weight_file_that_is_none_is_refused(pair, tmp_path):
    (tmp_path / "none.pt").write_bytes(b"nothing")
    for name, expected in (("raft", "RAFT"), ("inception", "inception-2015"), ("i3d", "i3d_torch")):
        with pytest.raises(CheckpointError, match=expected):
            evaluate(options(pair, tmp_path, **{name: tmp_path / "none.pt"}))


def test_systems_are_named_by_what_tells_them_apart(tmp_path):
    paths = tmp_path / "a" / "out.mp4", tmp_path / "b" / "out.mp4"
    assert name_systems(paths) == ("a/out", "b/out")
    assert name_systems((tmp_path / "x.mp4", tmp_path / "real")) == ("x", "real (system)")
    with pytest.raises(DataError, match="must be different places"):
        name_systems((tmp_path / "a", tmp_path / "." / "a"))


def test_a_metric_is_trusted_where_intervals_do_not_meet():
    def figure(low, high):
        return Figure((low + high) / 2, Interval(low, high), 9)

    assert is_trusted(figure(1, 2), [figure(2.1, 3), figure(4, 5)]) is True
    assert is_trusted(figure(1, 2), [figure(1.9, 3), figure(4, 5)]) is False
    assert is_trusted(Figure(1, None, 9), [figure(2.1, 3), figure(4, 5)]) is None


def test_ticks_are_round_and_hold_the_values():
    assert nice_ticks(0, 10) == [0, 2, 4, 6, 8, 10]
    assert nice_ticks(0.13, 0.27)[0] <= 0.13
    assert nice_ticks(5, 5)[0] < 5 < nice_ticks(5, 5)[-1]


def test_a_chart_draws_each_line_and_refuses_none():
    lines = [Line("a", "s0", [Mark(1, 2, 1, 3), Mark(2, 4, 3, 5)]), Line("b <", "s1", [Mark(1, 1)])]
    chart = line_chart(lines, x_label="stride", y_label="error", is_log_x=True)
    assert chart.count("<polyline") == 2
    assert chart.count('class="band') == 1
    assert "b <" not in chart
    with pytest.raises(ValueError, match="must have a mark"):
        line_chart([Line("a", "s0", [])], x_label="x", y_label="y")


def test_raft_and_lpips_are_measured_where_their_files_are(pair, tmp_path, monkeypatch):
    # With all weights 0 it finds that nothing moves.
    still = {name: torch.zeros_like(x) for name, x in raft_small(weights=None).state_dict().items()}
    torch.save(still, tmp_path / "raft.pth")
    torch.save(alexnet().state_dict(), tmp_path / "alex.pth")
    monkeypatch.setitem(sys.modules, "lpips", types.SimpleNamespace(LPIPS=LikeLpips))
    two = [write(tmp_path / name, 2, change=change) for name, change in (("a", 0), ("b", 9))]
    more = {"raft": tmp_path / "raft.pth"}
    found = evaluate(options(two, tmp_path, **more)).results.figures["b"]
    assert found["warping_raft_1"].count == 1
    large = [
        write(tmp_path / name, 2, change=c, height=64, width=64) for name, c in (("c", 0), ("d", 9))
    ]
    more = {"lpips": tmp_path / "alex.pth"}
    found = evaluate(options(large, tmp_path, **more)).results.figures
    assert found["real"]["lpips"].value == pytest.approx(0, abs=1e-9)
    assert found["d"]["lpips"].value > 0


def test_labels_of_another_palette_need_a_mapping(pair, tmp_path):
    labels = write_world(tmp_path / "world") / "labels"
    torch.manual_seed(0)
    network = Segmenter(SegmenterConfig(num_classes=35, widths=(4, 4)))
    path = tmp_path / "s.safetensors"
    save_segmenter(path, network, palette=load_palette("cityscapes"), score={"mean_iou": 0.25})
    more = {"labels": labels, "palette": "camvid", "segmenter": path}
    with pytest.raises(ConfigError, match="pass --map camvid-to-cityscapes"):
        evaluate(options(pair, tmp_path, **more))
    done = evaluate(options(pair, tmp_path, map="camvid-to-cityscapes", **more))
    assert done.report["settings"]["segmenter"]["score"] == {"mean_iou": 0.25}
    assert "on unseen worlds mean IoU 0.250" in done.page_path.read_text()
    alone = evaluate(options(pair, tmp_path, segmenter=path)).report
    assert "fd_seg" in alone["systems"]["ours"]
    assert "mean_iou" not in alone["metrics"]


def test_the_worst_frames_are_of_different_blocks_and_worst_first(tmp_path):
    picture = cv2.imread(str(write(tmp_path / "one", 1) / "000000.png"))
    real, ours = tmp_path / "real", tmp_path / "ours"
    for folder in (real, ours):
        folder.mkdir()
        for index in range(84):
            cv2.imwrite(str(folder / f"{index:06d}.png"), picture)
    for index, level in ((3, 60), (5, 90), (20, 120), (40, 30), (60, 150), (80, 200)):
        cv2.imwrite(str(ours / f"{index:06d}.png"), np.full((24, 32, 3), level, np.uint8))
    found = evaluate(options((real, ours), tmp_path)).report["worst_frames"]["ours"]
    assert len(found) == 4
    assert len({each["frame"] // 16 for each in found}) == 4
    assert {each["frame"] for each in found} < {3, 5, 20, 40, 60, 80}
    assert found == sorted(found, key=lambda each: each["ssim"])


def test_an_occlusion_mask_that_cannot_be_read_or_is_missing_is_refused(pair, tmp_path):
    world = write_world(tmp_path / "world")
    (world / "occlusion" / "000002.png").write_bytes(b"nothing")
    with pytest.raises(DataError, match="an occlusion mask is needed"):
        evaluate(options(pair, tmp_path, world=world))
    (world / "surface" / "000005.npy").unlink()
    (world / "occlusion" / "000002.png").unlink()
    with pytest.raises(DataError, match="there is none for frame 2"):
        evaluate(options(pair, tmp_path, world=world))


def test_a_report_that_cannot_be_written_is_refused_first(pair, tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(VideoError, match="it is a file"):
        evaluate(options(pair, tmp_path, report=tmp_path / "taken"))


def test_the_frames_of_worlds_are_found_and_nothing_else_in_them(tmp_path):
    for name in ("one", "two"):
        for stream in ("frames", "labels", "flow"):
            write(tmp_path / "worlds" / name / stream, 2)
    (alone,) = find_places(tmp_path / "worlds" / "one")
    assert (alone.name, alone.path.name) == ("one", "frames")
    both = find_places(tmp_path / "worlds")
    assert [(each.name, each.path.name) for each in both] == [("one", "frames"), ("two", "frames")]


def test_a_missing_picture_among_numbered_ones_is_named(tmp_path):
    pair = write(tmp_path / "real", 5), write(tmp_path / "ours", 6)
    (pair[1] / "000003.png").unlink()
    with pytest.raises(DataError, match=r"beside 000003 .* there is 000004 .* 000003 was expected"):
        find_footage(options(pair, tmp_path))


def test_numbers_that_begin_elsewhere_are_said(tmp_path, caplog):
    pair = write(tmp_path / "real", 5), write(tmp_path / "ours", 5, first=4)
    find_footage(options(pair, tmp_path))
    assert "frame 000004 of" in caplog.text
    assert "is taken for frame 000000 of" in caplog.text


def test_frames_smaller_than_the_window_of_ssim_are_refused(tmp_path):
    pair = write(tmp_path / "real", 2), write(tmp_path / "ours", 2, height=9, width=12)
    with pytest.raises(DataError, match="at least 11 pixels a side"):
        find_footage(options(pair, tmp_path))
