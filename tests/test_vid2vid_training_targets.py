import pytest
import torch

from flow.confidence import ReferenceFlow
from vid2vid.data.clips import ClipBatch
from vid2vid.labels.conditioning import Conditioning
from vid2vid.networks.pix2pixhd import Pix2PixHDConfig
from vid2vid.networks.still import StillGenerator
from vid2vid.training.targets import (
    Targets,
    _halve_clip,
    _halve_reference,
    generator_map,
    prepare,
)

CPU = torch.device("cpu")


def batch(*, confidence=1.0, height=8, width=12):
    flow = torch.tensor([4.0, 2.0]).view(1, 1, 2, 1, 1).expand(2, 2, 2, height, width)
    trusted = torch.full((2, 2, 1, height, width), confidence)
    return ClipBatch(
        frames=torch.rand(2, 3, 3, height, width) * 2 - 1,
        labels=torch.zeros(2, 3, height, width, dtype=torch.uint8),
        instances=None,
        references=(ReferenceFlow(flow, trusted),),
        names=("a", "b"),
        starts=(0, 0),
        strides=(1, 1),
    )


def test_labels_become_conditioning():
    targets = prepare(batch(), Conditioning(2), device=CPU)
    assert targets.conditioning.shape == (2, 3, 2, 8, 12)
    assert targets.conditioning[:, :, 0].all()


def test_instances_reach_the_boundary_channel():
    instances = torch.zeros(2, 3, 8, 12, dtype=torch.int32)
    instances[..., 6:] = 1
    clips = batch()._replace(instances=instances)
    targets = prepare(clips, Conditioning(2, boundary="instances"), device=CPU)
    assert targets.conditioning[0, 0, 2, 0].nonzero().flatten().tolist() == [5, 6]


def test_all_is_as_it_comes_at_full_resolution():
    clips = batch()
    targets = prepare(clips, Conditioning(2), device=CPU)
    assert torch.equal(targets.frames, clips.frames)
    assert torch.equal(targets.references[0].flow, clips.references[0].flow)


def test_halving_shrinks_grids_and_vectors():
    targets = prepare(batch(), Conditioning(2), device=CPU, halvings=1)
    assert targets.frames.shape == (2, 3, 3, 4, 6)
    assert targets.conditioning.shape == (2, 3, 2, 4, 6)
    flow, confidence = targets.references[0]
    torch.testing.assert_close(flow[0, 0, :, 2, 3], torch.tensor([2.0, 1.0]))
    assert confidence.all()


def test_odd_sizes_are_halved_alike():
    targets = prepare(batch(height=7, width=5), Conditioning(2), device=CPU, halvings=2)
    sizes = {
        tuple(t.shape[-2:]) for t in (targets.frames, targets.conditioning, *targets.references[0])
    }
    assert sizes == {(2, 2)}


def test_a_halved_pixel_is_trusted_where_all_of_it_was():
    clips = batch()
    clips.references[0].confidence[:, :, :, 0, 0] = 0
    trusted = prepare(clips, Conditioning(2), device=CPU, halvings=1).references[0].confidence
    assert trusted[0, 0, 0, 0].tolist() == [0, 1, 1, 1, 1, 1]
    assert trusted[0, 0, 0, 1].all()


def test_parts_share_the_batch_out(square_targets):
    whole = square_targets(batch=4)
    parts = [whole.part(index, 2) for index in range(2)]
    assert [part.frames.shape[0] for part in parts] == [2, 2]
    joined = torch.cat([part.references[0].flow for part in parts])
    assert torch.equal(joined, whole.references[0].flow)


def test_moving_square_has_exact_flow_and_occlusion(moving_square):
    from flow.warp import warp

    fetched = warp(moving_square.frames[:-1], moving_square.flow)
    visible = 1 - moving_square.occlusion
    difference = (fetched - moving_square.frames[1:]).abs() * visible
    assert difference.max() < 1e-5
    assert moving_square.occlusion.sum(dim=(1, 2, 3)).tolist() == [16] * 7


def test_targets_without_reference_flow_have_none():
    targets = Targets(torch.zeros(2, 1, 1, 4, 4), torch.zeros(2, 1, 3, 4, 4), ())
    assert targets.part(1, 2).references == ()


def test_halved_flow_stays_on_the_pixel_centres_of_the_halved_frames():
    ramp = torch.arange(16.0).expand(1, 1, 1, 16, 16)
    halved = _halve_clip(ramp)
    flow = torch.cat([ramp, ramp * 0], dim=2)
    reference = _halve_reference(ReferenceFlow(flow, torch.ones(1, 1, 1, 16, 16)))
    assert torch.equal(reference.flow[:, :, 0] * 2, halved[:, :, 0])


def test_regions_are_what_shares_a_style():
    instances = torch.full((2, 3, 8, 12), 7, dtype=torch.int32)
    clips, conditioning = batch()._replace(instances=instances), Conditioning(2)
    assert prepare(clips, conditioning, device=CPU).regions is None
    by_instance = prepare(clips, conditioning, device=CPU, pooling="instances")
    assert torch.equal(by_instance.regions, instances)
    by_label = prepare(clips, conditioning, device=CPU, pooling="labels")
    assert torch.equal(by_label.regions, clips.labels)
    assert by_label.part(1, 2).regions.shape == (1, 3, 8, 12)


def test_the_generator_sees_the_style_of_the_real_frame_behind_the_labels():
    config = Pix2PixHDConfig(
        width=2, downsamplings=1, blocks=1, features=2, encoder={"width": 2, "downsamplings": 1}
    )
    generator = StillGenerator(config, conditioning_channels=4)
    targets = prepare(batch(), Conditioning(2), device=CPU, pooling="labels")
    seen = generator_map(generator, targets, 1)
    assert torch.equal(seen[:, :2], targets.conditioning[:, 1])
    assert torch.equal(seen[:, 2:], generator.encode(targets.frames[:, 1], targets.regions[:, 1]))
    assert seen.requires_grad
    with pytest.raises(ValueError, match="needs the regions of its targets; got None"):
        generator_map(generator, targets._replace(regions=None), 1)
