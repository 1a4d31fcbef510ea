"""The networks are stand-ins of the same interface: no weights travel with the package."""

import sys
import types

import numpy as np
import pytest
import torch
from conftest import make_moving_square
from PIL import Image
from stand_ins import LikeLpips
from torch import nn
from torchvision.models import alexnet

from pipelines.evaluation.featuring import FeatureBook
from pipelines.evaluation.judging import Instruments
from pipelines.evaluation.ledger import When
from vid2vid.errors import CheckpointError
from vid2vid.metrics.learned import I3D, LPIPS, Inception, resize_for_i3d

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:FutureWarning")


class Means(nn.Module):
    """Mean and spread of each channel."""

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        flat = frames.flatten(2)
        return torch.cat([flat.mean(dim=2), flat.std(dim=2)], dim=1)


class LikeInception(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = Means()

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        return self.layers(frames)


class LikeI3D(nn.Module):
    def forward(
        self, clips: torch.Tensor, rescale: bool, resize: bool, return_features: bool
    ) -> torch.Tensor:
        return clips.flatten(2).mean(dim=2)


def save(path, network):
    torch.jit.script(network).save(str(path))
    return path


def test_inception_sees_frames_as_clean_fid_resizes_them(tmp_path):
    found = Inception(save(tmp_path / "i.pt", LikeInception()))
    frame = make_moving_square().frames[0]
    levels = ((frame + 1) * 127.5).round().clamp(0, 255).numpy()
    means = [
        np.asarray(Image.fromarray(channel).resize((299, 299), Image.Resampling.BICUBIC))
        .clip(0, 255)
        .mean()
        for channel in levels
    ]
    expected = (np.array(means) - 128) / 128
    assert found(frame)[:3].tolist() == pytest.approx(expected.tolist(), abs=1e-4)


def test_i3d_sees_clips_of_224_pixels_and_channels_first(tmp_path):
    found = I3D(save(tmp_path / "i.pt", LikeI3D()))
    frames = make_moving_square().frames
    clip = resize_for_i3d(frames)
    assert clip.shape == (8, 3, 224, 224)
    assert found(clip).tolist() == pytest.approx(clip.mean(dim=(0, 2, 3)).tolist(), abs=1e-5)


def test_fid_and_fvd_are_measured_of_whole_clips_and_nothing_of_real(tmp_path):
    instruments = Instruments(
        inception=Inception(save(tmp_path / "a.pt", LikeInception())),
        i3d=I3D(save(tmp_path / "b.pt", LikeI3D())),
    )
    book = FeatureBook(("ours", "real"), instruments, seed=0)
    random = torch.rand(70, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    for index, frame in enumerate(random):
        pair = torch.stack([frame.square(), frame]) * 2 - 1
        book.add_frames(pair, When(0, index, is_only=True))
    found = book.distances("ours")
    assert (found["fid"].num_vectors, found["fvd"].num_vectors) == (70, 4)
    assert found["fid"].value > 10 * book.halves()["fid"].value
    assert book.distances("real")["fid"].value == pytest.approx(0, abs=1e-6)
    assert "kvd" not in found


def test_a_file_that_is_no_torchscript_is_refused(tmp_path):
    (tmp_path / "a.pt").write_bytes(b"nothing")
    for network in (Inception, I3D):
        with pytest.raises(CheckpointError, match="cannot be read as one: check the path"):
            network(tmp_path / "a.pt")


@pytest.fixture
def package(monkeypatch):
    monkeypatch.setitem(sys.modules, "lpips", types.SimpleNamespace(LPIPS=LikeLpips))


def test_lpips_takes_torchvisions_alexnet_from_a_file(package, tmp_path):
    source = alexnet()
    torch.save(source.state_dict(), tmp_path / "a.pth")
    found = LPIPS(tmp_path / "a.pth")
    one, other = torch.rand(2, 1, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        expected = (source.features[:12](one) - source.features[:12](other)).square().mean()
    assert found(one, other).tolist() == pytest.approx([expected.item()], rel=1e-4)


def test_lpips_refuses_other_weights_and_says_how_to_get_the_package(
    package, tmp_path, monkeypatch
):
    torch.save({"features.0.weight": torch.zeros(1)}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match="holds another network"):
        LPIPS(tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match="cannot be read"):
        LPIPS(tmp_path / "absent.pth")
    monkeypatch.setitem(sys.modules, "lpips", None)
    with pytest.raises(CheckpointError, match=r"pip install 'vid2vid\[eval\]'"):
        LPIPS(tmp_path / "a.pth")
