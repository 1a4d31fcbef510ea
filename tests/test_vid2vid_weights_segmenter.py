import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from stand_ins import export

from vid2vid.errors import CheckpointError
from vid2vid.labels.palettes import load_palette
from vid2vid.networks.segmenter import Segmenter, SegmenterConfig
from vid2vid.weights import segmenter as weights
from vid2vid.weights.segmenter import load_segmenter, save_segmenter

CPU = torch.device("cpu")
TINY = SegmenterConfig(num_classes=11, widths=(8, 16, 16))


@pytest.fixture
def tiny():
    torch.manual_seed(0)
    return Segmenter(TINY).half().float().eval()


def save(path, network):
    return save_segmenter(path, network, palette=load_palette("camvid"), score={"mean_iou": 0.5})


def test_a_segmenter_takes_any_size_and_gives_logits_and_features(tiny):
    output = tiny(torch.zeros(2, 3, 13, 18))
    assert output.logits.shape == (2, 11, 13, 18)
    assert output.features.shape == (2, 8, 13, 18)
    torch.testing.assert_close(tiny.head(output.features), output.logits)


def test_a_frame_is_segmented_alike_in_any_batch(tiny):
    frames = torch.rand(3, 3, 16, 16) * 2 - 1
    torch.testing.assert_close(tiny(frames).logits[1:2], tiny(frames[1:2]).logits)


def test_the_default_segmenter_fits_into_eight_megabytes():
    network = Segmenter(SegmenterConfig(num_classes=35))
    num_bytes = 2 * sum(parameter.numel() for parameter in network.parameters())
    assert 6_000_000 < num_bytes < weights.LARGEST_BYTES - 50_000


def test_a_tiny_segmenter_learns_one_frame(tiny):
    frames = torch.rand(1, 3, 2, 2).kron(torch.ones(1, 1, 8, 8)) * 2 - 1
    labels = (frames[:, 0] > frames[:, 0].mean()).long()
    optimiser = torch.optim.Adam(tiny.train().parameters(), lr=1e-2)
    losses = []
    for _ in range(30):
        loss = torch.nn.functional.cross_entropy(tiny(frames).logits, labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]


def test_a_segmenter_survives_its_file(tiny, tmp_path):
    digest = save(tmp_path / "s.safetensors", tiny)
    found = load_segmenter(tmp_path / "s.safetensors", device=CPU)
    frames = torch.rand(1, 3, 16, 16)
    torch.testing.assert_close(found.segment(frames).logits, tiny(frames).logits)
    assert (found.sha256, found.score, found.num_classes) == (digest, {"mean_iou": 0.5}, 11)
    assert found.palette == load_palette("camvid")


def test_changed_weights_are_found_out(tiny, tmp_path):
    save(tmp_path / "s.safetensors", tiny)
    with safe_open(tmp_path / "s.safetensors", framework="pt") as file:
        header = file.metadata()
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    tensors["head.bias"] += 1
    assert json.loads(header["kind"]) == "segmenter"
    save_file(tensors, tmp_path / "s.safetensors", metadata=header)
    with pytest.raises(CheckpointError, match="the file was changed"):
        load_segmenter(tmp_path / "s.safetensors", device=CPU)


def test_an_export_is_a_segmenter_with_or_without_features(tmp_path):
    both = load_segmenter(export(tmp_path / "a.pt2", dynamic=True), device=CPU)
    output = both.segment(torch.zeros(2, 3, 9, 14))
    assert (output.logits.shape, output.features.shape) == ((2, 2, 9, 14), (2, 3, 9, 14))
    assert (both.has_features, both.num_classes, both.palette) == (True, 2, None)
    bare = load_segmenter(export(tmp_path / "b.pt2", with_features=False), device=CPU)
    assert not bare.has_features
    assert bare.segment(torch.zeros(1, 3, 8, 12)).features.shape == (1, 2, 8, 12)


def test_an_export_for_one_size_refuses_another(tmp_path):
    found = load_segmenter(export(tmp_path / "a.pt2"), device=CPU)
    with pytest.raises(CheckpointError, match="frames of height 9 and width 12"):
        found.segment(torch.zeros(1, 3, 9, 12))


def test_what_is_no_segmenter_is_refused(tmp_path):
    (tmp_path / "a.pt2").write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match="export it again"):
        load_segmenter(tmp_path / "a.pt2", device=CPU)
    with pytest.raises(CheckpointError, match="check --segmenter"):
        load_segmenter(tmp_path / "b.pt2", device=CPU)


def test_an_export_that_gives_no_map_is_refused(tmp_path):
    program = torch.export.export(torch.nn.Flatten(), (torch.zeros(1, 3, 4, 4),))
    torch.export.save(program, tmp_path / "a.pt2")
    with pytest.raises(CheckpointError, match="must return logits"):
        load_segmenter(tmp_path / "a.pt2", device=CPU)


def test_a_package_without_a_segmenter_says_how_to_get_one(monkeypatch):
    monkeypatch.setattr(weights, "FILE_NAME", "absent.safetensors")
    with pytest.raises(CheckpointError, match="--segmenter FILE"):
        load_segmenter(device=CPU)
