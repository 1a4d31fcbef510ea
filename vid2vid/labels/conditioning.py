"""From label and instance maps to the tensor that generators and discriminators see."""

from typing import Literal, NamedTuple

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor

from vid2vid.labels.maps import boundary, one_hot

Boundary = Literal["none", "instances", "labels"]


class ConditioningConfig(BaseModel):
    """How label maps become channels."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    palette: str = "cityscapes"
    """Classes and colours: `cityscapes`, `cityscapes19`, `camvid`, `camvid32`, or a YAML file."""
    map: str | None = None
    """Mapping of the files' ids to those of `palette`: its name or a YAML file; null = none."""
    void: bool = False
    """Give ignored pixels (id 255) a channel of their own instead of all zeros."""
    boundary: Boundary = "none"
    """One more channel, 1 where neighbours differ: of `instances`, or of `labels` alone."""
    foreground: tuple[int, ...] = ()
    """Class ids that the foreground model paints without flow, such as cars; () = no such model."""
    pictures: int = Field(default=0, ge=0, le=255)
    """Channels of the pictures, [-1, 1], that stand in place of labels; 0 = labels."""

    @model_validator(mode="after")
    def _pictures_have_no_classes(self) -> "ConditioningConfig":
        given = {
            "map": self.map is not None,
            "void": self.void,
            "boundary 'labels'": self.boundary == "labels",
            "foreground": bool(self.foreground),
        }
        wrong = [name for name, is_given in given.items() if is_given]
        if self.pictures and wrong:
            raise ValueError(
                f"pictures take the place of labels, and {', '.join(wrong)} need labels: set "
                "pictures to 0 or leave them out"
            )
        return self


class Conditioning(NamedTuple):
    """Makes conditioning maps: one-hot classes, then the void channel, then the boundary.

    Of pictures, the maps are the pictures themselves, then the boundary.
    """

    num_classes: int
    void: bool = False
    boundary: Boundary = "none"
    pictures: int = 0  # channels of the pictures in place of labels; 0 = labels

    @property
    def channels(self) -> int:
        """Channels k of one map."""
        own = self.pictures or self.num_classes + int(self.void)
        return own + int(self.boundary != "none")

    def __call__(self, labels: Tensor, instances: Tensor | None = None) -> Tensor:
        """Encode label maps on the device where they lie.

        Args:
            labels: 'b t h w', integer class ids, 255 = ignore; where `pictures` is not 0
                'b t c h w', float in [-1, 1].
            instances: 'b t h w', integer object ids; needed where `boundary` is `instances`.

        Returns:
            'b t k h w', float; of labels 0 or 1.

        Raises:
            ValueError: if instance maps are needed and absent, or pictures have other channels.
        """
        if not self.pictures:
            maps = one_hot(labels, self.num_classes, void=self.void)
        elif labels.ndim == 5 and labels.shape[2] == self.pictures:
            maps = labels
        else:
            raise ValueError(
                f"pictures must be 'b t {self.pictures} h w'; got {tuple(labels.shape)}"
            )
        if self.boundary == "none":
            return maps
        objects = labels if self.boundary == "labels" else instances
        if objects is None:
            raise ValueError("boundary 'instances' needs instance maps; got None")
        return torch.cat([maps, boundary(objects)], dim=2)
