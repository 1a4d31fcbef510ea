"""Metrics on other people's networks, from weight files that the user has: nothing is downloaded.

Inception and I3D are TorchScript files that bring their own code, LPIPS is the package `lpips` with
torchvision's AlexNet.
"""

import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from vid2vid.errors import CheckpointError
from vid2vid.video.levels import to_levels

INCEPTION_FILE = "inception-2015-12-05.pt"
I3D_FILE = "i3d_torchscript.pt"
ALEXNET_FILE = "alexnet-owt-7be5be79.pth"

CLIP_FRAMES = 16
"""Frames of a clip that I3D looks at (Unterthiner et al. 2018 and all who compare with them)."""

_INCEPTION_SIDE, _I3D_SIDE = 299, 224


class Inception:
    """Pool features of the Inception network of FID, as clean-fid computes them (Parmar 2022).

    Each channel is resized to 299x299 by Pillow's bicubic filter in floating point, without
    rounding to levels again.
    """

    def __init__(self, path: Path) -> None:
        self._layers: Any = _load_script(path, what="FID and KID", name=INCEPTION_FILE).layers

    @torch.no_grad()
    def __call__(self, frame: Tensor) -> Tensor:
        """Map '3 h w' in [-1, 1] to 'd'."""
        picture = to_levels(frame).cpu().numpy().astype(np.float32)
        side = (_INCEPTION_SIDE, _INCEPTION_SIDE)
        channels = [
            np.asarray(Image.fromarray(picture[..., c]).resize(side, Image.Resampling.BICUBIC))
            for c in range(3)
        ]
        levels = torch.from_numpy(np.stack(channels).clip(0, 255))
        return self._layers((levels[None] - 128) / 128).flatten()


class I3D:
    """Logits of I3D on Kinetics-400, the features of FVD."""

    def __init__(self, path: Path) -> None:
        self._network: Any = _load_script(path, what="FVD", name=I3D_FILE)

    @torch.no_grad()
    def __call__(self, clip: Tensor) -> Tensor:
        """Map 't 3 224 224' in [-1, 1], 16 frames from `resize_for_i3d`, to 'd'."""
        batch = clip.transpose(0, 1)[None]
        return self._network(batch, rescale=False, resize=False, return_features=True).flatten()


def resize_for_i3d(frames: Tensor) -> Tensor:
    """Resize 'b 3 h w' as FVD has it: bilinear, to 'b 3 224 224'."""
    return F.interpolate(frames, (_I3D_SIDE, _I3D_SIDE), mode="bilinear")


class LPIPS:
    """Learned perceptual distance (Zhang et al. 2018), AlexNet, version 0.1."""

    def __init__(self, path: Path) -> None:
        """Load torchvision's AlexNet below the heads that the package `lpips` brings.

        Raises:
            CheckpointError: if the package is not installed or the file does not fit.
        """
        try:
            import lpips  # pyright: ignore[reportMissingImports] - of the extra [eval]
        except ImportError as error:
            raise CheckpointError(
                "LPIPS needs the package 'lpips', which is not installed: pip install "
                "'vid2vid[eval]'"
            ) from error
        state = _load_state(path)
        with warnings.catch_warnings():  # it calls torchvision by a name of the past
            warnings.simplefilter("ignore")
            self._network: Any = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
        for name, parameter in self._network.net.named_parameters():
            source = state.get(f"features.{name.partition('.')[2]}")
            if source is None or source.shape != parameter.shape:
                raise CheckpointError(
                    f"LPIPS needs torchvision's AlexNet, {ALEXNET_FILE}; {path} holds another "
                    "network: give that file"
                )
            parameter.data.copy_(source)

    @torch.no_grad()
    def __call__(self, frame: Tensor, real: Tensor) -> Tensor:
        """Measure the distance of 'b 3 h w' in [-1, 1] from `real`: 'b', 0 is equality."""
        return self._network(frame, real).flatten()


def _load_script(path: Path, *, what: str, name: str) -> torch.jit.ScriptModule:
    try:
        with warnings.catch_warnings():  # the files that FID and FVD are defined by are of its kind
            warnings.simplefilter("ignore", FutureWarning)
            return torch.jit.load(str(path), map_location="cpu").eval()
    except (RuntimeError, ValueError, OSError) as error:
        raise CheckpointError(
            f"{what} need the TorchScript file {name}; {path} cannot be read as one: check the path"
        ) from error


def _load_state(path: Path) -> dict[str, Tensor]:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise CheckpointError(
            f"LPIPS needs torchvision's AlexNet, {ALEXNET_FILE}; {path} cannot be read: check the "
            "path"
        ) from error
