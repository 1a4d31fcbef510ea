"""Feature expansion: from features of the known window to features of the whole canvas.

After Wang et al. 2019, "Wide-Context Semantic Image Extrapolation", section 3.1. The sub-pixel
operator follows the paper's index formula; the released code reshapes memory instead, which is the
same only where the height does not grow, and scrambles space otherwise.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

Expansion = Literal["subpixel", "deconvolution", "bilinear", "unfold", "none"]


def shuffle_subpixels(features: Tensor, factors: tuple[int, int]) -> Tensor:
    """Turn channels into pixels: phase of the row, phase of the column, feature, in this order.

    Output (i, j, k) is input (i // r1, j // r2, c r2 (i mod r1) + c (j mod r2) + k). For r1 = r2
    `nn.PixelShuffle` does the same with its channels in another order: the feature first.

    Args:
        features: 'b (r1 r2 c) h w'.
        factors: r1 and r2, of height and width.

    Returns:
        'b c (h r1) (w r2)'.
    """
    rows, columns = factors
    return rearrange(features, "b (r s c) h w -> b c (h r) (w s)", r=rows, s=columns)


def unfold_mirrored(features: Tensor, top: Tensor, left: Tensor, size: tuple[int, int]) -> Tensor:
    """Continue features beyond their borders as in mirrors that stand at them, edges doubled.

    `F.pad` has no such mode: its `reflect` does not repeat the edge.

    Args:
        features: 'b c h w', of the window.
        top: 'b', rows of the canvas above each window, px.
        left: 'b', columns on its left, px.
        size: height and width of the canvas, any.

    Returns:
        'b c H W'.
    """
    rows = _mirror(torch.arange(size[0], device=features.device) - top[:, None], features.shape[2])
    columns = _mirror(
        torch.arange(size[1], device=features.device) - left[:, None], features.shape[3]
    )
    return take(features, rows, columns)


def _mirror(places: Tensor, count: int) -> Tensor:
    """Fold any index into 0 ... count - 1, back and forth, each edge twice."""
    folded = places.remainder(2 * count)
    return torch.minimum(folded, 2 * count - 1 - folded)


def take(features: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Take rows and columns of each sample.

    Args:
        features: 'b c h w'.
        rows: 'b i', indices.
        columns: 'b j', indices.

    Returns:
        'b c i j'.
    """
    samples = torch.arange(len(features), device=features.device).view(-1, 1, 1)
    # Advanced indices around a slice go to the front: 'b i j c'.
    return features[samples, :, rows.unsqueeze(2), columns.unsqueeze(1)].permute(0, 3, 1, 2)


class Expander(nn.Module):
    """One of the operators, with its convolution and ELU; `none` hands its features on."""

    def __init__(self, channels: int, *, kind: Expansion, factors: tuple[float, float]) -> None:
        """Build the operator.

        Args:
            channels: of the features, in and out.
            kind: which operator.
            factors: of height and width; whole numbers for `subpixel` and `deconvolution`.
        """
        super().__init__()
        self.kind: Expansion = kind
        self.factors = (round(factors[0]), round(factors[1]))
        self.conv: nn.Module = nn.Identity()
        if kind == "subpixel":
            phases = self.factors[0] * self.factors[1]
            self.conv = nn.Conv2d(channels, channels * phases, 3, padding=1)
        elif kind == "deconvolution":
            # Exactly r times as many pixels: (h - 1) r - 2 + 3 + (r - 1) = r h.
            extra = (self.factors[0] - 1, self.factors[1] - 1)
            self.conv = nn.ConvTranspose2d(
                channels, channels, 3, stride=self.factors, padding=1, output_padding=extra
            )
        elif kind != "none":
            self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(
        self, features: Tensor, top: Tensor, left: Tensor, *, size: tuple[int, int]
    ) -> Tensor:
        """Map features of the window to features of the canvas.

        Args:
            features: 'b c h w'; of the canvas itself where the operator is `none`.
            top: 'b', rows of the canvas above each window; only `unfold` looks at it.
            left: 'b', columns on its left; likewise.
            size: height and width of the canvas.

        Returns:
            'b c H W'.
        """
        match self.kind:
            case "none":
                return features
            case "subpixel":
                return shuffle_subpixels(F.elu(self.conv(features)), self.factors)
            case "deconvolution":
                return F.elu(self.conv(features))
            case "bilinear":
                large = F.interpolate(features, size=size, mode="bilinear", align_corners=True)
                return F.elu(self.conv(large))
            case "unfold":
                return F.elu(self.conv(unfold_mirrored(features, top, left, size)))
