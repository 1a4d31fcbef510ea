import pytest
import torch
from torchvision.models.optical_flow import raft_small

from flow.raft import WeightFileError, load_raft


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    torch.manual_seed(0)
    network = raft_small(weights=None).eval()
    path = tmp_path_factory.mktemp("raft") / "raft.pth"
    torch.save(network.state_dict(), path)
    return network, path


def test_raft_is_torchvisions_on_a_padded_pair(small):
    network, path = small
    estimator = load_raft(path)
    current, previous = torch.rand(2, 1, 3, 128, 136) * 2 - 1
    with torch.no_grad():
        expected = network(current, previous)[-1]
    torch.testing.assert_close(estimator(current, previous), expected)
    assert estimator.name == "raft_small"


def test_raft_takes_frames_of_any_size(small):
    frames = torch.rand(1, 3, 33, 50)
    assert load_raft(small[1])(frames, frames).shape == (1, 2, 33, 50)


def test_raft_refuses_frames_of_two_sizes(small):
    with pytest.raises(ValueError, match="of one size"):
        load_raft(small[1])(torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 9))


def test_files_without_raft_are_refused(tmp_path):
    with pytest.raises(WeightFileError, match="cannot be read"):
        load_raft(tmp_path / "absent.pth")
    torch.save({"weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(WeightFileError, match="holds others"):
        load_raft(tmp_path / "other.pth")
