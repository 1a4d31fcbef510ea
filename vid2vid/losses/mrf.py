"""The implicit diversified MRF loss: every real feature is to be met by a generated one of its own.

After Wang et al. 2018, "Image Inpainting via Generative Multi-column Convolutional Neural Networks"
(GMCNN), section 3.3; Wang et al. 2019, "Wide-Context Semantic Image Extrapolation", take it over. A
generated feature is near to a real one not by its distance, but by how much nearer it is than to
any other real one, so that blurred features, which are alike to all of them, meet none.
"""

import numpy as np
import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from vid2vid.networks.blocks import full_precision

BANDWIDTH = 0.5  # h of the paper (released code)
EPSILON = 1e-5  # of the relative distance (likewise)
SHORTEST = 1e-8  # vector that has a direction
MOST_POSITIONS = 65**2  # of a feature map that are compared (released code)


def implicit_mrf(fake: Tensor, real: Tensor, *, rng: np.random.Generator | None = None) -> Tensor:
    """Compare feature maps by the best partner of every real position (GMCNN, equations 1 to 3).

    Above 4225 positions both maps are looked at in the same random 4225 of them. What is computed
    stays in float32, and only one sample's matrices of 4225 x 4225 are held at a time: they are
    made again in the backward pass.

    Args:
        fake: 'b c h w', features of generated frames, any range.
        real: 'b c h w', of the real ones; no gradient flows into them.
        rng: draws the positions; needed above 4225 of them.

    Returns:
        '', in [0, log(h w)], the mean over the batch.

    Raises:
        ValueError: if the shapes differ, or positions are to be drawn without `rng`.
    """
    if fake.shape != real.shape:
        raise ValueError(
            "features must be 'b c h w' of one shape to be compared; got "
            f"{tuple(fake.shape)} and {tuple(real.shape)}"
        )
    ours, theirs = fake.flatten(2), real.detach().flatten(2)
    if (count := ours.shape[2]) > MOST_POSITIONS:
        if rng is None:
            raise ValueError(f"{count} positions are above {MOST_POSITIONS}: rng must draw some")
        drawn = rng.choice(count, MOST_POSITIONS, replace=False)
        places = torch.from_numpy(drawn).to(ours.device)
        ours, theirs = ours[:, :, places], theirs[:, :, places]
    with full_precision(fake.device):
        values = [
            checkpoint(
                _compare,
                one.float(),
                other.float(),
                use_reentrant=False,
                preserve_rng_state=False,
            )
            for one, other in zip(ours, theirs, strict=True)
        ]
    return torch.stack(values).mean()


def _compare(fake: Tensor, real: Tensor) -> Tensor:
    """Compute the loss of one sample.

    Args:
        fake: 'c n'.
        real: 'c n'.

    Returns:
        '', -log of the mean over real positions of the largest share that a generated one gives.
    """
    centre = real.mean(dim=1, keepdim=True)
    distances = (1 - _directions(fake - centre).T @ _directions(real - centre)) / 2
    distances = distances.clamp(min=0)  # rounding
    relative = distances / (distances.amin(dim=1, keepdim=True) + EPSILON)
    shares = torch.softmax(-relative / BANDWIDTH, dim=1)  # of a generated position, over real ones
    return -shares.amax(dim=0).mean().log()


def _directions(vectors: Tensor) -> Tensor:
    """Scale vectors 'c n' to the length 1; those without a length are 0, and have no slope."""
    lengths = torch.linalg.vector_norm(vectors, dim=0, keepdim=True)
    has_length = lengths > SHORTEST
    return vectors / torch.where(has_length, lengths, 1) * has_length
