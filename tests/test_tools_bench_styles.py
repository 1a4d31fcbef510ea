"""The table of styles, on small pictures and a network that has just begun."""

import pytest
import torch
from tool_modules import load_tool

from vid2vid.networks.feature_encoder import instance_mean


@pytest.fixture(scope="module")
def tool():
    return load_tool("bench_styles")


def test_pooling_is_compared_on_as_many_instances_as_were_asked_for(tool):
    line = tool.compare_pooling(7, height=40, width=60)
    assert line.startswith("pooling 60x40, 7 instances, 3 channels: loop ")
    assert float(line.rpartition(" ")[2]) < 1e-6


def test_the_plain_loop_is_the_mean_too(tool):
    features = torch.randn(2, 3, 9, 12, generator=torch.Generator().manual_seed(0))
    instances = torch.cat([tool.voronoi(5, height=9, width=12) for _ in range(2)])
    torch.testing.assert_close(
        tool.plain_loop(features, instances), instance_mean(features, instances)
    )


def test_the_reach_of_a_network_is_the_sum_of_its_convolutions(tool):
    network = {"kind": "pix2pixhd", "downsamplings": 1, "blocks": 1}
    config = tool.Pix2PixHDConfig.model_validate(network)
    assert tool.reach_px(config) == 3 + 3 + 1 + 1 + 2 * 2
    assert tool.reach_px(config.model_copy(update={"downsamplings": 4, "blocks": 9})) == 324
