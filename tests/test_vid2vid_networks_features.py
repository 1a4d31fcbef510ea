import pytest
import torch

from vid2vid.errors import ConfigError
from vid2vid.losses.config import LossConfig
from vid2vid.networks.cost import count_parameters
from vid2vid.networks.features import VggFeatures
from vid2vid.vgg_weights import WEIGHT_FILES, load_vgg
from vid2vid.weights.features import empty_features, load_features
from vid2vid.weights.segmenter import load_segmenter


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


@pytest.mark.parametrize(("name", "convolutions"), [("vgg16", 12), ("vgg19", 14)])
def test_second_layers_are_those_of_crn(name, convolutions):
    with torch.device("meta"):
        network = VggFeatures(name, layers="second", pooling="average")
        stages = network(torch.empty(1, 3, 32, 32))
    assert [s.shape[1] for s in stages] == [64, 128, 256, 512, 512]
    assert sum(isinstance(m, torch.nn.Conv2d) for m in network.modules()) == convolutions
    assert all(isinstance(stage[-1], torch.nn.ReLU) for stage in network.stages)
    assert isinstance(network.stages[0][-2], torch.nn.Conv2d)


def test_pooling_takes_the_largest_or_the_mean():
    picture = torch.tensor([[1.0, 2.0], [3.0, 6.0]])[None, None]
    for pooling, expected in (("max", 6.0), ("average", 3.0)):
        network = VggFeatures("vgg16", pooling=pooling)
        pools = [
            m for m in network.modules() if isinstance(m, (torch.nn.MaxPool2d, torch.nn.AvgPool2d))
        ]
        assert [pool(picture).item() for pool in pools] == [expected] * 4


def test_weights_of_second_layers_come_from_the_same_file(tmp_path):
    first, second = VggFeatures("vgg16"), VggFeatures("vgg16", layers="second")
    torch.save(weights_of(second), tmp_path / "vgg.pth")
    path = str(tmp_path / "vgg.pth")
    loaded = load_vgg("vgg16", path, layers="second")
    assert torch.equal(loaded(frames())[-1], second(frames())[-1])
    layers = [layer for stage in load_vgg("vgg16", path).stages for layer in stage]
    assert len(layers) == len([layer for stage in first.stages for layer in stage])
    assert torch.equal(layers[-2].weight, weights_of(second)["features.24.weight"])


def test_the_segmenter_of_the_package_stands_in_for_vgg_and_says_so(caplog):
    losses = LossConfig(perceptual_network="segmenter")
    with caplog.at_level("INFO"):
        network = load_features(losses)
    assert [record.message.count("the segmenter of the package") for record in caplog.records] == [
        1
    ]
    stages = network(frames(35).requires_grad_())
    assert [stage.shape[2] for stage in stages] == [35, 17, 8, 4, 2]
    segmenter = load_segmenter(device=torch.device("cpu")).segment
    torch.testing.assert_close(stages[0], segmenter.stem(frames(35)))
    stages[-1].sum().backward()
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert count_parameters(empty_features(losses)) == count_parameters(network)


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
    with pytest.raises(
        ConfigError, match=r"there is no .*nowhere.pth: put vgg19-dcbb9e9d.pth .*to segmenter"
    ):
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
