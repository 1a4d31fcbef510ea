import pickle

import pytest
import torch
from PIL import Image
from torchvision.transforms.functional import pil_to_tensor

from flow import DIS, end_point_error, read_flo, reference_flow


def texture(height, width):
    """Smooth noise in [-1, 1], which an estimator can follow."""
    noise = torch.rand(1, 3, height // 4, width // 4, generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.interpolate(2 * noise - 1, size=(height, width), mode="bilinear")


def moving_square(left, top):
    """A textured square of 40 pixels on another texture."""
    frame = texture(64, 96).clone()
    frame[..., top : top + 40, left : left + 40] = texture(40, 40).flip(1)
    return frame


def test_flow_points_from_the_current_frame_to_the_previous_one():
    # The square went 3 pixels right and 2 down, so it is fetched from the left and above.
    flow = DIS()(moving_square(33, 14), moving_square(30, 12))
    dx, dy = flow[0, :, 22:46, 41:65].flatten(1).median(dim=1).values.tolist()
    assert dx == pytest.approx(-3, abs=0.2)
    assert dy == pytest.approx(-2, abs=0.2)


def test_the_ground_behind_a_moving_square_rests():
    flow = DIS()(moving_square(33, 14), moving_square(30, 12))
    assert flow[0, :, :, :20].abs().median() < 0.05


@pytest.mark.parametrize("preset", ["ultrafast", "fast", "medium"])
def test_every_preset_finds_the_shift_of_a_whole_frame(preset):
    frame = texture(64, 96)
    flow = DIS(preset)(frame.roll(2, dims=3), frame)
    assert flow[0, 0, 16:-16, 16:-16].median() == pytest.approx(-2, abs=0.2)
    assert flow[0, 1, 16:-16, 16:-16].median() == pytest.approx(0, abs=0.2)


# OpenCV itself refuses sides below 12 pixels, and crashes the process on 31 x 400.
@pytest.mark.parametrize("size", [(1, 1), (2, 7), (12, 64), (16, 16), (31, 400), (300, 17)])
@pytest.mark.parametrize("preset", ["ultrafast", "medium"])
def test_small_and_narrow_frames_are_handled(size, preset):
    frame = torch.rand(1, 3, *size) * 2 - 1
    flow = DIS(preset)(frame, frame)
    assert flow.shape == (1, 2, *size)
    assert flow.isfinite().all()


def test_a_shift_is_found_in_a_small_frame_too():
    frame = texture(32, 32)
    flow = DIS()(frame[..., 4:28, 3:27], frame[..., 4:28, 4:28])
    assert flow[0, 0].median() == pytest.approx(-1, abs=0.2)


def test_each_pair_of_a_batch_is_estimated_by_itself():
    first, second = texture(48, 64), texture(48, 64).flip(3)
    current, previous = torch.cat((first.roll(1, 3), second.roll(2, 2))), torch.cat((first, second))
    flow = DIS()(current, previous)
    assert torch.equal(flow[1:], DIS()(current[1:], previous[1:]))
    assert torch.equal(flow[:1], DIS()(current[:1], previous[:1]))


def test_the_flow_is_float32_without_gradient_whatever_the_frames():
    frame = texture(32, 32).bfloat16().requires_grad_()
    flow = DIS()(frame, frame)
    assert flow.dtype == torch.float32
    assert not flow.requires_grad


def test_an_estimator_travels_to_a_worker_process():
    assert pickle.loads(pickle.dumps(DIS("fast"))) == DIS("fast")


def test_an_unknown_preset_is_refused():
    with pytest.raises(ValueError, match="one of ultrafast, fast, medium; got 'slow'"):
        DIS("slow")  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("shape", [(1, 3, 32, 48), (1, 1, 32, 32), (3, 32, 32)])
def test_frames_of_different_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="current and previous must be 'b 3 h w' of one size"):
        DIS()(torch.zeros(shape), torch.zeros(1, 3, 32, 32))


def read_frame(path):
    return pil_to_tensor(Image.open(path).convert("RGB"))[None].float() / 127.5 - 1


@pytest.fixture(scope="module")
def chairs(shared_data):
    """Three pairs as (current, previous, true flow)."""
    folder = shared_data / "flying_chairs"
    return [
        (
            read_frame(folder / "images" / f"{path.stem}-img0.png"),
            read_frame(folder / "images" / f"{path.stem}-img1.png"),
            read_flo(path)[None],
        )
        for path in sorted((folder / "flow").glob("*.flo"))
    ]


def test_the_median_error_on_flying_chairs_is_below_half_a_pixel(chairs):
    for current, previous, target in chairs:
        distance = torch.linalg.vector_norm(DIS()(current, previous) - target, dim=1)
        assert distance.median() < 0.5


def test_swapped_frames_miss_the_truth_several_times_as_far(chairs):
    # The mean of all pixels is mostly that of occluded and lost ones; the trusted show the way.
    def trusted_error(current, previous, target):
        flow, confidence = reference_flow(DIS(), current, previous)
        return end_point_error(flow, target, confidence).item()

    correct = sum(trusted_error(current, previous, target) for current, previous, target in chairs)
    swapped = sum(trusted_error(previous, current, target) for current, previous, target in chairs)
    assert len(chairs) == 3
    assert swapped > 3 * correct
