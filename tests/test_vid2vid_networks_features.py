import pytest
import torch

from vid2vid.errors import ConfigError
from vid2vid.networks.features import VggFeatures
from vid2vid.vgg_weights import WEIGHT_FILES, load_vgg


@pytest.fixture(scope="module")
def vgg():
    return VggFeatures("vgg16")


def weights_of(network):
    """Name the weights of a `VggFeatures` as torchvision does."""
    layers = [layer for stage in network.stages for layer in stage]
    return {
        f"features.{index}.{kind}": parameter
        for index, layer in enumerate(layers)
        for kind, parameter in layer.named_parameters()
    }


def frames(side=16):
    return torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize(("name", "convolutions"), [("vgg16", 11), ("vgg19", 13)])
def test_five_stages_end_after_the_first_convolution_of_each_block(name, convolutions):
    with torch.device("meta"):
        network = VggFeatures(name)
        stages = network(torch.empty(1, 3, 32, 32))
    assert [s.shape[1] for s in stages] == [64, 128, 256, 512, 512]
    assert [s.shape[2] for s in stages] == [32, 16, 8, 4, 2]
    assert sum(isinstance(m, torch.nn.Conv2d) for m in network.modules()) == convolutions


def test_frames_are_normalised_as_the_weights_were_trained(vgg):
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    picture = frames()
    expected = vgg.stages[0]((picture / 2 + 0.5 - mean) / std)
    torch.testing.assert_close(vgg(picture)[0], expected, atol=1e-5, rtol=1e-5)


def test_later_stages_do_not_overwrite_earlier_ones(vgg):
    features = vgg(frames())
    assert torch.equal(vgg.stages[1](features[0]), features[1])


def test_gradient_reaches_the_frames_and_no_weight(vgg):
    picture = frames().requires_grad_()
    vgg(picture)[-1].sum().backward()
    assert picture.grad is not None
    assert not any(parameter.requires_grad for parameter in vgg.parameters())


def test_weights_come_from_a_file_of_torchvision(vgg, tmp_path):
    torch.save(weights_of(vgg) | {"classifier.0.weight": torch.zeros(1)}, tmp_path / "vgg.pth")
    loaded = load_vgg("vgg16", str(tmp_path / "vgg.pth"))
    assert not loaded.training
    assert torch.equal(loaded(frames())[-1], vgg(frames())[-1])


def test_absent_weights_are_asked_for_by_file_name(tmp_path):
    with pytest.raises(ConfigError, match=r"there is no .*nowhere.pth: put vgg19-dcbb9e9d.pth"):
        load_vgg("vgg19", str(tmp_path / "nowhere.pth"))


def test_without_a_path_the_cache_of_torch_is_looked_into(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    wanted = tmp_path / "hub" / "checkpoints" / WEIGHT_FILES["vgg16"]
    with pytest.raises(ConfigError, match=f"there is no {wanted}"):
        load_vgg("vgg16", None)


@pytest.mark.parametrize("content", [b"", b"no weights at all", b"PK\x03\x04 broken"])
def test_a_file_that_is_no_weights_is_named(tmp_path, content):
    (tmp_path / "vgg.pth").write_bytes(content)
    with pytest.raises(ConfigError, match=r"vgg.pth does not hold torchvision's vgg16 weights"):
        load_vgg("vgg16", str(tmp_path / "vgg.pth"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features.0.bias": torch.zeros(3)}, "features.0.bias has another shape"),
        (None, "features.0.weight"),
    ],
)
def test_weights_of_another_network_are_refused(vgg, tmp_path, change, message):
    state = {} if change is None else weights_of(vgg) | change
    torch.save(state, tmp_path / "vgg.pth")
    with pytest.raises(ConfigError, match=message):
        load_vgg("vgg16", str(tmp_path / "vgg.pth"))


def test_wide_frames_are_averaged_down_to_at_most_1024_pixels():
    features = VggFeatures("vgg16")
    assert features(torch.zeros(1, 3, 32, 2048))[0].shape[-2:] == (16, 1024)
