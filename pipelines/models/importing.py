"""Turn an official checkpoint into one of ours, of one file."""

import logging
import re
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from pipelines.build import build_players, check_trainable
from pipelines.config.file import dump_config
from pipelines.config.run import RunConfig
from pipelines.official.known import ImportOptions, check_unused, numbered_palette
from pipelines.official.plan import Plan
from pipelines.official.stills import plan_hd, plan_pix2pix
from pipelines.official.video import plan_video
from vid2vid.checkpoint import save_checkpoint
from vid2vid.errors import CheckpointError, ConfigError
from vid2vid.labels.palettes import Palette
from vid2vid.legacy.clusters import read_clusters
from vid2vid.legacy.detect import Architecture, detect
from vid2vid.legacy.files import OfficialCheckpoint, read_checkpoint
from vid2vid.legacy.layers import adopt

LOGGER = logging.getLogger(__name__)

PLAIN = ImportOptions()


class Imported(NamedTuple):
    """What came out of an official checkpoint."""

    path: Path
    arch: Architecture
    config: RunConfig
    palette: Palette | None
    networks: tuple[str, ...]  # official names of what was taken along
    passed_over: tuple[str, ...]  # official names of what has no place here


def import_checkpoint(
    source: Path | str, out: Path | str, options: ImportOptions = PLAIN
) -> Imported:
    """Read official files, and write them as one checkpoint that renders and can be trained on.

    Args:
        source: a folder of `<label>_net_*.pth`, or one file that holds a generator.
        out: the checkpoint, .safetensors.
        options: what the files cannot tell.

    Raises:
        CheckpointError: if a file is none of the kind or does not fit; names the key.
        ConfigError: if something must be said; names the option.
        OSError: if `out` cannot be written.
    """
    source, out = Path(source).expanduser(), Path(out).expanduser()
    _check_place(out)
    official = read_checkpoint(source, label=options.label)
    arch = options.arch or detect(official)
    check_unused(options, arch)
    name = re.sub(r"[^\w.-]+", "_", out.stem)
    plan = make_plan(official, arch, options, name=name)
    tensors = convert(plan) | _style_tensors(_clusters(official, options), plan)
    palette = plan.palette.model_dump(mode="json") if plan.palette else None
    metadata = {"config": plan.config.model_dump(mode="json"), "palette": palette, "step": 0}
    save_checkpoint(out, tensors, {**metadata, "kind": "generator"})
    if plan.passed_over:
        names, several = ", ".join(plan.passed_over), len(plan.passed_over) > 1
        verbs = ("have", "were") if several else ("has", "was")
        LOGGER.warning("%s of %s %s no place here and %s left behind", names, source, *verbs)
    return Imported(
        path=out,
        arch=arch,
        config=plan.config,
        palette=plan.palette,
        networks=tuple(sorted(official.networks.keys() - set(plan.passed_over))),
        passed_over=plan.passed_over,
    )


def write_config(imported: Imported, path: Path) -> None:
    """Write the configuration with which training goes on from an imported checkpoint.

    Classes that have no palette file get one beside it. Where training would refuse the network,
    that is said.

    Raises:
        ConfigError: if it cannot be written.
    """
    config, palette = imported.config, imported.palette
    training = config.training.model_copy(update={"init_from": str(imported.path.resolve())})
    files = {path: config.model_copy(update={"training": training})}
    is_numbered = palette and palette.name == numbered_palette(palette.num_classes).name
    if config.labels is not None and palette is not None and is_numbered:
        place = path.with_name(f"{path.stem}-palette.yaml")
        labels = config.labels.model_copy(update={"palette": str(place.resolve())})
        files = {path: files[path].model_copy(update={"labels": labels}), place: palette}
    for place, content in files.items():
        try:
            place.write_text(dump_config(content), encoding="utf-8")
        except OSError as error:
            raise ConfigError(
                f"{place} could not be written ({error.strerror}): give another place"
            ) from error
    try:
        check_trainable(config)
    except ConfigError as error:
        LOGGER.warning("%s was written, but training will refuse it: %s", path, error)


def make_plan(
    official: OfficialCheckpoint, arch: Architecture, options: ImportOptions, *, name: str
) -> Plan:
    """Infer the architecture of every network, and settle where each tensor goes.

    Args:
        official: the files.
        arch: the program that wrote them.
        options: what they cannot tell.
        name: of the run that training goes on as.

    Raises:
        CheckpointError: if a generator is missing or does not fit.
        ConfigError: if something must be said; names the option.
    """
    if arch == "vid2vid":
        return plan_video(official, options, name=name)
    if "G" not in official.networks:
        raise CheckpointError(
            f"{official.path} must hold the generator of {arch}, *_net_G.pth; it has "
            f"{', '.join(sorted(official.networks))}: is it another --arch?"
        )
    if arch == "pix2pixHD":
        return plan_hd(official, options, name=name)
    return plan_pix2pix(official, options, name=name)


def convert(plan: Plan) -> dict[str, Tensor]:
    """Give every tensor its name in our checkpoint, strictly.

    Raises:
        CheckpointError: naming the first key that is missing, left over, or of another shape.
    """
    losses = plan.config.losses.model_copy(update={"perceptual": 0.0})
    # On the meta device nothing is drawn and no memory is needed: only shapes are asked for.
    with torch.device("meta"):
        players = build_players(plan.config.model_copy(update={"losses": losses}), plan.palette)
    own = {name: network.state_dict() for name, network in players.trained()}
    tensors: dict[str, Tensor] = {}
    for file, player, layers in plan.tables:
        prefix = "" if player == "generator" else f"{player}."
        found = adopt(layers, file.tensors, own[player], where=file.path)
        tensors |= {f"{prefix}{key}": tensor for key, tensor in found.items()}
    return tensors


def _check_place(out: Path) -> None:
    """Refuse what the other commands would not take for a checkpoint.

    Raises:
        ConfigError: naming the place.
    """
    if out.suffix != ".safetensors":
        raise ConfigError(f"the checkpoint must be a .safetensors file; got {out}")
    if not out.parent.is_dir():
        raise ConfigError(f"the folder of the checkpoint must exist; there is no {out.parent}")


def _clusters(official: OfficialCheckpoint, options: ImportOptions) -> Path | None:
    """Settle which file of style clusters is taken; None where there is none.

    Raises:
        ConfigError: if there are several, or the one that was asked for is not there.
    """
    if options.styles is not None:
        if not options.styles.is_file():
            raise ConfigError(
                f"--styles must be a file of style clusters, features_clustered_*.npy; there is no "
                f"{options.styles}"
            )
        return options.styles
    if len(official.clusters) > 1:
        names = ", ".join(path.name for path in official.clusters)
        raise ConfigError(
            f"{official.path} holds several files of style clusters, {names}: choose one with "
            "--styles"
        )
    return official.clusters[0] if official.clusters else None


def _style_tensors(path: Path | None, plan: Plan) -> dict[str, Tensor]:
    """Read the style vectors, and name them as the checkpoint does.

    Raises:
        CheckpointError: if the generator takes no such styles.
    """
    if path is None:
        return {}
    features = plan.config.generator.features
    if not features:
        raise CheckpointError(
            f"{path} holds style clusters, and the generator beside it takes no styles: is it of "
            "another run? Take it out of the folder, or pass --features N if the generator has "
            "styles"
        )
    styles = read_clusters(path)
    for label, rows in styles.items():
        if rows.shape[1] != features:
            raise CheckpointError(
                f"{path} must have style clusters of {features} features, as many as the generator "
                f"takes; those of class {label} have {rows.shape[1]}: are they of another run?"
            )
    return {f"styles.{label}": rows for label, rows in sorted(styles.items())}
