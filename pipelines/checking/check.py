"""Check a data set: every sequence by itself, then what holds for all of them together."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import torch

from pipelines.build import build_conditioning, training_palette
from pipelines.checking.finding import find_all
from pipelines.checking.problems import Findings
from pipelines.checking.report import CheckReport
from pipelines.checking.sequence import Expected, SequenceReport, check_sequence
from pipelines.checking.sheet import draw_sheet
from pipelines.checking.subject import Asked, Subject, settle_subject
from pipelines.config.run import RunConfig
from pipelines.console import progress
from pipelines.datasets import open_files
from pipelines.train import fit_course
from pipelines.training.validation import open_validation
from vid2vid.controls.config import AnyControl, stream_of
from vid2vid.data.augment import Size
from vid2vid.data.clips import ClipDataset
from vid2vid.data.config import DataConfig
from vid2vid.data.locating import Places, Wanted
from vid2vid.data.measuring import in_words
from vid2vid.errors import VideoError
from vid2vid.labels.files import LabelReader
from vid2vid.labels.palettes import Palette, load_mapping, load_palette
from vid2vid.video.reading import count_frames

NO_QUESTIONS = Asked()


def check(where: str, asked: Asked = NO_QUESTIONS) -> CheckReport:
    """Walk a data set and name everything that is wrong with it.

    Args:
        where: configuration file or packaged name, folder with a config.yaml, or data set.
        asked: settings that replace those of the configuration.

    Raises:
        ConfigError: if the configuration is not valid, or its data is not there.
        DataError: if its palette or mapping is not valid.
    """
    subject = settle_subject(where, asked)
    config, palette = subject.config, training_palette(subject.config)
    build_conditioning(config, palette)  # refuses foreground classes that the palette lacks
    data = config.data
    if not isinstance(data, DataConfig):
        return CheckReport(subject, palette, "procedural streets", (), (), None)
    if not Path(data.root).expanduser().is_dir():
        open_files(config, data, palette)  # says what to fetch
    findings = Findings()
    streams = {name: control for control in config.controls if (name := stream_of(control))}
    found = find_all(data, Wanted(palette is not None, streams), findings)
    expected = _expect(subject, data, palette, controls=streams)
    with progress(_count_frames(found, expected.kept), "checking") as bar:
        reports = tuple(check_sequence(places, expected, bar) for places in found)
    _check_sizes(reports, findings)
    _check_lengths(subject, data, reports, findings=findings)
    _check_instances(config, data, found, findings=findings)
    problems = [*findings.problems(), *(each for report in reports for each in report.problems)]
    if not any(problem.severity == "error" for problem in problems):
        last = Findings()
        with last.catch("training"):  # whose word is final
            trained_on = open_files(config, data, palette)
            open_validation(config, palette, trained_on=trained_on, device=torch.device("cpu"))
        problems += last.problems()
    dataset = _gather(config, data, expected, reports=reports) if asked.sheet else None
    sheet = None if dataset is None else draw_sheet(dataset, config, palette)
    return CheckReport(subject, palette, data.root, reports, tuple(problems), sheet)


def _expect(
    subject: Subject,
    data: DataConfig,
    palette: Palette | None,
    *,
    controls: Mapping[str, AnyControl],
) -> Expected:
    """Say what training takes of each sequence."""
    config = subject.config
    mapping = None
    if config.labels is not None and config.labels.map is not None:
        mapping = load_mapping(config.labels.map)
    return Expected(
        controls=controls,
        reader=None if palette is None else LabelReader(palette, mapping=mapping),
        file_palette=palette if mapping is None else load_palette(mapping.source),
        instances=config.needs_instances,
        motion=not config.trains_stills,
        mixed=config.trains_stills,
        kept=slice(*(data.frame_range or (None,))),
        size=None if subject.is_bare else Size(data.height, data.width),
    )


def _gather(
    config: RunConfig,
    data: DataConfig,
    expected: Expected,
    *,
    reports: Sequence[SequenceReport],
) -> ClipDataset | None:
    """Make a data set of the sequences in which training would find nothing wrong."""
    usable = [each for report in reports for each in report.sequences if each.num_frames]
    if not usable:
        return None
    return ClipDataset(
        usable,
        data,
        reader=expected.reader,
        controls=config.controls,
        with_instances=expected.instances and all(each.instances for each in usable),
    )


def _check_sizes(reports: Sequence[SequenceReport], findings: Findings) -> None:
    """Warn of sequences of several sizes, which is often a mistake."""
    sizes = Counter(report.size for report in reports if report.size is not None)
    if len(sizes) > 1:
        usual = sizes.most_common(1)[0][0]
        others = [r.name for r in reports if r.size is not None and r.size != usual]
        listed = ", ".join(f"{count} of {in_words(size)}" for size, count in sizes.most_common())
        findings.warn(
            "mixed-sizes",
            f"sequences should have one size; there are {listed}, the first that differs from most "
            f"is '{others[0]}': each is scaled to cover the training size and cropped; check that "
            "this is meant",
            *others,
        )


def _check_lengths(
    subject: Subject,
    data: DataConfig,
    reports: Sequence[SequenceReport],
    *,
    findings: Findings,
) -> None:
    """Compare the lengths of the sequences with those of the clips."""
    schedule, history = subject.config.schedule, subject.config.generator.history
    length = history + schedule.clip_length
    needed = (length - 1) * data.stride[0] + 1
    there = [report for report in reports if report.num_frames]
    short = [report for report in there if report.num_frames < needed]
    say, what = (
        (findings.error, "is too short like all others")
        if len(short) == len(there)
        else (findings.warn, "is skipped")
    )
    for report in short:
        say(
            "short",
            f"clips of {length} frames ({history} past, {schedule.clip_length} generated) at "
            f"stride {data.stride[0]} need {needed}; sequence {report.name} has "
            f"{report.num_frames} and {what}: lower schedule.clip_length or add longer sequences",
            report.name,
        )
    if len(short) < len(there) and not subject.is_bare:
        with findings.catch("short"):
            lengths = [(report.num_frames - 1) // data.stride[0] + 1 for report in there]
            fit_course(subject.config, lengths)


def _check_instances(
    config: RunConfig, data: DataConfig, found: Sequence[Places], *, findings: Findings
) -> None:
    """Note instance maps that the configuration needs and no sequence has."""
    if config.needs_instances and found and not any(places.instances for places in found):
        findings.error(
            "instances",
            f"this configuration needs instance maps; {data.root} has none: add them, or set "
            "labels.boundary and generator.pooling to 'labels' where they are 'instances'",
        )


def _count_frames(found: Sequence[Places], kept: slice) -> int:
    """Count the frames that will be read, without decoding them."""
    total = 0
    for places in found:
        with suppress(VideoError):  # reported when it is read
            total += len(range(count_frames(places.frames))[kept])
    return total
