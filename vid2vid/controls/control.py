"""What the configurations of all controls have in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0.0, le=1.0)]
StreamName = Annotated[str, Field(pattern=r"^[\w.-]+$")]


class Control(BaseModel):
    """A section of `controls`; what is common is how it is read."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
