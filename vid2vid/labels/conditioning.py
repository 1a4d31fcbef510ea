"""From label maps, instance maps and controls to the tensor that the networks see."""

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
    """Makes conditioning maps: one-hot classes, void channel, boundary, then the controls."""

    num_classes: int  # 0 = no labels
    void: bool = False
    boundary: Boundary = "none"
    pictures: int = 0  # channels of all controls

    @property
    def label_channels(self) -> int:
        """Channels of the label maps: classes, void and boundary; the controls follow."""
        return self.num_classes + int(self.void) + int(self.boundary != "none")

    @property
    def channels(self) -> int:
        """Channels k of one map."""
        return self.label_channels + self.pictures

    def __call__(
        self,
        labels: Tensor | None = None,
        instances: Tensor | None = None,
        pictures: Tensor | None = None,
    ) -> Tensor:
        """Encode what belongs to some frames, on the device where it lies.

        Args:
            labels: 'b t h w', integer class ids, 255 = ignore; needed where there are classes.
            instances: 'b t h w', integer object ids; needed where `boundary` is `instances`.
            pictures: 'b t c h w', float in [-1, 1], all controls in their order; needed where
                there are any.

        Returns:
            'b t k h w', float; of labels 0 or 1.

        Raises:
            ValueError: if something needed is absent, or there are other channels.
        """
        maps: list[Tensor] = []
        if self.num_classes:
            if labels is None:
                raise ValueError(f"label maps of {self.num_classes} classes are needed; got None")
            maps.append(one_hot(labels, self.num_classes, void=self.void))
        if self.boundary != "none":
            objects = labels if self.boundary == "labels" else instances
            if objects is None:
                kind = "label" if self.boundary == "labels" else "instance"
                raise ValueError(f"boundary '{self.boundary}' needs {kind} maps; got None")
            maps.append(boundary(objects))
        if self.pictures:
            if pictures is None or pictures.ndim != 5 or pictures.shape[2] != self.pictures:
                came = None if pictures is None else tuple(pictures.shape)
                raise ValueError(f"pictures must be 'b t {self.pictures} h w'; got {came}")
            maps.append(pictures)
        return torch.cat(maps, dim=2)
