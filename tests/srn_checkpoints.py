"""Networks that continue pictures, untrained, for the tests that run them."""

from pathlib import Path

from tiny_runs import tiny_checkpoint

LAYOUTS = {
    "random": ((64, 64), (32, 32)),
    "centre": ((32, 64), (32, 32)),
    "top": ((64, 32), (16, 32)),
}


def srn_checkpoint(folder: Path, position: str = "random") -> Path:
    """Write the checkpoints of a run whose windows lie where `position` says."""
    (height, width), window = LAYOUTS[position]
    known = {"kind": "known", "shape": "window", "height": window[0], "width": window[1]}
    return tiny_checkpoint(
        folder,
        data={"height": height, "width": width},
        labels=None,
        controls=[{**known, "position": position}],
        generator={
            "kind": "srn",
            "width": 4,
            "ratio": [height / window[0], width / window[1]],
        },
        image_discriminator=None,
        video_discriminator=None,
        losses={"pixel": 1.0},
    )
