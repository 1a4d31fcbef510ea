"""The multi-scale discriminator of vid2vid and pix2pixHD in plain torch, with its official keys."""

from official_networks import Norm, batch_norm, no_norm, pooled
from torch import Tensor, nn

WIDEST = 512
WIDEST_FIRST = 64


class MultiScale(nn.Module):
    """Number 0 sees the coarsest picture; `norm` comes after every layer but first and last."""

    def __init__(
        self,
        channels_in: int,
        *,
        width: int,
        layers: int,
        scales: int = 2,
        widening: bool = True,
        norm: Norm = batch_norm,
    ):
        super().__init__()
        self.layers, self.scales = layers, scales
        for scale in range(scales):
            wider = min(WIDEST_FIRST, width * 2 ** (scales - 1 - scale)) if widening else width
            widths = [channels_in, wider]
            widths += [min(wider * 2**index, WIDEST) for index in range(1, layers + 1)]
            for index in range(layers + 1):
                stride = 2 if index < layers else 1
                pair = widths[index], widths[index + 1]
                conv = nn.Conv2d(*pair, 4, stride=stride, padding=2)
                normed = [norm(widths[index + 1])] if index and norm is not no_norm else []
                stage = nn.Sequential(conv, *normed, nn.LeakyReLU(0.2))
                setattr(self, f"scale{scale}_layer{index}", stage)
            last = nn.Sequential(nn.Conv2d(widths[-1], 1, 4, padding=2))
            setattr(self, f"scale{scale}_layer{layers + 1}", last)

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """Return the scores, finest scale first."""
        scores: list[Tensor] = []
        for scale in reversed(range(self.scales)):
            features = pictures
            for index in range(self.layers + 2):
                features = getattr(self, f"scale{scale}_layer{index}")(features)
            scores.append(features)
            pictures = pooled(pictures)
        return scores
