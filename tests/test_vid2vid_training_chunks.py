import pytest
import torch

from vid2vid.networks.outputs import GeneratorOutput
from vid2vid.training.chunks import pack_chunk


def output(value, batch=1, *, flow=True):
    picture = torch.full((batch, 3, 16, 24), float(value))
    field = picture[:, :2] if flow else None
    return GeneratorOutput(picture, picture, picture, field, picture[:, :1], None, None, picture)


def test_frames_stand_beside_their_own_targets(square_targets):
    targets = square_targets()
    chunk = pack_chunk([output(0), output(1)], targets, start=3, without_past=False)
    assert chunk.output.frame[:, 0, 0, 0].tolist() == [0, 1]
    assert torch.equal(chunk.real, targets.frames[0, 3:5])
    assert torch.equal(chunk.real_previous, targets.frames[0, 2:4])
    assert torch.equal(chunk.conditioning, targets.conditioning[0, 3:5])
    # The flow of frame t, to frame t - 1, is number t - 1.
    assert torch.equal(chunk.flow, targets.references[0].flow[0, 2:4])
    assert torch.equal(chunk.confidence, targets.references[0].confidence[0, 2:4])


def test_the_reference_flow_carries_the_real_previous_frame_to_the_real_one(square_targets):
    from vid2vid.losses.motion import warp_loss

    chunk = pack_chunk([output(0)] * 3, square_targets(), start=2, without_past=False)
    loss = warp_loss(chunk.flow, chunk.real_previous, chunk.real, chunk.confidence)
    assert loss < 1e-5


def test_time_is_folded_behind_the_batch(square_targets):
    outputs = [output(0, batch=2), output(1, batch=2)]
    chunk = pack_chunk(outputs, square_targets(batch=2), start=2, without_past=False)
    assert chunk.output.frame[:, 0, 0, 0].tolist() == [0, 1, 0, 1]
    assert torch.equal(chunk.real[:2], chunk.real[2:])


def test_a_frame_without_a_past_trusts_no_flow(square_targets):
    targets = square_targets()
    chunk = pack_chunk([output(0), output(1)], targets, start=2, without_past=True)
    assert not chunk.confidence[0].any()
    assert torch.equal(chunk.confidence[1], targets.references[0].confidence[0, 2])
    assert targets.references[0].confidence[0, 1].any()


@pytest.mark.parametrize("part", ["flow", "foreground"])
def test_parts_that_the_generator_lacks_stay_absent(square_targets, part):
    chunk = pack_chunk([output(0, flow=False)], square_targets(), start=2, without_past=False)
    assert getattr(chunk.output, part) is None


def test_without_reference_flow_there_is_none(square_targets):
    targets = square_targets()._replace(references=())
    chunk = pack_chunk([output(0)], targets, start=2, without_past=True)
    assert (chunk.flow, chunk.confidence) == (None, None)


def test_a_generator_without_a_past_has_no_partner_before_it(square_targets):
    picture = torch.zeros(1, 3, 16, 24)
    stills = [GeneratorOutput(picture, picture)] * 2
    chunk = pack_chunk(stills, square_targets(), start=0, without_past=True)
    assert torch.equal(chunk.real, square_targets().frames[0, :2])
    assert (chunk.real_previous, chunk.flow, chunk.confidence) == (None, None, None)
