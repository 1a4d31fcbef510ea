"""Print how fast generators render: frames a second and the ratio to float32, in one run.

    python tools/bench_speed.py robot_kitchen camvid cityscapes_seq --frames 5

Weights are random: speed does not depend on them. Decoding and encoding are left out.
"""

import pipelines  # isort: skip  # noqa: F401 - before torch: says how its threads wait

import time
from typing import Annotated

import torch
import typer

from pipelines.build import build_conditioning, build_generator, choose_device, palette_for
from pipelines.config.file import read_config
from pipelines.config.run import RunConfig
from vid2vid.networks.generator import SequentialGenerator
from vid2vid.rollout import rollout

WARM_UP = 2  # frames


def frames_per_second(
    generator: SequentialGenerator, maps: torch.Tensor, *, frames: int, dtype: torch.dtype
) -> float:
    """Roll out over the same conditioning map again and again."""
    with (
        torch.inference_mode(),
        torch.autocast(maps.device.type, torch.bfloat16, enabled=dtype == torch.bfloat16),
    ):
        outputs = rollout(generator, (maps for _ in range(WARM_UP + frames)))
        for _ in range(WARM_UP):
            next(outputs)
        _wait(maps.device)
        began = time.perf_counter()
        for _ in outputs:
            pass
        _wait(maps.device)
    return frames / (time.perf_counter() - began)


def _wait(device: torch.device) -> None:
    """Wait until a GPU has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize()


def main(
    configs: Annotated[list[str], typer.Argument(help="Configurations.")],
    frames: Annotated[int, typer.Option(help="Frames that are timed.")] = 20,
    device: Annotated[str | None, typer.Option(help="Default: a GPU where there is one.")] = None,
) -> None:
    """Measure every configuration at its own size."""
    place = choose_device(device)
    threads = f", {torch.get_num_threads()} threads" if place.type == "cpu" else ""
    print(f"{place}{threads}")
    print(f"{'configuration':22s} {'size':>10s} {'float32':>9s} {'bfloat16':>9s} {'ratio':>6s}")
    for name in configs:
        config = read_config(name, RunConfig)
        palette = palette_for(config)
        generator = build_generator(config, palette)
        generator.initialise(config.training.seed)
        generator.eval().to(place, memory_format=torch.channels_last)
        size = (1, 1, config.data.height, config.data.width)
        conditioning = build_conditioning(config, palette)
        labels = torch.randint(0, max(1, conditioning.num_classes), size, device=place)
        pictures = torch.rand(1, 1, conditioning.pictures, *size[2:], device=place)
        maps = conditioning(labels, labels, pictures)[:, 0]
        speeds = [
            frames_per_second(generator, maps, frames=frames, dtype=dtype)
            for dtype in (torch.float32, torch.bfloat16)
        ]
        print(
            f"{name:22s} {config.data.width:5d}x{config.data.height:<4d} {speeds[0]:9.2f} "
            f"{speeds[1]:9.2f} {speeds[1] / speeds[0]:6.2f}"
        )


if __name__ == "__main__":
    typer.run(main)
