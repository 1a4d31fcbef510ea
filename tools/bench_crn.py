"""Rerun the comparison of the CRN paper: every generator with every loss, on one data set.

Chen & Koltun compare cascaded refinement with an encoder-decoder and a network of full resolution,
with the same network under an image-space loss, and with adversarial ones, some of other networks.
Here each generator meets each loss, for the same minutes of one core: perceptual (calibrated, on
what the configuration names), image-space L1, a discriminator, one with a segmentation
discriminator beside it, and one with feature matching. Scored on the frames of the first sequence
after the end of `data.frame_range`, sorted by name; beside them, each label painted with its mean
training colour. What the figures say is told in `tools/bench_stills.py`.

    python tools/bench_crn.py crn_small --data camvid1hz --minutes 20
    python tools/bench_crn.py crn_256 --data datasets/cityscapes --minutes 600 --published \
        --set 'data.frame_range=[0, -5]' --set losses.perceptual_network=vgg
"""

import pipelines  # isort: skip  # noqa: F401 - before torch: says how its threads wait

import json
from itertools import product
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from apart import Training, train_all
from bench_stills import Exhibit, Task, report

from pipelines.config.file import read_config
from pipelines.config.run import RunConfig
from vid2vid.networks.crn import CRNConfig

PATCHES = "image_discriminator={width: %d, layers: 3, scales: 1}"
SEGMENTS = "segmentation_discriminator={width: %d, downsamplings: %d, widest: %d}"
# With adversarial losses Adam needs a shorter memory than the paper's own loss (pix2pix).
GAN = (
    "losses.perceptual=0",
    "losses.pixel=0",
    "losses.image_gan=1",
    "losses.matching=0",
    "losses.segmentation_gan=1",
    "optimizer.betas=[0.5, 0.999]",
)
ALONE = ("image_discriminator=null", "segmentation_discriminator=null")
ADVERSARIAL = ("gan", "gan_segmentation", "gan_matching")
LOSSES: dict[str, tuple[str, ...]] = {
    "perceptual": ("losses.perceptual_balance=calibrated", *ALONE),
    "l1": ("losses.perceptual=0", "losses.pixel=10", *ALONE),
    "gan": GAN,
    "gan_segmentation": GAN,
    "gan_matching": (*GAN, "losses.matching=10"),
}
SMALL: dict[str, dict[str, Any]] = {
    "crn": {"width": 64},
    "encoder_decoder": {"width": 24, "widest": 128},
    "full_resolution": {"width": 24},
    "pix2pix_unet": {"width": 24},
    "pix2pixhd": {"width": 24, "downsamplings": 3, "blocks": 4},
}
GENERATORS = tuple(SMALL)


class Job(NamedTuple):
    """One generator with one loss."""

    generator: str
    loss: str

    @property
    def name(self) -> str:
        """Name of its run folder."""
        return f"{self.generator}_{self.loss}"


def generator_settings(kind: str, height: int, *, published: bool) -> dict[str, Any]:
    """Say what a generator is for frames of a height, as published or small enough for a core."""
    modules = CRNConfig(height=height).modules
    fitting: dict[str, dict[str, Any]] = {
        "crn": {"height": height},
        "encoder_decoder": {"downsamplings": modules - 1},
        "pix2pix_unet": {"downsamplings": modules},
    }
    own = {} if published else SMALL[kind]
    return {"kind": kind, **own, **fitting.get(kind, {})}


def settings_of(job: Job, height: int, *, published: bool) -> list[str]:
    """List the overrides of one job."""
    generator = generator_settings(job.generator, height, published=published)
    settings = [
        f"generator={json.dumps(generator)}",
        *LOSSES[job.loss],
        "video_discriminator=null",
        "region_discriminator=null",
        "validation=null",
        "schedule.freeze=0",
        "training.init_from=null",
        "training.preview_every=1000000",
    ]
    if job.loss in ADVERSARIAL:
        settings.append(PATCHES % (64 if published else 24))
    if job.loss == "gan_segmentation":
        settings.append(SEGMENTS % ((128, 6, 512) if published else (16, 4, 64)))
    elif job.loss in ADVERSARIAL:
        settings.append("segmentation_discriminator=null")
    return settings


def chosen(listed: str, known: tuple[str, ...]) -> list[str]:
    """Read a comma list of names."""
    names = listed.split(",")
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SystemExit(f"must be of {', '.join(known)}; got {', '.join(unknown)}")
    return names


def main(
    config: Annotated[str, typer.Argument(help="Configuration with labels and frames held out.")],
    data: Annotated[Path | None, typer.Option(help="Folder of the data set.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the runs and the report.")] = Path(
        "runs/bench_crn"
    ),
    minutes: Annotated[float, typer.Option(help="Of training each pair, on one core.")] = 20,
    generators: Annotated[str, typer.Option(help="Comma list.")] = ",".join(GENERATORS),
    losses: Annotated[str, typer.Option(help="Comma list.")] = ",".join(LOSSES),
    published: Annotated[bool, typer.Option(help="Published sizes, not those for a core.")] = False,
    jobs: Annotated[int, typer.Option(help="Trained at a time, one core each.")] = 2,
    settings: Annotated[list[str] | None, typer.Option("--set", help="Any setting.")] = None,
) -> None:
    """Train, paint, score; print the table and write a contact sheet for every loss."""
    own = [*(settings or []), *([f"data.root={data}"] if data else [])]
    read = read_config(config, RunConfig, overrides=own)
    if not read.losses.perceptual and "perceptual" in losses.split(","):
        raise SystemExit(
            f"{config} has no perceptual loss to compare with: --set losses.perceptual=1, or leave "
            "it out of --losses"
        )
    height = read.data.height
    wanted = {
        job: [*settings_of(job, height, published=published), *own]
        for job in (
            Job(kind, loss)
            for loss, kind in product(chosen(losses, tuple(LOSSES)), chosen(generators, GENERATORS))
        )
    }
    out.mkdir(parents=True, exist_ok=True)
    trainings = [Training(config, out / job.name, own) for job, own in wanted.items()]
    train_all(trainings, workers=jobs, minutes=minutes)
    report([exhibit_of(job, out) for job in wanted], out, task=Task.UNSEEN)


def exhibit_of(job: Job, out: Path) -> Exhibit:
    """Show one job on the sheet of its loss."""
    return Exhibit(f"{job.generator} {job.loss}", out / job.name, job.generator, job.loss)


if __name__ == "__main__":
    typer.run(main)
