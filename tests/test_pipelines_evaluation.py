import html
import json
import re
import sys
import types

import cv2
import numpy as np
import pytest
import torch
from evaluations import options, run, write, write_world
from stand_ins import LikeLpips, export
from torchvision.models import alexnet
from torchvision.models.optical_flow import raft_small

from pipelines.evaluation.evaluate import evaluate, name_systems
from pipelines.evaluation.tables import text_table
from vid2vid.errors import CheckpointError, ConfigError, DataError, VideoError
from vid2vid.labels.palettes import load_palette
from vid2vid.networks.segmenter import Segmenter, SegmenterConfig
from vid2vid.weights.segmenter import save_segmenter


@pytest.fixture
def pair(tmp_path):
    return write(tmp_path / "real"), write(tmp_path / "ours", change=10)


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
        assert page.count(f"<dd>{html.escape(metric.about)}</dd>") == 1


def test_trust_that_is_partly_built_in_is_said_beside_the_badge(pair, tmp_path, capsys):
    back = write(tmp_path / "back", 11)
    done = evaluate(options(pair, tmp_path, palindrome=(back,)))
    metrics = done.report["metrics"]
    built_in = {key for key, metric in metrics.items() if metric["built_in"]}
    assert built_in == {"tof", "palindrome", *(k for k in metrics if k.startswith("warping_dis"))}
    page = done.page_path.read_text()
    for key in ("tof", "palindrome", "warping_dis_1"):
        row = re.search(rf'<th scope="row">{metrics[key]["title"]}.*?</th>', page)[0]
        assert "badge" in row
        assert f"partly built in: {metrics[key]['built_in']}" in row
    assert "partly built in" not in re.search(r'<th scope="row">Flicker.*?</th>', page)[0]
    assert "untested, partly built in" in text_table(done.results, done.systems)


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
    done = evaluate(options(pair, tmp_path, maps=("camvid-to-cityscapes",), **more))
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


def test_a_report_that_cannot_be_written_is_refused_first(pair, tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(VideoError, match="it is a file"):
        evaluate(options(pair, tmp_path, report=tmp_path / "taken"))
