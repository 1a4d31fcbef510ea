"""What goes wrong inside of a parser that is given a damaged or hostile file."""

import pickle
import struct
from tokenize import TokenError

FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TokenError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
    struct.error,
)
"""All that the readers of pickles and of headers have been seen to raise, by their families."""


def reason_of(error: BaseException) -> str:
    """Say in a few words what a parser stumbled over; some say nothing but a name or a number."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, EOFError):
        return "it ends too early"
    text = " ".join(str(error).split())[:120]
    if isinstance(error, (pickle.UnpicklingError, ValueError)) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
