import math

import numpy as np
import pytest
import torch

from vid2vid.networks.beside import draw_noise, encode_positions
from vid2vid.networks.generator import GeneratorConfig, SequentialGenerator
from vid2vid.networks.pix2pixhd import Pix2PixHDConfig
from vid2vid.networks.still import StillGenerator
from vid2vid.rollout import rollout, start_state


def sequential(**settings):
    tiny = {"width": 4, "downsamplings": 1, "blocks": 2, "flow": False}
    config = GeneratorConfig(**tiny | settings)
    return SequentialGenerator(config, conditioning_channels=2 + config.beside)


def still(**settings):
    config = Pix2PixHDConfig(width=4, downsamplings=1, blocks=1, **settings)
    return StillGenerator(config, conditioning_channels=2 + config.beside)


def ready(generator, seed=0):
    generator.initialise(0)
    generator.reseed(seed)
    return generator.eval()


def maps(count=3, batch=1, size=(8, 12)):
    return [torch.zeros(batch, 2, *size) for _ in range(count)]


@torch.no_grad()
def frames(generator, stream=None):
    return [output.frame for output in rollout(generator, stream or maps())]


@pytest.mark.parametrize("make", [sequential, still])
def test_without_noise_nothing_changes(make):
    assert start_state(make(), maps()[0]).beside is None
    assert not make().is_random
    before, after = make().state_dict(), make(noise=0).state_dict()
    assert {key: each.shape for key, each in before.items()} == {
        key: each.shape for key, each in after.items()
    }


@pytest.mark.parametrize("form", ["vector", "tensor"])
@pytest.mark.parametrize("make", [sequential, still])
def test_frames_follow_from_the_seed(make, form):
    generator = make(noise=4, noise_form=form)
    assert generator.is_random
    first, again, other = (frames(ready(generator, seed)) for seed in (1, 1, 2))
    assert all(torch.equal(*pair) for pair in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])


def test_noise_stays_over_the_frames_of_a_video():
    first, second, third = frames(ready(still(noise=4)))
    assert torch.equal(first, second)
    assert torch.equal(first, third)


def test_stills_rendered_one_by_one_share_their_noise():
    generator = ready(still(noise=4))
    assert torch.equal(frames(generator, maps(1))[0], frames(generator, maps(1))[0])


def test_clips_of_a_training_step_have_noise_of_their_own_in_any_parts():
    generator = ready(still(noise=4)).train()
    whole = start_state(generator, maps(batch=3)[0]).beside
    generator.reseed(0)
    parts = [start_state(generator, maps(batch=size)[0]).beside for size in (1, 2)]
    assert torch.equal(whole, torch.cat(parts))
    assert not torch.equal(whole[0], whole[1])


def test_a_vector_is_the_same_everywhere_and_a_tensor_is_not():
    for form, alike in (("vector", True), ("tensor", False)):
        noise = start_state(still(noise=64, noise_form=form), maps(size=(7, 11))[0]).beside
        assert noise.shape == (1, 64, 8, 12)  # padded
        assert torch.equal(noise, noise[..., :1, :1].expand_as(noise)) == alike
        assert abs(noise.mean()) < 0.3
        assert 0.7 < noise.std() < 1.3


def test_past_maps_carry_the_noise_too():
    past = torch.ones(1, 2, 2, 8, 12)
    state = start_state(sequential(noise=3), maps()[0], past_conditioning=past)
    assert state.past_conditioning.shape == (1, 2, 5, 8, 12)
    assert torch.equal(state.past_conditioning[:, :, :2], past)
    assert torch.equal(state.past_conditioning[:, 1, 2:], state.beside)


def test_refiners_see_the_noise():
    generator = ready(sequential(width=8, refiners=1, noise=2))
    assert frames(generator)[-1].shape == (1, 3, 8, 12)


def test_noise_is_drawn_from_the_seed_and_the_shape_alone():
    shape = {"channels": 2, "height": 3, "width": 4}
    assert torch.equal(draw_noise((1, 2), **shape), draw_noise((1, 2), **shape))
    assert not torch.equal(draw_noise((1, 2), **shape), draw_noise((1, 3), **shape))


def test_positions_are_waves_from_border_to_border():
    places = encode_positions(2, height=4, width=2)
    assert places.shape == (8, 4, 2)
    slow = [math.sin(math.pi / 2 * x) for x in (-0.5, 0.5)]
    assert places[0].tolist() == pytest.approx(np.array([slow] * 4), abs=1e-6)
    fast = [math.cos(math.pi * y) for y in (-0.75, -0.25, 0.25, 0.75)]
    assert places[7, :, 0].tolist() == pytest.approx(fast, abs=1e-6)


def test_with_positions_a_network_can_tell_pixels_of_an_empty_map_apart():
    flat, placed = (frames(ready(still(position=n)), maps(1, size=(32, 32)))[0] for n in (0, 3))
    middles = [each[0, :, 12:20, 12:20] for each in (flat, placed)]  # far from the borders
    assert middles[0].std(dim=(1, 2)).max() < 1e-6
    assert middles[1].std(dim=(1, 2)).min() > 1e-4


def test_noise_and_positions_stand_beside_every_map_in_this_order():
    state = start_state(sequential(noise=3, position=2), maps()[0])
    assert state.beside.shape == (1, 11, 8, 12)
    assert torch.equal(state.beside[0, 3:], encode_positions(2, height=8, width=12))
    assert not sequential(position=2).is_random
