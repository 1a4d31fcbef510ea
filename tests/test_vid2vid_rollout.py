import itertools

import pytest
import torch

from vid2vid.networks.generator import GeneratorConfig, SequentialGenerator
from vid2vid.networks.pyramid import halve
from vid2vid.rollout import generate_next, rollout, start_state

CLASSES = 3


def make(**settings):
    tiny = {"width": 4, "downsamplings": 1, "blocks": 2, "refiner_blocks": 1}
    config = GeneratorConfig(**(tiny | settings))
    generator = SequentialGenerator(config, conditioning_channels=CLASSES)
    generator.initialise(0)
    return generator


def stream(num_frames, height=8, width=12, batch=1):
    random = torch.Generator().manual_seed(2)
    labels = torch.randint(CLASSES, (num_frames, batch, height, width), generator=random)
    return list(torch.nn.functional.one_hot(labels, CLASSES).movedim(-1, 2).float().unbind(0))


def real(num_frames, height=8, width=12, batch=1):
    random = torch.Generator().manual_seed(4)
    return torch.rand(batch, num_frames, 3, height, width, generator=random) * 2 - 1


def frames(generator, maps, **options):
    with torch.no_grad():
        return torch.stack([out.frame for out in rollout(generator, maps, **options)])


def copy_always(generator):
    """Make the occlusion 0."""
    torch.nn.init.zeros_(generator.coarse.occlusion_head.conv.weight)
    torch.nn.init.constant_(generator.coarse.occlusion_head.conv.bias, -200)


def test_one_frame_comes_out_for_every_map():
    assert frames(make(), stream(5)).shape == (5, 1, 3, 8, 12)


def test_with_occlusion_0_every_frame_is_the_warped_one():
    generator = make()
    copy_always(generator)
    with torch.no_grad():
        outputs = list(rollout(generator, stream(4), first_frames=real(2)))
    assert all(torch.equal(out.frame, out.warped) for out in outputs)


def test_without_motion_and_occlusion_the_last_first_frame_is_repeated():
    generator, first = make(), real(2)
    copy_always(generator)
    repeated = first[:, -1].expand(4, -1, -1, -1, -1)
    torch.testing.assert_close(
        frames(generator, stream(4), first_frames=first), repeated, atol=1e-5, rtol=0
    )


def test_no_frame_sees_a_later_label():
    maps = stream(5)
    changed = [*maps[:3], *(1 - m for m in maps[3:])]
    before, after = frames(make(), maps), frames(make(), changed)
    assert torch.equal(before[:3], after[:3])
    assert not torch.equal(before[3], after[3])


def test_maps_are_read_one_at_a_time():
    maps = iter(stream(3))
    next(rollout(make(), maps))
    assert len(list(maps)) == 2


def test_each_frame_sees_history_maps_back():
    generator, maps = make(history=2, flow=False), stream(5)
    first = real(2)
    changed = [1 - maps[0], *maps[1:]]
    before, after = (frames(generator, m, first_frames=first) for m in (maps, changed))
    assert not torch.equal(before[2], after[2])


def test_frames_depend_on_the_past_maps_and_frames_that_are_given():
    generator, maps, first = make(), stream(5), real(2)
    past = torch.stack(maps[:2], dim=1)
    given = frames(generator, maps[2:], past_conditioning=past, first_frames=first)
    repeated = frames(generator, maps[2:], first_frames=first)
    assert not torch.equal(given[0], repeated[0])
    assert not torch.equal(given[0], frames(generator, maps[2:], past_conditioning=past)[0])


def test_without_past_maps_the_first_one_is_repeated():
    generator, maps, first = make(), stream(2), real(2)
    past = maps[0].unsqueeze(1).expand(-1, 2, -1, -1, -1)
    assert torch.equal(
        frames(generator, maps, first_frames=first),
        frames(generator, maps, first_frames=first, past_conditioning=past),
    )


def test_from_zeros_the_first_frame_alone_is_hallucinated():
    with torch.no_grad():
        first, second, *_ = rollout(make(), stream(3))
    assert torch.equal(first.frame, first.hallucinated)
    assert not first.previous.any()
    assert not torch.equal(second.frame, second.hallucinated)
    assert torch.equal(second.previous, first.frame)


def test_with_given_frames_the_first_frame_is_composed():
    first = real(2)
    with torch.no_grad():
        out = next(rollout(make(), stream(3), first_frames=first))
    assert torch.equal(out.previous, first[:, -1])
    assert not torch.equal(out.frame, out.hallucinated)


@pytest.mark.parametrize("refiners", [0, 1])
@pytest.mark.parametrize("size", [(1, 1), (3, 5), (7, 40), (17, 2), (13, 11)])
def test_any_size_is_generated_as_it_is(size, refiners):
    out = frames(make(downsamplings=2, refiners=refiners), stream(2, *size))
    assert out.shape == (2, 1, 3, *size)
    assert out.isfinite().all()


@pytest.mark.parametrize("size", [(3, 5), (13, 11)])
def test_flow_and_occlusion_are_cropped_with_the_frame(size):
    with torch.no_grad():
        out = next(rollout(make(), stream(1, *size), first_frames=real(2, *size)))
    assert {field.shape[2:] for field in out if field is not None} == {size}


def test_a_size_that_divides_is_not_padded():
    state = start_state(make(), stream(1)[0])
    assert set(state.padding) == {0}


def test_rollout_of_six_is_three_and_three():
    generator, maps = make(), stream(6)
    whole = frames(generator, maps, first_frames=real(2))
    state = start_state(generator, maps[0], first_frames=real(2))
    halves = []
    with torch.no_grad():
        for part in (maps[:3], maps[3:]):
            for current in part:
                output, state = generate_next(generator, state, current)
                halves.append(output.frame)
            kept = [past.clone() for past in state.pasts]
            state = state._replace(pasts=tuple(kept))
    assert torch.equal(torch.stack(halves), whole)


def test_state_holds_history_frames_and_no_more():
    generator, maps = make(history=3, refiners=1), stream(6)
    state = start_state(generator, maps[0])
    for current in maps:
        output, state = generate_next(generator, state, current)
    assert state.past_conditioning.shape[1] == 3
    assert [past.shape[1] for past in state.pasts] == [3, 3]
    assert torch.equal(state.pasts[-1][:, -1], output.frame)
    assert not state.is_first


def test_each_scale_keeps_frames_of_its_own():
    generator, first = make(refiners=1), real(2)
    state = start_state(generator, stream(1)[0], first_frames=first)
    assert torch.equal(state.pasts[1], first)
    assert torch.equal(state.pasts[0][:, 0], halve(first[:, 0]))


def test_the_coarsest_scales_can_run_alone():
    generator, maps = make(refiners=1), stream(2)
    out = frames(generator, maps, scales=1)
    generator.refiners = torch.nn.ModuleList()
    assert torch.equal(out, frames(generator, maps))


def test_samples_of_a_batch_do_not_meet():
    generator, maps = make(), stream(3, batch=2)
    both = frames(generator, maps)
    alone = frames(generator, [m[1:] for m in maps])
    torch.testing.assert_close(both[:, 1:], alone, atol=1e-5, rtol=1e-4)


def leaf_of(index, backprop_frames, first, num_frames=6):
    """Return the gradient of frame `index` with respect to the first frames."""
    outputs = rollout(
        make(), stream(num_frames), first_frames=first, backprop_frames=backprop_frames
    )
    next(itertools.islice(outputs, index, None)).frame.square().sum().backward()
    return first.grad


@pytest.mark.parametrize(("index", "reaches"), [(0, True), (1, True), (2, False), (4, False)])
def test_gradients_are_cut_every_backprop_frames(index, reaches):
    gradient = leaf_of(index, 2, real(2).requires_grad_())
    assert (gradient is not None) == reaches


def test_gradients_are_never_cut_unless_asked():
    assert leaf_of(5, None, real(2).requires_grad_()).any()


def test_past_maps_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"past_conditioning must be \(1, 2, 3, 8, 12\); got"):
        start_state(make(), stream(1)[0], past_conditioning=torch.zeros(1, 1, 3, 8, 12))


def test_first_frames_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"first_frames must be \(1, 2, 3, 8, 12\); got"):
        start_state(make(), stream(1)[0], first_frames=real(3))
