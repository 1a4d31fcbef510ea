"""The plans of pix2pixHD and pix2pix checkpoints."""

from collections.abc import Mapping
from dataclasses import replace

from pipelines.official import recipes
from pipelines.official.judges import OF_PIX2PIX, add_judge
from pipelines.official.known import FEATURES_QUESTION, ImportOptions, understand_channels
from pipelines.official.plan import Plan, Table, complete_config, passed_over
from vid2vid.data.augment import Size
from vid2vid.errors import ConfigError
from vid2vid.legacy.files import OfficialCheckpoint, OfficialFile
from vid2vid.legacy.layers import Layer
from vid2vid.legacy.pix2pix import UNET_KEY, read_resnet, read_unet, resnet_layers, unet_layers
from vid2vid.legacy.pix2pixhd import (
    HDArchitecture,
    feature_layers,
    hd_layers,
    mend_encoder,
    read_encoder,
    read_hd,
)

_OUR_NORMS = {"batch": "batch", "instance": "instance", "tracked": "instance", "none": "none"}


def plan_hd(official: OfficialCheckpoint, options: ImportOptions, *, name: str) -> Plan:
    """Plan G, E and D of pix2pixHD."""
    networks = dict(official.networks)
    found = read_hd(networks["G"])
    tables = [Table(networks["G"], "generator", _hd_table(found))]
    generator = _hd_section(found, options)
    if "E" in networks:
        networks["E"] = mend_encoder(networks["E"])
        generator |= _encoder(networks["E"], options, tables)
    channels = understand_channels(
        found.channels_in,
        options,
        where=networks["G"].path,
        features=generator["features"],
        also=_features_question(networks, generator["features"], found.channels_in),
    )
    image: recipes.Section = {"width": 64, "layers": 3, "scales": 2 + found.enhancers}
    if "D" in networks:
        image = add_judge(networks["D"], "image_discriminator", tables)
    sections = {
        **recipes.hd_recipe(),
        "generator": generator,
        **channels.sections(),
        "image_discriminator": {**image, "widening": False},
        "video_discriminator": None,
    }
    size = Size(512 * 2**found.enhancers, 1024 * 2**found.enhancers)
    config = complete_config(sections, name=name, size=options.size or size, channels=channels)
    return Plan(config, channels.palette, tuple(tables), passed_over(networks, tables))


def _features_question(networks: Mapping[str, OfficialFile], features: int, count: int) -> str:
    """Say what was taken for styles, where the rest does not fit."""
    if "E" not in networks:
        return "" if features else FEATURES_QUESTION
    return (
        f"; the last {features} of its {count} channels were taken for styles, as many as "
        f"{networks['E'].path.name} makes: take that file away if it is of another run"
    )


def _hd_table(found: HDArchitecture) -> list[Layer]:
    """Make the table of a generator."""
    return hd_layers(
        downsamplings=found.downsamplings,
        blocks=found.blocks,
        enhancers=found.enhancers,
        enhancer_blocks=found.enhancer_blocks,
    )


def _hd_section(found: HDArchitecture, options: ImportOptions) -> recipes.Section:
    """Describe a generator without its encoder."""
    return {
        "kind": "pix2pixhd",
        "width": found.width,
        "downsamplings": found.downsamplings,
        "blocks": found.blocks,
        "widest": found.widest,
        "enhancers": found.enhancers,
        "enhancer_blocks": found.enhancer_blocks if found.enhancers else 3,
        "features": options.features or 0,
        "encoder": None,
    }


def _encoder(file: OfficialFile, options: ImportOptions, tables: list[Table]) -> recipes.Section:
    """Add the table of the feature encoder, and describe it.

    Raises:
        ConfigError: if something else was said of its features.
    """
    found = read_encoder(file)
    if options.features not in (None, found.features):
        raise ConfigError(
            f"--features must be those of the encoder; {file.path} makes {found.features}, "
            f"--features says {options.features}: leave it out"
        )
    tables.append(Table(file, "generator", feature_layers(found.downsamplings)))
    return {
        "features": found.features,
        "encoder": {"width": found.width, "downsamplings": found.downsamplings},
    }


def plan_pix2pix(official: OfficialCheckpoint, options: ImportOptions, *, name: str) -> Plan:
    """Plan G and D of pix2pix."""
    networks, file = official.networks, official.networks["G"]
    generator, channels_in, table = (
        _unet(file, options) if UNET_KEY in file.tensors else _resnet(file, options)
    )
    if options.statistics == "running" and generator["norm"] != "batch":
        raise ConfigError(
            f"--statistics running needs a generator with BatchNorm; {file.path} has none: leave "
            "it out"
        )
    generator["statistics"] = options.statistics or "frame"
    generator["render_dropout"] = options.render_dropout or "off"
    tables = [Table(file, "generator", table)]
    if options.labels is None and options.palette is None:
        options = replace(options, labels=0)  # its program knows pictures alone
    channels = understand_channels(channels_in, options, where=file.path)
    image: recipes.Section = {"width": 64, "layers": 3, "scales": 1, **OF_PIX2PIX}
    if "D" in networks:
        image = add_judge(networks["D"], "image_discriminator", tables)
    sections = {
        **recipes.pix2pix_recipe(),
        "generator": generator,
        **channels.sections(),
        "image_discriminator": image,
        "video_discriminator": None,
    }
    size = options.size or Size(256, 256)
    config = complete_config(sections, name=name, size=size, channels=channels)
    return Plan(config, channels.palette, tuple(tables), passed_over(networks, tables))


def _unet(file: OfficialFile, options: ImportOptions) -> tuple[recipes.Section, int, list[Layer]]:
    """Describe a U-Net: its section, its channels, its table."""
    found = read_unet(file)
    section: recipes.Section = {
        "kind": "pix2pix_unet",
        "width": found.width,
        "downsamplings": found.downsamplings,
        "norm": _OUR_NORMS[found.norm],
        "dropout": 0.0 if options.dropout is False else 0.5,
    }
    return section, found.channels_in, unet_layers(found.downsamplings)


def _resnet(file: OfficialFile, options: ImportOptions) -> tuple[recipes.Section, int, list[Layer]]:
    """Describe a residual generator: its section, its channels, its table."""
    found = read_resnet(file)
    if options.dropout not in (None, found.dropout):
        raise ConfigError(
            f"--dropout must agree with the keys of {file.path}, which say that it was trained "
            f"{'with' if found.dropout else 'without'} dropout: leave it out"
        )
    section: recipes.Section = {
        "kind": "pix2pix_resnet",
        "width": found.width,
        "blocks": found.blocks,
        "norm": _OUR_NORMS[found.norm],
        "dropout": 0.5 if found.dropout else 0.0,
    }
    return section, found.channels_in, resnet_layers(found.blocks, dropout=found.dropout)
