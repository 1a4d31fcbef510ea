"""The official recipe of each family, as far as the configuration has its settings.

An imported checkpoint carries it, so that training can go on from there. Numbers that belong to a
data set (steps, sizes) are those of the street scenes that the recipes were published for.
"""

from typing import Any

Section = dict[str, Any]

STREET_CLIPS = 2975  # training clips of Cityscapes
FLOW_OFF: Section = {"video_gan": 0, "flow": 0, "warp": 0, "generated_warp": 0}


def video_recipe(scales: int, *, from_zeros: bool, has_flow: bool) -> dict[str, Section]:
    """Return losses, optimiser and schedule of vid2vid's street runs.

    Args:
        scales: spatial scales; each halves the learning rate, as each is a stage of its own.
        from_zeros: clips begin with nothing, and occlusion is held down.
        has_flow: the generator predicts flow.
    """
    losses: Section = {"matching": 10, "perceptual": 10, "occlusion": 1 if from_zeros else 0}
    if not has_flow:
        losses |= {"flow": 0, "warp": 0, "occlusion": 0}
    passes = 20 if scales < 3 else 10
    return {
        "losses": losses,
        "optimizer": {"learning_rate": 2e-4 / 2 ** (scales - 1), "betas": (0.5, 0.999)},
        "schedule": {
            "steps": passes * STREET_CLIPS,
            "constant": 0.5,
            "clip_length": 6 if scales == 1 else 4,
            "clip_growth": 0.25 if scales == 1 else 0.1,
            "clip_length_max": 28,
            "backprop_frames": 1,
        },
        "reference_flow": {"check": "photometric"},
        "training": {"first_frames": "zeros" if from_zeros else "real"},
    }


def hd_recipe() -> dict[str, Section]:
    """Return losses, optimiser and schedule of pix2pixHD: 100 passes, then 100 with decay."""
    return {
        "losses": {**FLOW_OFF, "matching": 10, "perceptual": 10, "pixel": 0},
        **_still_course(200 * STREET_CLIPS),
    }


def pix2pix_recipe() -> dict[str, Section]:
    """Return losses, optimiser and schedule of pix2pix: a logistic GAN, and L1 a hundredfold."""
    return {
        "losses": {
            **FLOW_OFF,
            "adversarial": "logistic",
            "matching": 0,
            "perceptual": 0,
            "pixel": 100,
        },
        **_still_course(200 * STREET_CLIPS),
    }


def _still_course(steps: int) -> dict[str, Section]:
    """Return what still-image families share."""
    return {
        "optimizer": {"learning_rate": 2e-4, "betas": (0.5, 0.999)},
        "schedule": {
            "steps": steps,
            "constant": 0.5,
            "clip_length": 1,
            "clip_length_max": 1,
            "clip_growth": 0,
            "backprop_frames": 1,
        },
        "training": {"first_frames": "zeros"},
    }
