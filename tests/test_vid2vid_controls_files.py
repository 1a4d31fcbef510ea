"""Stored pictures of controls: reading, resizing, range."""

from functools import partial

import cv2
import numpy as np
import pytest
import torch

from flow.files import write_flo
from vid2vid.controls.config import (
    DensePoseConfig,
    DepthConfig,
    EdgesConfig,
    FlowControlConfig,
    LowResolutionConfig,
    PictureConfig,
)
from vid2vid.controls.files import (
    from_colours,
    normalise_depth,
    read_stored,
    resizer_of,
    sizer_of,
    to_range,
)
from vid2vid.data.augment import Size
from vid2vid.errors import DataError

FLOW = FlowControlConfig(stream="flow", largest_px=10)


def test_a_picture_of_one_channel_is_its_light(tmp_path):
    rgb = np.array([[[200, 100, 50]]], np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), rgb[..., ::-1])
    grey = read_stored(PictureConfig(channels=1), tmp_path / "a.png")
    assert grey.tolist() == [[round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)]]
    assert read_stored(PictureConfig(), tmp_path / "a.png").tolist() == rgb.tolist()


def test_levels_become_the_range_of_all_controls():
    pictures = np.array([0, 51, 255], np.uint8).reshape(3, 1, 1)
    values = to_range(EdgesConfig(stream="edges"), pictures)
    assert values.shape == (3, 1, 1, 1)
    assert torch.allclose(values.flatten(), torch.tensor([-1.0, -0.6, 1.0]))


@pytest.mark.parametrize("kind", ["picture", "video"])
def test_a_photograph_is_refused_where_edges_are_wanted(tmp_path, kind):
    control = EdgesConfig(stream="edges")
    rgb = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), rgb)
    where = r"a\.png" if kind == "picture" else "a frame of a video"
    read = partial(read_stored, control, tmp_path / "a.png")
    if kind == "video":
        read = partial(from_colours, control, rgb)
    with pytest.raises(DataError, match=rf"white on black; \d+% of .*{where} are grey, so that"):
        read()


def test_edges_that_were_shrunk_are_edges():
    lines = np.zeros((16, 16, 3), np.uint8)
    lines[::4] = 128
    lines[1::4] = 255
    light = from_colours(EdgesConfig(stream="edges"), lines)
    assert light[:3, 0].tolist() == [128, 255, 0]


def test_suffixes_of_arrays_may_be_in_capitals(tmp_path):
    np.save(tmp_path / "a.npy", np.full((2, 3, 4), 5, np.float32))
    path = (tmp_path / "a.npy").rename(tmp_path / "a.NPY")
    assert sizer_of(FLOW)(path) == (3, 4)
    assert read_stored(FLOW, path).shape == (3, 4, 2)


def test_depth_is_spread_by_its_inverse_or_by_itself():
    metres = np.array([[2.0, 4.0, 100.0, 1e6, 0.0, np.nan, 1.0]])
    inverse = DepthConfig(near=2, far=100)
    between = (1 / 4 - 1 / 100) / (1 / 2 - 1 / 100) * 2 - 1
    assert np.allclose(normalise_depth(metres, inverse), [[1, between, -1, -1, -1, -1, 1]])
    plain = DepthConfig(near=2, far=100, inverse=False)
    assert normalise_depth(np.array([[51.0]]), plain).item() == pytest.approx(0)


def test_16_bit_pngs_and_arrays_hold_the_same_depth(tmp_path):
    control = DepthConfig(near=1, far=50)
    metres = np.array([[1.5, 20.0], [0.0, 49.0]], np.float32)
    np.save(tmp_path / "a.npy", metres)
    cv2.imwrite(str(tmp_path / "a.png"), np.round(metres * 1000).astype(np.uint16))
    array, png = (read_stored(control, tmp_path / f"a.{kind}") for kind in ("npy", "png"))
    assert np.allclose(array, png, atol=1e-6)
    assert array[1, 0] == -1


@pytest.mark.parametrize("kind", ["npy", "flo"])
def test_flow_is_read_and_scaled(tmp_path, kind):
    flow = torch.tensor([[[5.0, -40.0]], [[2.0, 0.0]]])
    if kind == "npy":
        np.save(tmp_path / "a.npy", flow.numpy())
    else:
        write_flo(tmp_path / "a.flo", flow)
    stored = read_stored(FLOW, tmp_path / f"a.{kind}")
    values = to_range(FLOW, stored[None])
    assert torch.allclose(values[0], torch.tensor([[[0.5, -1.0]], [[0.2, 0.0]]]))


def test_a_mirrored_flow_points_the_other_way():
    stored = np.full((1, 2, 2, 2), 5.0, np.float32)
    values = to_range(FLOW, stored, flipped=True)
    assert values[0, :, 0, 0].tolist() == [-0.5, 0.5]


def test_a_resized_flow_has_longer_vectors():
    stored = np.full((4, 6, 2), 3.0, np.float32)
    large = resizer_of(FLOW)(stored, Size(8, 18))
    assert large.shape == (8, 18, 2)
    assert large[0, 0].tolist() == [9, 6]


def test_densepose_keeps_its_values_in_a_resize():
    picture = np.zeros((2, 2, 3), np.uint8)
    picture[:, 1] = (255, 0, 24)
    control = DensePoseConfig()
    large = resizer_of(control)(picture, Size(4, 6))
    assert np.unique(large.reshape(-1, 3), axis=0).tolist() == [[0, 0, 0], [255, 0, 24]]
    assert to_range(control, large[None])[0, :, 0, 5].tolist() == [1, -1, 1]
    half = np.full((1, 1, 1, 3), (0, 0, 12), np.uint8)
    assert to_range(control, half)[0, 2].item() == 0


def test_a_small_picture_is_enlarged_as_is_said():
    small = np.array([[[0] * 3, [200] * 3]], np.uint8)
    nearest = resizer_of(LowResolutionConfig(stream="small", enlarge="nearest"))
    linear = resizer_of(LowResolutionConfig(stream="small", enlarge="linear"))
    assert nearest(small, Size(2, 4))[0, :, 0].tolist() == [0, 0, 200, 200]
    assert linear(small, Size(2, 4))[0, :, 0].tolist() == [0, 50, 150, 200]
    assert nearest(small.repeat(4, 0), Size(2, 1)).tolist() == [[[100] * 3]] * 2


@pytest.mark.parametrize(
    ("control", "array", "message"),
    [
        (DepthConfig(), np.zeros((2, 2, 2)), r"depth must be 'h w'; .* holds \(2, 2, 2\)"),
        (DepthConfig(), np.zeros(3), r"an array of numbers 'h w', .* float64 \(3,\)"),
        (FLOW, np.zeros((3, 2, 2)), r"a flow must be '2 h w'; .* holds \(3, 2, 2\)"),
        (FLOW, np.array([["a", "b"]]), r"an array of numbers"),
    ],
)
def test_arrays_of_another_kind_are_refused(tmp_path, control, array, message):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(DataError, match=message):
        read_stored(control, tmp_path / "a.npy")


@pytest.mark.parametrize(
    ("control", "name", "message"),
    [
        (DepthConfig(), "a.png", r"16-bit grey PNG; .* has mode 'L': write the distances with 16"),
        (DepthConfig(), "b.png", r"a depth map was needed; .*b.png cannot be read"),
        (DepthConfig(), "b.npy", r"an array was needed; .*b.npy cannot be read: write it again"),
        (FLOW, "b.flo", r"needs a header of 12 bytes; got 2"),
    ],
)
def test_files_of_another_kind_are_refused(tmp_path, control, name, message):
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((2, 2), np.uint8))
    for bad in ("b.png", "b.npy", "b.flo"):
        (tmp_path / bad).write_bytes(b"no")
    with pytest.raises(DataError, match=message):
        read_stored(control, tmp_path / name)


def test_a_video_has_one_channel_or_three():
    with pytest.raises(DataError, match="takes pictures of 6 channels; a frame of a video has 3"):
        from_colours(PictureConfig(channels=6), np.zeros((2, 2, 3), np.uint8))
