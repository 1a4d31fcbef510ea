"""pix2pix's U-Net and discriminators in plain torch, as `official_networks` has the others."""

import torch
from official_networks import Norm
from torch import Tensor, nn


class Level(nn.Module):
    """One level of pix2pix's U-Net with all that are inside of it."""

    def __init__(
        self, outer: int, inner: int, child: nn.Module | None, norm: Norm, *, bias: bool, dropout
    ):
        super().__init__()
        shrink = nn.Conv2d(outer, inner, 4, stride=2, padding=1, bias=bias)
        wide = 2 * inner if child else inner
        grow = nn.ConvTranspose2d(wide, outer, 4, stride=2, padding=1, bias=bias)
        middle = [norm(inner), child] if child else []
        dropped = [nn.Dropout(dropout)] if dropout is not None else []
        self.model = nn.Sequential(
            *(nn.LeakyReLU(0.2), shrink, *middle, nn.ReLU(), grow, norm(outer), *dropped)
        )

    def forward(self, features: Tensor) -> Tensor:
        return torch.cat([features, self.model(features)], dim=1)


class Outermost(nn.Module):
    def __init__(self, channels_in: int, width: int, child: nn.Module, *, bias: bool):
        super().__init__()
        self.model = nn.Sequential(
            nn.Conv2d(channels_in, width, 4, stride=2, padding=1, bias=bias),
            child,
            nn.ReLU(),
            nn.ConvTranspose2d(2 * width, 3, 4, stride=2, padding=1),
            nn.Tanh(),
        )

    def forward(self, maps: Tensor) -> Tensor:
        return self.model(maps)


class UNet(nn.Module):
    """pix2pix's U-Net: `depth` 7 is unet_128, 8 is unet_256."""

    def __init__(
        self,
        channels_in: int,
        *,
        width: int,
        depth: int,
        norm: Norm,
        bias: bool = False,
        dropout: float | None = None,
    ):
        super().__init__()
        widths = [min(8, 2**index) * width for index in range(depth)]
        child = None
        for index in reversed(range(1, depth)):
            own = dropout if 4 <= index < depth - 1 else None
            pair = widths[index - 1], widths[index]
            child = Level(*pair, child, norm, bias=bias, dropout=own)
        self.model = Outermost(channels_in, width, child, bias=bias)

    def forward(self, maps: Tensor) -> Tensor:
        return self.model(maps)


class Patches(nn.Module):
    """pix2pix's PatchGAN: one network, padding 1."""

    def __init__(self, channels_in: int, *, width: int, layers: int, norm: Norm, bias: bool):
        super().__init__()
        body = [nn.Conv2d(channels_in, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        for index in range(1, layers + 1):
            fine, coarse = (width * min(2**each, 8) for each in (index - 1, index))
            stride = 2 if index < layers else 1
            conv = nn.Conv2d(fine, coarse, 4, stride=stride, padding=1, bias=bias)
            body += [conv, norm(coarse), nn.LeakyReLU(0.2)]
        last = width * min(2**layers, 8)
        self.model = nn.Sequential(*body, nn.Conv2d(last, 1, 4, padding=1))

    def forward(self, pictures: Tensor) -> Tensor:
        return self.model(pictures)


class Pixels(nn.Module):
    """pix2pix's pixel discriminator."""

    def __init__(self, channels_in: int, *, width: int, norm: Norm, bias: bool):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(channels_in, width, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, 1, bias=bias),
            norm(2 * width),
            nn.LeakyReLU(0.2),
            nn.Conv2d(2 * width, 1, 1, bias=bias),
        )

    def forward(self, pictures: Tensor) -> Tensor:
        return self.net(pictures)
