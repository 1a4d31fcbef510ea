"""Write a checkpoint of ours as the files of an official program."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from pipelines.build import config_of
from pipelines.config.run import RunConfig
from pipelines.official.layouts import (
    OfficialLayout,
    architecture_of,
    foreign_settings,
    layouts,
    official_generator,
)
from vid2vid.checkpoint import STATE_FILE, load_checkpoint
from vid2vid.errors import ConfigError
from vid2vid.legacy.clusters import write_clusters
from vid2vid.legacy.detect import Architecture
from vid2vid.legacy.files import LATEST
from vid2vid.legacy.layers import OfficialNorm, only_identities, release

ExportNorm = Literal["batch", "instance"]

STYLES = "styles."


class Exported(NamedTuple):
    """What was written."""

    arch: Architecture
    norm: OfficialNorm
    paths: tuple[Path, ...]


def export_legacy(
    checkpoint: Path | str,
    folder: Path | str,
    *,
    label: str = LATEST,
    norm: ExportNorm | None = None,
) -> Exported:
    """Write `<label>_net_<NAME>.pth` for every network, and the style clusters where there are any.

    Args:
        checkpoint: a file; or a run folder, whose discriminators then come along.
        folder: is made where there is none.
        label: epoch label of the files.
        norm: official --norm; None takes `batch` where our norms have learnt gains, for which
            official instance norm has no place, and `instance` where they have not.

    Raises:
        CheckpointError: if there is no checkpoint, or `norm` has no place for what it holds.
        ConfigError: if the official program has no such network; names the settings.
        OSError: if the files cannot be written.
    """
    folder = Path(folder)
    _check_names(folder, label)
    saved = load_checkpoint(checkpoint, kind="generator")
    config, where = config_of(saved), str(saved.path)
    _check_known(config, where)
    tensors = saved.tensors | _judges(Path(checkpoint))
    present = _present(layouts(config), tensors)
    _check_one_norm(config, present, where=where)
    form = _norm_form(config, present, norm=norm, where=where)
    files = {
        f"{label}_net_{layout.network}.pth": release(
            layout.layers, own, norm=_own_norm(layout.player, config, form), where=where
        )
        for layout, own in present
    }
    folder.mkdir(parents=True, exist_ok=True)
    paths = [_write(folder / name, content) for name, content in files.items()]
    return Exported(architecture_of(config), form, (*paths, *_write_styles(folder, tensors)))


def _check_names(folder: Path, label: str) -> None:
    """Refuse a place that cannot be a folder, and a label that cannot begin a file's name.

    Raises:
        ConfigError: naming it.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"official files go into a folder; {folder} is none: give another place")
    if not label or Path(label).name != label:
        raise ConfigError(f"--label begins the names of the files, as 'latest' does; got {label!r}")


def _check_known(config: RunConfig, where: str) -> None:
    """Refuse what the official program has not.

    Raises:
        ConfigError: naming the settings.
    """
    if foreign := list(foreign_settings(config)):
        raise ConfigError(
            f"{where} cannot be exported: official {architecture_of(config)} has no "
            f"{', '.join(foreign)}; train with the settings of its recipe to export"
        )


def _judges(folder: Path) -> dict[str, Tensor]:
    """Read the discriminators of a run folder; an imported one may have none, and a file."""
    if not (folder / STATE_FILE).is_file():
        return {}
    state = load_checkpoint(folder, kind="training").tensors
    return {key: tensor for key, tensor in state.items() if "_discriminator" in key.split(":")[0]}


def _present(
    wanted: Sequence[OfficialLayout], tensors: Mapping[str, Tensor]
) -> list[tuple[OfficialLayout, dict[str, Tensor]]]:
    """Pair the official files with the tensors of the networks that the checkpoint holds."""
    found: list[tuple[OfficialLayout, dict[str, Tensor]]] = []
    for layout in wanted:
        prefix = "" if layout.player == "generator" else f"{layout.player}."
        own = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
        if own:
            found.append((layout, own))
    return found


def _check_one_norm(
    config: RunConfig,
    present: Sequence[tuple[OfficialLayout, Mapping[str, Tensor]]],
    *,
    where: str,
) -> None:
    """Refuse a norm in one network and none in the other: official pix2pix has one for both.

    Raises:
        ConfigError: naming both settings.
    """
    judge = config.image_discriminator
    judged = any(layout.player == "image_discriminator" for layout, _ in present)
    norm = official_generator(config).norm
    if judge is None or not judged or (norm == "none") == (judge.norm == "none"):
        return
    raise ConfigError(
        f"{where} cannot be exported: official {architecture_of(config)} has one --norm for both "
        f"networks; generator.norm is {norm!r}, image_discriminator.norm "
        f"{judge.norm!r}: train both with one norm"
    )


def _norm_form(
    config: RunConfig,
    present: Sequence[tuple[OfficialLayout, Mapping[str, Tensor]]],
    *,
    norm: ExportNorm | None,
    where: str,
) -> OfficialNorm:
    """Settle what the official norm layers are.

    Raises:
        ConfigError: if the checkpoint is of another norm.
    """
    own = official_generator(config).norm
    if own in ("batch", "none"):
        if norm not in (None, own):
            raise ConfigError(
                f"{where} has generator.norm {own!r}, which decides: leave --norm {norm} out"
            )
        return "batch" if own == "batch" else "none"
    if norm is None:
        has_learnt = not all(only_identities(layout.layers, own) for layout, own in present)
        norm = "batch" if has_learnt else "instance"
    if norm == "instance" and architecture_of(config) == "vid2vid":
        return "tracked"
    return norm


def _own_norm(player: str, config: RunConfig, form: OfficialNorm) -> OfficialNorm:
    """Return the norm of one network: a discriminator may have none."""
    judge = config.image_discriminator
    if player == "image_discriminator" and judge is not None and judge.norm == "none":
        return "none"
    return form


def _write(path: Path, tensors: dict[str, Tensor]) -> Path:
    """Write a state dict whole or not at all, in the format that old torch reads too."""
    partial = path.with_suffix(".partial")
    try:
        torch.save(tensors, partial, _use_new_zipfile_serialization=False)
        partial.replace(path)
    except (OSError, RuntimeError) as error:
        partial.unlink(missing_ok=True)
        raise OSError(f"{path} could not be written ({error}): check space and rights") from error
    return path


def _write_styles(folder: Path, tensors: Mapping[str, Any]) -> list[Path]:
    """Write the style vectors as clusters; the name holds the largest number of them."""
    styles = {int(k.removeprefix(STYLES)): v for k, v in tensors.items() if k.startswith(STYLES)}
    if not styles:
        return []
    path = folder / f"features_clustered_{max(map(len, styles.values())):03d}.npy"
    write_clusters(path, styles)
    return [path]
