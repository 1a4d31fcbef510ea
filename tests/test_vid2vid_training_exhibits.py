import pytest
import torch

from vid2vid.losses.config import LossConfig
from vid2vid.networks.discriminator import DiscriminatorConfig, MultiScaleDiscriminator
from vid2vid.networks.generator import GeneratorConfig, SequentialGenerator
from vid2vid.networks.outputs import GeneratorOutput
from vid2vid.training.chunks import pack_chunk
from vid2vid.training.exhibits import cut_boxes, image_exhibit, region_exhibit, video_exhibits
from vid2vid.training.players import Players

LOSSES = LossConfig()


def make_players(*, temporal_scales=1, window=3, image=True):
    config = GeneratorConfig(width=4, downsamplings=1, blocks=1, flow_scale=4)
    patches = DiscriminatorConfig(width=4, layers=1, scales=1)
    channels = 3 * window + 2 * (window - 1)
    return Players(
        SequentialGenerator(config, conditioning_channels=2),
        MultiScaleDiscriminator(patches, 5) if image else None,
        [MultiScaleDiscriminator(patches, channels) for _ in range(temporal_scales)],
        window,
    )


def marked(index, batch=1):
    """Make a generated frame that says which one it is."""
    return torch.full((batch, 3, 16, 24), index / 10)


def chunk(targets, *, flow=True, batch=1):
    frame, alone = marked(1, batch), marked(2, batch)
    field = frame[:, :2] if flow else None
    output = GeneratorOutput(frame, alone, None, field, None, None, None, frame)
    return pack_chunk([output], targets, start=2, without_past=False)


def shown_frames(pictures, window=3):
    """Read off which generated frames a window holds."""
    return (pictures[:, 0 : 3 * window : 3, 0, 0] * 10).round().int().tolist()


def test_image_discriminator_sees_conditioning_and_frame(square_targets):
    packed = chunk(square_targets())
    (shown,) = image_exhibit(packed, make_players(), LOSSES)
    assert torch.equal(shown.real, torch.cat([packed.conditioning, packed.real], dim=1))
    assert torch.equal(shown.fake[:, :2], packed.conditioning)
    assert torch.equal(shown.fake[:, 2:], marked(1))
    assert torch.equal(shown.hallucinated[:, 2:], marked(2))
    assert shown.weight == LOSSES.image_gan


@pytest.mark.parametrize(("flow", "share"), [(False, 1.0), (True, 0.0)])
def test_hallucinated_frame_is_judged_only_where_it_counts(square_targets, flow, share):
    packed = chunk(square_targets(), flow=flow)
    (shown,) = image_exhibit(packed, make_players(), LossConfig(hallucinated=share))
    assert shown.hallucinated is None


def test_without_discriminators_nothing_is_shown(square_targets):
    players = make_players(image=False, temporal_scales=0)
    assert list(image_exhibit(chunk(square_targets()), players, LOSSES)) == []
    new = [marked(i) for i in (2, 3, 4)]
    options = {"newest": 4, "losses": LOSSES}
    assert list(video_exhibits(new, [], square_targets(), players, **options)) == []


def test_windows_of_the_past_and_the_chunk_are_shown_newest_first(square_targets):
    targets = square_targets(8)
    past, new = [marked(i) for i in (2, 3)], [marked(i) for i in (4, 5, 6, 7)]
    (shown,) = video_exhibits(new, past, targets, make_players(), newest=7, losses=LOSSES)
    assert shown.name == "video_0"
    assert shown_frames(shown.fake) == [[5, 6, 7], [2, 3, 4]]
    assert torch.equal(shown.real[0, :9], targets.frames[0, 5:8].flatten(0, 1))
    assert torch.equal(shown.real[1, :9], targets.frames[0, 2:5].flatten(0, 1))


def test_windows_carry_the_flow_between_their_frames(square_targets):
    targets = square_targets(8)
    new = [marked(i) for i in (2, 3, 4)]
    (shown,) = video_exhibits(new, [], targets, make_players(), newest=4, losses=LOSSES)
    # From frame 3 to 2 and from frame 4 to 3: numbers 2 and 3, in units of flow_scale.
    expected = targets.references[0].flow[0, 2:4].flatten(0, 1) / 4
    assert torch.equal(shown.fake[0, 9:], expected)
    assert torch.equal(shown.real[0, 9:], expected)


def test_coarse_temporal_scales_see_the_flow_between_spaced_frames(square_targets):
    targets = square_targets(8, strides=(1, 2))
    players = make_players(temporal_scales=2, window=2)
    new = [marked(i) for i in (4, 5, 6)]
    fine, coarse = video_exhibits(new, [], targets, players, newest=6, losses=LOSSES)
    assert shown_frames(fine.fake, 2) == [[5, 6]]
    assert shown_frames(coarse.fake, 2) == [[4, 6]]
    assert torch.equal(coarse.fake[0, 6:], targets.references[1].flow[0, 4] / 4)


def test_a_scale_without_a_whole_window_is_left_out(square_targets):
    targets = square_targets(8, strides=(1, 3))
    new = [marked(i) for i in (2, 3, 4)]
    players = make_players(temporal_scales=2)
    shown = list(video_exhibits(new, [], targets, players, newest=4, losses=LOSSES))
    assert [each.name for each in shown] == ["video_0"]
    assert list(video_exhibits(new[:2], [], targets, players, newest=3, losses=LOSSES)) == []


def test_windows_of_a_batch_stand_beside_those_of_the_same_clip(square_targets):
    targets = square_targets(8, batch=2)
    targets.frames[1] += 0.25
    new = [marked(i, batch=2) for i in (2, 3, 4)]
    (shown,) = video_exhibits(new, [], targets, make_players(), newest=4, losses=LOSSES)
    assert shown.fake.shape[0] == 2
    assert torch.equal(shown.real[1, :9], targets.frames[1, 2:5].flatten(0, 1))


def boxed(targets, *rows):
    """Give every frame of the targets the same boxes."""
    boxes = torch.tensor(rows, dtype=torch.float32)
    return targets._replace(boxes=boxes.expand(*targets.frames.shape[:2], *boxes.shape))


NO_BOX = (0.0, 0.0, 0.0, 0.0)


def with_regions(size=8):
    players = make_players()
    patches = DiscriminatorConfig(width=4, layers=1, scales=2)
    players.region_discriminator = MultiScaleDiscriminator(patches, 5)
    players.region_size = size
    return players


def test_a_box_of_its_own_size_is_cut_out():
    pictures = torch.arange(2 * 6 * 8.0).view(2, 1, 6, 8)
    boxes = torch.tensor([[NO_BOX, (2, 1, 6, 5)], [(0, 0, 4, 4), (4, 2, 8, 6)]])
    found = cut_boxes(pictures, boxes, size=4)
    expected = [pictures[0, :, 1:5, 2:6], pictures[1, :, :4, :4], pictures[1, :, 2:6, 4:8]]
    torch.testing.assert_close(found, torch.stack(expected))


def test_a_larger_box_is_averaged():
    pictures = torch.arange(64.0).view(1, 1, 8, 8)
    found = cut_boxes(pictures, torch.tensor([[(0.0, 0.0, 8.0, 8.0)]]), size=4)
    torch.testing.assert_close(found, torch.nn.functional.avg_pool2d(pictures, 2))


def test_region_discriminator_sees_boxes_of_conditioning_and_frame(square_targets):
    packed = chunk(boxed(square_targets(batch=2), NO_BOX, (4, 2, 12, 10)), batch=2)
    (shown,) = region_exhibit(packed, with_regions(), LOSSES)
    assert shown.is_resized
    whole = torch.cat([packed.conditioning, packed.real], dim=1)
    torch.testing.assert_close(shown.real, whole[:, :, 2:10, 4:12])
    assert shown.fake.shape == (2, 5, 8, 8)
    torch.testing.assert_close(shown.fake[:, 2:], marked(1, batch=2)[:, :, :8, :8])
    torch.testing.assert_close(shown.hallucinated[:, 2:], marked(2, batch=2)[:, :, :8, :8])


def test_a_chunk_without_boxes_shows_no_regions(square_targets):
    assert list(region_exhibit(chunk(square_targets()), with_regions(), LOSSES)) == []
    packed = chunk(boxed(square_targets(), NO_BOX))
    assert list(region_exhibit(packed, with_regions(), LOSSES)) == []


def test_the_generator_learns_from_boxes_alone(square_targets):
    packed = chunk(boxed(square_targets(), (4, 2, 12, 10)))
    frame = marked(1).requires_grad_()
    packed = packed._replace(output=packed.output._replace(frame=frame))
    (shown,) = region_exhibit(packed, with_regions(), LOSSES)
    shown.fake.square().sum().backward()
    outside = frame.grad.clone()
    outside[:, :, 2:10, 4:12] = 0
    assert frame.grad[:, :, 2:10, 4:12].abs().min() > 0
    assert not outside.any()
