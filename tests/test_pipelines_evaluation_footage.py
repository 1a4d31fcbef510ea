import gc

import torch
from evaluations import options, write

from pipelines.evaluation.footage import Readings, read_moments
from pipelines.evaluation.sources import find_footage

SIZE = {"height": 48, "width": 96}


def moments(tmp_path, num_frames):
    """Read a video beside its controls."""
    places = [write(tmp_path / name, num_frames, **SIZE) for name in ("real", "ours")]
    (footage,) = find_footage(options(places, tmp_path))
    readings = Readings(None, 0, torch.device("cpu"))
    return read_moments(footage, 0, readings, is_only=True)


def test_frames_wait_for_their_turn_in_the_shuffling_as_levels(tmp_path):
    def floats():
        # Not isinstance: that asks some objects for their class, and they warn.
        held = [each for each in gc.get_objects() if type(each) is torch.Tensor]
        return sum(each.numel() for each in held if each.is_floating_point())

    before = floats()
    stream = moments(tmp_path, 40)
    first = next(stream)
    frame = first.frames[0].numel()
    assert first.frames.shape == (4, 3, 48, 96)
    assert floats() - before < 16 * frame  # of 40: what is given, and what it was stacked from


def test_every_real_frame_is_shuffled_in_once_and_all_are_whole_levels(tmp_path):
    found = [moment.frames for moment in moments(tmp_path, 9)]
    real, shuffled = ({bytes(f[k].numpy().tobytes()) for f in found} for k in (1, 2))
    assert real == shuffled
    assert len(real) == 9
    assert any(not torch.equal(f[1], f[2]) for f in found)
    levels = (torch.stack(found) + 1) * 127.5
    assert torch.allclose(levels, levels.round(), atol=1e-3)
