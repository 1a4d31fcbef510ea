"""The tool that runs official weights on golden inputs: on the golden folders, and on others."""

import json
from pathlib import Path

import official_networks as official
import pytest
import torch
import typer
from safetensors.torch import load_file, save_file
from tool_modules import load_tool

TOOL = load_tool("run_golden")

FOLDERS = {
    "vid2vid_street_1scale": ["flow", "frames", "mask", "raw"],
    "vid2vid_street_2scale_fg": ["flow", "frames", "mask", "raw"],
    "pix2pixHD_global": ["D_fake_patch_0", "D_fake_patch_1", "output"],
    "pix2pixHD_local_features": ["D_fake_patch_0", "D_fake_patch_1", "features", "output"],
}


def check(done, golden, losses):
    for name, tensor in golden.items():
        assert done.tensors[name].shape == tensor.shape, name
        error = (done.tensors[name] - tensor).abs().max() / tensor.abs().max()
        assert error < 1e-4, name
    assert done.losses.keys() == losses.keys()
    for name, value in losses.items():
        assert done.losses[name] == pytest.approx(value, rel=1e-4), name


@pytest.mark.parametrize("name", sorted(FOLDERS))
def test_every_golden_tensor_and_loss_is_reproduced(shared_golden, name):
    folder = shared_golden / name
    golden = load_file(next(folder.glob("*.safetensors")))
    done = TOOL.run_golden(folder)
    assert sorted(done.tensors) == FOLDERS[name]
    losses = json.loads((folder / "meta.json").read_text()).get("losses", {})
    check(done, {key: golden[key] for key in FOLDERS[name]}, losses)


def write_video(folder: Path, networks, inputs, **meta) -> Path:
    official.save(folder, **{f"G{index}": network for index, network in enumerate(networks)})
    save_file(inputs, folder / "sequence.safetensors")
    base = {"arch": "vid2vid", "height": 32, "width": 64, "n_frames_G": 3, "label_nc": 0}
    (folder / "meta.json").write_text(json.dumps({**base, **meta}))
    return folder


def scales(channels_in: int, count: int, norm, *, depth: int = 1, **more):
    torch.manual_seed(3)
    coarse = official.Scale(channels_in, scale=0, width=8, depth=depth, count=3, norm=norm, **more)
    finer = (
        official.Scale(channels_in, scale=s, width=8 >> s, depth=depth, count=2, norm=norm, **more)
        for s in range(1, count)
    )
    return [coarse, *finer]


def test_three_scales_with_foreground_are_reproduced(tmp_path):
    labels = torch.randint(0, 5, (5, 64, 128), dtype=torch.uint8)
    maps = torch.nn.functional.one_hot(labels.long(), 5).permute(0, 3, 1, 2).float()
    networks = scales(3 * 5, 3, official.batch_norm, depth=3, foreground=True)
    first = torch.rand(2, 3, 64, 128) * 2 - 1
    golden = official.unroll(networks, maps, first=first, labels=(1, 4))
    folder = write_video(
        tmp_path / "golden",
        networks,
        {"labels": labels, "first_frames": first},
        label_nc=5,
        use_instance=False,
        fg=True,
        fg_labels=[4, 1],
        height=64,
        width=128,
        first_frames="given in first_frames",
    )
    check(TOOL.run_golden(folder), golden, {})


def test_raw_inputs_and_another_history_from_zeros_are_reproduced(tmp_path):
    inputs = torch.rand(5, 6, 32, 64) * 2 - 1
    networks = scales(4 * 6, 2, official.tracked_norm, history=3)
    golden = official.unroll(networks, inputs, first=None, history=3)
    folder = write_video(
        tmp_path / "golden",
        networks,
        {"inputs": inputs},
        n_frames_G=4,
        input_nc=6,
        fg=False,
        fg_labels=[],
        first_frames="zeros, raw output only for the first generated frame",
    )
    check(TOOL.run_golden(folder), golden, {})


def test_a_generator_without_flow_is_reproduced(tmp_path):
    inputs = torch.rand(4, 3, 32, 64) * 2 - 1
    networks = scales(3 * 3, 1, official.instance_norm, flow=False)
    golden = official.unroll(networks, inputs, first=None)
    folder = write_video(
        tmp_path / "golden", networks, {"inputs": inputs}, input_nc=3, first_frames="zeros"
    )
    assert golden.keys() == {"frames", "raw"}
    check(TOOL.run_golden(folder), golden, {})


def test_two_enhancers_without_labels_are_reproduced(tmp_path):
    torch.manual_seed(5)
    inputs = torch.rand(1, 4, 32, 64) * 2 - 1
    network = official.Local(
        4, width=4, depth=2, count=2, enhancers=2, local=1, norm=official.instance_norm
    )
    folder = official.save(tmp_path / "golden", G=network)
    save_file({"inputs": inputs}, folder / "still.safetensors")
    meta = {"arch": "pix2pixHD", "label_nc": 0, "instance_edges": False, "feat_num": 0}
    (folder / "meta.json").write_text(json.dumps({**meta, "height": 32, "width": 64}))
    with torch.no_grad():
        golden = {"output": network(inputs)}
    check(TOOL.run_golden(folder), golden, {})


def test_features_of_pictures_without_labels_are_reproduced(tmp_path):
    torch.manual_seed(5)
    inputs = {name: torch.rand(2, 3, 32, 64) * 2 - 1 for name in ("inputs", "photo")}
    instances = torch.randint(0, 4, (2, 8, 16)).repeat_interleave(4, 1).repeat_interleave(4, 2)
    norm = official.instance_norm
    network = official.Global(5, width=4, depth=3, count=1, norm=norm)
    encoder = official.Features(width=4, depth=2, channels=2, norm=norm)
    folder = official.save(tmp_path / "golden", G=network, E=encoder)
    save_file({**inputs, "instances": instances}, folder / "still.safetensors")
    meta = {"arch": "pix2pixHD", "label_nc": 0, "instance_edges": False, "encoder": {"nef": 4}}
    (folder / "meta.json").write_text(json.dumps({**meta, "height": 32, "width": 64}))
    with torch.no_grad():
        features = torch.cat([encoder(each[None]) for each in inputs["photo"]])
        pooled = torch.zeros_like(features)
        for index in range(2):
            for region in instances[index].unique():
                mask = instances[index] == region
                pooled[index, :, mask] = features[index, :, mask].mean(1, keepdim=True)
        maps = torch.cat([inputs["inputs"], pooled], dim=1)
        painted = torch.cat([network(each[None]) for each in maps])
    check(TOOL.run_golden(folder), {"features": pooled, "output": painted}, {})


def run(*words) -> int:
    with pytest.raises(typer.Exit) as ended:
        TOOL.main(*words)
    return ended.value.exit_code


def test_what_is_wrong_is_one_line(shared_golden, tmp_path, capsys):
    folder = shared_golden / "pix2pixHD_global"
    assert run(tmp_path / "gone", tmp_path / "out.safetensors") == 2
    assert run(folder, tmp_path / "gone" / "out.safetensors") == 2
    (tmp_path / "taken").mkdir()
    assert run(folder, tmp_path / "taken") == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    for line, said in zip(
        lines, ("hold meta.json", "of OUT must exist", "taken could"), strict=True
    ):
        assert said in line


def test_the_tool_writes_tensors_and_losses(shared_golden, tmp_path, capsys):
    out, losses = tmp_path / "out.safetensors", tmp_path / "out.json"
    assert run(shared_golden / "pix2pixHD_global", out) == 0
    assert capsys.readouterr().out == f"{out}\n{losses}\n"
    assert sorted(load_file(out)) == FOLDERS["pix2pixHD_global"]
    assert sorted(json.loads(losses.read_text())) == ["D_fake", "D_real", "G_GAN", "G_GAN_Feat"]
