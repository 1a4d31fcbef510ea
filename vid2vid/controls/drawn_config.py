"""What a configuration says of the controls that are drawn from key points: people, faces."""

from typing import Literal

from pydantic import Field

from vid2vid.controls.control import Control, Share, StreamName

NUM_CURVES = 14  # of a face, see `landmarks`


class PoseConfig(Control):
    """People drawn from OpenPose key points: limbs, fingers, faces, each in its colour."""

    kind: Literal["pose"] = "pose"
    """People drawn from OpenPose key points."""
    stream: StreamName = "openpose"
    """Stream of OpenPose's JSON files, one a frame."""
    skeleton: Literal["body_25", "body_25b"]
    """OpenPose's body model. Both have 25 points, in another order: it must be said."""
    canvas: tuple[int, int] | None = None
    """[height, width] of the pictures in whose pixels the points are; null = the frames."""
    hands: bool = True
    """Draw the fingers, where the files hold them."""
    face: bool = True
    """Draw brows, eyes, nose and mouth, where the files hold them."""
    body_confidence: Share = 0.05
    """Confidence below which a point of the body is missing."""
    hand_confidence: Share = 0.05
    """Confidence below which a point of a hand is missing."""
    face_confidence: Share = 0.1
    """Confidence below which a point of the face is missing."""
    line_width: float = Field(default=0.01, gt=0.0, le=0.2)
    """Of a limb, as a share of the frame's height; fingers and faces take a third of it."""
    drop: float = Field(default=0.05, ge=0.0, lt=1.0)
    """How likely each limb, hand and face is left out of a whole training clip, so that rendering
    bears what the estimator misses; 0 = never."""

    @property
    def channels(self) -> int:
        """Channels of its picture."""
        return 3


class LandmarksConfig(Control):
    """A face drawn from 68 landmarks as curves, and how far each pixel is from each curve."""

    kind: Literal["landmarks"] = "landmarks"
    """A face drawn from 68 landmarks (dlib's order)."""
    stream: StreamName = "keypoints"
    """Stream of files, one a frame: JSON [[x, y], ...], or text with a line 'x,y' for each."""
    canvas: tuple[int, int] | None = None
    """[height, width] of the pictures in whose pixels the points are; null = the frames."""
    distance_maps: bool = True
    """Add 14 channels, one a curve: the distance from it."""
    reach: float = Field(default=0.25, gt=0.0, le=2.0)
    """Distance at which such a map reaches 1, as a share of the frame's height; it is -1 on the
    curve."""
    line_width: float = Field(default=0.006, gt=0.0, le=0.2)
    """Of a curve, as a share of the frame's height."""

    @property
    def channels(self) -> int:
        """Channels of its picture: the curves, then a distance map of each."""
        return 1 + NUM_CURVES * self.distance_maps
