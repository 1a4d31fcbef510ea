"""The errors that a user can cause and mend.

Vid2VidError                 the command line prints it as one line and ends with status 2
├─ ConfigError               a configuration file or a --set value is not valid
├─ DataError                 a data set, label map or palette does not fit
├─ CheckpointError           a checkpoint is missing, incomplete, or of another shape
└─ VideoError                a video or frame folder cannot be read or written

Each message says what was needed, what came, where, and what to do. A wrong tensor or argument
passed by a programmer is a plain `ValueError`.
"""


class Vid2VidError(Exception):
    """Anything a user can cause and mend."""


class ConfigError(Vid2VidError):
    """A configuration file or a `--set` value is not valid."""


class DataError(Vid2VidError):
    """A data set, a label map or a palette does not fit what was configured."""


class CheckpointError(Vid2VidError):
    """A checkpoint is missing, incomplete, or of another shape."""


class VideoError(Vid2VidError):
    """A video or a frame folder cannot be read or written."""


class TrainingError(Exception):
    """Training had to stop: a term was not finite, or the device failed. Status 1."""
