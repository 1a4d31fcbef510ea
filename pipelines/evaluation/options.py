"""What can be asked of an evaluation. Imports no torch, for the command line."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipelines.parts import read_part
from vid2vid.errors import ConfigError

REAL, SHUFFLED, PERTURBED = "real", "shuffled", "perturbed"
CONTROLS = (REAL, SHUFFLED, PERTURBED)

BLOCK_FRAMES = 16
"""Frames of a block, the unit of the bootstrap where there is one sequence."""


@dataclass(frozen=True)
class EvaluateOptions:
    """What is judged, by what, and where the report goes."""

    real: Path
    """Real frames: a video, a folder or glob of pictures, a folder of such, or a .txt list."""
    generated: tuple[Path, ...]
    """One such place for each system."""
    report: Path
    """Folder for report.json and report.html."""
    frames: str | None = None
    """Part of every sequence: A:B, counted from 0, B not included; None = all. What holds just as
    many frames as the part, as a rendering of it does, is taken for it."""
    labels: Path | None = None
    """Label maps that were rendered, likewise."""
    world: Path | None = None
    """Folder of `vid2vid world`, or a folder of such: known flow, surface points and labels."""
    palette: str | None = None
    """Palette of the label maps; None = where `maps` lead from, otherwise the segmenter's."""
    maps: tuple[str, ...] = ()
    """Mappings of their ids to the palettes of segmenter and checkpoint: names or YAML files."""
    segmenter: Path | None = None
    """None = the one that comes with the package."""
    raft: Path | None = None
    """Weights of torchvision's RAFT."""
    inception: Path | None = None
    """TorchScript file of FID and KID."""
    lpips: Path | None = None
    """Weights of torchvision's AlexNet, for LPIPS."""
    i3d: Path | None = None
    """TorchScript file of FVD."""
    palindrome: tuple[Path, ...] = ()
    """One video for each system, rendered from label maps 1 ... N ... 1."""
    checkpoint: Path | None = None
    """Checkpoint that rendered `labels`: it is timed, and driven there and back."""
    instances: Path | None = None
    """Instance maps for it; None = those of `world`, where it takes any."""
    boundary: Literal["labels"] | None = None
    """Let it draw boundaries from the labels, where it wants instances and there are none."""
    seed: int = 0
    """Of the controls, of the bootstrap, and of what the checkpoint draws."""
    device: str | None = None
    """Where networks and filters compute; None = a GPU where there is one."""

    def __post_init__(self) -> None:
        read_part(self.frames)
        if not self.generated:
            raise ConfigError(
                "a generated video is needed: --generated PLACE, or several after --compare"
            )
        if self.palindrome and len(self.palindrome) != len(self.generated):
            raise ConfigError(
                f"--palindrome must be given once for each of {len(self.generated)} systems, in "
                f"their order; it was given {len(self.palindrome)} times"
            )
        has_labels = self.labels is not None or self.world is not None
        if self.checkpoint is not None and (not has_labels or len(self.generated) > 1):
            raise ConfigError(
                "--checkpoint is for one system and needs the label maps it rendered: add --labels "
                "or --world and evaluate one system, or leave --checkpoint out"
            )
        for name, given in (("--instances", self.instances), ("--boundary", self.boundary)):
            if given is not None and self.checkpoint is None:
                raise ConfigError(
                    f"{name} says how a checkpoint renders, and none is driven: add --checkpoint "
                    "or leave it out"
                )
        if self.checkpoint is not None and self.palindrome:
            raise ConfigError(
                "--checkpoint drives the labels there and back itself: leave --palindrome out"
            )
