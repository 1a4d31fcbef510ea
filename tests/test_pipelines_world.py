"""The command that renders a world into a folder."""

import json
import os
import signal
import threading
import time

import pytest
import typer

from pipelines.cli import world as cli_world
from pipelines.world import WorldOptions, write_world
from vid2vid.errors import ConfigError
from vid2vid.world.config import WorldConfig

OPTIONS = WorldOptions(
    world_seed=0,
    style_seed=1,
    num_frames=2,
    start=0,
    height=24,
    width=40,
    config=WorldConfig(),
    device="cpu",
)


def run(*words) -> int:
    app = typer.Typer(pretty_exceptions_enable=False)
    cli_world.register(app)
    app.command("other")(lambda: None)  # or the one command would have no name
    with pytest.raises(SystemExit) as end:
        app(["world", *map(str, words)], prog_name="vid2vid")
    return int(end.value.code or 0)


def test_the_command_writes_frames_from_the_one_that_was_asked_for(tmp_path, capsys):
    out = tmp_path / "world"
    assert run(out, "--frames", 2, "--size", "24x40", "--start", 4, "--device", "cpu") == 0
    assert capsys.readouterr().out.strip() == str(out)
    assert sorted(path.name for path in (out / "flow").iterdir()) == ["000004.npy", "000005.npy"]


def test_frames_are_the_same_wherever_the_video_starts(tmp_path):
    write_world(tmp_path / "whole", OPTIONS._replace(num_frames=3))
    write_world(tmp_path / "part", OPTIONS._replace(num_frames=1, start=2))
    for name in ("frames/000002.png", "flow/000002.npy", "surface/000002.npy", "depth/000002.npy"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "part" / name).read_bytes()


def test_the_result_can_be_had_as_json(tmp_path, capsys):
    words = ("--frames", 1, "--size", "24x40", "--path", "loop", "--json", "--device", "cpu")
    assert run(tmp_path / "world", *words) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["num_frames"], result["height"], result["width"]) == (1, 24, 40)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--size", "24"), "--size must be HEIGHTxWIDTH, such as 256x512; got '24'"),
        (("--size", "4x40"), "--size 4x40 (HEIGHTxWIDTH)"),
        (("--speed", "0"), "--speed must be above 0 m/s; got 0"),
        (("--device", "abacus"), "--device must be one of cpu"),
    ],
)
def test_wrong_options_are_one_line_and_write_nothing(tmp_path, capsys, words, message):
    assert run(tmp_path / "world", *words) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "world").exists()


def test_a_share_beyond_1_is_refused(tmp_path, capsys):
    assert run(tmp_path / "world", "--traffic", "2") == 2
    assert "--traffic" in capsys.readouterr().err


@pytest.mark.parametrize("change", [{"num_frames": 0}, {"start": -1}, {"width": 7}])
def test_numbers_out_of_range_are_refused(tmp_path, change):
    with pytest.raises(ConfigError, match="a world needs at least 1 frame"):
        write_world(tmp_path / "world", OPTIONS._replace(**change))


# The signal may come while a file is being opened, which nobody can then close.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_leaves_whole_files(tmp_path):
    out = tmp_path / "world"

    def interrupt() -> None:
        while not (out / "surface" / "000001.npy").exists():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt, daemon=True)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        write_world(out, OPTIONS._replace(num_frames=2_000))
    thread.join()
    assert not list(out.rglob(".*"))
    count = len(json.loads((out / "camera.json").read_text())["frames"])
    assert 1 <= count <= len(list((out / "frames").iterdir())) <= count + 1
    assert (out / "labels.partial.mp4").stat().st_size > 0
