import cv2
import numpy as np
import pytest
import torch

from vid2vid.networks.generator import GeneratorConfig, SequentialGenerator
from vid2vid.training.preview import (
    LARGEST_WIDTH,
    TITLE_HEIGHT,
    draw_preview,
    generate_clip,
    to_picture,
)
from vid2vid.video.pictures import write_picture

COLUMNS = ("labels", "edges", "hallucinated", "warped", "occlusion", "result", "real")


def make(**settings):
    config = GeneratorConfig(width=4, downsamplings=1, blocks=1, **settings)
    generator = SequentialGenerator(config, conditioning_channels=2)
    generator.initialise(0)
    return generator


def maps(num_frames, width=8):
    return torch.rand(1, num_frames, 2, 8, width, generator=torch.Generator().manual_seed(0))


def test_a_clip_from_zeros_has_a_frame_for_every_map():
    outputs = generate_clip(make(), maps(3), first_frames=None)
    assert len(outputs) == 3
    assert not outputs[0].frame.requires_grad


def test_the_first_maps_belong_to_the_first_frames():
    outputs = generate_clip(make(), maps(5), first_frames=torch.zeros(1, 2, 3, 8, 8))
    assert len(outputs) == 3


def preview(width=8, **settings):
    outputs = generate_clip(make(**settings), maps(2, width), first_frames=None)
    red, green = (np.full((8, width, 3), c, np.uint8) for c in ((255, 0, 0), (0, 255, 0)))
    inputs = [np.concatenate([red, green], axis=1)] * 2
    real = [torch.ones(3, 8, width)] * 2
    return outputs, draw_preview(inputs, outputs, real, titles=COLUMNS[:2])


def test_preview_has_a_row_per_frame_and_a_column_per_part():
    outputs, sheet = preview()
    assert sheet.shape == (TITLE_HEIGHT + 2 * 8, len(COLUMNS) * 8, 3)
    rows = sheet[TITLE_HEIGHT:]
    columns = dict(zip(COLUMNS, np.split(rows, len(COLUMNS), axis=1), strict=True))
    assert (columns["labels"] == (255, 0, 0)).all()
    assert (columns["edges"] == (0, 255, 0)).all()
    assert (columns["real"] == 255).all()
    assert np.array_equal(columns["result"][8:], to_picture(outputs[1].frame[0]))
    occlusion = outputs[0].occlusion[0, 0, 0, 0].item()
    assert columns["occlusion"][0, 0].tolist() == [round(occlusion * 255)] * 3


def test_parts_that_a_generator_lacks_have_no_column():
    outputs, sheet = preview(flow=False)
    assert sheet.shape[1] == (len(COLUMNS) - 2) * 8
    assert np.array_equal(sheet[-8:, 24:32], to_picture(outputs[1].frame[0]))


def test_wide_previews_are_shrunk():
    _, sheet = preview(width=400)
    assert sheet.shape[1] == LARGEST_WIDTH


@pytest.mark.parametrize(("level", "grey"), [(-1.0, 0), (0.0, 128), (1.0, 255), (7.0, 255)])
def test_levels_become_greys(level, grey):
    assert to_picture(torch.full((1, 1, 1), level)).tolist() == [[[grey] * 3]]


def test_pictures_are_written_whole_and_in_rgb(tmp_path):
    write_picture(tmp_path / "a.png", np.full((2, 2, 3), (200, 100, 0), np.uint8))
    assert cv2.imread(str(tmp_path / "a.png"))[0, 0].tolist() == [0, 100, 200]
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
