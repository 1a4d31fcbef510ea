"""The first steps of `smoke.yaml` give the recorded terms: refactorings must not move them.

To record anew after a change that is meant to move them: `python tests/test_pipelines_golden.py`.
"""

import json
from pathlib import Path

import pytest

from pipelines.train import TrainOptions, train

RECORD = Path(__file__).parent / "golden" / "smoke.json"
STEPS = 3
# Other processors round differently; a real change moves terms by far more.
TOLERANCE = 2e-3
NOT_TERMS = {"step", "seconds_per_step", "learning_rate", "clip_length", "scales"}
OBSERVED = ("_accuracy_real", "_accuracy_fake", "_activation")  # no terms either


def _first_terms(folder: Path) -> list[dict[str, float]]:
    """Train the first steps and read their terms from the log."""
    settings = [
        f"training.output={folder}",
        f"schedule.steps={STEPS}",
        "schedule.clip_growth=0",
        "schedule.clip_length=8",
    ]
    trained = train("smoke", TrainOptions(overrides=settings, device="cpu"))
    lines = (trained.folder / "metrics.jsonl").read_text().splitlines()
    return [
        {k: v for k, v in json.loads(line).items() if not (k in NOT_TERMS or k.endswith(OBSERVED))}
        for line in lines
    ]


def test_first_steps_give_the_recorded_terms(tmp_path: Path):
    recorded = json.loads(RECORD.read_text())
    terms = _first_terms(tmp_path)
    assert len(terms) == STEPS
    for step, (now, before) in enumerate(zip(terms, recorded, strict=True)):
        assert now == pytest.approx(before, rel=TOLERANCE), f"step {step + 1}"


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        values = _first_terms(Path(scratch))
    RECORD.parent.mkdir(exist_ok=True)
    RECORD.write_text(json.dumps(values, indent=1) + "\n")
