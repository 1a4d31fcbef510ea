"""Which streams a checkpoint takes, which of them is the input itself, and where the others lie."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pipelines.build import Generation
from pipelines.rendering.label_choice import choose_reader
from pipelines.rendering.options import RenderOptions
from vid2vid.controls.config import (
    DERIVED,
    INSTANCES,
    LABELS,
    AnyControl,
    KnownConfig,
    LandmarksConfig,
    PictureConfig,
    PoseConfig,
    source_of,
    stream_of,
)
from vid2vid.errors import ConfigError
from vid2vid.labels.files import LabelReader

_PICTURE_CHANNELS = (1, 3)  # of what people draw


class Inputs(NamedTuple):
    """What a rendering reads."""

    main: str  # the stream that the input holds: labels, frames (photographs), or a control's own
    reader: LabelReader | None  # of label maps; None without labels
    controls: tuple[AnyControl, ...]  # those that come drawn are read from a stream of their own
    beside: Mapping[str, Path]  # where every other stream lies

    @property
    def far_share(self) -> float:
        """Share of the label pixels so far that were far from every colour of the palette."""
        return 0.0 if self.reader is None else self.reader.far_share

    def control_of(self, stream: str) -> AnyControl | None:
        """Find the control that is read from a stream; None of labels and photographs."""
        return next((each for each in self.controls if stream_of(each) == stream), None)


def choose_inputs(options: RenderOptions, generation: Generation) -> Inputs:
    """Settle what the input is, and what must lie beside it.

    The input is what the checkpoint takes first: its label maps; otherwise what its first control
    is made of, photographs or a stream of its own.

    Args:
        options: palette, mapping, further streams, and whether the input is drawn.
        generation: says what the checkpoint takes.

    Raises:
        ConfigError: if a stream is missing or unknown, or cannot be drawn, or the checkpoint fills
            photographs.
        DataError: if the label maps' palette does not fit.
    """
    reader = choose_reader(options, generation)
    controls = generation.config.controls
    check_renders(controls)
    if options.drawn:
        controls = _with_drawn_input(controls, has_labels=reader is not None)
    given = dict(options.controls)
    controls = tuple(_with_drawn_stream(control, given) for control in controls)
    main, *others = _needed(controls, has_labels=reader is not None)
    _check_given(given, main, others)
    return Inputs(main, reader, controls, {name: given[name] for name in others})


def check_renders(controls: Sequence[AnyControl]) -> None:
    """Refuse a checkpoint that paints what is missing of a photograph: other commands know what is.

    Raises:
        ConfigError: naming the command that does.
    """
    fills = next((each for each in controls if isinstance(each, KnownConfig)), None)
    if fills is not None:
        command = "extend" if fills.shape == "window" else "inpaint"
        raise ConfigError(
            f"rendering must be given all that frames are painted from; this checkpoint paints "
            f"what is missing of a photograph: use vid2vid {command} --checkpoint"
        )


def _needed(controls: tuple[AnyControl, ...], *, has_labels: bool) -> list[str]:
    """List the streams that are read, each once; instance maps have an option of their own."""
    names = [LABELS] if has_labels else []
    names += [source_of(control) for control in controls]
    return [name for name in dict.fromkeys(names) if name != INSTANCES]


def _with_drawn_input(
    controls: tuple[AnyControl, ...], *, has_labels: bool
) -> tuple[AnyControl, ...]:
    """Take the first control's own pictures from the input.

    Raises:
        ConfigError: if it is not drawn here anyway, or no file holds its pictures.
    """
    first = next((control for control in controls if source_of(control) != INSTANCES), None)
    if has_labels or first is None:
        raise ConfigError(
            "--drawn is for a checkpoint whose input is a control; this one takes label maps: "
            "leave it out, or pass --control NAME=PATH for what lies beside them"
        )
    drawn = _drawn(first)
    if drawn is None:
        raise ConfigError(
            f"--drawn is for what would be drawn here; '{source_of(first)}' is a stream of "
            f"pictures of {first.channels} channels as it is: leave it out"
        )
    return tuple(drawn if control is first else control for control in controls)


def _drawn(control: AnyControl) -> AnyControl | None:
    """Describe a control whose own pictures are given; None where there are no such pictures."""
    if isinstance(control, DERIVED) and control.stream is None:
        return control.model_copy(update={"stream": control.kind})
    if isinstance(control, (PoseConfig, LandmarksConfig)) and control.channels in _PICTURE_CHANNELS:
        return PictureConfig(stream=control.stream, channels=control.channels)
    return None


def _with_drawn_stream(control: AnyControl, given: Mapping[str, Path]) -> AnyControl:
    """Read a control that is found in photographs from a stream of its kind, where one is given."""
    is_derived = isinstance(control, DERIVED) and control.stream is None
    return (_drawn(control) or control) if is_derived and control.kind in given else control


def _check_given(given: Mapping[str, Path], main: str, others: list[str]) -> None:
    """Check that every stream is given once, and no other.

    Raises:
        ConfigError: naming the first that is not.
    """
    missing = [name for name in others if name not in given]
    if missing:
        raise ConfigError(
            f"the checkpoint takes {_list([main, *others])}; the input is '{main}', and "
            f"'{missing[0]}' was not given: pass --control {missing[0]}=PATH"
        )
    if main in given:
        raise ConfigError(
            f"--control names what lies beside the input; '{main}' is the input itself: leave it "
            "out"
        )
    if unknown := [name for name in given if name not in others]:
        takes = f"{_list(others)} beside it" if others else "nothing beside it"
        raise ConfigError(
            f"--control {unknown[0]}=PATH is no stream of this checkpoint, whose input is '{main}' "
            f"and which takes {takes}: leave it out"
        )


def _list(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
