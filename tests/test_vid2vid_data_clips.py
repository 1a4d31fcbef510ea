import itertools
import json
import logging
import multiprocessing
import pickle
import subprocess
import sys
import time
from collections import Counter
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from flow.confidence import reference_flow
from flow.estimators import DIS
from vid2vid.data import store as frame_store
from vid2vid.data.augment import Size
from vid2vid.data.batches import StepPlan, clip_batches
from vid2vid.data.clips import ClipDataset, ClipRequest, collate
from vid2vid.data.config import DataConfig, StreamPatterns
from vid2vid.data.layout import find_sequences
from vid2vid.data.pairing import Source
from vid2vid.data.starts import ClipStarts
from vid2vid.data.store import FrameStore
from vid2vid.errors import DataError
from vid2vid.labels.files import LabelReader
from vid2vid.labels.palettes import LabelClass, Palette, load_palette
from vid2vid.video.reading import read_image
from vid2vid.video.writing import write_label_video

NUM_CLASSES = 40
CLASSES = tuple(
    LabelClass(id=index, name=f"class{index}", colour=(index, 0, 0)) for index in range(NUM_CLASSES)
)
PALETTE = Palette(name="levels", classes=CLASSES)


def write_sequence(root, name, num_frames, *, with_instances=False):
    """Frame t is grey 5t + column, its labels are t, its instances 1000 + t."""
    ramp = np.tile(np.arange(16, dtype=np.uint8), (12, 1))
    for time_index in range(num_frames):
        pictures = {"frames": ramp + 5 * time_index, "labels": np.full_like(ramp, time_index)}
        if with_instances:
            pictures["instances"] = np.full(ramp.shape, 1000 + time_index, np.uint16)
        for stream, picture in pictures.items():
            folder = root / "train" / name / stream
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(folder / f"{time_index:03d}.png")


@pytest.fixture
def root(tmp_path):
    write_sequence(tmp_path, "long", 12, with_instances=True)
    write_sequence(tmp_path, "short", 4, with_instances=True)
    return tmp_path


def dataset_of(root, *, palette=PALETTE, layout="auto", settings=None, **options):
    data = {"root": str(root), "height": 8, "width": 12, "flip": False, **(settings or {})}
    config = DataConfig.model_validate(data)
    sequences = find_sequences(root, config.split, layout, frame_range=config.frame_range)
    return ClipDataset(sequences, config, reader=LabelReader(palette), **options)


def plan(step):
    return StepPlan(length=2 + step % 3, batch_size=2)


def first(num_steps, dataset, **options):
    return list(itertools.islice(clip_batches(dataset, plan, seed=7, **options), num_steps))


def assert_same(batch, other):
    for one, two in zip(batch[:3], other[:3], strict=True):
        assert torch.equal(one, two)
    assert batch[4:] == other[4:]
    for one, two in zip(batch.references, other.references, strict=True):
        assert torch.equal(one.flow, two.flow)
        assert torch.equal(one.confidence, two.confidence)


# One clip


def test_clip_holds_consecutive_frames_with_their_own_labels_and_instances(root):
    clip = dataset_of(root).clip(ClipRequest(length=3, seed=0, step=0, position=0))
    assert clip.frames.shape == (3, 3, 8, 12)
    assert clip.labels.shape == clip.instances.shape == (3, 8, 12)
    assert (clip.labels.dtype, clip.instances.dtype) == (torch.uint8, torch.int32)
    times = list(range(clip.start, clip.start + 3))
    assert clip.labels[:, 0, 0].tolist() == times
    assert clip.instances[:, 0, 0].tolist() == [1000 + t for t in times]
    levels = (clip.frames[:, :, 4, :].mean(dim=(1, 2)) + 1) * 127.5
    steps = levels.diff()
    torch.testing.assert_close(steps, torch.full((2,), 5.0), atol=0.6, rtol=0)


def test_the_same_request_gives_the_same_clip_and_another_seed_another(root):
    settings = {"flip": True, "scale": (1.0, 1.4), "colour": {"brightness": 0.3}}
    dataset = dataset_of(root, settings=settings)
    requests = [ClipRequest(2, seed, 3, 1) for seed in (5, 5, 6)]
    clips = [dataset.clip(request) for request in requests]
    assert torch.equal(clips[0].frames, clips[1].frames)
    assert not torch.equal(clips[0].frames, clips[2].frames)


def test_sequences_are_drawn_in_proportion_to_their_starts(root):
    dataset = dataset_of(root)
    names = Counter(
        dataset.clip(ClipRequest(3, 0, step, 0)).name for step in range(600)
    )  # 10 starts and 2
    assert 65 < names["short"] < 140


def test_all_starts_and_strides_occur_and_stay_inside(root):
    starts = ClipStarts(find_sequences(root, "train"), (1, 3))
    rng = np.random.default_rng(0)
    places = {starts.draw(rng, 3) for _ in range(3000)}
    assert {(p.frames.start, p.frames.step) for p in places if p.sequence_index == 0} == {
        (start, stride) for stride in (1, 2, 3) for start in range(12 - 2 * stride)
    }
    assert {(p.frames.start, p.frames.step) for p in places if p.sequence_index == 1} == {
        (0, 1),
        (1, 1),
    }


def test_strided_clip_says_its_stride(root):
    clip = dataset_of(root, settings={"stride": (2, 2)}).clip(ClipRequest(4, 0, 0, 0))
    assert clip.stride == 2
    assert clip.labels[:, 0, 0].diff().tolist() == [2, 2, 2]


def test_a_still_is_a_clip_of_one_frame(root):
    clip = dataset_of(root, flow=DIS()).clip(ClipRequest(1, 0, 0, 0))
    assert clip.frames.shape == (1, 3, 8, 12)
    assert clip.references == ()


def test_evaluation_clip_is_the_centre_without_variation(root):
    settings = {"flip": True, "scale": (1.3, 1.4), "colour": {"contrast": 0.3}, "width": 8}
    clip = dataset_of(root, settings=settings).evaluation_clip(0, 2, 3)
    picture = read_image(root / "train/long/frames/003.png")
    wanted = cv2.resize(picture, (11, 8), interpolation=cv2.INTER_AREA)[:, 1:9]
    again = dataset_of(root, settings=settings | {"scale": (1.0, 1.0)}).evaluation_clip(0, 2, 3)
    assert (clip.name, clip.start, clip.stride) == ("long", 2, 1)
    torch.testing.assert_close(
        (again.frames[1].permute(1, 2, 0) + 1) * 127.5, torch.from_numpy(wanted).float()
    )
    torch.testing.assert_close(clip.frames, again.frames, atol=0.02, rtol=0)


@pytest.mark.parametrize(("start", "length"), [(-1, 3), (10, 3), (0, 13), (0, 0)])
def test_evaluation_clip_outside_its_sequence_is_refused(root, start, length):
    with pytest.raises(ValueError, match=f"'long' has 12 frames; got start {start}, length"):
        dataset_of(root).evaluation_clip(0, start, length)


def test_instances_are_left_out_on_request(root):
    dataset = dataset_of(root, with_instances=False)
    assert dataset.clip(ClipRequest(2, 0, 0, 0)).instances is None


def test_references_are_the_flows_of_the_augmented_frames(root):
    dataset = dataset_of(root, flow=DIS(), flow_check="photometric", flow_strides=(1, 3, 9))
    clip = dataset.clip(ClipRequest(5, 0, 0, 0))
    assert [r.flow.shape for r in clip.references] == [(4, 2, 8, 12), (2, 2, 8, 12)]
    assert clip.references[1].confidence.shape == (2, 1, 8, 12)
    wanted = reference_flow(DIS(), clip.frames[3:], clip.frames[:-3], check="photometric")
    assert torch.equal(clip.references[1].flow, wanted.flow)
    assert torch.equal(clip.references[1].confidence, wanted.confidence)


# Batches


def test_batch_stacks_clips_and_their_references(root):
    dataset = dataset_of(root, flow=DIS(), flow_strides=(1,))
    clips = [dataset.clip(ClipRequest(3, 0, 0, position)) for position in range(2)]
    batch = collate(clips)
    assert batch.frames.shape == (2, 3, 3, 8, 12)
    assert batch.references[0].flow.shape == (2, 2, 2, 8, 12)
    assert batch.references[0].confidence.shape == (2, 2, 1, 8, 12)
    assert torch.equal(batch.instances[1], clips[1].instances)
    assert batch.names == tuple(clip.name for clip in clips)
    assert batch.starts == tuple(clip.start for clip in clips)
    assert batch.strides == (1, 1)


def test_batch_without_instances_has_none(root):
    clip = dataset_of(root).clip(ClipRequest(2, 0, 0, 0))
    assert collate([clip._replace(instances=None)]).instances is None
    with pytest.raises(ValueError, match="instance maps or none; 1 of 2 do"):
        collate([clip, clip._replace(instances=None)])


def test_batches_follow_the_plan_up_to_the_last_step(root):
    batches = list(clip_batches(dataset_of(root), plan, seed=0, start_step=1, end_step=4))
    assert [batch.frames.shape[:2] for batch in batches] == [(2, 3), (2, 4), (2, 2)]


def test_batches_do_not_depend_on_where_the_run_started(root):
    settings = {"flip": True, "scale": (1.0, 1.5), "stride": (1, 2)}
    straight = first(6, dataset_of(root, settings=settings))
    resumed = first(3, dataset_of(root, settings=settings), start_step=3)
    for batch, other in zip(straight[3:], resumed, strict=True):
        assert_same(batch, other)


def test_batches_do_not_depend_on_workers_and_leave_no_process(root):
    settings = {"flip": True, "scale": (1.0, 1.5), "colour": {"saturation": 0.4}}
    alone = first(5, dataset_of(root, flow=DIS(), settings=settings))
    iterator = clip_batches(
        dataset_of(root, flow=DIS(), settings=settings | {"workers": 1}), plan, seed=7
    )
    for batch in alone:
        assert_same(batch, next(iterator))
    assert len(multiprocessing.active_children()) == 1
    del iterator
    assert multiprocessing.active_children() == []


def test_batches_do_not_depend_on_the_cache(root):
    kept, read_again = (dataset_of(root, settings={"cache_mb": size}) for size in (1, 0))
    for batch, other in zip(first(6, kept), first(6, read_again), strict=True):
        assert_same(batch, other)


def test_ranks_share_the_clips_of_a_wide_batch(root):
    dataset = dataset_of(root)
    (wide,) = clip_batches(dataset, lambda _: StepPlan(2, 4), seed=3, end_step=1)
    for rank in range(2):
        (half,) = clip_batches(dataset, lambda _: StepPlan(2, 2), seed=3, end_step=1, rank=rank)
        assert torch.equal(half.frames, wide.frames[2 * rank : 2 * rank + 2])


def test_loading_leaves_the_global_random_state_alone(root):
    torch.manual_seed(0)
    before = torch.get_rng_state()
    for workers in (0, 1):
        first(2, dataset_of(root, settings={"workers": workers}))
    assert torch.equal(torch.get_rng_state(), before)


def test_dataset_may_be_sent_to_another_process(root):
    dataset = dataset_of(root, flow=DIS())
    request = ClipRequest(2, 0, 0, 0)
    clip = dataset.clip(request)
    assert torch.equal(pickle.loads(pickle.dumps(dataset)).clip(request).frames, clip.frames)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_label_error_keeps_its_one_line_in_any_process(root, workers):
    palette = Palette(name="two", classes=CLASSES[:2])
    with pytest.raises(DataError, match=r"00\d.png") as caught:
        first(5, dataset_of(root, palette=palette, settings={"workers": workers}))
    assert "\n" not in str(caught.value)


# Lengths


def test_short_sequences_are_skipped_with_one_warning(root, caplog):
    dataset = dataset_of(root)
    with caplog.at_level(logging.WARNING):
        names = {dataset.clip(ClipRequest(6, 0, step, 0)).name for step in range(30)}
    assert names == {"long"}
    assert [record.getMessage() for record in caplog.records] == [
        "clips of length 6 at stride 1 need 6 frames; skipping 1 of 2 sequences, which have fewer: "
        "'short'"
    ]


@pytest.mark.parametrize("workers", [0, 1])
def test_no_sequence_long_enough_is_an_error(root, workers):
    dataset = dataset_of(root, settings={"stride": (2, 2), "workers": workers})
    message = "length 7 at stride 2 need 13 frames; the longest of 2 sequences, 'long', has 12"
    with pytest.raises(DataError, match=message):
        next(clip_batches(dataset, lambda _: StepPlan(7, 1), seed=0))
    dataset.check_length(6)


def test_empty_lengths_and_datasets_are_refused(root):
    with pytest.raises(ValueError, match="length must be at least 1; got 0"):
        dataset_of(root).check_length(0)
    with pytest.raises(ValueError, match="at least one sequence; got none"):
        ClipStarts([], (1, 1))


# Cache


def test_cache_forgets_the_least_used_first(root):
    (sequence, _) = find_sequences(root, "train")
    size = sequence.size
    store = FrameStore(LabelReader(PALETTE), max_bytes=3 * 12 * 16)
    one, two = store.labels(sequence.labels[:2], size)
    store.labels(sequence.labels[:1], size)
    store.labels(sequence.labels[2:4], size)
    assert store.labels(sequence.labels[:1], size)[0] is one
    assert store.labels(sequence.labels[1:2], size)[0] is not two


def test_cache_of_no_bytes_keeps_nothing(root):
    (sequence, _) = find_sequences(root, "train")
    store = FrameStore(LabelReader(PALETTE), max_bytes=0)
    again = [store.frames(sequence.frames[:1], sequence.size)[0] for _ in range(2)]
    assert again[0] is not again[1]


def test_label_video_is_read_in_the_colours_of_its_palette(tmp_path):
    ids = [np.full((12, 16), level, np.uint8) for level in (3, 1, 2)]
    palette = load_palette("camvid")
    path = write_label_video(tmp_path / "labels.mp4", ids, palette, rate=Fraction(25))
    store = FrameStore(LabelReader(palette), max_bytes=0)
    sources = [Source(path, frame) for frame in (2, 0)]
    for _ in range(2):
        assert [maps[0, 0] for maps in store.labels(sources, Size(12, 16))] == [2, 3]


def test_videos_are_opened_again_when_there_are_too_many(tmp_path, monkeypatch):
    monkeypatch.setattr(frame_store, "_MAX_OPEN_VIDEOS", 1)
    palette = load_palette("camvid")
    sources: list[Source] = []
    for level in (4, 5):
        ids = np.full((12, 16), level, np.uint8)
        path = write_label_video(tmp_path / f"{level}.mp4", [ids], palette, rate=Fraction(25))
        sources.append(Source(path, 0))
    store = FrameStore(LabelReader(palette), max_bytes=0)
    found = [store.labels([source], Size(12, 16))[0][0, 0] for source in sources * 2]
    assert found == [4, 5, 4, 5]


# Real clips

CAMVID = StreamPatterns(frames="images/{sequence}", labels="labels/{sequence}")
KITCHEN = StreamPatterns(
    frames="videos/{sequence}_train", labels="labels/{sequence}", instances="instances/{sequence}"
)


def test_camvid_clip_is_loaded_in_5_ms_when_cached(shared_data: Path):
    dataset = dataset_of(
        shared_data / "camvid15",
        palette=load_palette("camvid"),
        layout=CAMVID,
        settings={"height": 96, "width": 128, "flip": True, "frame_range": (0, 12)},
    )
    for step in range(30):
        clip = dataset.clip(ClipRequest(6, 0, step, 0))
    assert clip.frames.shape == (6, 3, 96, 128)
    assert set(clip.labels.unique().tolist()) <= {*range(11), 255}
    seconds: list[float] = []
    for step in range(40):
        began = time.perf_counter()
        dataset.clip(ClipRequest(6, 0, step, 0))
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < 0.005


def test_robot_kitchen_maps_lie_on_their_video_frames(shared_data: Path):
    names = json.loads((shared_data / "robot_kitchen/classes.json").read_text())["classes"]
    classes = [
        LabelClass(id=index, name=name, colour=(9 * index, 0, 0))
        for index, name in enumerate(names)
    ]
    dataset = dataset_of(
        shared_data / "robot_kitchen",
        palette=Palette(name="kitchen", classes=tuple(classes)),
        layout=KITCHEN,
        settings={"height": 200, "width": 320},
    )
    clip = dataset.evaluation_clip(0, 30, 2)
    assert clip.labels.unique().numel() > 5
    on, off = (edge_contrast(clip.frames[1], clip.instances[1], shift=shift) for shift in (0, 9))
    assert on > 1.5 * off


def edge_contrast(frame, instances, *, shift):
    """Mean change of the frame across the instances' edges, moved aside by `shift` columns."""
    change = frame.diff(dim=-1).abs().mean(dim=0)
    is_edge = instances.diff(dim=-1) != 0
    return change[is_edge.roll(shift, dims=-1)].mean()


def test_loading_processes_are_out_of_reach_of_signals_to_the_group():
    program = (
        "import os, signal; from vid2vid.data.batches import _prepare_worker; _prepare_worker(0); "
        "print(os.getpgrp() == os.getpid(), signal.getsignal(signal.SIGINT) == signal.SIG_DFL)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["True", "True"]
