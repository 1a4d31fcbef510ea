"""Whether pictures are changed one by one or a video is filled, and what may be asked of either."""

from pathlib import Path

from pipelines.filling.options import FillOptions
from pipelines.rendering.label_choice import check_places
from pipelines.rendering.options import PictureFormat, RenderOptions
from pipelines.rendering.picture_choice import check_pictures
from vid2vid.errors import ConfigError
from vid2vid.video.reading import is_video


def takes_video(
    source: Path,
    out: Path,
    video: FillOptions,
    *,
    picture_format: PictureFormat | None,
    quality: int | None,
) -> bool:
    """Tell whether input or output is a video, and check that what was asked is for that.

    Args:
        source: picture, folder, glob or video.
        out: picture, folder or video.
        video: what was asked of a video.
        picture_format: of the pictures in a folder; None = not asked.
        quality: of JPEG and WebP; None = not asked.

    Raises:
        ConfigError: if it is not, or the output has no place of its own.
    """
    plain = RenderOptions(
        codec=video.codec,
        crf=video.crf,
        lossless=video.lossless,
        format=picture_format,
        quality=quality,
    )
    check_places(plain, source, out)
    if is_video(source) or is_video(out):
        for option, value in (("--format", picture_format), ("--quality", quality)):
            if value is not None:
                raise ConfigError(
                    f"{option} is for pictures; {source} to {out} is a video: leave it out"
                )
        return True
    check_pictures(plain, out)
    if video.asks_of_video:
        raise ConfigError(
            f"options of video say nothing of pictures; {source} to {out} is none: leave "
            "--frames, --fps, --audio, --flow, --raft, --chunk and --overlap out"
        )
    return False
