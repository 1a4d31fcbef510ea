"""The commands on official checkpoints run, on small networks of the same kinds."""

import re
import shlex
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import official_networks as official
import official_pix2pix as pix2pix
import pytest
import torch
from tiny_runs import tiny_checkpoint

from pipelines.cli import app as cli
from vid2vid.legacy.clusters import write_clusters

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "official_checkpoints.md").read_text()
SECTION = (ROOT / "README.md").read_text().split("## Official checkpoints")[1].split("\n## ")[0]
DOORS = {
    "vid2vid": cli.main,
    "vid2vid-train": cli.train_main,
    "vid2vid-render": cli.render_main,
    "vid2vid-still": cli.still_main,
}


def commands() -> list[list[str]]:
    """List the indented command lines of the README's section and of the page."""
    lines = re.findall(r"^    (vid2vid\S* .*)$", SECTION + PAGE, re.MULTILINE)
    return [shlex.split(line) for line in lines]


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every checkpoint that the page names, and inputs: labels, instances, photos."""
    torch.manual_seed(0)
    norm, runs = official.instance_norm, tmp_path / "checkpoints"
    small = {"depth": 1, "count": 2, "norm": official.batch_norm}
    still = {"width": 4, "depth": 2, "count": 1}
    street = [official.Scale(108, scale=s, width=8 >> s, **small, foreground=True) for s in (0, 1)]
    official.save(runs / "label2city_1024", G0=street[0], G1=street[1])
    single = official.Global(35, width=4, depth=3, count=1, norm=norm)
    official.save(runs / "label2city_single", G_1024=single)
    official.save(runs / "pose", G0=official.Scale(18, scale=0, width=4, **small))
    local = {**still, "enhancers": 1, "local": 1, "norm": norm}
    official.save(runs / "label2city_1024p", G=official.Local(36, **{**local, "depth": 3}))
    styled = official.save(
        runs / "label2city_features",
        G=official.Local(39, **local),
        E=official.Features(width=4, depth=2, channels=3, norm=norm),
    )
    write_clusters(styled / "features_clustered_010.npy", {7: torch.rand(10, 3)})
    u_net = pix2pix.UNet(3, width=2, depth=5, norm=official.batch_norm)
    official.save(runs / "facades", G=u_net)
    shutil.copytree(tiny_checkpoint(tmp_path / "tiny"), tmp_path / "runs" / "cityscapes_seq")
    for name in ("labels", "instances"):
        (tmp_path / name).mkdir()
        for index in range(3):
            ids = np.full((32, 64), 7, np.uint8)
            ids[:, 20 + index : 40] = 26
            cv2.imwrite(str(tmp_path / name / f"{index:03d}.png"), ids)
    for index in range(2):
        noise = np.random.default_rng(index).integers(0, 256, (32, 64, 3), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / f"photo{index}.png"), noise)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_commands_of_the_page_run_in_order(workplace, monkeypatch):
    ran: set[str] = set()
    for words in commands():
        if words[0] == "vid2vid-train":
            words += ["--dry-run", "--set", "losses.perceptual=0"]
        if words[0] in ("vid2vid-render", "vid2vid-still"):
            words += ["--device", "cpu"]
        monkeypatch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as ended:
            DOORS[words[0]]()
        assert not ended.value.code, " ".join(words)
        ran |= {words[0], words[1]}
    assert {"import", "export-legacy", "inspect", "vid2vid-train", "vid2vid-render"} <= ran
    assert (workplace / "out.mp4").is_file()
    assert (workplace / "official" / "cityscapes_seq" / "latest_net_D.pth").is_file()


def test_the_page_names_every_option_of_import(capsys):
    with pytest.raises(SystemExit):
        cli.main(["import", "--help"])
    options = set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out))
    told = {"--help", "--debug", "--json", "--no-instances", "--dropout", "--styles"}
    assert [option for option in sorted(options - told) if option not in PAGE] == []
