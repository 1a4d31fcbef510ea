"""The benchmark of the SRN: what it trains, what it compares with, and its report."""

import cv2
import numpy as np
import pytest
import torch
from srn_checkpoints import srn_checkpoint
from tool_modules import load_tool

from pipelines.config.file import read_config
from pipelines.config.run import RunConfig
from vid2vid.video.reading import read_image

TOOL = load_tool("bench_srn")


def write_photographs(folder, count, *, height=70, width=90):
    folder.mkdir()
    for index in range(count):
        rgb = np.random.default_rng(index).integers(0, 255, (height, width, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{index:03d}.png"), cv2.GaussianBlur(rgb, (9, 9), 0))
    return folder


@pytest.mark.parametrize("stage", [1, 2])
def test_every_variant_is_a_configuration_that_differs_as_it_says(stage, tmp_path):
    found = {}
    for variant in TOOL.VARIANTS:
        (training,) = TOOL.trainings_of([variant], tmp_path, stage=stage, own=[])
        found[training.folder.name] = read_config(
            training.config, RunConfig, overrides=training.settings
        )
    assert found["no_context_norm_" + str(stage)].generator.context_norm == 0
    assert found[f"confidence_{stage}"].losses.spatial == "confidence"
    assert found[f"plain_{stage}"].losses.spatial == "plain"
    assert found[f"srn_{stage}"].generator.context_norm == 0.5
    if stage == 2:
        assert found["global_critic_2"].critics.scope == "global"
        assert found["global_critic_2"].training.init_from == str(tmp_path / "srn_1")


def test_first_stages_that_are_alike_are_trained_once(tmp_path):
    trainings = TOOL.trainings_of(list(TOOL.VARIANTS), tmp_path, stage=1, own=[])
    assert [training.folder.name for training in trainings] == [
        "srn_1",
        "no_context_norm_1",
        "plain_1",
        "confidence_1",
    ]


def test_the_last_ten_pictures_are_held_out(tmp_path):
    folders = TOOL.split(write_photographs(tmp_path / "photos", 12), tmp_path / "out")
    assert [len(list(folder.iterdir())) for folder in folders] == [2, 10]
    assert sorted(path.name for path in folders[0].iterdir()) == ["000.png", "001.png"]


def test_plain_ways_by_hand():
    unknown = torch.tensor([[True, False, False, True, True]])
    real = torch.tensor([9.0, 0.2, 0.4, 9.0, 9.0]).expand(1, 3, 1, 5)
    ways = TOOL.fill_plainly(real, unknown)
    expected = {
        "replicate": [0.2, 0.2, 0.4, 0.4, 0.4],
        "mirror": [0.2, 0.2, 0.4, 0.4, 0.2],
        "mean": [0.3, 0.2, 0.4, 0.3, 0.3],
        "membrane": [0.2, 0.2, 0.4, 0.4, 0.4],
    }
    for name, row in expected.items():
        assert torch.allclose(ways[name][0, 1, 0], torch.tensor(row), atol=1e-4), name


def test_the_report_scores_what_is_unknown_and_says_what_was_asked(tmp_path, capsys):
    _, held_out = TOOL.split(write_photographs(tmp_path / "photos", 12), tmp_path)
    folders = []
    for name in ("srn_1", "srn_2"):
        folders.append(srn_checkpoint(tmp_path / name))
        (folders[-1] / "cpu_minutes.json").write_text("1.5")
    TOOL.report(folders, held_out, tmp_path)
    table = capsys.readouterr().out
    assert table == (tmp_path / "table.txt").read_text()
    assert [line.split()[0] for line in table.splitlines()[1:7]] == [
        *("replicate", "mirror", "mean", "membrane"),
        *("srn_1", "srn_2"),
    ]
    assert "stage 2 is +0.00 dB from stage 1" in table
    assert read_image(tmp_path / "sheet.png").shape == (18 + 10 * 64, 8 * 64, 3)


def test_a_variant_that_is_not_known_is_refused(tmp_path):
    with pytest.raises(SystemExit, match=r"variants are srn, .*; got other"):
        TOOL.main(tmp_path, variants="srn,other")
