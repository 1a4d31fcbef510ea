"""What is computed twice gives the same bits as what was kept, and leaves the same behind."""

import copy

import pytest
import torch
from torch import nn

from vid2vid.networks.blocks import Style, residual_blocks, stem, up
from vid2vid.networks.dropout import Dropout
from vid2vid.networks.generator import GeneratorConfig, SequentialGenerator
from vid2vid.networks.pix2pix import ResNetConfig, UNetConfig
from vid2vid.networks.pix2pixhd import Pix2PixHDConfig
from vid2vid.networks.recompute import recompute_activations
from vid2vid.networks.still import StillGenerator
from vid2vid.rollout import rollout

CHANNELS = 3
SEQUENTIAL = {"width": 4, "downsamplings": 1, "blocks": 2, "refiner_blocks": 1, "flow_scale": 4}
KINDS = {
    "sequential": GeneratorConfig(**SEQUENTIAL, refiners=1),
    "spectral": GeneratorConfig(**SEQUENTIAL, spectral=True, upsampling="resize"),
    "unet with dropout and batch norm": UNetConfig(width=4, downsamplings=6),
    "resnet with dropout and batch norm": ResNetConfig(width=4, blocks=2),
    "pix2pixhd": Pix2PixHDConfig(width=4, downsamplings=1, blocks=1, enhancers=1, spectral=True),
}


def make(config):
    if isinstance(config, GeneratorConfig):
        network = SequentialGenerator(config, conditioning_channels=CHANNELS, foreground=(1,))
    else:
        network = StillGenerator(config, conditioning_channels=CHANNELS)
    network.initialise(0)
    return network


def clip_gradients(network, *, frames=2):
    """Roll out a clip of random maps and return its loss; `.grad` is added to."""
    network.reseed(7)
    maps = torch.rand(1, frames, CHANNELS, 64, 64, generator=torch.Generator().manual_seed(1))
    outputs = list(rollout(network, maps.unbind(1)))
    loss = sum(out.frame.square().mean() + out.hallucinated.mean() for out in outputs)
    loss.backward()
    return loss.detach()


def bits(network):
    gradients = {name: p.grad for name, p in network.named_parameters() if p.grad is not None}
    return gradients | {f"buffer {name}": buffer for name, buffer in network.named_buffers()}


def kept_bytes(network, pictures):
    """Add up the distinct tensors that a forward pass keeps for the backward pass."""
    kept = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        output = network(pictures)
    weights = {p.untyped_storage().data_ptr() for p in network.parameters()}
    del output
    return sum(size for pointer, size in kept.items() if pointer not in weights)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_and_buffers_are_the_same_bits(kind):
    plain = make(KINDS[kind])
    frugal = copy.deepcopy(plain)
    recompute_activations(frugal)
    assert torch.equal(clip_gradients(plain), clip_gradients(frugal))
    ours, theirs = bits(frugal), bits(plain)
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if not torch.equal(ours[name], theirs[name])] == []


def test_under_autocast_gradients_are_the_same_bits():
    plain = make(KINDS["sequential"])
    frugal = copy.deepcopy(plain)
    recompute_activations(frugal)
    for network in (plain, frugal):
        with torch.autocast("cpu", torch.bfloat16):
            clip_gradients(network)
    assert all(torch.equal(value, bits(plain)[name]) for name, value in bits(frugal).items())


def test_names_of_weights_do_not_change():
    network = make(KINDS["sequential"])
    names = list(network.state_dict())
    recompute_activations(network)
    assert list(network.state_dict()) == names


def test_a_row_of_residual_blocks_keeps_only_the_input_of_each():
    network = residual_blocks(4, 3, Style())
    pictures = torch.rand(1, 4, 16, 16, requires_grad=True)
    recompute_activations(network)
    assert kept_bytes(network, pictures) == 3 * pictures.nbytes


def test_less_is_kept_than_without():
    network = nn.Sequential(stem(3, 8, Style()), up(8, 4, Style()))
    pictures = torch.rand(1, 3, 16, 16, requires_grad=True)
    before = kept_bytes(network, pictures)
    recompute_activations(network)
    # The input of the stem, 3 channels, and of the doubling, 8.
    assert kept_bytes(network, pictures) == 11 * 16 * 16 * 4 < before / 3


def test_without_gradients_nothing_runs_twice():
    network = residual_blocks(4, 1, Style(dropout=0.5))
    recompute_activations(network)
    layer = next(module for module in network.modules() if isinstance(module, Dropout))
    calls = []
    layer.register_forward_hook(lambda *_: calls.append(1))
    with torch.no_grad():
        network(torch.rand(1, 4, 8, 8))
    assert len(calls) == 1


def test_dropout_that_was_seeded_anew_between_the_passes_drops_the_same():
    network = residual_blocks(4, 1, Style(dropout=0.5))
    layer = next(module for module in network.modules() if isinstance(module, Dropout))
    pictures = torch.rand(1, 4, 8, 8)
    gradients = []
    for later in (1, 2):
        network.zero_grad()
        recompute_activations(network)
        layer.seed = 1
        loss = network(pictures).square().mean()
        layer.seed = later
        loss.backward()
        gradients.append(network[0].body[1].weight.grad.clone())
        assert layer.seed == later
    assert torch.equal(*gradients)
