import math

import numpy as np
import pytest
import torch

from vid2vid.losses.mrf import implicit_mrf


def features(seed=0, *, size=8, channels=16, batch=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, channels, size, size, generator=generator)


def by_hand(fake, real):
    """The loss of one sample in float64, position by position."""
    ours, theirs = (each.flatten(1).T.double() for each in (fake, real))
    centre = theirs.mean(0)
    ours, theirs = ours - centre, theirs - centre
    shares = np.zeros((len(ours), len(theirs)))
    for i, one in enumerate(ours):
        distances = [(1 - float(one @ other / (one.norm() * other.norm()))) / 2 for other in theirs]
        scores = [math.exp((1 - d / (min(distances) + 1e-5)) / 0.5) for d in distances]
        shares[i] = np.array(scores) / sum(scores)
    return -math.log(shares.max(0).mean())


def test_the_loss_is_that_of_the_definition():
    fake, real = features(1, size=4), features(2, size=4)
    assert float(implicit_mrf(fake, real)) == pytest.approx(by_hand(fake[0], real[0]), rel=1e-4)


def test_features_that_meet_in_any_order_and_length_cost_nothing():
    real = features()
    order = torch.randperm(64, generator=torch.Generator().manual_seed(1))
    centre = real.mean((2, 3), keepdim=True)
    for fake in (real, real.flatten(2)[:, :, order].view_as(real), centre + 3 * (real - centre)):
        assert float(implicit_mrf(fake, real)) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("size", [8, 16])
def test_flat_features_cost_the_logarithm_of_their_number(size):
    flat = torch.ones(1, 16, size, size)
    assert float(implicit_mrf(flat, flat)) == pytest.approx(math.log(size**2), abs=1e-5)


def test_noise_costs_more_the_stronger_it_is_and_less_than_a_blur():
    real = features()
    noisy = [float(implicit_mrf(real + share * features(1), real)) for share in (0.02, 0.3, 1, 3)]
    blurred = float(implicit_mrf(torch.nn.functional.avg_pool2d(real, 5, 1, 2), real))
    assert noisy == sorted(noisy)
    assert noisy[0] == pytest.approx(0, abs=1e-3)
    assert noisy[-1] < blurred < math.log(64)


def test_the_batch_is_averaged():
    fake, real = features(1, batch=2), features(2, batch=2)
    alone = [implicit_mrf(fake[i : i + 1], real[i : i + 1]) for i in (0, 1)]
    torch.testing.assert_close(implicit_mrf(fake, real), (alone[0] + alone[1]) / 2)


def test_gradients_are_finite_also_where_features_are_zero():
    for fake, real in (
        (torch.zeros(1, 4, 6, 6), torch.zeros(1, 4, 6, 6)),
        (features(1, size=6).relu() * 0, features(2, size=6).relu()),
        (features(1, size=6).relu(), features(2, size=6).relu()),
    ):
        fake = fake.requires_grad_()
        implicit_mrf(fake, real).backward()
        assert fake.grad.isfinite().all()
    assert fake.grad.abs().sum() > 0


def test_the_loss_pulls_generated_features_to_real_ones():
    real, fake = features(2, size=6), features(1, size=6).requires_grad_()
    adam = torch.optim.Adam([fake], lr=0.05)
    before = float(implicit_mrf(fake.detach(), real))
    for _ in range(60):
        adam.zero_grad()
        implicit_mrf(fake, real).backward()
        adam.step()
    assert float(implicit_mrf(fake.detach(), real)) < before / 2


def test_large_maps_are_looked_at_in_the_same_drawn_positions():
    real = features(size=66, channels=12)
    assert float(implicit_mrf(real, real, rng=np.random.default_rng(0))) == pytest.approx(
        0, abs=1e-3
    )
    with pytest.raises(ValueError, match=r"4356 positions are above 4225: rng must draw some"):
        implicit_mrf(real, real)


def test_half_precision_features_are_compared_in_float32():
    fake, real = features(1), features(2)
    with torch.autocast("cpu", torch.bfloat16):
        value = implicit_mrf(fake.bfloat16(), real.bfloat16())
    assert value.dtype == torch.float32
    rounded = implicit_mrf(fake.bfloat16().float(), real.bfloat16().float())
    torch.testing.assert_close(value, rounded)


def test_features_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"of one shape to be compared; got \(1, 16, 8, 8\) and"):
        implicit_mrf(features(), features(size=4))
