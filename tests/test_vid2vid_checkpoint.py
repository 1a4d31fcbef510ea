import json
import multiprocessing
import time

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from vid2vid.checkpoint import (
    MODEL_FILE,
    STATE_FILE,
    load_checkpoint,
    load_weights,
    save_checkpoint,
    split_companions,
)
from vid2vid.errors import CheckpointError

TENSORS = {"weight": torch.arange(6.0).view(2, 3), "step": torch.tensor(7)}


def save(path, *, kind="generator", tensors=TENSORS, **metadata):
    save_checkpoint(path, tensors, {"kind": kind, **metadata})
    return path


def test_tensors_and_metadata_come_back_as_they_were(tmp_path):
    config = {"name": "café", "sizes": [1, 2.5, None], "deep": {"on": True}}
    path = save(tmp_path / "a.safetensors", config=config, step=3)
    loaded = load_checkpoint(path, kind="generator")
    assert loaded.metadata == {"kind": "generator", "config": config, "step": 3}
    assert loaded.path == path
    assert {key: value.tolist() for key, value in loaded.tensors.items()} == {
        key: value.tolist() for key, value in TENSORS.items()
    }


def test_bits_are_kept_whatever_the_layout_in_memory(tmp_path):
    odd = torch.tensor([1e-45, -0.0, 3.0000002, torch.inf]).view(1, 4, 1, 1)
    strided = torch.rand(2, 3, 4, 5).to(memory_format=torch.channels_last)
    path = save(tmp_path / "a.safetensors", tensors={"odd": odd, "strided": strided})
    loaded = load_checkpoint(path, kind="generator").tensors
    assert torch.equal(loaded["odd"].view(torch.int32), odd.view(torch.int32))
    assert torch.equal(loaded["strided"], strided)


def test_metadata_can_be_read_without_the_tensors(tmp_path):
    path = save(tmp_path / "a.safetensors", step=3)
    loaded = load_checkpoint(path, kind="generator", with_tensors=False)
    assert (loaded.tensors, loaded.metadata["step"]) == ({}, 3)


def test_a_run_folder_stands_for_the_file_of_the_kind(tmp_path):
    save(tmp_path / MODEL_FILE)
    save(tmp_path / STATE_FILE, kind="training")
    assert load_checkpoint(tmp_path, kind="generator").path == tmp_path / MODEL_FILE
    assert load_checkpoint(tmp_path, kind="training").path == tmp_path / STATE_FILE


def test_saving_leaves_no_other_file(tmp_path):
    save(tmp_path / "a.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    path = save(tmp_path / "a.safetensors", step=1)
    with pytest.raises(TypeError):
        save(path, step=object())
    shared = torch.zeros(3)
    with pytest.raises(RuntimeError, match="share memory"):
        save(path, tensors={"one": shared, "other": shared}, step=2)
    assert load_checkpoint(path, kind="generator").metadata["step"] == 1


def test_the_rest_of_a_broken_write_is_no_hindrance(tmp_path):
    path = save(tmp_path / "a.safetensors", step=1)
    path.with_suffix(".partial").write_bytes(path.read_bytes()[:40])
    assert load_checkpoint(path, kind="generator").metadata["step"] == 1
    save(path, step=2)
    assert load_checkpoint(path, kind="generator").metadata["step"] == 2


def save_for_ever(path):
    step = 0
    while True:
        step += 1
        save(path, tensors={"weight": torch.full((500_000,), float(step))}, step=step)


def test_a_process_killed_while_writing_leaves_a_whole_file(tmp_path):
    path = tmp_path / "a.safetensors"
    process = multiprocessing.get_context("fork").Process(target=save_for_ever, args=(path,))
    process.start()
    while not path.is_file():
        time.sleep(0.001)
    # The file under the final name is whole at any moment, also at that of the kill.
    for _ in range(100):
        assert len(load_checkpoint(path, kind="generator").tensors["weight"].unique()) == 1
    process.kill()
    process.join()
    loaded = load_checkpoint(path, kind="generator")
    assert loaded.tensors["weight"].unique().tolist() == [loaded.metadata["step"]]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"there is no .*b.safetensors: give a .safetensors"):
        load_checkpoint(tmp_path / "b.safetensors", kind="generator")
    with pytest.raises(CheckpointError, match=f"a run folder that holds {STATE_FILE}"):
        load_checkpoint(tmp_path, kind="training")


@pytest.mark.parametrize("content", [b"", b"plain text, longer than the header of a file"])
def test_a_file_of_another_format_is_named(tmp_path, content):
    (tmp_path / "a.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"a.safetensors must be a safetensors file"):
        load_checkpoint(tmp_path / "a.safetensors", kind="generator")


def test_a_truncated_file_is_named(tmp_path):
    path = save(tmp_path / "a.safetensors")
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(CheckpointError, match=r"cannot be read \(.*\): is it whole\?"):
        load_checkpoint(path, kind="generator")


@pytest.mark.parametrize(
    ("metadata", "said"), [(None, "'nothing'"), ({"format": "pt"}, "'pt'")], ids=["none", "pt"]
)
def test_safetensors_of_other_programs_are_refused(tmp_path, metadata, said):
    save_file(TENSORS, tmp_path / "a.safetensors", metadata=metadata)
    with pytest.raises(CheckpointError, match=rf"of vid2vid \(vid2vid-1\); its header says {said}"):
        load_checkpoint(tmp_path / "a.safetensors", kind="generator")


def test_a_checkpoint_of_another_kind_is_refused(tmp_path):
    path = save(tmp_path / "a.safetensors", kind="training")
    with pytest.raises(CheckpointError, match=r"holds a training: give model.safetensors instead"):
        load_checkpoint(path, kind="generator")


def test_the_header_is_plain_json(tmp_path):
    path = save(tmp_path / "a.safetensors", config={"a": 1})
    raw = path.read_bytes()
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    assert json.loads(header["__metadata__"]["config"]) == {"a": 1}


def test_weights_are_loaded_into_the_network(tmp_path):
    network = nn.Linear(3, 2)
    tensors = {"weight": torch.ones(2, 3), "bias": torch.zeros(2)}
    load_weights(network, tensors, where=tmp_path)
    assert network(torch.ones(1, 3)).tolist() == [[3, 3]]


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"weight": torch.ones(2, 3)}, r"run must hold 'bias'; it does not"),
        (
            {"weight": torch.ones(2, 3), "bias": torch.zeros(2), "more": torch.zeros(1)},
            r"run holds 'more', which the configured network does not have",
        ),
        (
            {"weight": torch.ones(2, 4), "bias": torch.zeros(2)},
            r"run: 'weight' must be \(2, 3\); it is \(2, 4\)",
        ),
    ],
)
def test_weights_of_another_network_are_refused(tensors, message, tmp_path):
    with pytest.raises(CheckpointError, match=message):
        load_weights(nn.Linear(3, 2), tensors, where=tmp_path / "run")


def test_a_checkpoint_that_cannot_be_written_says_where_and_leaves_nothing(tmp_path):
    folder = tmp_path / "gone"
    with pytest.raises(OSError, match=r"model.safetensors could not be written .*check the space"):
        save_checkpoint(folder / "model.safetensors", {"a": torch.zeros(1)}, {"kind": "generator"})
    assert not folder.exists()


def test_companions_are_told_from_the_generator_by_their_names():
    names = [
        "network.head.conv.weight",
        "encoder.head.conv.weight",
        "image_discriminator.patches.0.stages.0.0.weight",
        "video_discriminator_12.patches.0.stages.0.0.weight",
        "styles.26",
        "styles.x",
        "image_discriminators.a",
    ]
    own, companions = split_companions({name: torch.ones(1) for name in names})
    assert list(companions) == names[2:5]
    assert list(own) == [*names[:2], *names[5:]]
