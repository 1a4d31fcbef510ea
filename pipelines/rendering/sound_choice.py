"""Whether the sound of the input goes into the output."""

from pathlib import Path

from pipelines.rendering.options import RenderOptions
from vid2vid.errors import ConfigError
from vid2vid.video.reading import is_video
from vid2vid.video.writing import holds_sound


def takes_sound(options: RenderOptions, source: Path, out: Path) -> bool:
    """Tell whether the packets of the input's sound are wanted.

    Args:
        options: of which `audio` decides; left open it is "copy" where that can be.
        source: the input.
        out: the output.

    Raises:
        ConfigError: if sound was asked for where the input or the output cannot have any.
    """
    if options.audio == "none":
        return False
    has_both = is_video(source) and holds_sound(out)
    if options.audio == "copy" and not has_both:
        lacking, needed = (out, "write") if is_video(source) else (source, "read")
        raise ConfigError(
            f"--audio copy needs a video to {needed}; {lacking} cannot have sound: leave it out, "
            "or name an .mp4, .mkv or .webm"
        )
    return has_both
