"""Which official files a run of ours becomes, and what has no place in them."""

from collections.abc import Iterator
from typing import NamedTuple

from pipelines.config.run import RunConfig
from vid2vid.controls.config import name_of
from vid2vid.errors import ConfigError
from vid2vid.legacy.detect import Architecture
from vid2vid.legacy.discriminators import discriminator_layers
from vid2vid.legacy.layers import Layer
from vid2vid.legacy.pix2pix import resnet_layers, unet_layers
from vid2vid.legacy.pix2pixhd import feature_layers, hd_layers
from vid2vid.legacy.sequential import generator_layers
from vid2vid.networks.discriminator import WIDEST_FIRST_LAYER, WIDEST_LAYER, DiscriminatorConfig
from vid2vid.networks.generator import GeneratorConfig
from vid2vid.networks.interface import FLOW_SCALE
from vid2vid.networks.pix2pix import ResNetConfig, UNetConfig
from vid2vid.networks.pix2pixhd import Pix2PixHDConfig

OfficialGenerator = GeneratorConfig | UNetConfig | ResNetConfig | Pix2PixHDConfig


class OfficialLayout(NamedTuple):
    """One official file, and the network of ours whose tensors it takes."""

    network: str  # official name: G, G0, D, D_T0, E
    player: str  # `generator`, `image_discriminator`, `video_discriminator_0` ...
    layers: list[Layer]


def official_generator(config: RunConfig) -> OfficialGenerator:
    """Return the configuration of a generator that an official program has.

    Raises:
        ConfigError: if it is one of ours alone.
    """
    generator = config.generator
    if not isinstance(generator, (GeneratorConfig, UNetConfig, ResNetConfig, Pix2PixHDConfig)):
        raise ConfigError(
            "an official checkpoint is of kind sequential, pix2pix_unet, pix2pix_resnet or "
            f"pix2pixhd; generator.kind is '{generator.kind}', which no official program has: it "
            "cannot be exported"
        )
    return generator


def architecture_of(config: RunConfig) -> Architecture:
    """Return the official program that a run of ours belongs to."""
    generator = official_generator(config)
    if isinstance(generator, GeneratorConfig):
        return "vid2vid"
    return "pix2pix" if isinstance(generator, (UNetConfig, ResNetConfig)) else "pix2pixHD"


def layouts(config: RunConfig) -> list[OfficialLayout]:
    """List the official files of a run."""
    found = _generator_layouts(config)
    arch = architecture_of(config)
    judges = {"image_discriminator": ("D", config.image_discriminator)}
    if config.video_discriminator is not None:
        for scale in range(config.video_discriminator.temporal_scales):
            judges[f"video_discriminator_{scale}"] = (f"D_T{scale}", config.video_discriminator)
    for player, (network, judge) in judges.items():
        if judge is None:
            continue
        layout = "scales" if arch != "pix2pix" else "pixel" if judge.pixel else "single"
        depth = 1 if judge.pixel else judge.layers
        table = discriminator_layers(layout, scales=judge.scales, layers=depth)
        found.append(OfficialLayout(network, player, table))
    return found


def _generator_layouts(config: RunConfig) -> list[OfficialLayout]:
    """List the files of the generator."""
    generator = official_generator(config)
    if isinstance(generator, GeneratorConfig):
        tables = generator_layers(generator, foreground=bool(config.foreground))
        return [OfficialLayout(key, "generator", table) for key, table in tables.items()]
    if isinstance(generator, UNetConfig):
        return [OfficialLayout("G", "generator", unet_layers(generator.downsamplings))]
    if isinstance(generator, ResNetConfig):
        table = resnet_layers(generator.blocks, dropout=generator.dropout > 0)
        return [OfficialLayout("G", "generator", table)]
    found = [
        OfficialLayout(
            "G",
            "generator",
            hd_layers(
                downsamplings=generator.downsamplings,
                blocks=generator.blocks,
                enhancers=generator.enhancers,
                enhancer_blocks=generator.enhancer_blocks,
            ),
        )
    ]
    if generator.features and generator.encoder is not None:
        table = feature_layers(generator.encoder.downsamplings)
        found.append(OfficialLayout("E", "generator", table))
    return found


def foreign_settings(config: RunConfig) -> Iterator[str]:
    """List the settings that an official program does not know, each with its value."""
    arch, generator = architecture_of(config), official_generator(config)
    known: dict[str, tuple[object, object]] = {}
    if config.labels is not None:
        known["labels.void"] = (config.labels.void, False)
        known["controls"] = ([name_of(control) for control in config.controls], [])
    plain = {
        "spectral": False,
        "upsampling": "transposed",
        "warp": "bilinear",
        "detail_px": 0.0,
        "noise": 0,
        "position": 0,
        "colour": "rgb",
    }
    for name, value in plain.items():
        known[f"generator.{name}"] = (getattr(generator, name, value), value)
    known["generator.flow_scale"] = (getattr(generator, "flow_scale", FLOW_SCALE), FLOW_SCALE)
    if generator.encoder is not None and generator.features:
        known["generator.encoder.norm"] = (generator.encoder.norm, "instance")
    padding = getattr(generator, "block_padding", "reflect")
    known["generator.block_padding"] = (padding, "reflect")
    if generator.norm == "group" or (generator.norm in ("batch", "none") and arch != "pix2pix"):
        known["generator.norm"] = (generator.norm, "instance")
    for section in ("image_discriminator", "video_discriminator"):
        judge: DiscriminatorConfig | None = getattr(config, section)
        if judge is not None:
            for name, pair in _judge_settings(judge, arch).items():
                known[f"{section}.{name}"] = pair
    yield from (f"{name} {came!r}" for name, (came, needed) in known.items() if came != needed)


def _judge_settings(
    judge: DiscriminatorConfig, arch: Architecture
) -> dict[str, tuple[object, object]]:
    """List settings of a discriminator, as they are and as they must be."""
    known: dict[str, tuple[object, object]] = {"spectral": (judge.spectral, False)}
    if judge.norm == "group" or (judge.norm == "none" and arch != "pix2pix"):
        known["norm"] = (judge.norm, "instance")
    official = judge.model_copy(update={"widest": None if arch == "pix2pix" else WIDEST_LAYER})
    capped = (judge.channels(w) != official.channels(w) for w in judge.first_widths())
    if not judge.pixel and any(capped):
        known["widest"] = (judge.widest, official.widest)
    if arch == "pix2pix":
        known["scales"] = (judge.scales, 1)
        known["padding"] = (1 if judge.pixel else judge.padding, 1)
        return known
    known["padding"], known["pixel"] = (judge.padding, 2), (judge.pixel, False)
    if judge.scales > 1 and judge.width < WIDEST_FIRST_LAYER:
        known["widening"] = (judge.widening, arch == "vid2vid")
    if arch == "vid2vid":
        known["width"] = (judge.width, min(judge.width, WIDEST_FIRST_LAYER))
    return known
