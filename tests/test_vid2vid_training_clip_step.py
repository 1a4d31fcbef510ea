import pytest
import torch
import torch.nn.functional as F

from vid2vid.losses.config import LossConfig
from vid2vid.networks.discriminator import DiscriminatorConfig, MultiScaleDiscriminator
from vid2vid.networks.generator import GeneratorConfig, SequentialGenerator
from vid2vid.rollout import rollout
from vid2vid.training.clip_step import Means, StepSettings, gather_gradients
from vid2vid.training.players import Players

PIXEL = {
    "perceptual": 0,
    "pixel": 1,
    "image_gan": 0,
    "video_gan": 0,
    "matching": 0,
    "flow": 0,
    "warp": 0,
    "generated_warp": 0,
}
ALL = LossConfig(perceptual=0, occlusion=1)
OBSERVED = ("accuracy_real", "accuracy_fake", "activation")


def make_players(*, judged=True, temporal_scales=1, **settings):
    tiny = {"width": 4, "downsamplings": 1, "blocks": 2, "refiner_blocks": 1, "flow_scale": 4}
    generator = SequentialGenerator(GeneratorConfig(**(tiny | settings)), conditioning_channels=2)
    players = Players(generator)
    if judged:
        patches = DiscriminatorConfig(width=4, layers=1, scales=2)
        players.image_discriminator = MultiScaleDiscriminator(patches, 5)
        players.video_discriminators = [
            MultiScaleDiscriminator(patches, 13) for _ in range(temporal_scales)
        ]
    for index, (_, network) in enumerate(players.trained()):
        network.initialise(index)
    return players


def settings(*, scales=1, backprop_frames=2, from_zeros=False):
    return StepSettings(scales, backprop_frames, from_zeros)


def gradients(network):
    return {name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None}


def assert_same(first, second, **tolerance):
    assert first.keys() == second.keys()
    for name, gradient in first.items():
        torch.testing.assert_close(gradient, second[name], **tolerance)


@pytest.mark.parametrize("backprop_frames", [1, 2, 3, 9])
def test_gradients_of_chunks_add_up_to_those_of_the_clip(square_targets, backprop_frames):
    targets = square_targets(7)
    players = make_players(judged=False)
    chosen = settings(backprop_frames=backprop_frames)
    terms = gather_gradients(players, targets, LossConfig(**PIXEL), chosen)
    ours = gradients(players.generator)

    players.generator.zero_grad()
    outputs = rollout(
        players.generator,
        targets.conditioning[:, 2:].unbind(1),
        past_conditioning=targets.conditioning[:, :2],
        first_frames=targets.frames[:, :2],
        backprop_frames=backprop_frames,
    )
    per_frame = [
        F.l1_loss(out.frame, targets.frames[:, t])
        + F.l1_loss(out.hallucinated, targets.frames[:, t])
        for t, out in enumerate(outputs, start=2)
    ]
    loss = torch.stack(per_frame).mean()
    loss.backward()
    torch.testing.assert_close(terms["pixel"], loss.detach())
    assert_same(ours, gradients(players.generator), atol=1e-6, rtol=1e-3)


def test_gradient_through_time_is_not_that_of_single_frames(square_targets):
    found = []
    for backprop_frames in (1, 4):
        players = make_players(judged=False)
        chosen = settings(backprop_frames=backprop_frames)
        gather_gradients(players, square_targets(), LossConfig(**PIXEL), chosen)
        found.append(players.generator.coarse.frame_encoder[0][1].weight.grad)
    assert not torch.allclose(*found, rtol=1e-2)


def test_parts_add_up_to_the_whole_batch(square_targets):
    targets = square_targets(batch=2)
    targets.frames[1].mul_(-1)
    for flow in targets.references:
        flow.confidence.fill_(1)
    whole, halves = make_players(), make_players()
    terms = gather_gradients(whole, targets, ALL, settings())
    means = Means()
    for index in range(2):
        gather_gradients(halves, targets.part(index, 2), ALL, settings(), parts=2, means=means)
    together = means.take()
    assert together.keys() == terms.keys()
    for name, term in terms.items():
        torch.testing.assert_close(together[name], term)
    for (_, first), (_, second) in zip(whole.trained(), halves.trained(), strict=True):
        assert_same(gradients(first), gradients(second), atol=1e-5, rtol=1e-3)


def test_discriminators_learn_nothing_from_the_generators_terms(square_targets):
    found = []
    for losses in (ALL, ALL.model_copy(update={"image_gan": 7.0, "video_gan": 7.0, "pixel": 70.0})):
        players = make_players()
        gather_gradients(players, square_targets(), losses, settings())
        found.append([gradients(network) for _, network in players.trained()])
    (generator, *judges), (other, *others) = found
    for first, second in zip(judges, others, strict=True):
        assert_same(first, second, atol=0, rtol=0)
    assert not torch.equal(
        generator["coarse.image_head.conv.bias"], other["coarse.image_head.conv.bias"]
    )


def test_the_generator_learns_nothing_from_the_discriminators_terms(square_targets):
    """With the generator's terms on them at weight 0, discriminators do not move it."""
    alone, judged = make_players(judged=False), make_players()
    nearly = LossConfig(**(PIXEL | {"image_gan": 1e-30, "video_gan": 1e-30}))
    gather_gradients(alone, square_targets(), LossConfig(**PIXEL), settings())
    gather_gradients(judged, square_targets(), nearly, settings())
    assert_same(gradients(alone.generator), gradients(judged.generator), atol=1e-9, rtol=1e-5)
    assert gradients(judged.image_discriminator)


def test_gradients_are_added_to_what_is_there(square_targets):
    players = make_players()
    gather_gradients(players, square_targets(), ALL, settings())
    once = [gradients(network) for _, network in players.trained()]
    gather_gradients(players, square_targets(), ALL, settings())
    for (_, network), before in zip(players.trained(), once, strict=True):
        twice = {name: 2 * gradient for name, gradient in before.items()}
        assert_same(gradients(network), twice, atol=1e-6, rtol=1e-3)


def test_every_term_is_named(square_targets):
    players = make_players(temporal_scales=2)
    targets = square_targets(8, strides=(1, 3))
    assert set(gather_gradients(players, targets, ALL, settings())) == {
        "pixel",
        "generated_warp",
        "flow",
        "warp",
        "occlusion",
        "image_gan",
        "image_matching",
        "image_discriminator",
        "video_0_gan",
        "video_0_matching",
        "video_0_discriminator",
        *(f"{name}_{key}" for name in ("image", "video_0") for key in OBSERVED),
    }


def test_coarse_video_windows_are_judged_once_the_clip_is_long_enough(square_targets):
    players = make_players(temporal_scales=2)
    players.window = 2
    players.video_discriminators = [
        MultiScaleDiscriminator(DiscriminatorConfig(width=4, layers=1, scales=1), 8)
        for _ in range(2)
    ]
    targets = square_targets(6, strides=(1, 2))
    terms = gather_gradients(players, targets, ALL, settings(backprop_frames=1))
    assert "video_1_gan" in terms


def test_a_chunk_that_completes_no_window_is_no_hindrance(square_targets):
    players = make_players()
    players.image_discriminator = None
    losses = LossConfig(**(PIXEL | {"pixel": 0, "video_gan": 1}))
    terms = gather_gradients(players, square_targets(), losses, settings(backprop_frames=1))
    observed = {f"video_0_{key}" for key in OBSERVED}
    assert set(terms) == {"video_0_gan", "video_0_discriminator", *observed}
    assert gradients(players.generator)


def test_what_is_observed_is_a_mean_over_the_chunks_that_showed_something(square_targets):
    """With windows of 3, the first two chunks of one frame complete none."""
    players, losses = make_players(), LossConfig(perceptual=0, adversarial="logistic")
    patches = players.video_discriminators[0].patches
    with torch.no_grad():
        for patch in patches:
            patch.stages[-1].weight.zero_()
            patch.stages[-1].bias.fill_(2.0)
    terms = gather_gradients(players, square_targets(), losses, settings(backprop_frames=1))
    observed = [terms[f"video_0_{key}"].item() for key in OBSERVED]
    assert observed == pytest.approx([1.0, 0.0, 2.0])
    # Of logits 2 at two scales: 2 log(1 + e^-2); and that plus 2 log(1 + e^2), halved.
    assert terms["video_0_gan"].item() == pytest.approx(0.253856, rel=1e-4)
    assert terms["video_0_discriminator"].item() == pytest.approx(2.253856, rel=1e-4)


def test_terms_carry_no_graph(square_targets):
    terms = gather_gradients(make_players(), square_targets(), ALL, settings())
    assert not any(term.requires_grad for term in terms.values())


def test_from_zeros_the_first_frame_answers_to_no_flow(square_targets):
    only_first = square_targets(3)
    losses = LossConfig(**(PIXEL | {"pixel": 0.5, "flow": 1, "generated_warp": 1, "occlusion": 1}))
    terms = gather_gradients(
        make_players(judged=False), only_first, losses, settings(from_zeros=True)
    )
    assert (terms["flow"], terms["generated_warp"], terms["occlusion"]) == (0, 0, 0)
    real = gather_gradients(make_players(judged=False), only_first, losses, settings())
    assert min(real["flow"], real["generated_warp"], real["occlusion"]) > 0


def test_from_zeros_no_real_frame_is_seen(square_targets):
    targets = square_targets()
    changed = targets._replace(frames=targets.frames.clone())
    changed.frames[:, :2] = 0.5
    losses = LossConfig(**PIXEL)
    terms = [
        gather_gradients(make_players(judged=False), each, losses, settings(from_zeros=True))
        for each in (targets, changed)
    ]
    assert torch.equal(terms[0]["pixel"], terms[1]["pixel"])


def test_fixed_scales_get_no_gradient_and_finer_ones_do(square_targets):
    players = make_players(refiners=1)
    players.freeze(1)
    gather_gradients(players, square_targets(), ALL, settings(scales=2))
    assert gradients(players.generator.coarse) == {}
    assert gradients(players.generator.refiners[0])
    players.freeze(0)
    gather_gradients(players, square_targets(), ALL, settings(scales=2))
    assert gradients(players.generator.coarse)


def test_scales_that_do_not_run_get_no_gradient(square_targets):
    players = make_players(refiners=1)
    gather_gradients(players, square_targets(), ALL, settings(scales=1))
    assert gradients(players.generator.refiners[0]) == {}
    fine = players.image_discriminator.patches[1]
    assert gradients(fine) == {}


def test_bfloat16_gives_nearly_the_same_terms(square_targets):
    exact = gather_gradients(make_players(), square_targets(), ALL, settings())
    players = make_players()
    with torch.autocast("cpu", torch.bfloat16):
        rough = gather_gradients(players, square_targets(), ALL, settings())
    for name, term in exact.items():
        torch.testing.assert_close(rough[name], term, atol=0.02, rtol=0.05)
    assert {g.dtype for g in gradients(players.generator).values()} == {torch.float32}


def test_regions_are_judged_where_there_are_boxes_and_counted(square_targets):
    players = make_players()
    players.region_discriminator = MultiScaleDiscriminator(
        DiscriminatorConfig(width=4, layers=1, scales=1), 5
    )
    players.region_size = 8
    boxes = torch.zeros(1, 6, 2, 4)
    boxes[:, 3, 0] = torch.tensor([2.0, 2.0, 10.0, 10.0])  # one box in one of four frames
    targets = square_targets()._replace(boxes=boxes)
    terms = gather_gradients(players, targets, ALL, settings())
    assert {"region_gan", "region_matching", "region_discriminator"} <= set(terms)
    assert terms["region_boxes"].item() == 0.25
    assert gradients(players.region_discriminator)
    none = gather_gradients(players, targets._replace(boxes=boxes * 0), ALL, settings())
    assert none["region_boxes"].item() == 0
    assert "region_gan" not in none


def test_what_only_some_parts_show_is_a_mean_over_those():
    means = Means()
    means.add({"real": torch.tensor(1.0)}, 0.25)
    means.add({"real": torch.tensor(0.0), "boxes": torch.tensor(3.0)}, 0.75)
    assert {name: mean.item() for name, mean in means.take().items()} == {"real": 0.25, "boxes": 3}
