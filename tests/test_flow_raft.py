from urllib.error import URLError

import pytest
import torch
from torchvision.models.optical_flow import raft_large, raft_small

from flow.raft import WeightFileError, find_raft, load_raft, weight_file


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    torch.manual_seed(0)
    network = raft_small(weights=None).eval()
    path = tmp_path_factory.mktemp("raft") / "raft.pth"
    torch.save(network.state_dict(), path)
    return network, path


@pytest.fixture(scope="module")
def estimator(small):
    return load_raft(small[1])


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """An empty cache of torch's."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def test_raft_is_torchvisions_on_a_padded_pair(small, estimator):
    network, _ = small
    current, previous = torch.rand(2, 1, 3, 128, 136) * 2 - 1
    with torch.no_grad():
        expected = network(current, previous)[-1]
    torch.testing.assert_close(estimator(current, previous), expected)
    assert estimator.name == "raft_small"


def test_raft_takes_frames_of_any_size(estimator):
    frames = torch.rand(1, 3, 33, 50)
    assert estimator(frames, frames).shape == (1, 2, 33, 50)


def test_raft_refuses_frames_of_two_sizes(estimator):
    with pytest.raises(ValueError, match="of one size"):
        estimator(torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 9))


def test_raft_large_is_told_by_its_file(tmp_path):
    torch.save(raft_large(weights=None).state_dict(), tmp_path / "large.pth")
    assert load_raft(tmp_path / "large.pth").name == "raft_large"
    message = r"weights of raft_small; .*large\.pth holds others: give raft_small_C_T_V2-01064c6d\."
    with pytest.raises(WeightFileError, match=message):
        load_raft(tmp_path / "large.pth", kind="raft_small")


def test_other_weights_are_another_identity(small, estimator, tmp_path):
    state = small[0].state_dict()
    name = next(iter(state))
    torch.save(state | {name: state[name] + 1e-6}, tmp_path / "other.pth")
    assert load_raft(small[1]).identity == estimator.identity
    assert load_raft(tmp_path / "other.pth").identity != estimator.identity


def test_files_without_raft_are_refused(tmp_path, small):
    with pytest.raises(WeightFileError, match="cannot be read"):
        load_raft(tmp_path / "absent.pth")
    torch.save({"weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(WeightFileError, match="holds others"):
        load_raft(tmp_path / "other.pth")
    torch.save({name: torch.zeros(1) for name in small[0].state_dict()}, tmp_path / "shapes.pth")
    with pytest.raises(WeightFileError, match="holds others"):
        load_raft(tmp_path / "shapes.pth")


def test_torchvisions_own_weights_are_found_in_its_cache(hub):
    path = hub / "raft_large_C_T_SKHT_V2-ff5fadd5.pth"
    path.touch()
    assert weight_file("raft_large") == path.name
    assert find_raft("raft_large") == path


def test_absent_weights_are_named_with_their_place_and_nothing_is_fetched(hub, monkeypatch):
    monkeypatch.setattr(torch.hub, "download_url_to_file", lambda *_, **__: pytest.fail("fetched"))
    message = rf"there is no .*: put raft_small_C_T_V2-01064c6d\.pth into {hub}, or give its path"
    with pytest.raises(WeightFileError, match=message):
        find_raft("raft_small")


def test_torchvisions_loader_fetches_weights_when_asked_to(hub, small, monkeypatch):
    def download(url, to, *args, **kwargs):
        assert url.endswith("raft_small_C_T_V2-01064c6d.pth")
        torch.save(small[0].state_dict(), to)

    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    assert load_raft(find_raft("raft_small", fetch=True)).name == "raft_small"


def test_a_loader_that_fails_says_what_to_do(hub, monkeypatch):
    def download(*args, **kwargs):
        raise URLError("no network")

    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    with pytest.raises(WeightFileError, match=r"loader failed \(.*no network.*\): put raft_small"):
        find_raft("raft_small", fetch=True)
