"""Tell which official program wrote a checkpoint."""

from typing import Literal

from vid2vid.errors import CheckpointError
from vid2vid.legacy.discriminators import key_layout
from vid2vid.legacy.files import OfficialCheckpoint
from vid2vid.legacy.pix2pix import UNET_KEY, has_dropout
from vid2vid.legacy.pix2pixhd import FACE_KEY
from vid2vid.legacy.sequential import COARSE_KEY

Architecture = Literal["vid2vid", "pix2pixHD", "pix2pix"]


def detect(official: OfficialCheckpoint) -> Architecture:
    """Tell the program by the names of networks and keys.

    Raises:
        CheckpointError: if there is no generator, or its keys fit two programs.
    """
    networks = official.networks
    if any(name[:1] == "G" and name[1:].isdigit() for name in networks):
        return "vid2vid"
    if "G" not in networks:
        raise CheckpointError(
            f"{official.path} must hold a generator, *_net_G.pth or *_net_G0.pth; it has "
            f"{', '.join(sorted(networks))}"
        )
    generator = networks["G"]
    keys = generator.tensors
    if COARSE_KEY in keys:
        return "vid2vid"
    if UNET_KEY in keys or has_dropout(generator):
        return "pix2pix"
    if "D" in networks:
        return "pix2pix" if key_layout(networks["D"]) in ("single", "pixel") else "pix2pixHD"
    if "E" in networks or "model1_1.1.weight" in keys or FACE_KEY in keys:
        return "pix2pixHD"
    if "model.1.weight" not in keys:
        raise CheckpointError(
            f"{generator.path} must hold a generator of vid2vid, pix2pixHD or pix2pix; its first "
            f"key is {min(keys)!r}"
        )
    if "model.1.bias" not in keys:
        return "pix2pix"
    # More than two halvings; pix2pix has always two.
    if "model.10.weight" in keys or "model.10.conv_block.1.weight" not in keys:
        return "pix2pixHD"
    raise CheckpointError(
        f"{generator.path} fits pix2pixHD as well as pix2pix: say which with --arch"
    )
