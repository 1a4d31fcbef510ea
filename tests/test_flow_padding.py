import pytest
import torch
import torch.nn.functional as F

from flow import Padding, pad_to_multiple


def test_the_rest_is_split_evenly_and_bottom_and_right_get_the_odd_pixel():
    assert pad_to_multiple(5, 13, 8) == Padding(left=1, right=2, top=1, bottom=2)


def test_a_size_that_fits_is_not_padded():
    assert pad_to_multiple(16, 32, 16) == (0, 0, 0, 0)


@pytest.mark.parametrize("size", [(1, 1), (7, 9), (64, 65)])
def test_padded_sides_are_multiples_and_less_than_one_multiple_longer(size):
    padding = pad_to_multiple(*size, 16)
    padded = padding.pad(torch.zeros(1, *size)).shape[1:]
    assert all(side % 16 == 0 for side in padded)
    assert all(0 <= side - old < 16 for side, old in zip(padded, size, strict=True))


def test_replicate_repeats_the_border_pixel():
    picture = torch.tensor([[1, 2], [3, 4]])
    padded = Padding(left=1, right=2, top=0, bottom=1).pad(picture)
    assert padded.tolist() == [[1, 1, 2, 2, 2], [3, 3, 4, 4, 4], [3, 3, 4, 4, 4]]


def test_zeros_adds_zeros():
    padded = Padding(left=1, right=0, top=1, bottom=0).pad(torch.tensor([[5, 6]]), mode="zeros")
    assert padded.tolist() == [[0, 0, 0], [0, 5, 6]]


def test_replicate_equals_torch_where_torch_can_do_it():
    image = torch.rand(2, 3, 4, 5)
    assert torch.equal(Padding(3, 4, 1, 2).pad(image), F.pad(image, (3, 4, 1, 2), mode="replicate"))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.int64, torch.bool, torch.float])
@pytest.mark.parametrize("mode", ["replicate", "zeros"])
@pytest.mark.parametrize("lead", [(), (2,), (2, 1, 3)])
def test_crop_undoes_pad_for_any_dtype_and_leading_axes(dtype, mode, lead):
    tensor = torch.randint(0, 2, (*lead, 3, 5)).to(dtype)
    padding = pad_to_multiple(3, 5, 4)
    padded = padding.pad(tensor, mode=mode)
    assert padded.shape == (*lead, 4, 8)
    assert padded.dtype == dtype
    assert torch.equal(padding.crop(padded), tensor)


def test_the_gradient_of_a_repeated_pixel_counts_its_copies():
    picture = torch.zeros(1, 2, requires_grad=True)
    Padding(left=2, right=0, top=0, bottom=1).pad(picture).sum().backward()
    assert picture.grad is not None
    assert picture.grad.tolist() == [[6, 2]]


@pytest.mark.parametrize("arguments", [(0, 4, 2), (4, 0, 2), (4, 4, 0)])
def test_sizes_and_multiple_must_be_positive(arguments):
    with pytest.raises(ValueError, match="must be at least 1; got height"):
        pad_to_multiple(*arguments)


def test_an_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="mode must be 'replicate' or 'zeros'; got 'reflect'"):
        pad_to_multiple(3, 3, 4).pad(torch.zeros(3, 3), mode="reflect")  # pyright: ignore
