"""The reference flow that a configuration asks for: estimator, weights, and the cache on disk."""

import pytest
import torch
from torchvision.models.optical_flow import raft_small

from flow import DIS, CachedFlow
from pipelines.build import palette_for
from pipelines.datasets import open_files
from pipelines.reference_flow import FlowConfig, build_estimator
from pipelines.train import TrainOptions, train
from vid2vid.checkpoint import load_checkpoint
from vid2vid.errors import ConfigError

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "raft.pth"
    torch.save(raft_small(weights=None).state_dict(), path)
    return str(path)


def build(**settings):
    return build_estimator(FlowConfig.model_validate(settings), device=CPU)


def test_dis_is_the_default():
    assert build() == DIS("medium")
    assert build(dis="fast") == DIS("fast")


def test_raft_takes_its_weights_from_a_path(weights):
    estimator = build(kind="raft_small", weights=weights)
    assert estimator(*torch.zeros(2, 1, 3, 16, 16)).shape == (1, 2, 16, 16)


def test_the_other_raft_is_refused(weights):
    message = r"weights of raft_large; .*raft\.pth holds others: give raft_large_C_T_SKHT_V2"
    with pytest.raises(ConfigError, match=message):
        build(kind="raft_large", weights=weights)


def test_raft_without_weights_says_which_file_goes_where(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    message = (
        r"raft_small needs torchvision's weights; there is no .*: put raft_small_C_T_V2-01064c6d"
        r"\.pth into .*checkpoints, or give its path \(reference_flow.weights; 'download' lets "
        r"torchvision fetch it\), or set reference_flow.kind to dis"
    )
    with pytest.raises(ConfigError, match=message):
        build(kind="raft_small")


def test_the_cache_stands_before_the_estimator(tmp_path):
    estimator = build(dis="fast", cache={"folder": str(tmp_path / "deep" / "flow"), "max_mb": 1})
    assert isinstance(estimator, CachedFlow)
    frames = torch.rand(2, 1, 3, 16, 16) * 2 - 1
    assert torch.equal(estimator(*frames), DIS("fast")(*frames).half().float())
    assert len(list((tmp_path / "deep" / "flow").rglob("*.npz"))) == 1


def test_a_cache_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"cache.folder must be a folder .*file: File exists"):
        build(cache={"folder": str(tmp_path / "file")})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["reference_flow.weights=a.pth"], "weights are RAFT's; kind is dis"),
        (
            ["reference_flow.cache={folder: flow}", "data.scale=[1, 1.5]"],
            "data.scale and data.colour make new ones for every clip",
        ),
        (
            ["reference_flow.cache={folder: flow}", "data.colour.contrast=0.1"],
            "data.scale and data.colour make new ones for every clip",
        ),
        (["reference_flow.cache={}"], "cache.folder"),
        (
            ["reference_flow.cache={folder: flow}", "data={kind: world, height: 32, width: 32}"],
            "the flow of procedural streets is known",
        ),
    ],
)
def test_settings_that_do_nothing_are_refused(tiny_config, changes, message):
    with pytest.raises(ConfigError, match=message):
        tiny_config(*changes)


def test_training_has_the_same_bits_whether_flow_was_kept_or_not(tiny_file, tmp_path):
    def tensors(name, folder, *changes):
        cache = f"reference_flow.cache.folder={tmp_path / folder}"
        options = TrainOptions((f"name={name}", cache, "schedule.steps=2", *changes), device="cpu")
        return load_checkpoint(train(tiny_file, options).folder, kind="training").tensors

    cold = tensors("cold", "flow")
    entries = sorted((tmp_path / "flow").rglob("*.npz"))
    warm = tensors("warm", "flow", "data.workers=2")
    assert entries
    assert sorted((tmp_path / "flow").rglob("*.npz")) == entries
    assert all(torch.equal(cold[key], warm[key]) for key in cold)


def test_flow_of_frames_that_are_cut_at_random_is_not_kept(tiny_config, tmp_path):
    config = tiny_config(f"reference_flow.cache.folder={tmp_path}", "data.height=8")
    with pytest.raises(ConfigError, match=r"sequence 'one' are cut at random from .*data.fit"):
        open_files(config, config.data, palette_for(config))


def test_raft_on_the_cpu_of_loading_processes_is_told_of(tiny_config, weights, caplog):
    raft = f"reference_flow={{kind: raft_small, weights: '{weights}'}}"
    config = tiny_config(raft, "data.workers=1")
    open_files(config, config.data, palette_for(config), device=torch.device("meta"))
    assert "set data.workers to 0 to use meta" in caplog.text


def test_a_run_goes_on_with_its_cache_elsewhere_but_not_without(tiny_file, tmp_path):
    def go(*changes, steps):
        train(tiny_file, TrainOptions((f"schedule.steps={steps}", *changes), device="cpu"))

    go(f"reference_flow.cache.folder={tmp_path / 'one'}", steps=1)
    go(f"reference_flow.cache.folder={tmp_path / 'two'}", steps=2)
    with pytest.raises(ConfigError, match=r"reference_flow\.cache"):
        go(steps=3)
