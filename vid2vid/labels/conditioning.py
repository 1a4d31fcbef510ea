"""From label and instance maps to the tensor that generators and discriminators see."""

from typing import Literal, NamedTuple

import torch
from pydantic import BaseModel, ConfigDict
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


class Conditioning(NamedTuple):
    """Makes conditioning maps: one-hot classes, then the void channel, then the boundary."""

    num_classes: int
    void: bool = False
    boundary: Boundary = "none"

    @property
    def channels(self) -> int:
        """Channels k of one map."""
        return self.num_classes + int(self.void) + int(self.boundary != "none")

    def __call__(self, labels: Tensor, instances: Tensor | None = None) -> Tensor:
        """Encode label maps on the device where they lie.

        Args:
            labels: 'b t h w', integer class ids, 255 = ignore.
            instances: 'b t h w', integer object ids; needed where `boundary` is `instances`.

        Returns:
            'b t k h w', float, 0 or 1.

        Raises:
            ValueError: if instance maps are needed and absent.
        """
        maps = one_hot(labels, self.num_classes, void=self.void)
        if self.boundary == "none":
            return maps
        objects = labels if self.boundary == "labels" else instances
        if objects is None:
            raise ValueError("boundary 'instances' needs instance maps; got None")
        return torch.cat([maps, boundary(objects)], dim=2)
