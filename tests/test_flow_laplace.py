import numpy as np

from flow.laplace import Laplace


def _hole() -> np.ndarray:
    mask = np.zeros((7, 9), bool)
    mask[2:5, 3:7] = True
    return mask


def test_a_right_side_of_zero_gives_exactly_zero() -> None:
    assert not Laplace(_hole(), ~_hole()).solve(np.zeros((3, 12))).any()


def test_a_membrane_meets_a_pixel_at_the_mean_of_its_neighbours() -> None:
    values = np.arange(63.0).reshape(1, 7, 9) ** 1.5
    values[0][_hole()] = Laplace(_hole(), ~_hole()).membrane(values)[0]
    plane = values[0]
    around = (plane[2, 4] + plane[4, 4] + plane[3, 3] + plane[3, 5]) / 4
    assert abs(plane[3, 4] - around) < 1e-6


def test_a_hole_at_the_edge_of_the_frame_is_free_there() -> None:
    mask = np.zeros((4, 6), bool)
    mask[:, 3:] = True
    ramp = np.tile(np.arange(6.0), (1, 4, 1))
    assert np.allclose(Laplace(mask, ~mask).membrane(ramp), 2.0, atol=1e-6)


def test_what_hangs_on_nothing_is_zero() -> None:
    mask = np.ones((3, 3), bool)
    assert np.allclose(Laplace(mask, ~mask).membrane(np.ones((1, 3, 3))), 0)
