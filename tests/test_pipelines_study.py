import json
import re
from base64 import b64decode
from collections import Counter

import cv2
import numpy as np
import pytest

from pipelines.cli.app import main
from pipelines.study.options import StudyOptions
from pipelines.study.score import ANSWERS_FORMAT, score_study
from pipelines.study.trials import choose_trials
from vid2vid.errors import ConfigError, DataError


def run(*words):
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    return left.value.code or 0


def write(folder, level, num_frames=6):
    folder.mkdir()
    for index in range(num_frames):
        picture = np.full((24, 32, 3), level + index, np.uint8)
        picture[::2] += 40
        cv2.imwrite(str(folder / f"{index}.png"), picture)
    return folder


@pytest.fixture
def study(tmp_path, capsys):
    a, b, real = (
        write(tmp_path / name, level) for name, level in (("a", 20), ("b", 90), ("r", 150))
    )
    words = ("study", a, b, "--reference", real, "--pairs", 8, "--clip-frames", 3)
    assert (
        run(*words, "--display", 0.125, "--height", 200, "--out", tmp_path / "out", "--json") == 0
    )
    return tmp_path / "out", json.loads(capsys.readouterr().out)


def shown(folder):
    page = (folder / "study.html").read_text()
    return json.loads(re.search(r'id="study">(.*?)</script>', page, re.DOTALL)[1])


def answer(folder, choose, name="answers.json"):
    """Answer every pair as `choose` says of its trial in the key."""
    key = json.loads((folder / "key.json").read_text())
    given = [{"id": trial["id"], "choice": choose(trial), "seconds": 1} for trial in key["trials"]]
    content = {"format": ANSWERS_FORMAT, "study": key["study"], "answers": given}
    (folder / name).write_text(json.dumps(content))
    return folder / name


def side_of(*wanted):
    return lambda trial: next(s for w in wanted for s in ("left", "right") if trial[s] == w)


def test_a_page_holds_its_pairs_and_says_nothing_of_who_is_who(study):
    folder, made = study
    held = shown(folder)
    page = (folder / "study.html").read_text()
    assert (made["pairs"], made["sentinels"]) == (8, 2)
    assert len(held["trials"]) == 10
    assert (held["seconds"], held["height"], held["fits"]) == (0.125, 200, False)
    assert all(len(trial[side]) == 3 for trial in held["trials"] for side in ("left", "right"))
    assert set(held["trials"][0]) == {"id", "left", "right", "reference"}
    assert "damaged" not in page
    assert not re.search(r'(?:src|href)="(?!data:)', page)


def test_both_sides_of_a_pair_show_the_same_moment(study):
    folder, _ = study
    key = json.loads((folder / "key.json").read_text())["trials"]
    means = {"a": 40, "b": 110}
    for trial, held in zip(key, shown(folder)["trials"], strict=True):
        for side in ("left", "right"):
            if trial[side] in means:
                data = np.frombuffer(b64decode(held[side][0].split(",")[1]), np.uint8)
                mean = cv2.imdecode(data, cv2.IMREAD_COLOR).mean()
                assert mean == pytest.approx(means[trial[side]] + trial["start"], abs=1.5)


def test_trials_are_balanced_spread_and_drawn_by_the_seed():
    trials = choose_trials([50, 50], pairs=40, clip_frames=10, seed=1)
    pairs = [trial for trial in trials if not trial.is_sentinel]
    assert (len(pairs), len(trials)) == (40, 44)
    assert {trial.sequence for trial in pairs} == {0, 1}
    assert max(trial.start for trial in trials) <= 40
    assert len({trial.start for trial in pairs}) > 20
    assert trials == choose_trials([50, 50], pairs=40, clip_frames=10, seed=1)
    assert trials != choose_trials([50, 50], pairs=40, clip_frames=10, seed=2)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("pairs", [40, 7])
def test_each_system_stands_left_in_half_of_the_real_pairs(seed, pairs):
    trials = choose_trials([50, 50], pairs=pairs, clip_frames=10, seed=seed)
    sides = Counter(trial.left for trial in trials if not trial.is_sentinel)
    assert abs(sides["a"] - sides["b"]) == pairs % 2


def test_sentinels_damage_either_system_on_either_side():
    trials = choose_trials([30], pairs=40, clip_frames=5, seed=0)
    sides = {(trial.left, trial.right) for trial in trials if trial.is_sentinel}
    assert sides == {("a", "damaged"), ("damaged", "a"), ("b", "damaged"), ("damaged", "b")}


def test_a_score_is_the_share_of_preferences_with_its_interval(study, capsys):
    folder, _ = study
    path = answer(folder, side_of("a", "b"))
    assert run("study", "--score", path, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["a_preferred"]["wins"] == found["a_preferred"]["n"] == 8
    assert found["a_preferred"]["low"] == pytest.approx(8 / (8 + 1.96**2), abs=1e-3)
    assert run("study", "--score", path) == 0
    assert "100.0% [67.6%, 100.0%], 8 of 8" in capsys.readouterr().out


def test_people_who_miss_sentinels_are_left_out_and_named(study):
    folder, _ = study
    good = answer(folder, side_of("b", "a"))
    careless = answer(folder, side_of("damaged", "a", "b"), "careless.json")
    score = score_study([good, careless], key=folder / "key.json")
    assert (score.overall.wins, score.overall.total, score.people) == (0, 8, 1)
    assert score.left_out == (str(careless),)


def test_people_who_skip_the_sentinels_are_left_out(study):
    folder, _ = study
    path = answer(folder, side_of("a", "b"))
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"answers": content["answers"][:1]}))
    assert score_study([path]).left_out == (str(path),)


def test_nobody_counts_twice(study):
    folder, _ = study
    path = answer(folder, side_of("a", "b"))
    with pytest.raises(DataError, match="every person counts once"):
        score_study([path, path])
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"answers": content["answers"] * 2}))
    with pytest.raises(DataError, match="each pair once"):
        score_study([path])


@pytest.mark.parametrize("answers", [5, [7], [{"id": [1], "choice": "left"}], None])
def test_damaged_answers_are_refused_in_a_line(study, answers):
    folder, _ = study
    path = answer(folder, side_of("a", "b"))
    path.write_text(json.dumps(json.loads(path.read_text()) | {"answers": answers}))
    with pytest.raises(DataError, match="must name a pair of the study"):
        score_study([path])


def test_answers_that_are_not_there_are_named_before_the_key(tmp_path):
    with pytest.raises(DataError, match=r"the answers must be readable JSON; .*nofile"):
        score_study([tmp_path / "nofile.json"])


def test_a_key_without_trials_is_refused(study):
    folder, _ = study
    path = answer(folder, side_of("a", "b"))
    key = json.loads((folder / "key.json").read_text())
    del key["trials"]
    (folder / "broken.json").write_text(json.dumps(key))
    with pytest.raises(DataError, match="must list its trials"):
        score_study([path], key=folder / "broken.json")


def test_a_preference_for_a_side_shows(study):
    folder, _ = study

    def lefty(trial):
        return (
            "left" if "damaged" not in (trial["left"], trial["right"]) else side_of("a", "b")(trial)
        )

    score = score_study([answer(folder, lefty)])
    assert score.left_chosen.share == 1
    assert score.shown_left.share == 1
    assert score.shown_right.share == 0


def test_answers_of_another_study_or_broken_ones_are_refused(study):
    folder, _ = study
    path = answer(folder, side_of("a", "b"))
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"study": "other"}))
    with pytest.raises(DataError, match="must be of one study"):
        score_study([path])
    path.write_text(json.dumps(content | {"answers": [{"id": 99, "choice": "left"}]}))
    with pytest.raises(DataError, match="must name a pair of the study"):
        score_study([path])
    path.write_text("[]")
    with pytest.raises(DataError, match="vid2vid-study-answers-1"):
        score_study([path])
    with pytest.raises(DataError, match="must be readable JSON"):
        score_study([folder / "absent.json"], key=folder / "key.json")
    with pytest.raises(DataError, match="none was given"):
        score_study([])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("a", "b"), "got 2 systems and no --out"),
        (("a", "--out", "o"), "got 1 systems"),
        (("--key", "k"), "--key is for --score"),
        (("a", "--score", "s"), "leave systems, --out and --reference out"),
    ],
)
def test_a_study_needs_two_systems_or_answers(words, expected, capsys):
    assert run("study", *words) == 2
    assert expected in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("display_seconds", 9.0, "0.125 to 8 seconds"),
        ("pairs", 0, "--pairs must be at least 1"),
        ("clip_frames", 0, "--clip-frames must be at least 1"),
        ("height", 3, "--height must be at least 16"),
    ],
)
def test_options_out_of_range_are_refused(name, value, expected, tmp_path):
    with pytest.raises(ConfigError, match=expected):
        StudyOptions(first=tmp_path, second=tmp_path, out=tmp_path, **{name: value})


def test_systems_of_different_length_are_refused(tmp_path, capsys):
    a, b = write(tmp_path / "a", 20), write(tmp_path / "b", 20, num_frames=5)
    assert run("study", a, b, "--out", tmp_path / "out") == 2
    assert "all need equally many frames" in capsys.readouterr().err
