"""Bytes that are counted are those that are held."""

import torch
from torch import nn

from vid2vid.networks.blocks import Head
from vid2vid.networks.recompute import Segment, recompute_activations
from vid2vid.training.memory import imitate_autocast, measure_memory, weight_bytes

KB = 1024  # bytes of 'one' below


def one(*, requires_grad=False):
    return torch.empty(1, 1, 16, 16, device="meta", requires_grad=requires_grad)


def test_what_is_freed_is_not_held():
    def run():
        first = one()
        second = first + 1  # both are alive
        del first
        return second * 2  # and these two

    held = measure_memory(run)
    assert held == (2 * KB, KB)


def test_views_take_nothing():
    assert measure_memory(lambda: one().flatten().view(4, -1).t()) == (KB, KB)


def test_what_the_backward_pass_needs_is_held():
    def run():
        # An exponential keeps its result, the square its input: the result of the first one.
        return one(requires_grad=True).exp().square().exp()

    assert measure_memory(run).left == 3 * KB  # both, and the leaf, which will get a gradient
    with torch.no_grad():
        assert measure_memory(run).left == KB


def test_in_bfloat16_convolutions_keep_half():
    with torch.device("meta"):
        network, weight = nn.Conv2d(1, 1, 1, bias=False), 2
    assert measure_memory(lambda: network(one())) == (2 * KB, 2 * KB)
    imitate_autocast(network)
    half = KB // 2
    # The cast input and the cast weight stay for the backward pass, the input itself does not.
    assert measure_memory(lambda: network(one())) == (KB + half + weight + half, KB + weight)


def test_heads_stay_exact():
    with torch.device("meta"):
        head = Head(1, 1)
    before = measure_memory(lambda: head(one()))
    imitate_autocast(head)
    assert measure_memory(lambda: head(one())) == before


def test_weights_are_cast_once_and_what_is_computed_again_is_in_bfloat16_too():
    with torch.device("meta"):
        network = Segment(nn.Conv2d(1, 1, 1, bias=False), nn.Conv2d(1, 1, 1, bias=False))
    recompute_activations(network)
    imitate_autocast(network)
    seen = []
    network[0].register_forward_hook(lambda _module, _inputs, output: seen.append(output.dtype))
    weights = []
    network[0].register_forward_hook(lambda module, *_: weights.append(module.weight))
    measure_memory(lambda: network(one()).sum().backward())
    assert seen == [torch.bfloat16, torch.bfloat16]
    assert weights[0] is weights[1]
    assert network[0].parametrizations.weight.original.grad.dtype == torch.float32


def test_weights_are_those_that_are_trained():
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2))
    trained = 4 * (2 + 2 + 2 + 2)
    assert weight_bytes([network]) == trained
    assert weight_bytes([network], trained_only=False) == trained + 4 * (2 + 2) + 8
    network[0].requires_grad_(requires_grad=False)
    assert weight_bytes([network]) == 4 * (2 + 2)
