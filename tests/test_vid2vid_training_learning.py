"""A tiny generator learns what it is made to learn."""

import torch

from vid2vid.losses.config import LossConfig
from vid2vid.networks.generator import GeneratorConfig, SequentialGenerator
from vid2vid.rollout import rollout
from vid2vid.training.clip_step import StepSettings, gather_gradients
from vid2vid.training.players import Players

OFF = {"perceptual": 0, "image_gan": 0, "video_gan": 0, "matching": 0, "generated_warp": 0}


def make(**settings):
    config = GeneratorConfig(
        width=8, downsamplings=1, blocks=2, history=1, flow_scale=4, **settings
    )
    generator = SequentialGenerator(config, conditioning_channels=2)
    generator.initialise(0)
    return generator


def learn(generator, targets, losses, *, steps, from_zeros=False):
    adam = torch.optim.Adam(generator.parameters(), lr=5e-3, betas=(0.5, 0.999))
    for _ in range(steps):
        adam.zero_grad()
        settings = StepSettings(1, 4, from_zeros)
        terms = gather_gradients(Players(generator), targets, losses, settings)
        adam.step()
    return {name: term.item() for name, term in terms.items()}


def generate(generator, targets, *, from_zeros=False):
    maps, frames = targets.conditioning, targets.frames
    past, first = (None, None) if from_zeros else (maps[:, :1], frames[:, :1])
    with torch.no_grad():
        return list(
            rollout(generator, maps[:, 1:].unbind(1), past_conditioning=past, first_frames=first)
        )


def test_a_constant_clip_is_fitted_from_zeros(square_targets):
    still = square_targets(1)
    targets = still._replace(
        conditioning=still.conditioning.repeat(1, 4, 1, 1, 1),
        frames=torch.nn.functional.avg_pool2d(still.frames[0], 5, 1, 2).repeat(1, 4, 1, 1, 1),
        references=(),
    )
    generator = make()
    learn(generator, targets, LossConfig(**OFF, pixel=10), steps=120, from_zeros=True)
    outputs = generate(generator, targets, from_zeros=True)
    errors = [(out.frame - targets.frames[:, 1]).abs().mean().item() for out in outputs]
    spread = (targets.frames - targets.frames.mean()).abs().mean().item()
    assert max(errors) < 0.3 * spread


def test_the_flow_of_a_moving_square_is_recovered(square_targets):
    targets, generator = square_targets(5), make()
    losses = LossConfig(**OFF, pixel=0, hallucinated=0, flow=1, warp=0)
    learn(generator, targets, losses, steps=100)
    reference = targets.references[0]
    for index, out in enumerate(generate(generator, targets)):
        flow, trusted = reference.flow[:, index], reference.confidence[:, index]
        error = (out.flow - flow).norm(dim=1, keepdim=True) * trusted
        still = flow.norm(dim=1, keepdim=True) * trusted
        assert error.sum() < 0.3 * still.sum()
        inside = targets.conditioning[:, index + 1, 1:].bool()
        assert out.flow[:, :1][inside].median().item() < -1.2


def test_flow_is_learnt_from_the_frames_alone(square_targets):
    """The warp loss, without any reference flow to imitate, finds the motion."""
    targets, generator = square_targets(4), make()
    smooth = torch.nn.functional.avg_pool2d(targets.frames[0], 5, 1, 2)[None]
    targets = targets._replace(frames=smooth)
    losses = LossConfig(**OFF, pixel=0.1, flow=0, warp=10)
    first = learn(make(), targets, losses, steps=1)["warp"]
    assert learn(generator, targets, losses, steps=80)["warp"] < 0.6 * first
