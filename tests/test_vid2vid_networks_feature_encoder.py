import pytest
import torch

from vid2vid.networks.cost import count_parameters
from vid2vid.networks.feature_encoder import FeatureEncoder, FeatureEncoderConfig, instance_mean


def test_number_of_weights_is_the_official_one():
    with torch.device("meta"):  # the official norm has no weights
        encoder = FeatureEncoder(FeatureEncoderConfig(norm="none"), 3)
    assert count_parameters(encoder) == 788_803


@pytest.mark.parametrize("size", [(16, 16), (17, 30), (4, 5)])
def test_a_photo_of_any_size_gets_features_of_its_size(size):
    encoder = FeatureEncoder(FeatureEncoderConfig(width=2, downsamplings=3), 5)
    features = encoder(torch.zeros(2, 3, *size))
    assert features.shape == (2, 5, *size)
    assert features.abs().max() <= 1


def test_every_instance_holds_its_mean():
    features = torch.tensor([[[[1.0, 3.0, 10.0, 20.0]]]])
    instances = torch.tensor([[[7, 7, 26001, 7]]], dtype=torch.int32)
    assert instance_mean(features, instances).tolist() == [[[[8.0, 8.0, 10.0, 8.0]]]]


def mean_by_loops(features, instances):
    means = torch.empty_like(features)
    for sample, ids in enumerate(instances):
        for each in ids.unique():
            for channel in range(features.shape[1]):
                inside = ids == each
                means[sample, channel][inside] = features[sample, channel][inside].mean()
    return means


def test_it_is_the_mean_over_loops_of_pictures_instances_and_channels():
    random = torch.Generator().manual_seed(0)
    features = torch.randn(3, 4, 9, 11, generator=random)
    instances = torch.randint(5, (3, 9, 11), generator=random)
    torch.testing.assert_close(
        instance_mean(features, instances), mean_by_loops(features, instances)
    )


def test_the_mean_of_a_large_instance_is_exact():
    features = torch.full((1, 1, 700, 700), 0.1)
    found = instance_mean(features, torch.zeros(1, 700, 700, dtype=torch.uint8))
    torch.testing.assert_close(found, features, rtol=1e-7, atol=0)


def test_gradients_flow_to_all_pixels_of_an_instance():
    features = torch.ones(1, 1, 1, 4, requires_grad=True)
    instance_mean(features, torch.tensor([[[1, 1, 2, 1]]]))[..., 0].sum().backward()
    torch.testing.assert_close(features.grad.flatten(), torch.tensor([1 / 3, 1 / 3, 0, 1 / 3]))


def test_instances_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"instances must be \(1, 4, 4\).*; got \(1, 4, 5\)"):
        instance_mean(torch.zeros(1, 2, 4, 4), torch.zeros(1, 4, 5, dtype=torch.int32))
