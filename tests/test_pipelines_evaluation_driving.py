import json
import shutil

import cv2
import numpy as np
import pytest
import torch
from evaluations import options, run, write, write_world
from tiny_runs import label_folder, tiny_checkpoint

from pipelines.build import load_generation
from pipelines.evaluation.driving import choose_render
from pipelines.evaluation.evaluate import evaluate
from pipelines.evaluation.sources import find_footage
from pipelines.evaluation.translation import why_unread
from pipelines.evaluation.visits import read_visits
from vid2vid.data.pairing import open_stream
from vid2vid.errors import ConfigError, DataError
from vid2vid.labels.palettes import load_palette
from vid2vid.networks.segmenter import Segmenter, SegmenterConfig
from vid2vid.weights.segmenter import load_segmenter, save_segmenter


@pytest.fixture
def pair(tmp_path):
    return write(tmp_path / "real"), write(tmp_path / "ours", change=10)


def test_a_palindrome_is_read_from_both_ends(pair, tmp_path):
    place = write(tmp_path / "back", 6)
    for k in range(5):
        name = f"{4 - k:06d}.png"
        picture = cv2.imread(str(place / name))
        cv2.imwrite(str(place / f"{6 + k:06d}.png"), np.clip(picture.astype(int) + 7, 0, 255))
    visits = list(read_visits(open_stream("palindrome", place)))
    assert [visit.frame for visit in visits] == [0, 1, 2, 3, 4]
    found = evaluate(options(pair, tmp_path, palindrome=(place,))).results
    assert found.figures["ours"]["palindrome"].value == pytest.approx(7, abs=0.2)
    assert found.figures["real"]["palindrome"].value == 0
    assert found.figures["shuffled"]["palindrome"].value > 0


def test_palindromes_are_paired_and_counted_before_anything_is_computed(tmp_path):
    for name, change in (("a", 0), ("b", 9)):
        write(tmp_path / "real" / name, 3)
        write(tmp_path / "ours" / name, 3, change=change)
        write(tmp_path / "back" / name, 5, change=change)
    (tmp_path / "back.txt").write_text("back/b\nback/a\n")
    places = tmp_path / "real", tmp_path / "ours"
    found = find_footage(options(places, tmp_path, palindrome=(tmp_path / "back.txt",)))
    assert [each.palindromes[0].place.name for each in found] == ["a", "b"]
    with pytest.raises(DataError, match=r"as many sequences as the real one, 2; .* has 1"):
        find_footage(options(places, tmp_path, palindrome=(tmp_path / "back" / "a",)))
    (tmp_path / "back" / "b" / "000004.png").unlink()
    with pytest.raises(DataError, match="a palindrome of 3 frames must have 5, each but the last"):
        find_footage(options(places, tmp_path, palindrome=(tmp_path / "back",)))


def test_a_checkpoint_is_timed_and_driven_there_and_back(tmp_path, capsys):
    checkpoint = tiny_checkpoint(tmp_path / "run")
    labels = label_folder(tmp_path / "labels", 5)
    real = write(tmp_path / "real", 5, height=16, width=24)
    ours = write(tmp_path / "ours", 5, height=16, width=24)
    done = evaluate(options((real, ours), tmp_path, labels=labels, checkpoint=checkpoint))
    assert done.report["render"]["num_frames"] == 5
    assert done.results.figures["ours"]["palindrome"].count == 4
    assert "Throughput" in done.page_path.read_text()


def street(folder, num_frames=4):
    """A tiny world whose frames the checkpoint is said to have rendered, and both places."""
    size = {"height": 16, "width": 24}
    world = write_world(folder / "world", num_frames, **size)
    shutil.rmtree(world / "labels")
    label_folder(world / "labels", num_frames)
    (world / "instances").mkdir()
    for path in sorted((world / "labels").iterdir()):
        cv2.imwrite(str(world / "instances" / path.name), cv2.imread(str(path), 0) // 3 * 7)
    real = write(folder / "real", num_frames, **size)
    return world, (real, write(folder / "ours", num_frames, change=9, **size))


def test_a_checkpoint_that_wants_instances_takes_the_worlds_its_own_or_boundaries(tmp_path):
    checkpoint = tiny_checkpoint(tmp_path / "run", labels={"boundary": "instances"})
    world, places = street(tmp_path)
    drive = {"checkpoint": checkpoint, "world": world}
    done = evaluate(options(places, tmp_path, **drive))
    assert done.results.figures["ours"]["palindrome"].count == 3
    assert done.report["render"]["num_frames"] == 4
    (world / "instances").rename(tmp_path / "objects")
    with pytest.raises(ConfigError, match="pass --instances FOLDER, or --boundary labels"):
        evaluate(options(places, tmp_path, **drive))
    for more in ({"instances": tmp_path / "objects"}, {"boundary": "labels"}):
        found = evaluate(options(places, tmp_path, **drive, **more)).results.figures
        assert found["ours"]["palindrome"].count == 3


def test_instances_that_lack_a_partner_are_refused_before_anything_is_computed(tmp_path):
    world, places = street(tmp_path)
    next((world / "instances").iterdir()).unlink()
    more = {"checkpoint": tmp_path, "world": world, "instances": world / "instances"}
    with pytest.raises(DataError, match="1 of 4 are missing"):
        find_footage(options(places, tmp_path, **more))


def test_a_checkpoint_renders_at_the_size_in_the_palette_and_by_the_seed_it_was_asked_for(tmp_path):
    generation = load_generation(tiny_checkpoint(tmp_path / "run"), torch.device("cpu"))
    (footage,) = find_footage(options(street(tmp_path)[1], tmp_path, labels=tmp_path / "ours"))
    asked = {"labels": tmp_path, "checkpoint": tmp_path, "seed": 7}

    def choose(**more):
        return choose_render(options(("r", "g"), tmp_path, **asked, **more), footage, generation)

    plain = choose()
    assert (plain.seed, plain.height, plain.width, plain.map) == (7, 16, 24, None)
    assert choose(palette="camvid").palette == "camvid"
    assert choose(maps=("camvid-to-cityscapes",)).map is None  # it is the segmenter's
    assert choose(maps=("camvid32-to-camvid",)).map == "camvid32-to-camvid"
    both = choose(palette="camvid32", maps=("cityscapes-to-cityscapes19", "camvid32-to-camvid"))
    assert (both.palette, both.map) == ("camvid32", "camvid32-to-camvid")
    for more in ({"palette": "cityscapes"}, {"maps": ("cityscapes-to-cityscapes19",)}):
        with pytest.raises(DataError, match=r"they are in .cityscapes.: pass --map"):
            choose(**more)


def test_label_maps_of_a_checkpoint_are_judged_only_as_what_they_are(tmp_path):
    world, places = street(tmp_path)
    torch.manual_seed(0)
    network = Segmenter(SegmenterConfig(num_classes=35, widths=(4, 4)))
    segmenter = tmp_path / "s.safetensors"
    save_segmenter(segmenter, network, palette=load_palette("cityscapes"), score={})
    checkpoint = tiny_checkpoint(tmp_path / "run")  # of camvid, whose ids cityscapes has as well
    drive = {"checkpoint": checkpoint, "labels": world / "labels", "segmenter": segmenter}
    report = evaluate(options(places, tmp_path, **drive)).report
    assert "mean_iou" not in report["metrics"]
    why = next(each["why"] for each in report["not_measured"] if "mean IoU" in each["what"])
    assert "in 'camvid': --map camvid-to-cityscapes" in why
    loaded = load_segmenter(segmenter, device=torch.device("cpu"))
    takes_pictures = load_generation(checkpoint, torch.device("cpu"))._replace(palette=None)
    asked = options(places, tmp_path, **drive)
    assert "takes other pictures" in why_unread(asked, loaded, takes_pictures)
    mapped = evaluate(options(places, tmp_path, maps=("camvid-to-cityscapes",), **drive))
    assert "mean_iou" in mapped.report["metrics"]


def test_options_of_a_checkpoint_reach_it_from_the_command_line(tmp_path, capsys):
    checkpoint = tiny_checkpoint(tmp_path / "run", labels={"boundary": "instances"})
    world, (real, ours) = street(tmp_path)
    words = ("evaluate", "--real", real, "--generated", ours, "--report", tmp_path / "r", "--json")
    drive = ("--labels", world / "labels", "--checkpoint", checkpoint, "--device", "cpu")
    assert run(*words, *drive) == 2
    assert "--boundary labels" in capsys.readouterr().err
    assert run(*words, *drive, "--instances", world / "instances", "--seed", 3) == 0
    assert json.loads(capsys.readouterr().out)["systems"]["ours"]["palindrome"]["n"] == 3
    assert run(*words, *drive, "--boundary", "labels", "--map", "camvid-to-cityscapes") == 0
    assert run(*words, "--boundary", "labels") == 2
    assert "none is driven" in capsys.readouterr().err


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


def test_a_checkpoint_without_labels_is_not_driven_by_them(pair, tmp_path):
    run = tiny_checkpoint(tmp_path / "run", labels=None, controls=[{"kind": "edges"}])
    labels = label_folder(tmp_path / "labels", 6)
    with pytest.raises(ConfigError, match="this one takes controls in their place: leave it out"):
        evaluate(options(pair, tmp_path, labels=labels, palette="camvid", checkpoint=run))
