"""Divisors of the perceptual loss that a run finds by itself."""

import pytest

from vid2vid.training.calibration import WINDOW, Calibration

NAMES = ("first", "second")


def test_means_are_of_all_steps_at_first():
    calibration = Calibration()
    for value in (1.0, 2.0, 6.0):
        calibration = calibration.observe({"first": value, "second": 0.0, "pixel": 9.0}, NAMES)
    assert calibration.means == {"first": pytest.approx(3.0), "second": 0.0}
    assert calibration.steps == 3


def test_means_forget_what_is_long_ago():
    calibration = Calibration()
    for value in [100.0] * WINDOW + [1.0] * 8 * WINDOW:
        calibration = calibration.observe({"first": value}, NAMES)
    assert calibration.means["first"] == pytest.approx(1.0, abs=0.05)


def test_divisors_are_settled_once_at_their_share_of_the_run():
    calibration = Calibration()
    assert not calibration.is_due(1.0, 0.5)
    calibration = calibration.observe({"first": 4.0, "second": 0.0}, NAMES)
    assert not calibration.is_due(0.49, 0.5)
    assert calibration.is_due(0.5, 0.5)
    settled = calibration.settle()
    assert settled.divisors == {"first": 4.0, "second": 1.0}
    assert not settled.is_due(0.6, 0.5)
    assert settled.observe({"first": 9.0}, NAMES) is settled


def test_other_losses_have_nothing_to_calibrate():
    calibration = Calibration().observe({"pixel": 1.0}, NAMES)
    assert calibration == Calibration()
