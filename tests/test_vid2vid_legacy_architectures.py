"""What the keys and shapes of an official file say of its network, and files that say nothing."""

from pathlib import Path

import pytest
import torch

from vid2vid.errors import CheckpointError
from vid2vid.legacy.discriminators import read_discriminator
from vid2vid.legacy.files import OfficialFile
from vid2vid.legacy.pix2pix import read_resnet, read_unet
from vid2vid.legacy.pix2pixhd import mend_encoder, read_encoder, read_hd
from vid2vid.legacy.sequential import read_sequential


def file_of(tensors: dict[str, torch.Tensor]) -> OfficialFile:
    return OfficialFile(Path("latest_net_G.pth"), tensors)


def test_discriminators_of_no_known_layout_are_refused():
    with pytest.raises(CheckpointError, match=r"must hold a discriminator, .* 'conv\.weight'"):
        read_discriminator(file_of({"conv.weight": torch.zeros(1)}))


def test_keys_without_an_architecture_are_refused():
    for read in (read_hd, read_resnet, read_unet):
        with pytest.raises(CheckpointError, match="must hold 'model"):
            read(file_of({"fc.weight": torch.zeros(1)}))
    face = {"model_downsample.1.weight": torch.zeros(1)}
    with pytest.raises(CheckpointError, match="still-image network for faces"):
        read_hd(file_of(face))


def test_tensors_of_other_dimensions_than_a_convolution_are_refused():
    for read, key in (
        (read_hd, "model.1.weight"),
        (read_resnet, "model.1.weight"),
        (read_unet, "model.model.0.weight"),
        (read_encoder, "model.1.weight"),
        (mend_encoder, "model.4.weight"),
        (read_discriminator, "scale0_layer0.0.weight"),
    ):
        for wrong in (torch.tensor(1.0), torch.zeros(8)):
            with pytest.raises(
                CheckpointError, match=rf"'{key}' must have 4 dimensions.* it has \d:"
            ):
                read(file_of({key: wrong}))
    with pytest.raises(CheckpointError, match=r"'model_down_seg\.1\.weight' must have 4"):
        read_sequential(coarse(seg=(8,)), where=Path("run"))


def test_a_discriminator_of_too_few_layers_is_refused():
    tensors = {f"scale0_layer{index}.0.weight": torch.zeros(1, 1, 4, 4) for index in range(2)}
    with pytest.raises(CheckpointError, match=r"three convolutions .* 'scale0_layer0.* it has 1:"):
        read_discriminator(file_of(tensors))


def test_an_encoder_is_no_generator():
    tensors = {f"model.{index}.weight": torch.zeros(4, 4, 3, 3) for index in (1, 4, 7)}
    with pytest.raises(
        CheckpointError, match=r"must hold 'model\.10\.conv_block.* feature encoder"
    ):
        read_hd(file_of(tensors))


def test_a_generator_that_paints_no_colour_is_refused():
    lab = {"model.model.0.weight": torch.zeros(4, 1, 4, 4)}
    lab["model.model.3.weight"] = torch.zeros(8, 2, 4, 4)
    with pytest.raises(CheckpointError, match="frames of 3 channels; it paints 2"):
        read_unet(file_of(lab))


def coarse(**shapes: tuple[int, ...]) -> dict[str, OfficialFile]:
    sizes = {"seg": (8, 9, 7, 7), "img": (8, 6, 7, 7), **shapes}
    keys = {f"model_down_{name}.1.weight": torch.zeros(s) for name, s in sizes.items()}
    return {"G0": file_of(keys)}


def test_a_missing_scale_is_named():
    with pytest.raises(CheckpointError, match="every scale from G0 to G2; G1 is missing"):
        read_sequential({"G0": file_of({}), "G2": file_of({})}, where=Path("run"))
    with pytest.raises(CheckpointError, match=r"run must hold .* of vid2vid.*it has G:"):
        read_sequential({"G": file_of({})}, where=Path("run"))


def test_channels_that_are_no_window_are_refused():
    with pytest.raises(CheckpointError, match=r"10 channels .* for each of 3 frames"):
        read_sequential(coarse(seg=(8, 10, 7, 7)), where=Path("run"))


def test_an_architecture_that_is_not_built_here_is_refused():
    with pytest.raises(CheckpointError, match="a generator that is not built here: downsamplings"):
        read_sequential(coarse(), where=Path("run"))
