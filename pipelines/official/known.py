"""What a user says about an official checkpoint, and what its channels mean with that."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from vid2vid.data.augment import Size
from vid2vid.errors import ConfigError
from vid2vid.labels.palettes import ID_IGNORE, LabelClass, Palette, load_palette
from vid2vid.legacy.detect import Architecture

FOREGROUND_QUESTION = (
    "; pass the label ids of its foreground model too, such as --foreground 26 (cars, the official "
    "default)"
)
OFFICIAL_STREAM = "A"  # what frames are painted from lies in train_A
FEATURES_QUESTION = "; if the last ones are styles, pass --features N"


@dataclass(frozen=True)
class ImportOptions:
    """What files of weights cannot tell; None = not said."""

    arch: Architecture | None = None
    """Official program that wrote the files; needed only where their keys fit two of them."""
    label: str | None = None
    """Epoch label of the files; None = `latest`, or the only one that is there."""
    palette: str | None = None
    """Palette of the label maps: a name or a YAML file."""
    labels: int | None = None
    """Label ids, where there is no palette for them (official --label_nc); 0 = pictures."""
    instances: bool | None = None
    """Whether a boundary of instance maps is the last channel (official --use_instance)."""
    foreground: tuple[int, ...] | None = None
    """Class ids of the foreground model (official --fg_labels)."""
    features: int | None = None
    """Style channels of a pix2pixHD generator that comes without its encoder."""
    styles: Path | None = None
    """File of style clusters, where the folder holds none or several."""
    first_frames: Literal["real", "zeros"] = "real"
    """How its clips began: from real frames, or from zeros (official --no_first_img)."""
    dropout: bool | None = None
    """Whether a U-Net was trained with dropout; None = it was (official default)."""
    render_dropout: Literal["off", "fixed", "each_frame"] | None = None
    """What dropout does in rendering; None = `off`."""
    statistics: Literal["frame", "running"] | None = None
    """Statistics of BatchNorm in rendering; None = of each `frame`, as pix2pix's test script."""
    size: Size | None = None
    """Frame size it was trained at; None = that of the official recipe."""


class Channels(NamedTuple):
    """What the conditioning channels of one frame are."""

    palette: Palette | None  # None = pictures
    palette_name: str  # as a configuration names it
    pictures: int  # raw channels in [-1, 1]; 0 = labels
    boundary: bool
    features: int  # style channels after them

    def sections(self, foreground: tuple[int, ...] = ()) -> dict[str, Any]:
        """Write the sections `labels` and `controls` of a configuration."""
        if self.palette is None:
            picture = {"kind": "picture", "stream": OFFICIAL_STREAM, "channels": self.pictures}
            return {"labels": None, "controls": [picture, *[{"kind": "boundary"}] * self.boundary]}
        labels = {
            "palette": self.palette_name,
            "boundary": "instances" if self.boundary else "none",
            "foreground": foreground,
        }
        return {"labels": labels}


def understand_channels(
    count: int, options: ImportOptions, *, where: Path, features: int = 0, also: str = ""
) -> Channels:
    """Tell labels, boundary and features apart.

    Args:
        count: channels of one frame in the file.
        options: what was said of them.
        where: the file, for messages.
        features: style channels among them, the last ones.
        also: what else must be said, to ask for everything at once.

    Raises:
        ConfigError: if something must be said, or does not fit; names the options.
    """
    _check_features(features, count, where)
    plain, (palette, labels) = count - features, _read_labels(options)
    if labels is None:
        raise ConfigError(
            f"{where} has {plain} conditioning channels a frame, and does not say what they are: "
            f"pass --palette NAME|FILE or --labels N of {plain} label ids, or of {plain - 1} if "
            f"the last is a boundary, or --labels 0 if they are those of pictures{also}"
        )
    has_boundary = bool(options.instances) if labels == 0 else plain > labels
    if labels == 0:
        return Channels(None, "", plain - has_boundary, has_boundary, features)
    if plain - labels not in (0, 1) or options.instances not in (None, has_boundary):
        said = f"palette '{palette.name}' has {labels}" if palette else f"--labels says {labels}"
        if options.instances is not None:
            said += f" and --{'' if options.instances else 'no-'}instances was given"
        raise ConfigError(
            f"{where} has {plain} conditioning channels a frame: {plain} label ids, or "
            f"{plain - 1} and a boundary; {said}: pass what fits{also}"
        )
    palette = palette or numbered_palette(labels)
    return Channels(palette, options.palette or palette.name, 0, has_boundary, features)


def _check_features(features: int, count: int, where: Path) -> None:
    """Refuse more styles than there are channels, or as many.

    Raises:
        ConfigError: naming the numbers.
    """
    if not 0 <= features < count:
        raise ConfigError(
            f"{where} has {count} conditioning channels, of which {features} cannot be styles: "
            "pass --features N of those that are, or take an encoder of another run out of its "
            "folder"
        )


def _read_labels(options: ImportOptions) -> tuple[Palette | None, int | None]:
    """Load the palette, where one was named, and tell how many label ids there are.

    Raises:
        ConfigError: if two different numbers were said.
    """
    if options.palette is None:
        return None, options.labels
    palette = load_palette(options.palette)
    if options.labels not in (None, palette.num_classes):
        raise ConfigError(
            f"--labels and --palette must agree; palette '{options.palette}' has "
            f"{palette.num_classes} classes, --labels says {options.labels}: leave one out"
        )
    return palette, palette.num_classes


def understand_foreground(
    options: ImportOptions, channels: Channels, *, has_foreground: bool, where: Path
) -> tuple[int, ...]:
    """Settle which labels the foreground model paints.

    Raises:
        ConfigError: if it must be said, or there is no such model.
    """
    given = options.foreground
    if has_foreground and not given:
        raise ConfigError(f"{where} does not say what its foreground is{FOREGROUND_QUESTION}")
    if has_foreground and channels.palette is None:
        raise ConfigError(
            f"{where} has a foreground model, which needs label ids; --labels says 0: pass their "
            "number or --palette"
        )
    if given and not has_foreground:
        raise ConfigError(f"--foreground is for a foreground model; {where} has none: leave it out")
    return given or ()


def numbered_palette(num_classes: int) -> Palette:
    """Make a palette of classes that have no other name than their number.

    Raises:
        ConfigError: if there are more than label maps of one byte can hold.
    """
    if num_classes > ID_IGNORE:
        raise ConfigError(f"--labels must be at most {ID_IGNORE}; got {num_classes}")
    classes = tuple(
        LabelClass(id=number, name=str(number), colour=_colour(number + 1))
        for number in range(num_classes)
    )
    return Palette(name=f"labels{num_classes}", classes=classes)


def _colour(number: int) -> tuple[int, int, int]:
    """Spread the bits of a number over red, green and blue, the lowest to the strongest bits."""
    red, green, blue = (
        sum((number >> (3 * place + channel) & 1) << (7 - place) for place in range(3))
        for channel in range(3)
    )
    return red, green, blue


def check_unused(options: ImportOptions, arch: Architecture) -> None:
    """Refuse what another architecture needs.

    Raises:
        ConfigError: naming the option.
    """
    asked = {
        "--foreground": (options.foreground, "vid2vid"),
        "--features": (options.features, "pix2pixHD"),
        "--styles": (options.styles, "pix2pixHD"),
        "--dropout": (options.dropout, "pix2pix"),
        "--render-dropout": (options.render_dropout, "pix2pix"),
        "--statistics": (options.statistics, "pix2pix"),
    }
    for option, (given, owner) in asked.items():
        if given is not None and owner != arch:
            raise ConfigError(f"{option} is for {owner}; this is {arch}: leave it out")
    if options.first_frames == "zeros" and arch != "vid2vid":
        raise ConfigError(f"--first-frames is for vid2vid; this is {arch}: leave it out")
