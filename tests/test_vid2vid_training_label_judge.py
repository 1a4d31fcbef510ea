import numpy as np
import pytest
import torch

from vid2vid.losses.config import LossConfig
from vid2vid.losses.segmentation import draw_mix, generated_loss, labelled_loss, mix_loss
from vid2vid.networks.segmentation_discriminator import (
    SegmentationDiscriminator,
    SegmentationDiscriminatorConfig,
)
from vid2vid.training.label_judge import LabelExhibit

LABELS = torch.arange(24).view(1, 4, 6).div(6, rounding_mode="floor").repeat(2, 2, 2)


def make(**settings):
    config = SegmentationDiscriminatorConfig(width=4, downsamplings=2, **settings)
    network = SegmentationDiscriminator(config, 4)
    network.initialise(0)
    return network.eval()  # spectral norm stays as it is, so that terms can be computed again


def pictures(seed):
    return torch.randn(2, 3, 8, 12, generator=torch.Generator().manual_seed(seed))


def exhibit(network, *, hallucinated=False):
    alone = pictures(2).requires_grad_() if hallucinated else None
    fake = pictures(1).requires_grad_()
    return LabelExhibit("segmentation", network, pictures(0), fake, alone, LABELS)


def judge(shown, seed=0, **losses):
    return shown.judge(LossConfig(**losses), unused=0, rng=np.random.default_rng(seed))


def test_terms_are_those_of_the_paper():
    network = make()
    shown = exhibit(network)
    verdict = judge(shown, segmentation_gan=2)
    real, fake = network(shown.real), network(shown.fake)
    mask = draw_mix(LABELS, np.random.default_rng(0))
    mixed = network(torch.where(mask > 0, shown.real, shown.fake))
    mix = mix_loss(mixed, real, fake, mask=mask)
    assert mix > 0
    expected = labelled_loss(real, LABELS) + generated_loss(fake, LABELS) + 10 * mix
    torch.testing.assert_close(verdict.discriminator, expected)
    ((name, (weight, term)),) = verdict.generator.items()
    assert (name, weight) == ("segmentation_gan", 2)
    torch.testing.assert_close(term, labelled_loss(fake, LABELS))


def test_neither_player_learns_from_the_terms_of_the_other():
    shown = exhibit(make(), hallucinated=True)
    verdict = judge(shown)
    verdict.generator["segmentation_gan"][1].backward()
    weights = list(shown.discriminator.parameters())
    assert all(each.grad is None for each in weights)
    assert shown.fake.grad.any()
    assert shown.hallucinated.grad.any()
    shown.fake.grad = shown.hallucinated.grad = None
    verdict.discriminator.backward()
    assert all(each.grad is not None for each in weights)
    assert shown.fake.grad is shown.hallucinated.grad is None
    assert all(each.requires_grad for each in weights)


def test_the_hallucinated_frame_counts_by_its_share():
    network = make(label_mix=0)
    both = exhibit(network, hallucinated=True)
    frame, other = exhibit(network), both._replace(fake=both.hallucinated, hallucinated=None)
    found, one, two = (judge(each, hallucinated=0.5) for each in (both, frame, other))
    mean = (one.discriminator + 0.5 * two.discriminator) / 1.5
    torch.testing.assert_close(found.discriminator, mean)
    terms = [verdict.generator["segmentation_gan"][1] for verdict in (found, one, two)]
    torch.testing.assert_close(terms[0], terms[1] + 0.5 * terms[2])


def test_the_mix_follows_from_the_seed():
    terms = [judge(exhibit(make()), seed=seed).discriminator for seed in (0, 0, 1)]
    assert torch.equal(terms[0], terms[1])
    assert not torch.equal(terms[0], terms[2])


@pytest.mark.parametrize(("favoured", "seen"), [(4, (0.0, 1.0, 0.0)), (2, (1.0, 0.0, 0.25))])
def test_a_network_that_always_says_one_thing_is_right_about_one_side(favoured, seen):
    network = make()
    with torch.no_grad():
        network.head.weight.zero_()
        network.head.bias.zero_()[favoured] = 5
    observed = judge(exhibit(network)).observed
    names = ("accuracy_real", "accuracy_fake", "accuracy_label")
    assert tuple(observed[f"segmentation_{name}"].item() for name in names) == seen
    assert observed["segmentation_activation"].item() == 1
    assert not any(value.requires_grad for value in observed.values())
