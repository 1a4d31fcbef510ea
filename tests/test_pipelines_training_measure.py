import pytest

from pipelines.training.measure import work_until
from vid2vid.networks.generator import GeneratorConfig, SequentialGenerator
from vid2vid.training.schedule import ScheduleConfig


def test_the_work_grows_with_the_clips():
    generator = SequentialGenerator(
        GeneratorConfig(width=4, downsamplings=1, blocks=1), conditioning_channels=3
    )
    schedule = ScheduleConfig(steps=100, clip_length=2, clip_length_max=4, clip_growth=0.5)
    work = work_until(generator, schedule)
    assert work(0) == 0
    # Half of the steps with 2 frames, half with 4: a third of the work, and two thirds.
    assert work(50) / work(100) == pytest.approx(1 / 3, rel=0.01)
