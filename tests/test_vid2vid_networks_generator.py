import pytest
import torch
from pydantic import ValidationError

from vid2vid.networks.blending import blend
from vid2vid.networks.cost import count_parameters
from vid2vid.networks.generator import GeneratorConfig, SequentialGenerator

TINY = {"width": 4, "downsamplings": 1, "blocks": 2, "refiner_blocks": 1}
CLASSES = 3


def make(*, foreground=(), seed=0, **settings):
    config = GeneratorConfig(**(TINY | settings))
    generator = SequentialGenerator(config, conditioning_channels=CLASSES, foreground=foreground)
    generator.initialise(seed)
    return generator


def inputs(generator, height=16, width=24, batch=1, seed=0):
    random = torch.Generator().manual_seed(seed)
    history = generator.config.history
    labels = torch.randint(CLASSES, (batch, history + 1, height, width), generator=random)
    window = torch.nn.functional.one_hot(labels, CLASSES).movedim(-1, 2).float()
    sizes = [(height >> s, width >> s) for s in reversed(range(generator.scales))]
    pasts = [torch.rand(batch, history, 3, *size, generator=random) * 2 - 1 for size in sizes]
    return window, pasts


def run(generator, **options):
    with torch.no_grad():
        return generator(*inputs(generator), **options)


def fill(head, bias):
    torch.nn.init.zeros_(head.conv.weight)
    torch.nn.init.constant_(head.conv.bias, bias)


def test_every_scale_gives_all_parts_at_its_size():
    generator = make(refiners=2, width=8, foreground=(1,))
    outputs = run(generator)
    assert [tuple(o.frame.shape) for o in outputs] == [(1, 3, 4, 6), (1, 3, 8, 12), (1, 3, 16, 24)]
    finest = outputs[-1]
    assert finest.variants is None
    channels = [field.shape[1] for field in finest if field is not None]
    assert channels == [3, 3, 3, 2, 1, 3, 1, 3]
    assert all(field.shape[2:] == (16, 24) for field in finest if field is not None)


def test_only_the_scales_with_a_past_run():
    generator = make(refiners=1)
    window, pasts = inputs(generator)
    small = torch.nn.functional.avg_pool2d(window[0], 2)[None]
    assert len(generator(small, pasts[:1])) == 1


def test_numbers_of_weights_are_the_official_ones():
    config = GeneratorConfig(width=8, downsamplings=2, blocks=3, refiners=1, refiner_blocks=1)
    generator = SequentialGenerator(config, conditioning_channels=6, foreground=(1,))
    assert count_parameters(generator.coarse) == 222_897
    assert count_parameters(generator.refiners[0]) == 15_477


def test_sizes_must_be_divisible_by_all_halvings():
    generator = make(downsamplings=3, refiners=1)
    assert generator.size_multiple(1) == 8
    assert generator.size_multiple(2) == 16


def test_frame_is_composed_by_equation_4():
    out = run(make())[-1]
    assert 0 < out.occlusion.min() < out.occlusion.max() < 1
    expected = out.occlusion * out.hallucinated + (1 - out.occlusion) * out.warped
    torch.testing.assert_close(out.frame, expected)


def test_detail_is_taken_from_one_of_the_two_where_it_is_asked_for():
    mixed, sharp = run(make())[-1], run(make(detail_px=1.5))[-1]
    assert torch.equal(mixed.occlusion, sharp.occlusion)
    assert torch.equal(
        sharp.frame, blend(sharp.hallucinated, sharp.warped, sharp.occlusion, detail_px=1.5)
    )
    assert not torch.allclose(mixed.frame, sharp.frame)


@pytest.mark.parametrize(("bias", "part"), [(-200.0, "warped"), (200.0, "hallucinated")])
def test_occlusion_chooses_between_warped_and_hallucinated(bias, part):
    generator = make()
    fill(generator.coarse.occlusion_head, bias)
    out = run(generator)[-1]
    assert torch.equal(out.frame, getattr(out, part))


def test_at_first_nothing_moves_so_the_newest_past_frame_is_fetched():
    generator = make(history=3)
    _, pasts = inputs(generator)
    out = run(generator)[-1]
    assert not out.flow.any()
    torch.testing.assert_close(out.warped, pasts[0][:, -1], atol=1e-5, rtol=0)
    assert torch.equal(out.previous, pasts[0][:, -1])


def test_flow_is_in_pixels_and_doubles_with_every_scale():
    generator = make(refiners=1, flow_scale=20)
    fill(generator.coarse.flow_head, 0.5)
    fill(generator.refiners[0].flow_head, 0.5)
    coarse, fine = run(generator)
    assert torch.equal(coarse.flow, torch.full_like(coarse.flow, 10))
    assert torch.equal(fine.flow, torch.full_like(fine.flow, 20))


def test_warped_frame_is_fetched_along_the_flow():
    generator = make(flow_scale=1)
    fill(generator.coarse.flow_head, 0)
    with torch.no_grad():
        generator.coarse.flow_head.conv.bias.copy_(torch.tensor([1.0, 0.0]))
    out = run(generator)[-1]
    torch.testing.assert_close(out.warped[..., :-1], out.previous[..., 1:], atol=1e-5, rtol=0)


def test_first_frame_is_the_hallucinated_one_at_every_scale():
    outputs = run(make(refiners=1), is_first=True)
    assert all(torch.equal(out.frame, out.hallucinated) for out in outputs)
    assert all(out.flow is not None for out in outputs)


def test_foreground_is_laid_on_frame_and_hallucinated_frame():
    generator = make(foreground=(1, 2))
    window, _ = inputs(generator)
    out = run(generator)[-1]
    mask = window[:, -1, 1:].sum(1, keepdim=True)
    assert torch.equal(out.foreground_mask, mask)
    on = mask.expand_as(out.frame).bool()
    assert torch.equal(out.frame[on], out.foreground[on])
    assert torch.equal(out.hallucinated[on], out.foreground[on])
    assert not torch.equal(out.frame[~on], out.foreground[~on])


def test_foreground_sees_no_past_frame():
    generator = make(foreground=(1,))
    window, pasts = inputs(generator)
    with torch.no_grad():
        first = generator(window, pasts)[-1].foreground
        second = generator(window, [torch.zeros_like(past) for past in pasts])[-1].foreground
    assert torch.equal(first, second)


def test_without_flow_the_frame_is_the_hallucinated_one():
    generator = make(flow=False, refiners=1)
    out = run(generator)[-1]
    assert (out.flow, out.occlusion, out.warped) == (None, None, None)
    assert torch.equal(out.frame, out.hallucinated)
    assert not any("flow" in name or "occlusion" in name for name in generator.state_dict())


def test_coarse_features_reach_the_finest_frame():
    generator = make(refiners=1)
    before = run(generator)[-1].frame
    with torch.no_grad():
        generator.coarse.label_encoder[0][1].weight.mul_(-1)
    assert not torch.equal(run(generator)[-1].frame, before)


def test_gradients_reach_every_weight():
    generator = make(refiners=1, foreground=(1,))
    outputs = generator(*inputs(generator))
    torch.stack([output.frame.square().mean() for output in outputs]).sum().backward()
    # The flow heads start at 0 and hide what is behind them, but for the occlusion.
    assert [n for n, p in generator.named_parameters() if p.grad is None] == []


@pytest.mark.parametrize(
    "settings",
    [
        {"norm": "group"},
        {"norm": "none"},
        {"spectral": True},
        {"upsampling": "resize"},
        {"warp": "bicubic"},
        {"blocks": 1},
        {"refiner_blocks": 0},
        {"history": 1},
        {"downsamplings": 3, "foreground": (0,)},
    ],
    ids=str,
)
def test_every_setting_gives_frames(settings):
    generator = make(refiners=1, **settings)
    out = generator(*inputs(generator, height=32, width=48))[-1]
    assert out.frame.shape == (1, 3, 32, 48)
    assert out.frame.abs().max() <= 1


def test_bicubic_fetching_stays_in_the_range_of_frames():
    generator = make(warp="bicubic")
    fill(generator.coarse.flow_head, 0.5 / 20)
    window, pasts = inputs(generator)
    out = generator(window, [past.sign() for past in pasts])[-1]
    assert out.warped.abs().max() <= 1


def test_bfloat16_keeps_frames_and_flow_in_float32():
    generator = make(refiners=1)
    with torch.autocast("cpu", torch.bfloat16):
        out = run(generator)[-1]
    parts = (out.frame, out.hallucinated, out.warped, out.flow, out.occlusion)
    assert {part.dtype for part in parts} == {torch.float32}
    torch.testing.assert_close(out.frame, run(generator)[-1].frame, atol=0.05, rtol=0)


def test_scales_are_drawn_from_streams_of_their_own():
    first, second = make(seed=0, refiners=2, width=8), make(seed=0, refiners=1, width=8)
    shared = second.state_dict()
    assert all(torch.equal(first.state_dict()[key], value) for key, value in shared.items())


def test_width_must_be_divisible_for_all_refiners():
    assert GeneratorConfig(width=12, refiners=2).width == 12
    with pytest.raises(ValidationError, match=r"divisible by 4 with 2 refiners; got 6"):
        GeneratorConfig(width=6, refiners=2)


@pytest.mark.parametrize(
    ("width", "refiners", "needed"), [(12, 2, "divisible by 8"), (1, 0, "divisible by 2")]
)
def test_a_narrow_foreground_needs_a_width_that_can_be_halved(width, refiners, needed):
    config = GeneratorConfig(width=width, refiners=refiners, downsamplings=3, blocks=1)
    with pytest.raises(ValueError, match=rf"width must be {needed} .* got {width}:"):
        SequentialGenerator(config, conditioning_channels=2, foreground=(1,))
    wide = config.model_copy(update={"downsamplings": 2})
    SequentialGenerator(wide, conditioning_channels=2, foreground=(1,))


def test_only_a_bicubic_warp_is_kept_in_range():
    for warp, is_kept in (("bilinear", False), ("bicubic", True)):
        generator, maps = make(warp=warp), torch.zeros(1, 3, 3, 32, 32)
        with torch.no_grad():
            out = generator(maps, [torch.full((1, 2, 3, 32, 32), 1.5)])[-1]
        assert out.warped is not None
        assert bool((out.warped <= 1).all()) == is_kept
