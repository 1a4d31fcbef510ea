"""Write a world to a folder: frames, labels, instances, flow, occlusion, depth, surface, camera."""

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vid2vid.labels.maps import ids_to_colours
from vid2vid.labels.palettes import load_palette
from vid2vid.video.levels import to_levels
from vid2vid.video.pictures import not_whole, require_empty
from vid2vid.video.writing import FrameWriter, open_writer
from vid2vid.world.config import FPS
from vid2vid.world.render import WorldFrames
from vid2vid.world.scene import Camera

STREAMS = ("frames", "labels", "instances", "flow", "occlusion", "depth", "surface")
"""The folders with one file for each frame."""

CAMERA_NAME = "camera.json"
LABEL_VIDEO_NAME = "labels.mp4"


class WorldWriter:
    """Writes frames one by one, every file whole or not at all."""

    def __init__(self, folder: Path, size: tuple[int, int]) -> None:
        """Make the folder.

        Args:
            folder: new or empty.
            size: (height, width) of the frames, pixels.

        Raises:
            VideoError: if it holds files, or cannot be written.
        """
        require_empty(folder)
        try:
            for stream in STREAMS:
                (folder / stream).mkdir(parents=True)
        except OSError as error:
            raise not_whole(folder, error, what="its folders") from error
        self._folder = folder
        self._palette = load_palette("cityscapes")
        self._video: FrameWriter = open_writer(
            folder / LABEL_VIDEO_NAME,
            width=size[1],
            height=size[0],
            rate=Fraction(FPS),
            lossless=True,
        )
        self._cameras: dict[int, Camera] = {}

    def write(self, frame: int, rendered: WorldFrames) -> None:
        """Write one frame of one world, numbered by its place in time.

        Frame 0 has no flow, and nothing of it was visible before.

        Raises:
            VideoError: if it cannot be written.
        """
        motion = rendered.motion(-1)
        occlusion = motion.occlusion[0, 0].cpu().numpy()
        labels = rendered.labels[0].cpu().numpy()
        levels = to_levels(rendered.frames[0]).cpu().numpy()
        self._save_picture("frames", frame, np.ascontiguousarray(levels[..., ::-1]))
        self._save_picture("labels", frame, labels)
        instances = rendered.instances[0].cpu().numpy().astype(np.uint16)
        self._save_picture("instances", frame, instances)
        hidden = np.ones_like(occlusion) if frame == 0 else occlusion
        self._save_picture("occlusion", frame, (hidden * 255).astype(np.uint8))
        if frame != 0:
            self._save_array("flow", frame, motion.flow[0].cpu().numpy())
        self._save_array("depth", frame, rendered.depth[0].cpu().numpy())
        self._save_array("surface", frame, rendered.surface[0].cpu().numpy())
        self._video.write(ids_to_colours(labels, self._palette), Fraction(len(self._cameras), FPS))
        self._cameras[frame] = rendered.cameras[0]

    def close(self) -> Path:
        """Complete the video and write the cameras; returns the folder.

        Raises:
            VideoError: if no frame was written, or the rest cannot be.
        """
        self._video.close()
        self._save_cameras()
        return self._folder

    def abort(self) -> None:
        """End early: the frames that were written stay, with their cameras and a playable video."""
        self._video.abort(keep_partial=True)
        if self._cameras:
            self._save_cameras()

    def _save_cameras(self) -> None:
        text = json.dumps(describe_cameras(self._cameras), indent=1)
        self._save(self._folder / CAMERA_NAME, lambda path: path.write_text(text, "utf-8"))

    def _save_picture(self, stream: str, frame: int, picture: NDArray[Any]) -> None:
        data = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()
        self._save(self._folder / stream / f"{frame:06d}.png", lambda path: path.write_bytes(data))

    def _save_array(self, stream: str, frame: int, array: NDArray[Any]) -> None:
        def write(path: Path) -> None:
            with path.open("wb") as file:
                np.save(file, array)

        self._save(self._folder / stream / f"{frame:06d}.npy", write)

    def _save(self, path: Path, write: Callable[[Path], object]) -> None:
        """Write a file under another name first."""
        partial = path.with_name(f".{path.name}.partial")
        try:
            write(partial)
            partial.replace(path)
        except OSError as error:
            raise not_whole(self._folder, error, what=f"{path.parent.name}/{path.name}") from error
        finally:
            partial.unlink(missing_ok=True)


def describe_cameras(cameras: dict[int, Camera]) -> dict[str, Any]:
    """Describe the cameras of frames as `camera.json` has them."""
    first = next(iter(cameras.values()))
    height, width = first.size
    return {
        "about": "pixels of which the first has its middle at (0, 0); metres; x right, y down, z "
        "ahead; camera_to_world maps homogeneous camera coordinates to the world",
        "width": width,
        "height": height,
        "fps": FPS,
        "fx": first.focal_px,
        "fy": first.focal_px,
        "cx": first.middle[0],
        "cy": first.middle[1],
        "frames": [
            {"frame": frame, "camera_to_world": pose_matrix(camera).tolist()}
            for frame, camera in cameras.items()
        ],
    }


def pose_matrix(camera: Camera) -> NDArray[np.float64]:
    """Return the '4 4' matrix from camera to world coordinates."""
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = camera.rotation, camera.centre
    return matrix
