import pytest
import torch
from conftest import make_moving_square

from flow.metrics import warping_error
from vid2vid.metrics.warping import (
    StepFlow,
    StrideErrors,
    known_flow,
    lai_confidence,
    motion_boundary,
)


def pan(num_frames, *, step=2, height=16, width=24):
    """Frames of a texture that slides to the left, and the flow to the frame before."""
    size = (1, 3, height, width + step * num_frames)
    random = torch.rand(size, generator=torch.Generator().manual_seed(0))
    frames = [random[0, :, :, step * k : step * k + width] * 2 - 1 for k in range(num_frames)]
    frames = [((each + 1) * 127.5).round() / 127.5 - 1 for each in frames]
    flow = torch.zeros(1, 2, height, width)
    flow[:, 0] = step
    hidden = torch.zeros(1, 1, height, width)
    hidden[..., width - step :] = 1
    return frames, flow, hidden


def run(frames, motions, strides=(1, 2, 4)):
    """Errors of one video by stride, in the order in which they come."""
    meter, found = StrideErrors(strides), {stride: [] for stride in strides}
    for frame, motion in zip(frames, motions, strict=True):
        for stride, values in meter.step(frame[None], motion).items():
            found[stride] += values.tolist()
    return found


def test_the_error_vanishes_along_the_known_motion_over_every_stride():
    frames, flow, hidden = pan(9)
    found = run(frames, [None, *[known_flow(flow, hidden)] * 8])
    assert [len(found[stride]) for stride in (1, 2, 4)] == [8, 4, 2]
    assert max(value for values in found.values() for value in values) < 1e-9


def test_a_wrong_motion_costs():
    frames, flow, hidden = pan(5)
    found = run(frames, [None, *[known_flow(-flow, hidden)] * 4])
    assert min(found[1]) > 0.01


def test_stride_one_is_the_warping_error_of_the_flow_package():
    clip = make_moving_square()
    motion = known_flow(clip.flow[:1], clip.occlusion[:1])
    found = run(clip.frames[:2], [None, motion], strides=(1,))
    before = ((clip.frames[:1] + 1) * 127.5).round() / 127.5 - 1
    expected = warping_error(clip.frames[1:2], before, clip.flow[:1], motion.confidence)
    assert found[1] == pytest.approx(expected.tolist())


def test_what_leaves_the_frame_on_the_way_is_not_trusted():
    frames, flow, hidden = pan(3, step=8)
    frames[0] = torch.zeros_like(frames[0])  # wrong wherever it may be seen
    frames[0][..., 16:] = frames[1][..., 8:16]  # but right where frame 2 can see it
    found = run(frames, [None, *[known_flow(flow, hidden)] * 2], strides=(2,))
    assert found[2] == pytest.approx([0], abs=1e-9)


def test_a_chain_that_does_not_lead_back_is_not_trusted():
    frames, flow, hidden = pan(3)
    trusted = 1 - hidden
    lost = StepFlow(flow, trusted, torch.full_like(flow, 5.0))
    found = run(frames, [None, lost, lost], strides=(2,))
    assert torch.tensor(found[2]).isnan().all()


def test_a_new_sequence_forgets_the_last():
    frames = pan(3)[0]
    meter = StrideErrors((1,))
    meter.step(frames[0][None], None)
    meter.restart()
    assert meter.step(frames[1][None], None) == {}


def test_videos_are_measured_side_by_side():
    frames, flow, hidden = pan(2)
    meter = StrideErrors((1,))
    pairs = [torch.stack([frames[k], frames[0]]) for k in range(2)]
    meter.step(pairs[0], None)
    errors = meter.step(pairs[1], known_flow(flow, hidden))[1]
    assert errors[0] < 1e-9
    assert errors[1] > 0.01


def test_a_motion_boundary_is_where_the_flow_jumps():
    flow = torch.zeros(1, 2, 4, 8)
    flow[:, 0, :, 4:] = 3
    assert motion_boundary(flow)[0, 0, 0].tolist() == [False] * 3 + [True] * 2 + [False] * 3


def test_lai_trusts_what_leads_back_away_from_boundaries():
    flow = torch.zeros(1, 2, 8, 8)
    flow[:, 0, :, 4:] = 1
    confidence = lai_confidence(flow, -flow)
    assert confidence[0, 0, 0].tolist() == [1, 1, 1, 0, 0, 1, 1, 0]
    assert lai_confidence(flow, flow + 2).sum() == 0
