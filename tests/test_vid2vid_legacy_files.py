import os
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch

from vid2vid.errors import CheckpointError
from vid2vid.legacy.detect import detect
from vid2vid.legacy.files import OfficialCheckpoint, OfficialFile, read_checkpoint, read_tensors


class Trap:
    """Pickled code: it leaves a folder behind when it runs."""

    def __init__(self, place: Path):
        self.place = place

    def __reduce__(self):
        return os.mkdir, (str(self.place),)


def write(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        torch.save({"model.1.weight": torch.zeros(2)}, folder / name)
    return folder


def test_a_folder_gives_the_networks_of_its_latest_label(tmp_path):
    folder = write(tmp_path, "latest_net_G0.pth", "latest_net_D_T0.pth", "10_net_G0.pth")
    (tmp_path / "opt.txt").write_text("")
    found = read_checkpoint(folder)
    assert found.networks.keys() == {"G0", "D_T0"}
    assert found.networks["G0"].path.name == "latest_net_G0.pth"


def test_another_label_is_chosen_by_name_or_by_being_alone(tmp_path):
    write(tmp_path / "one", "10_net_G.pth")
    assert read_checkpoint(tmp_path / "one").networks["G"].path.name == "10_net_G.pth"
    two = write(tmp_path / "two", "10_net_G.pth", "20_net_G.pth")
    assert read_checkpoint(two, label="20").networks["G"].path.name == "20_net_G.pth"
    with pytest.raises(CheckpointError, match=r"must hold latest_net_.*there are 10, 20.*--label"):
        read_checkpoint(two)


def test_one_file_is_a_generator(tmp_path):
    folder = write(tmp_path, "edges2shoes.pth", "latest_net_G0.pth", "latest_net_G_512.pth")
    assert read_checkpoint(folder / "latest_net_G_512.pth").networks.keys() == {"G"}
    assert read_checkpoint(folder / "edges2shoes.pth").networks.keys() == {"G"}
    assert read_checkpoint(folder / "latest_net_G0.pth").networks.keys() == {"G0"}
    with pytest.raises(CheckpointError, match="chooses among the files of a folder"):
        read_checkpoint(folder / "edges2shoes.pth", label="20")


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"there is no .*gone\.pth"):
        read_checkpoint(tmp_path / "gone.pth")
    with pytest.raises(CheckpointError, match="there are none: is it the folder"):
        read_checkpoint(tmp_path)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_with_code_is_refused_and_not_run(tmp_path, zipped):
    path, mark = tmp_path / "latest_net_G.pth", tmp_path / "ran"
    content = {"model.1.weight": torch.zeros(2), "trap": Trap(mark)}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(CheckpointError, match=r"asks for \w+\.mkdir and was not opened"):
        read_tensors(path)
    assert not mark.exists()


def test_old_and_new_formats_and_wrappings_give_the_same_tensors(tmp_path):
    plain = OrderedDict({"a.weight": torch.rand(2), "a.num_batches_tracked": torch.tensor(3)})
    parallel = {f"module.{key}": value for key, value in plain.items()}
    for index, content in enumerate((plain, parallel, {"state_dict": plain, "epoch": 3})):
        torch.save(content, tmp_path / f"{index}.pth", _use_new_zipfile_serialization=index > 0)
        found = read_tensors(tmp_path / f"{index}.pth").tensors
        assert found.keys() == plain.keys()
        assert all(torch.equal(found[key], plain[key]) for key in plain)


def test_half_precision_becomes_float32(tmp_path):
    torch.save({"a": torch.rand(3).half()}, tmp_path / "a.pth")
    assert read_tensors(tmp_path / "a.pth").tensors["a"].dtype == torch.float32


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([torch.zeros(1)], "it holds a list"),
        ({}, "it holds nothing"),
        ({"epoch": 3, "model": {}}, "its 'epoch' is a int"),
        ({3: torch.zeros(1)}, "it has the int 3 in place of a name"),
        ({"a": torch.zeros(1), None: torch.zeros(1)}, "the NoneType None in place of a name"),
        ({"a": torch.eye(2).to_sparse()}, "its 'a' is a sparse tensor"),
        ({"a": torch.zeros(2, device="meta")}, "its 'a' is a tensor without its numbers"),
        ({"a": torch.zeros(2, dtype=torch.complex64)}, r"'a' is of type torch\.complex64"),
        ({"a": torch.zeros(2, dtype=torch.int32)}, r"'a' is of type torch\.int32"),
        ({"a": torch.zeros(2, dtype=torch.bool)}, r"'a' is of type torch\.bool"),
    ],
)
def test_what_is_no_state_dict_is_refused(tmp_path, content, message):
    torch.save(content, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match=message):
        read_tensors(tmp_path / "a.pth")


def test_a_damaged_file_is_refused(tmp_path):
    path = write(tmp_path, "a.pth") / "a.pth"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(CheckpointError, match=r"must be a file of torch\.save"):
        read_tensors(path)
    path.write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"cannot be read \(it ends too early\): is"):
        read_tensors(path)
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(CheckpointError, match=r"a\.pth must"):
        read_tensors(path)


@pytest.mark.parametrize("zipped", [True, False])
def test_damage_anywhere_is_a_refusal(tmp_path, zipped):
    path, random = tmp_path / "a.pth", np.random.default_rng(0)
    tensors = {f"model.{index}.weight": torch.zeros(2, 2) for index in range(3)}
    torch.save(tensors, path, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    outcomes = set()
    for _ in range(400):
        damaged = bytearray(whole)
        for place in random.integers(len(whole), size=3):
            damaged[place] = random.integers(256)
        path.write_bytes(damaged)
        try:
            outcomes.add(type(read_tensors(path)))
        except CheckpointError as error:
            outcomes.add(type(error))
    assert outcomes == {OfficialFile, CheckpointError}


def official(**networks: dict[str, torch.Size]) -> OfficialCheckpoint:
    files = {
        name: OfficialFile(Path(f"{name}.pth"), {k: torch.zeros(s) for k, s in keys.items()})
        for name, keys in networks.items()
    }
    return OfficialCheckpoint(Path("run"), files, ())


STEM = {"model.1.weight": (4, 3, 7, 7), "model.1.bias": (4,)}
BLOCK = {"model.10.conv_block.1.weight": (4, 4, 3, 3)}
PATCHES = {"model.0.weight": (4, 6, 4, 4)}
SCALES = {"scale0_layer0.0.weight": (4, 6, 4, 4)}


@pytest.mark.parametrize(
    ("networks", "arch"),
    [
        ({"G0": STEM}, "vid2vid"),
        ({"G": {"model_down_seg.1.weight": (4, 3, 7, 7)}}, "vid2vid"),
        ({"G": {"model.model.0.weight": (4, 3, 4, 4)}}, "pix2pix"),
        ({"G": {**STEM, "model.10.conv_block.6.weight": (4, 4, 3, 3)}}, "pix2pix"),
        ({"G": {"model.1.weight": (4, 3, 7, 7)}}, "pix2pix"),
        ({"G": STEM | BLOCK, "D": PATCHES}, "pix2pix"),
        ({"G": STEM | BLOCK, "D": SCALES}, "pix2pixHD"),
        ({"G": STEM | BLOCK, "E": STEM}, "pix2pixHD"),
        ({"G": {**STEM, "model.10.weight": (4, 4, 3, 3)}}, "pix2pixHD"),
        ({"G": {**STEM, "model1_1.1.weight": (4, 3, 7, 7)}}, "pix2pixHD"),
    ],
)
def test_the_program_is_told_by_names_and_keys(networks, arch):
    assert detect(official(**networks)) == arch


def test_what_fits_two_programs_or_none_is_asked_for():
    with pytest.raises(CheckpointError, match=r"fits pix2pixHD as well as pix2pix.*--arch"):
        detect(official(G=STEM | BLOCK))
    with pytest.raises(CheckpointError, match=r"must hold a generator, .*it has D"):
        detect(official(D=SCALES))
    with pytest.raises(CheckpointError, match=r"its first key is 'fc\.weight'"):
        detect(official(G={"fc.weight": (4, 3)}))
