"""Still generators that grow in stages: published sizes, and parts that are fixed, then trained."""

import json
import sys

import pytest
import torch

from pipelines.cli import app as cli
from pipelines.config.file import read_config
from pipelines.config.run import RunConfig
from vid2vid.training.loop import take_steps

LOCAL = {
    "kind": "pix2pixhd",
    "width": 4,
    "downsamplings": 1,
    "blocks": 1,
    "enhancers": 1,
    "enhancer_blocks": 1,
}
RATE, STEPS, FREEZE, CONSTANT = 1e-3, 8, 0.5, 0.25
PUBLISHED = {
    "pix2pixhd": {"generator": 182_546_755, "image discriminator": 5_603_202},
    "pix2pixhd_1024": {"generator": 182_857_059, "image discriminator": 8_404_803},
    "pix2pixhd_styles": {
        "generator": 182_556_163,
        "feature encoder": 788_803,
        "image discriminator": 5_603_202,
    },
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_inspect_prints_the_published_numbers_of_weights(name, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["vid2vid", "inspect", name])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    lines = [line.split("  ") for line in capsys.readouterr().out.splitlines()]
    found = {words[0]: [word.strip() for word in words[1:] if word.strip()] for words in lines}
    for network, weights in PUBLISHED[name].items():
        assert found[network][0] == f"{weights:,}"


def test_the_local_stage_begins_from_the_global_one_at_twice_its_size():
    coarse, fine = (read_config(name, RunConfig) for name in ("pix2pixhd", "pix2pixhd_1024"))
    assert fine.training.init_from == f"{coarse.training.output}/{coarse.name}"
    assert fine.data.height == 2 * coarse.data.height
    assert fine.generator.width == coarse.generator.width
    assert fine.image_discriminator.scales == coarse.image_discriminator.scales + 1
    assert 0 < fine.schedule.freeze < 1


@pytest.fixture
def course(tiny_state, tiny_config):
    """Train a local enhancer; the largest change of each stage in every step, and the moments."""
    changes = (
        f"generator={json.dumps(LOCAL)}",
        "video_discriminator=null",
        f"optimizer.learning_rate={RATE}",
        f"schedule.steps={STEPS}",
        f"schedule.freeze={FREEZE}",
        f"schedule.constant={CONSTANT}",
    )
    run, state = tiny_state(*changes)
    stages = state.players.generator.stages

    def copy():
        return [[p.detach().clone() for p in stage.parameters()] for stage in stages]

    before, changed, moments = copy(), [], []
    for report in take_steps(run, state, tiny_config(*changes).schedule, end=STEPS):
        after = copy()
        changed.append(
            [
                max(float((new - old).abs().max()) for new, old in zip(*pair, strict=True))
                for pair in zip(after, before, strict=True)
            ]
        )
        before = after
        moments.append(report.moment)
    return torch.tensor(changed, dtype=torch.float64).T, moments


def test_the_global_part_moves_after_the_freeze_and_not_before(course):
    (trunk, enhancer), moments = course
    assert [moment.frozen for moment in moments] == [1, 1, 1, 1, 0, 0, 0, 0]
    assert trunk[:4].tolist() == [0, 0, 0, 0]
    assert (trunk[4:] > 0).all()
    assert (enhancer > 0).all()


def test_its_learning_rate_has_decayed_by_then_and_goes_on_to(course):
    (trunk, enhancer), moments = course
    # Steps 0 to 2 have the whole rate; then it falls by a sixth with every step. Adam's first step
    # is one learning rate long, wherever there is a gradient.
    factors = [moment.rate_factor for moment in moments]
    assert factors == pytest.approx([1, 1, 1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6])
    assert float(enhancer[0]) == pytest.approx(RATE, rel=1e-3)
    assert float(trunk[4]) == pytest.approx(RATE * 4 / 6, rel=1e-3)
    assert float(trunk[7]) < RATE * 1 / 6 * 1.5 < float(trunk[4])
