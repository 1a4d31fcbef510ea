import pytest
import torch
from pydantic import ValidationError

from vid2vid.networks.generator import GeneratorConfig, SequentialGenerator
from vid2vid.rollout import rollout

TINY = {"width": 8, "downsamplings": 1, "blocks": 2}


def build(**settings):
    generator = SequentialGenerator(GeneratorConfig(**TINY, **settings), conditioning_channels=3)
    generator.initialise(0)
    return generator.eval()


@pytest.mark.parametrize("stride", [1, 2, 4])
@pytest.mark.parametrize("foreground", [(), (1,)])
def test_frames_of_any_size_come_back_at_their_size(stride, foreground):
    config = GeneratorConfig(**TINY, stem_stride=stride, skips=True)
    generator = SequentialGenerator(config, conditioning_channels=3, foreground=foreground)
    generator.initialise(0)
    maps = torch.eye(3)[torch.randint(0, 3, (1, 21, 30))].permute(0, 3, 1, 2)
    for output in rollout(generator, [maps, maps]):
        assert output.frame.shape == (1, 3, 21, 30)
        assert output.flow is not None
        assert output.flow.shape == (1, 2, 21, 30)


@pytest.mark.parametrize(("stride", "multiple"), [(1, 2), (2, 4), (4, 8)])
def test_sizes_divide_by_the_stem_and_the_halvings(stride, multiple):
    assert build(stem_stride=stride).size_multiple(1) == multiple


def features_of(generator, size=32):
    """Return the sizes that the label encoder's first layer and the image branch end with."""
    features = generator.coarse.label_encoder[0](torch.zeros(1, 9, size, size))
    return tuple(features.shape[1:]), generator.coarse.image_head.conv.in_channels


def test_a_stem_of_stride_2_halves_features_and_the_decoder_doubles_them_again():
    assert features_of(build()) == ((8, 32, 32), 8)
    assert features_of(build(stem_stride=2)) == ((8, 16, 16), 4)
    assert features_of(build(stem_stride=4)) == ((8, 8, 8), 2)


def test_skips_let_the_decoder_see_fine_labels():
    """What the bottleneck carries is cut off: all that is left comes beside it."""
    changes = []
    for skips in (False, True):
        generator = build(norm="none", skips=skips)
        for parameter in generator.coarse.image_branch.parameters():
            parameter.data.zero_()
        window = torch.zeros(1, 9, 16, 16)
        other = window.clone()
        other[0, 8, 5, 5] = 1
        past = torch.zeros(1, 6, 16, 16)
        one, two = (generator.coarse(each, past).image for each in (window, other))
        changes.append((one - two).abs().max().item())
    assert changes[0] == 0
    assert changes[1] > 0


def test_skips_add_no_weights():
    assert build().state_dict().keys() == build(skips=True).state_dict().keys()


def test_a_stem_with_a_stride_is_refused_where_it_does_not_fit():
    with pytest.raises(ValidationError, match="stem_stride must be 1 with refiners"):
        GeneratorConfig(width=8, refiners=1, stem_stride=2)
    with pytest.raises(ValidationError, match="width must be divisible by 8 with stem_stride 4"):
        GeneratorConfig(width=12, stem_stride=4)
