from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from flow.warp import warp
from vid2vid.filling.chunks import PLAIN, ChunkPlan, fill_frames
from vid2vid.filling.inventor import invent
from vid2vid.filling.moments import MaskedFrame
from vid2vid.filling.window import FilledFrame

HEIGHT, WIDTH = 40, 56


class Exact:
    """Knows which motions there are, and finds the one between two frames."""

    def __init__(self, *motions: tuple[float, float]) -> None:
        self._motions = motions or ((0.0, 0.0),)

    def __call__(self, current: Tensor, previous: Tensor) -> Tensor:
        flows = [
            torch.tensor(motion)[None, :, None, None].expand(1, 2, *current.shape[2:]).contiguous()
            for motion in self._motions
        ]
        return min(flows, key=lambda flow: float((current - warp(previous, flow)).abs().median()))


class Grey:
    """Fills with one value, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Tensor] = []

    def __call__(self, picture: Tensor, unknown: Tensor) -> Tensor:
        self.asked.append(unknown)
        return torch.where(unknown, 0.5, picture)


def _texture(height: int, width: int, *, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (height, width, 3), dtype=torch.uint8, generator=generator)


def _box(top: int, left: int, *, side: int = 8) -> Tensor:
    mask = torch.zeros(HEIGHT, WIDTH, dtype=torch.bool)
    mask[top : top + side, left : left + side] = True
    return mask


def _hide(pictures: Sequence[Tensor], masks: Sequence[Tensor]) -> list[MaskedFrame]:
    return [
        MaskedFrame(picture.masked_fill(mask[..., None], 77), mask)
        for picture, mask in zip(pictures, masks, strict=True)
    ]


def _fill(
    frames: Sequence[MaskedFrame],
    inventor: Grey,
    estimator: Exact,
    *,
    plan: ChunkPlan = PLAIN,
) -> list[FilledFrame]:
    return list(fill_frames(frames, inventor, estimator, plan=plan))


def _panned(count: int) -> list[Tensor]:
    """A scene that moves to the left by 3 pixels a frame."""
    scene = _texture(HEIGHT, WIDTH + 3 * count)
    return [scene[:, 3 * index : 3 * index + WIDTH].contiguous() for index in range(count)]


PAN = ((3.0, 0.0), (-3.0, 0.0))


def test_a_static_scene_comes_back_where_any_frame_shows_it() -> None:
    scene, inventor = _texture(HEIGHT, WIDTH), Grey()
    frames = _hide([scene] * 6, [_box(12, 10 + 4 * index) for index in range(6)])
    filled = _fill(frames, inventor, Exact())
    assert all(torch.equal(each.rgb, scene) for each in filled)
    assert inventor.asked == []


def test_an_integer_pan_is_filled_bit_for_bit_so_its_warping_error_is_zero() -> None:
    pictures, inventor = _panned(6), Grey()
    filled = _fill(_hide(pictures, [_box(12, 24)] * 6), inventor, Exact(*PAN))
    assert all(torch.equal(one.rgb, two) for one, two in zip(filled, pictures, strict=True))
    assert inventor.asked == []


def test_what_no_frame_ever_shows_is_invented_once_and_nothing_else() -> None:
    scene, inventor = _texture(HEIGHT, WIDTH), Grey()
    masks = [_box(10, 12 + index, side=14) for index in range(4)]
    filled = _fill(_hide([scene] * 4, masks), inventor, Exact())
    never = torch.stack(masks).all(dim=0)
    assert [asked.equal(never) for asked in inventor.asked] == [True]
    for each in filled:
        assert torch.equal(each.rgb[~never], scene[~never])
        assert (each.rgb[never].int() - 191).abs().max() <= 1
    assert sum(each.invented for each in filled) == 1


def test_a_flow_that_does_not_lead_back_is_not_followed() -> None:
    class Wrong(Exact):
        def __call__(self, current: Tensor, previous: Tensor) -> Tensor:
            flow = super().__call__(current, previous)
            lighter = current.mean() > previous.mean()
            return flow + 8.0 if lighter else flow

    scene = _texture(HEIGHT, WIDTH)
    pictures = [scene, (scene // 16) * 15]
    masks = [_box(12, 20), torch.zeros(HEIGHT, WIDTH, dtype=torch.bool)]
    inventor = Grey()
    _fill(_hide(pictures, masks), inventor, Wrong())
    assert [int(asked.sum()) for asked in inventor.asked] == [64]


def test_chunks_give_the_same_bits_as_the_whole_where_the_overlap_allows() -> None:
    pictures = _panned(13)
    frames = _hide(pictures, [_box(12, 20, side=9)] * 13)
    whole = _fill(frames, Grey(), Exact(*PAN), plan=ChunkPlan(13, 0))
    for plan in (ChunkPlan(3, 4), ChunkPlan(5, 6)):
        parts = _fill(frames, Grey(), Exact(*PAN), plan=plan)
        assert all(torch.equal(a.rgb, b.rgb) for a, b in zip(whole, parts, strict=True))


def test_what_was_invented_goes_on_into_the_next_chunk() -> None:
    scene, inventor = _texture(HEIGHT, WIDTH), Grey()
    frames = _hide([scene] * 7, [_box(12, 20, side=10)] * 7)
    filled = _fill(frames, inventor, Exact(), plan=ChunkPlan(2, 0))
    assert len(inventor.asked) == 1
    assert all(torch.equal(each.rgb, filled[0].rgb) for each in filled)


def test_a_static_clip_with_a_margin_comes_out_the_same_in_every_frame() -> None:
    scene, inventor = _texture(HEIGHT, WIDTH), Grey()
    margin = torch.zeros(HEIGHT, WIDTH, dtype=torch.bool)
    margin[:, :9] = True
    filled = _fill(_hide([scene] * 5, [margin] * 5), inventor, Exact(), plan=ChunkPlan(2, 1))
    assert len({each.rgb.numpy().tobytes() for each in filled}) == 1
    assert len(inventor.asked) == 1


def test_nothing_is_carried_across_a_cut() -> None:
    first, second = _texture(HEIGHT, WIDTH), _texture(HEIGHT, WIDTH, seed=1)
    frames = _hide([first, first, second, second], [_box(12, 20)] * 4)
    frames[2] = frames[2]._replace(begins_shot=True)
    inventor = Grey()
    filled = _fill(frames, inventor, Exact())
    assert len(inventor.asked) == 2
    assert [each.invented for each in filled] == [True, False, True, False]


def test_known_pixels_and_the_number_of_frames_stay() -> None:
    pictures = _panned(5)
    masks = [_box(8 + index, 16, side=12) for index in range(5)]
    frames = _hide(pictures, masks)
    filled = _fill(frames, Grey(), Exact(*PAN))
    assert len(filled) == 5
    for each, picture, mask in zip(filled, pictures, masks, strict=True):
        assert torch.equal(each.rgb[~mask], picture[~mask])
        assert each.unknown == int(mask.sum())


def test_the_same_frames_give_the_same_bits() -> None:
    frames = _hide(_panned(5), [_box(12, 20, side=16)] * 5)
    one, other = (_fill(frames, Grey(), Exact(*PAN)) for _ in range(2))
    assert all(torch.equal(a.rgb, b.rgb) for a, b in zip(one, other, strict=True))


def test_a_slow_change_of_light_leaves_no_step_at_the_border_of_a_hole() -> None:
    scene = (_texture(HEIGHT, WIDTH) // 32 + 100).contiguous()
    light, mask = scene + 12, _box(12, 20)
    empty = torch.zeros_like(mask)
    filled = _fill(_hide([scene, light], [mask, empty]), Grey(), Exact())
    assert (filled[0].rgb[mask].int() - scene[mask].int()).abs().max() <= 1


def test_an_inventor_is_held_to_its_promise() -> None:
    picture, unknown = torch.zeros(3, 4, 5), torch.zeros(4, 5, dtype=torch.bool)
    assert invent(lambda a, _: a, picture, unknown) is picture
    unknown[1, 1] = True
    with pytest.raises(ValueError, match="known pixels bit for bit"):
        invent(lambda a, _: a + 1, picture, unknown)
    with pytest.raises(ValueError, match=r"finite values of shape \(3, 4, 5\)"):
        invent(lambda a, _: a[:, :2], picture, unknown)
    with pytest.raises(ValueError, match="unknown must be 'h w' bool"):
        invent(lambda a, _: a, picture, unknown[:2])


def test_a_plan_needs_a_frame() -> None:
    with pytest.raises(ValueError, match="length must be at least 1"):
        ChunkPlan(0, 3)
