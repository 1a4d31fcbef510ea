"""What the documents say is true: the README's commands run, its Python runs, its files exist."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from pipelines.cli import app as cli
from vid2vid.video.reading import read_video

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
CLIP = ROOT / "configs" / "clips" / "robot_kitchen" / "train" / "ep0"
ENTRY_POINTS = {
    "vid2vid": cli.main,
    "vid2vid-train": cli.train_main,
    "vid2vid-render": cli.render_main,
    "vid2vid-still": cli.still_main,
}
QUICK = ["--set", "schedule.steps=2", "--set", "generator.width=8", "--set", "generator.blocks=2"]


def _commands() -> list[list[str]]:
    """List the command lines of the README: indented lines that begin with one of our names.

    Those on official checkpoints are run by tests/test_documents_official.py, which has some.
    """
    ours = re.sub(r"^## Official checkpoints$.*?(?=^## )", "", README, flags=re.M | re.S)
    assert ours != README
    lines = re.findall(r"^    (vid2vid\S* .*)$", ours, re.MULTILINE)
    return [shlex.split(line.split(" > ")[0]) for line in lines]


def _run(words: list[str], monkeypatch: pytest.MonkeyPatch) -> int:
    """Run a command line in this process and return its exit status."""
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as ended:
        ENTRY_POINTS[words[0]]()
    return int(ended.value.code or 0)


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what the README's commands are given: labels, photographs, films, mine.yaml."""
    shutil.copy(CLIP / "labels.mp4", tmp_path / "labels.mp4")
    shutil.copy(CLIP / "frames.mp4", tmp_path / "film.mp4")
    (tmp_path / "films").mkdir()
    shutil.copy(CLIP / "frames.mp4", tmp_path / "films")
    configs = ROOT / "configs"
    mine = (configs / "robot_kitchen.yaml").read_text().replace("{configs}", str(configs))
    (tmp_path / "mine.yaml").write_text(mine)
    for source, name in (("labels", "labels.png"), ("frames", "photo.png")):
        frame = next(iter(read_video(CLIP / f"{source}.mp4")))
        cv2.imwrite(str(tmp_path / name), cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2BGR))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_readme_commands_run_in_order(workplace: Path, monkeypatch: pytest.MonkeyPatch):
    ran: list[str] = []
    for words in _commands():
        if "--minutes" in words:
            where = words.index("--minutes")
            words[where : where + 2] = QUICK
        if words[0] in ("vid2vid-render", "vid2vid-still"):
            words += ["--device", "cpu"]
        assert _run(words, monkeypatch) == 0, " ".join(words)
        ran.append(words[0])
    assert {"vid2vid-train", "vid2vid-render", "vid2vid-still"} <= set(ran)
    assert (workplace / "out.mp4").is_file()
    assert (workplace / "out.png").is_file()


def test_readme_python_runs(workplace: Path, monkeypatch: pytest.MonkeyPatch):
    assert _run(["vid2vid-train", "robot_kitchen", *QUICK], monkeypatch) == 0
    for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        exec(compile(block, "README.md", "exec"), {})
    assert (workplace / "out.mp4").is_file()


def test_readme_holds_no_placeholder():
    assert re.findall(r"^[A-Z_]{6,}$", README, re.MULTILINE) == []


def test_readme_links_lead_to_files():
    links = re.findall(r"\]\((?!http)([^)#]+)", README)
    missing = [link for link in links if not (ROOT / link).exists()]
    assert links
    assert not missing


def test_readme_names_every_configuration():
    names = [path.stem for path in (ROOT / "configs").glob("*.yaml")]
    assert [name for name in names if f"`{name}`" not in README] == []


def test_readme_names_only_targets_that_the_makefile_has():
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    texts = README + (ROOT / "CONTRIBUTING.md").read_text()
    named = re.findall(r"(?:`|^    )make ([a-z-]+)", texts, re.MULTILINE)
    assert {"demo", "test"} <= set(named) <= set(targets)


@pytest.mark.parametrize("name", sorted(ENTRY_POINTS))
def test_installed_commands_start(name: str):
    script = Path(sys.executable).with_name(name)
    done = subprocess.run([script, "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "Usage" in done.stdout


@pytest.mark.parametrize("tool", sorted(path.name for path in (ROOT / "tools").glob("bench_*.py")))
def test_benchmarks_start_and_the_readme_or_changelog_names_them(tool: str):
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / tool, "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert tool in README
