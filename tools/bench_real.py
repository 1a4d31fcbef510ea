"""Train on a real clip, roll out over frames that were held out, and print what it is worth.

With several sequences, the end of each is held out, and all figures are means over them.
Every model is trained by `vid2vid-train` in a process of its own with one thread, so that its CPU
minutes are those of one core. Compared: the full generator and `no_flow`, without discriminators
(`plain`, a recipe of its own: see LOSSES) and with them (the configuration as it is), against
painting each label with its mean training colour, the mean training frame, and repeating the last
real frame. Started (real) from the two real frames before the held-out ones, (zeros) from nothing,
and (one_step) from the real frames before every frame.

    python tools/bench_real.py camvid --data FOLDER --steps 1100 --seeds 3 --jobs 2
    python tools/bench_real.py edges --data FOLDER --models ours --losses adversarial --seeds 1
"""

import pipelines  # isort: skip  # noqa: F401 - before torch: says how its threads wait

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Annotated, NamedTuple

import matplotlib as mpl
import numpy as np
import torch
import typer
from apart import Training, cpu_minutes, train_all
from numpy.typing import NDArray

from pipelines.build import load_generation
from pipelines.config.file import read_config
from pipelines.config.run import RunConfig
from pipelines.holdout import (
    Holdout,
    Scores,
    Start,
    draw_inputs,
    flow_ratio,
    frames_of,
    label_painting,
    mean_frame,
    open_holdouts,
    repeat_last,
    score,
    unroll,
)
from pipelines.rendering.detail import set_detail
from vid2vid.training.preview import draw_titles, to_picture
from vid2vid.video.pictures import write_picture

mpl.use("Agg")
from matplotlib import pyplot as plt

STARTS: tuple[Start, ...] = ("real", "zeros", "one_step")
MODELS: dict[str, tuple[str, ...]] = {
    "ours": (),
    "no_flow": ("generator.flow=false",),
}
LOSSES: dict[str, tuple[str, ...]] = {
    "plain": (
        "schedule.steps=1600",
        "generator.detail_px=0",
        "image_discriminator=null",
        "video_discriminator=null",
        "losses.pixel=10",
        "losses.generated_warp=2",
        "losses.occlusion=0",
        "losses.hallucinated=0.5",
        "optimizer.betas=[0.9,0.999]",
        "schedule.clip_length=4",
        "schedule.clip_growth=0.3",
    ),
    "adversarial": (),
}


class Job(NamedTuple):
    """One model to be trained."""

    model: str
    losses: str
    seed: int

    @property
    def name(self) -> str:
        """Name of its run folder."""
        return f"{self.model}_{self.losses}_{self.seed}"


class Result(NamedTuple):
    """What one model, or one baseline, reaches from one start."""

    psnr: float
    ssim: float
    warping_error: float
    gradient_ratio: float
    flow_ratio: float
    curves: Scores


def has_discriminators(config: str) -> bool:
    """Tell whether a configuration trains against any discriminator."""
    read = read_config(config, RunConfig)
    return read.image_discriminator is not None or read.video_discriminator is not None


def training_of(job: Job, *, config: str, out: Path, options: list[str]) -> Training:
    """Say how one model is trained."""
    if job.losses == "adversarial" and not has_discriminators(config):
        raise SystemExit(f"{config} has no discriminator: use --losses plain")
    settings = [f"training.seed={job.seed}", *MODELS[job.model], *LOSSES[job.losses], *options]
    return Training(config, out / job.name, settings)


class Evaluation(NamedTuple):
    """One trained model on the held-out frames of every sequence."""

    holdouts: list[Holdout]
    results: dict[Start, Result]
    frames: dict[Start, list[torch.Tensor]]  # generated, 'n 3 h w' a sequence
    inputs: list[list[NDArray[np.uint8]]]  # 'h (n w) 3' a frame, what it was painted from


def judge(
    holdouts: list[Holdout], frames: list[torch.Tensor], *, start: Start, ratio: float
) -> Result:
    """Score the generated frames of every sequence and take the means over all of them."""
    pairs = zip(holdouts, frames, strict=True)
    scores = [score(holdout, own, start=start) for holdout, own in pairs]
    shortest = min(len(own.psnr) for own in scores)
    means = [float(torch.cat(values).nanmean()) for values in zip(*scores, strict=True)]
    curves = [
        torch.stack([own[:shortest] for own in values]).nanmean(0)
        for values in zip(*scores, strict=True)
    ]
    return Result(*means, flow_ratio=ratio, curves=Scores(*curves))


def evaluate(folder: Path, *, detail: float | None = None) -> Evaluation:
    """Score one trained model from every start, with `detail` as in rendering."""
    generation = load_generation(folder, torch.device("cpu"))
    set_detail(generation, detail)
    holdouts = open_holdouts(generation)
    results: dict[Start, Result] = {}
    frames: dict[Start, list[torch.Tensor]] = {}
    for start in STARTS:
        outputs = [unroll(generation, holdout, start) for holdout in holdouts]
        frames[start] = [frames_of(own) for own in outputs]
        pairs = list(zip(holdouts, outputs, strict=True))
        ratio = float(np.mean([flow_ratio(*pair) for pair in pairs]))
        ratio = ratio if start == "one_step" else float("nan")
        results[start] = judge(holdouts, frames[start], start=start, ratio=ratio)
    inputs = [draw_inputs(generation, holdout) for holdout in holdouts]
    return Evaluation(holdouts, results, frames, inputs)


def rows(results: dict[Job, dict[Start, Result]], baselines: dict[str, Result]) -> Iterator[str]:
    """Lay out the table: mean over seeds, with the spread between seeds of the PSNR."""
    yield (
        f"{'model':24s} {'start':9s} {'PSNR dB':>14s} {'SSIM':>6s} {'warp err e-4':>12s} "
        f"{'gradient':>8s} {'flow/zero':>9s}"
    )
    for name, result in baselines.items():
        yield _row(name, "", [result])
    kinds = sorted({(job.losses, job.model) for job in results}, reverse=True)
    for (losses, model), start in product(kinds, STARTS):
        seeds = [
            r[start] for job, r in results.items() if (job.losses, job.model) == (losses, model)
        ]
        yield _row(f"{model} {losses}", start, seeds)


def _row(name: str, start: str, results: list[Result]) -> str:
    """Lay out one row."""
    values = np.array([result[:5] for result in results], dtype=float)
    mean, spread = values.mean(0), values[:, 0].std()
    ratio = "" if np.isnan(mean[4]) else f"{mean[4]:.2f}"
    return (
        f"{name:24s} {start:9s} {mean[0]:7.2f} ± {spread:4.2f} {mean[1]:6.3f} "
        f"{mean[2] * 1e4:12.2f} {mean[3]:8.2f} {ratio:>9s}"
    )


def plot(results: dict[Job, dict[Start, Result]], baselines: dict[str, Result], path: Path) -> None:
    """Draw the curves over the held-out frames, a panel per start and measure."""
    measures = ("psnr", "ssim", "warping_error", "gradient_ratio")
    figure, axes = plt.subplots(len(measures), len(STARTS), figsize=(15, 14), sharex=True)
    for (row, measure), (column, start) in product(enumerate(measures), enumerate(STARTS)):
        axis = axes[row][column]
        for kind in sorted({(job.model, job.losses) for job in results}):
            lines = [
                getattr(r[start].curves, measure).numpy()
                for job, r in results.items()
                if (job.model, job.losses) == kind
            ]
            axis.plot(np.mean(lines, axis=0), label=" ".join(kind))
        for name, result in baselines.items():
            axis.plot(getattr(result.curves, measure).numpy(), "--", label=name)
        axis.set_title(f"{measure}, start: {start}")
        axis.set_xlabel("held-out frame")
    axes[0][0].legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=80)


def sheet(evaluation: Evaluation, columns: dict[str, list[torch.Tensor]], path: Path) -> None:
    """Write a contact sheet: held-out frames of every sequence, a titled column per model."""
    is_alone = len(evaluation.holdouts) == 1
    rows: list[NDArray[np.uint8]] = []
    for number, drawn in enumerate(evaluation.inputs):
        for index in range(0, len(drawn), 2) if is_alone else [len(drawn) // 2]:
            pictures = [to_picture(frames[number][index]) for frames in columns.values()]
            rows.append(np.concatenate([drawn[index], *pictures], axis=1))
    width = evaluation.holdouts[0].real.shape[3]
    panels = evaluation.inputs[0][0].shape[1] // width
    titles = ["input", *[""] * (panels - 1), *columns]
    write_picture(path, np.concatenate([draw_titles(titles, width), *rows], axis=0))


def main(
    config: Annotated[str, typer.Argument(help="Configuration with data.frame_range set.")],
    data: Annotated[Path | None, typer.Option(help="Folder of the data set.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the runs and the report.")] = Path(
        "runs/bench"
    ),
    steps: Annotated[int | None, typer.Option(help="Steps of every model.")] = None,
    seeds: Annotated[int, typer.Option(help="Models of each kind.")] = 3,
    jobs: Annotated[int, typer.Option(help="Models trained at a time, one core each.")] = 2,
    models: Annotated[str, typer.Option(help="Comma list of ours, no_flow.")] = "ours,no_flow",
    losses: Annotated[str, typer.Option(help="Comma list of plain, adversarial.")] = (
        "plain,adversarial"
    ),
    detail: Annotated[
        float | None,
        typer.Option(help="Detail in px of ours with discriminators, as in rendering."),
    ] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="Any setting.")] = None,
) -> None:
    """Train, roll out, score; print the table and write curves and contact sheets."""
    out.mkdir(parents=True, exist_ok=True)
    options = [*(settings or []), f"training.preview_every={10**6}"]
    options += [f"data.root={data}"] if data else []
    options += [f"schedule.steps={steps}"] if steps else []
    wanted = [
        Job(model, kind, seed)
        for seed, kind, model in product(range(seeds), losses.split(","), models.split(","))
    ]
    trainings = [training_of(job, config=config, out=out, options=options) for job in wanted]
    train_all(trainings, workers=jobs)
    results: dict[Job, dict[Start, Result]] = {}
    columns: dict[Start, dict[str, list[torch.Tensor]]] = {start: {} for start in STARTS}
    evaluation = None
    for job in wanted:
        own = detail if job == Job("ours", "adversarial", job.seed) else None
        evaluation = evaluate(out / job.name, detail=own)
        results[job] = evaluation.results
        for start in STARTS:
            if job.seed == 0:
                columns[start][f"{job.model} {job.losses}"] = evaluation.frames[start]
    if evaluation is None:
        raise SystemExit("nothing to do: --seeds, --models or --losses is empty")
    holdouts = evaluation.holdouts
    stills = {"mean frame": mean_frame, "repeat last": repeat_last}
    if holdouts[0].labels is not None:
        stills = {"label painting": label_painting, **stills}
    painted = {name: [paint(holdout) for holdout in holdouts] for name, paint in stills.items()}
    nan = float("nan")
    baselines = {n: judge(holdouts, f, start="zeros", ratio=nan) for n, f in painted.items()}
    real = [holdout.real for holdout in holdouts]
    noise = judge(holdouts, real, start="real", ratio=nan).warping_error
    minutes = [cpu_minutes(out / job.name) for job in wanted]
    table = "\n".join(rows(results, baselines))
    table += f"\nwarping error of the real frames: {noise * 1e4:.2f} e-4"
    table += f"\nCPU minutes a model: {min(minutes):.1f} to {max(minutes):.1f}"
    print(table)
    (out / "table.txt").write_text(table + "\n")
    plot(results, baselines, out / "curves.png")
    for start in STARTS:
        sheet(evaluation, {**columns[start], "real": real, **painted}, out / f"{start}.png")


if __name__ == "__main__":
    typer.run(main)
