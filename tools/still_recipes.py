"""The systems that the benchmark of stills compares, and what it sets for each of its tasks."""

from enum import StrEnum


class Task(StrEnum):
    """What is asked of the systems."""

    OVERFIT = "overfit"
    UNSEEN = "unseen"


# Each the name of a configuration, and what is changed in it: pix2pix paints from pictures, so its
# network and losses are put on label maps.
SYSTEMS: dict[str, tuple[str, ...]] = {
    "pix2pix_small": (
        "pix2pixhd_small",
        "labels.boundary=none",
        "generator={kind: pix2pix_unet, width: 24, downsamplings: 5, upsampling: resize}",
        "image_discriminator={width: 24, layers: 3, scales: 1, padding: 1, norm: batch}",
        "losses.adversarial=logistic",
        "losses.matching=0",
    ),
    "pix2pixhd_small": ("pix2pixhd_small",),
    "crn_small": ("crn_small",),
    "oasis_small": ("oasis_small",),
}

# The configurations are made for pictures that are not trained on, which norms with the statistics
# of training paint better; a few pictures are learnt by heart faster with those of each picture.
SETTINGS: dict[Task, dict[str, tuple[str, ...]]] = {
    Task.OVERFIT: {
        "pix2pix_small": (
            "generator.statistics=frame",
            "generator.upsampling=transposed",
            "losses.pixel=100",
        ),
        "pix2pixhd_small": (
            "generator.norm=instance",
            "generator.downsamplings=3",
            "generator.enhancers=0",
            "losses.pixel=10",
        ),
        "crn_small": ("generator.norm=instance",),
        "oasis_small": ("generator.norm=instance",),
    },
    Task.UNSEEN: {
        "pix2pix_small": (
            "generator.statistics=running",
            "losses.pixel=300",
            "losses.image_gan=0.2",
            "schedule.steps=450",
        ),
    },
}


def recipe(system: str, task: Task) -> tuple[str, list[str]]:
    """Return the configuration of a system, and what is set in it for a task.

    Args:
        system: one of `SYSTEMS`, or any other configuration, which is taken as it is.
        task: what is asked of it.
    """
    config, *settings = SYSTEMS.get(system, (system,))
    return config, [*settings, *SETTINGS[task].get(system, ())]
