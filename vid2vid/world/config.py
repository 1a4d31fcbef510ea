"""How hard a world is, and the way through it."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

PathName = Literal["straight", "turn", "stop_and_go", "loop"]
Share = Annotated[float, Field(ge=0.0, le=1.0)]

FPS = 25
"""Frames per second of a world's time."""


class WorldConfig(BaseModel):
    """The difficulty of a world; what it looks like follows from its seeds."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    path: PathName = "straight"
    """straight ahead; turn = right and left at every second corner; stop_and_go = straight, with
    halts; loop = around one block, back to the very place where it started."""
    traffic: Share = 0.5
    """How many cars, cyclists and people there are; 0 = none of them moves, and few are parked."""
    thin: Share = 0.5
    """How many thin things there are: lamp posts, signs, traffic lights, fences; 0 = none."""
    speed: float = Field(default=10.0, gt=0.0, le=40.0)
    """Speed of the camera, m/s. A loop changes it a little, so as to close at a whole frame."""
    light_change: Share = 0.0
    """How much sun and sky vary over time; 0 = constant light."""
    patterns: bool = True
    """Whether windows, road markings and other patterns with hard edges are drawn. They change
    colours only, never labels or geometry."""
