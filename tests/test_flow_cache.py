"""Flow on disk: the same bits whether kept or not, whole entries or none, a bounded folder."""

import logging
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from flow import DIS, CachedFlow

MANY = 2**30


class Counting:
    """Points as far as the first pixels differ, and counts the pairs that it was asked for."""

    def __init__(self, identity="counting 1"):
        self.identity = identity
        self.num_pairs = 0

    def __call__(self, current, previous):
        self.num_pairs += len(current)
        shift = (current - previous)[:, :2, :1, :1] * 10 + 1 / 3
        return shift.expand(-1, 2, *current.shape[2:]).contiguous()


def frames(num_frames, seed=0, size=(8, 10)):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(num_frames, 3, *size, generator=generator) * 2 - 1


def entries(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_pair_is_estimated_once_and_comes_back_with_the_same_bits(tmp_path):
    estimator, (current, previous) = Counting(), frames(4).chunk(2)
    cached = CachedFlow(estimator, tmp_path, max_bytes=MANY)
    first = cached(current, previous)
    again = CachedFlow(estimator, tmp_path, max_bytes=MANY)(current, previous)
    assert estimator.num_pairs == 2
    assert torch.equal(first, again)
    assert torch.equal(first, Counting()(current, previous).half().float())
    assert first.dtype == torch.float32


def test_a_batch_may_be_known_in_part(tmp_path):
    estimator, (current, previous) = Counting(), frames(6).chunk(2)
    cached = CachedFlow(estimator, tmp_path, max_bytes=MANY)
    cached(current[1:2], previous[1:2])
    whole = cached(current, previous)
    assert estimator.num_pairs == 3
    assert torch.equal(whole, Counting()(current, previous).half().float())


@pytest.mark.parametrize(
    "change",
    [
        lambda current, previous: (previous, current),
        lambda current, previous: (current, previous + 1e-6),
        lambda current, previous: (current.mT, previous.mT),
        lambda current, previous: (current.reshape(1, 3, 4, 20), previous.reshape(1, 3, 4, 20)),
    ],
)
def test_other_frames_are_another_entry(tmp_path, change):
    estimator, (current, previous) = Counting(), frames(2).chunk(2)
    cached = CachedFlow(estimator, tmp_path, max_bytes=MANY)
    cached(current, previous)
    cached(*change(current, previous))
    assert estimator.num_pairs == 2
    assert len(entries(tmp_path)) == 2


def test_another_estimator_is_another_entry(tmp_path):
    pair = frames(2).chunk(2)
    others = [Counting("one"), Counting("two")]
    for estimator in others:
        CachedFlow(estimator, tmp_path, max_bytes=MANY)(*pair)
    assert [estimator.num_pairs for estimator in others] == [1, 1]
    assert DIS("fast").identity != DIS("medium").identity


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-40],
        lambda content: b"",
        lambda content: content[:200] + bytes([content[200] ^ 1]) + content[201:],
        lambda content: bytes(len(content)),
        lambda content: b"\x93NUMPY" + content[6:],
    ],
    ids=["cut short", "empty", "one bit", "zeros", "another format"],
)
def test_a_damaged_entry_is_estimated_again_and_mended(tmp_path, caplog, damage):
    estimator, pair = Counting(), frames(2).chunk(2)
    cached = CachedFlow(estimator, tmp_path, max_bytes=MANY)
    expected = cached(*pair)
    (path,) = entries(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    assert torch.equal(cached(*pair), expected)
    assert torch.equal(cached(*pair), expected)
    assert estimator.num_pairs == 2
    assert caplog.text.count("is damaged and is estimated again") == 1


def test_an_entry_of_another_size_counts_as_damaged(tmp_path):
    estimator, pair = Counting(), frames(2).chunk(2)
    cached = CachedFlow(estimator, tmp_path, max_bytes=MANY)
    expected = cached(*pair)
    (path,) = entries(tmp_path)
    np.savez(path, flow=np.zeros((2, 3, 3), dtype=np.float16))
    assert torch.equal(cached(*pair), expected)


def test_a_full_folder_keeps_what_it_has_and_says_so_once(tmp_path, caplog):
    estimator, (current, previous) = Counting(), frames(8).chunk(2)
    cached = CachedFlow(estimator, tmp_path, max_bytes=1500)  # an entry takes some 600
    with caplog.at_level(logging.WARNING):
        flows = [cached(current, previous) for _ in range(2)]
    assert len(entries(tmp_path)) == 2
    assert sum(path.stat().st_size for path in entries(tmp_path)) <= 1500
    assert torch.equal(*flows)
    assert estimator.num_pairs == 4 + 2
    assert caplog.text.count("what is not in it is estimated each time") == 1


def test_what_another_process_wrote_counts_towards_the_limit(tmp_path):
    (tmp_path / "other").write_bytes(bytes(1200))
    cached = CachedFlow(Counting(), tmp_path, max_bytes=1500)
    cached(*frames(2).chunk(2))
    assert entries(tmp_path) == [tmp_path / "other"]


def test_a_folder_that_breaks_ends_the_writing_not_the_run(tmp_path, caplog):
    estimator, pair = Counting(), frames(2).chunk(2)
    cached = CachedFlow(estimator, tmp_path / "flow", max_bytes=MANY)
    (tmp_path / "flow").rmdir()
    (tmp_path / "flow").write_text("a file in its place")
    expected = Counting()(*pair).half().float()
    assert all(torch.equal(cached(*pair), expected) for _ in range(2))
    assert caplog.text.count("cannot be written to any more (Not a directory)") == 1


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        CachedFlow(Counting(), tmp_path / "file" / "flow", max_bytes=MANY)


def test_an_interrupted_entry_leaves_nothing(tmp_path, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    cached = CachedFlow(Counting(), tmp_path, max_bytes=MANY)
    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        cached(*frames(2).chunk(2))
    assert entries(tmp_path) == []


def test_many_may_read_and_write_one_entry_at_a_time(tmp_path):
    pair = frames(2, size=(64, 64)).chunk(2)
    expected = Counting()(*pair).half().float()

    def ask(index):
        return CachedFlow(Counting(), tmp_path, max_bytes=MANY)(*pair)

    with ThreadPoolExecutor(8) as threads:
        assert all(torch.equal(flow, expected) for flow in threads.map(ask, range(40)))
    assert len(entries(tmp_path)) == 1


def test_dis_through_the_cache_is_dis_rounded(tmp_path):
    current, previous = frames(2, size=(32, 40)).chunk(2)
    cached = pickle.loads(pickle.dumps(CachedFlow(DIS("fast"), tmp_path, max_bytes=MANY)))
    expected = DIS("fast")(current, previous).half().float()
    assert torch.equal(cached(current, previous), expected)
    assert torch.equal(cached(current, previous), expected)


def test_frames_of_two_sizes_are_refused(tmp_path):
    cached = CachedFlow(Counting(), tmp_path, max_bytes=MANY)
    with pytest.raises(ValueError, match="of one size"):
        cached(torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 5))
