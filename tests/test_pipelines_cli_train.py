"""What the command line of `train` says beside the configuration."""

import pytest

from pipelines.cli.app import main, train_main


def run(entry, *words):
    with pytest.raises(SystemExit) as ended:
        entry(list(words))
    return ended.value.code


def test_init_from_is_a_setting_whatever_the_path(tiny_file, capsys):
    path = 'runs/my "best" run: 2'
    assert run(main, "train", str(tiny_file), "--init-from", path, "--dry-run") == 0
    assert f"init_from: '{path}'" in capsys.readouterr().out


def test_init_from_begins_with_a_runs_weights(tiny_file, capsys):
    settings = ("--set", "schedule.steps=1", "--device", "cpu")
    assert run(train_main, str(tiny_file), *settings) == 0
    first = capsys.readouterr().out.strip()
    again = ("--set", "name=again", *settings)
    assert run(train_main, str(tiny_file), *again, "--init-from", first) == 0
    said = capsys.readouterr()
    assert said.out.strip().endswith("again")
    assert f"took from {first}: generator whole" in said.err


def test_a_checkpoint_to_begin_with_that_is_not_there_is_the_users_mistake(tiny_file, capsys):
    assert run(train_main, str(tiny_file), "--init-from", "nowhere") == 2
    assert "there is no nowhere" in capsys.readouterr().err
