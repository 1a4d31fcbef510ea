"""Palindromes, 1 ... N ... 1: read from files, or driven by a checkpoint, which is timed too."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pipelines.bench import RenderTiming, drive_palindrome, time_generation
from pipelines.build import Generation
from pipelines.evaluation.footage import Readings
from pipelines.evaluation.judging import Judge
from pipelines.evaluation.ledger import When
from pipelines.evaluation.options import EvaluateOptions
from pipelines.evaluation.sources import Footage
from pipelines.evaluation.translation import pick_map
from pipelines.evaluation.visits import Visit, note_control_visits, note_visits, read_visits
from pipelines.render import Renderer
from pipelines.rendering.input_choice import choose_inputs
from pipelines.rendering.label_choice import choose_conditioning, takes_instances
from pipelines.rendering.options import RenderOptions
from pipelines.rendering.style_choice import choose_styles
from vid2vid.errors import ConfigError
from vid2vid.labels.palettes import load_mapping


class Drive(NamedTuple):
    """A checkpoint, ready to render each sequence as it was rendered."""

    generation: Generation
    renders: list[RenderOptions]
    seconds: float  # for which it was read


def open_drive(options: EvaluateOptions, footage: list[Footage]) -> Drive | None:
    """Read the checkpoint, once, and see that it fits all sequences; None where none was given.

    Raises:
        Vid2VidError: if checkpoint, label maps and options do not fit.
    """
    if options.checkpoint is None:
        return None
    began = time.perf_counter()
    generation = Renderer.load(options.checkpoint, device=options.device).generation
    seconds = time.perf_counter() - began
    renders = [choose_render(options, each, generation) for each in footage]
    return Drive(generation, renders, seconds)


def time_drive(drive: Drive, footage: Footage) -> RenderTiming | None:
    """Time a render of a sequence, as if the checkpoint were read now."""
    if footage.labels is None:
        return None
    began = time.perf_counter() - drive.seconds
    labels, render = footage.labels.place, drive.renders[0]
    return time_generation(drive.generation, labels, render, dtype="float32", began=began)


def measure_palindromes(
    footage: list[Footage], judge: Judge, drive: Drive | None, *, readings: Readings
) -> None:
    """Measure both visits of every frame, of the systems and of the controls."""
    systems = judge.streams[: judge.real_index]
    with tempfile.TemporaryDirectory() as folder:
        for sequence, each in enumerate(footage):
            if not each.palindromes and drive is None:
                continue
            where = When(sequence, 0, len(footage) == 1)
            note_control_visits(judge.ledger, each, readings, where=where)
            for system, stream in zip(systems, each.palindromes, strict=False):
                note_visits(judge.ledger, system, read_visits(stream), where=where)
            if drive is not None and each.labels is not None:
                scratch = Path(folder) / str(sequence)
                scratch.mkdir()
                driven = drive_palindrome(
                    drive.generation, each.labels.place, drive.renders[sequence], scratch=scratch
                )
                note_visits(judge.ledger, systems[0], _as_visits(driven), where=where)


def choose_render(
    options: EvaluateOptions, footage: Footage, generation: Generation
) -> RenderOptions:
    """Settle how a checkpoint renders the label maps of a sequence.

    At the size of the generated frames, from the palette of the label maps, with their instance
    maps: those that were given, otherwise those of the world, where the checkpoint takes any.

    Raises:
        ConfigError: if the checkpoint wants what was not given, or was given what it does not take.
        DataError: if the label maps are in a palette that is not mapped to the checkpoint's.
    """
    instances = footage.instances
    if instances is None and footage.world is not None and options.boundary is None:
        folder = footage.world.folder / "instances"
        instances = folder if takes_instances(generation) and folder.is_dir() else None
    if generation.palette is None:
        raise ConfigError(
            "--checkpoint is driven by the label maps of --labels; this one takes controls in "
            "their place: leave it out"
        )
    name = pick_map(options, generation.palette)
    is_mapped_elsewhere = name is None and options.palette is None and options.maps
    source = load_mapping(options.maps[0]).source if is_mapped_elsewhere else options.palette
    render = RenderOptions(
        instances=instances,
        frames=footage.part,
        boundary=options.boundary,
        palette=source,
        map=name,
        seed=options.seed,
        height=footage.size.height,
        width=footage.size.width,
    )
    choose_conditioning(render, generation)
    choose_styles(render, generation, choose_inputs(render, generation).reader)
    return render


def _as_visits(driven: Iterator[tuple[int, Any, Any]]) -> Iterator[Visit]:
    return (Visit(*each) for each in driven)
