"""The sections of a configuration that may be of several kinds."""

from collections.abc import Callable, Mapping
from typing import Annotated, cast

from pydantic import Discriminator, Tag

from vid2vid.data.config import DataConfig
from vid2vid.networks.context_encoder import ContextEncoderConfig
from vid2vid.networks.crn import CRNConfig
from vid2vid.networks.crn_baselines import EncoderDecoderConfig, FullResolutionConfig
from vid2vid.networks.fusion import FusionConfig
from vid2vid.networks.generator import GeneratorConfig
from vid2vid.networks.pix2pix import ResNetConfig, UNetConfig
from vid2vid.networks.pix2pixhd import Pix2PixHDConfig
from vid2vid.networks.srn import SRNConfig
from vid2vid.world.clips import WorldDataConfig


def kind_or(default: str) -> Callable[[object], str]:
    """Make the function that reads the kind of a section, which is `default` where it says none."""

    def kind(section: object) -> str:  # its name is that of the key in messages
        if isinstance(section, Mapping):
            return str(cast("Mapping[str, object]", section).get("kind", default))
        return str(getattr(section, "kind", default))

    return kind


AnyDataConfig = Annotated[
    Annotated[DataConfig, Tag("files")] | Annotated[WorldDataConfig, Tag("world")],
    Discriminator(kind_or("files")),
]
AnyGeneratorConfig = Annotated[
    Annotated[GeneratorConfig, Tag("sequential")]
    | Annotated[UNetConfig, Tag("pix2pix_unet")]
    | Annotated[ResNetConfig, Tag("pix2pix_resnet")]
    | Annotated[Pix2PixHDConfig, Tag("pix2pixhd")]
    | Annotated[CRNConfig, Tag("crn")]
    | Annotated[EncoderDecoderConfig, Tag("encoder_decoder")]
    | Annotated[FullResolutionConfig, Tag("full_resolution")]
    | Annotated[FusionConfig, Tag("fusion")]
    | Annotated[ContextEncoderConfig, Tag("context_encoder")]
    | Annotated[SRNConfig, Tag("srn")],
    Discriminator(kind_or("sequential")),
]
