"""An unpickler that knows numpy arrays by name, each name with a version of our own behind it.

A pickle may set any attribute that it finds on what it is handed. So what it calls has none, and
what it makes checks every state that it is given; numpy only sees bytes of a known type and shape.
"""

import io
import math
import pickle
import pickletools
import re
from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

_CODE = re.compile(r"[fiu](1|2|4|8|16)|O8?")  # of a type: numbers, or objects
_PUTS = ("PUT", "BINPUT", "LONG_BINPUT")  # keep a thing in a place of that number
_ORDERS = ("<", ">", "=", "|")  # of the bytes of a number


def load_restricted(content: bytes) -> object:
    """Unpickle dicts, lists, numbers, text and arrays.

    Raises:
        UnpicklingError: if it asks for anything else; a damaged pickle raises any of `FAULTS`.
    """
    for opcode, argument, _ in pickletools.genops(content):
        # The unpickler makes room for as many places as the largest number says.
        if opcode.name in _PUTS and isinstance(argument, int) and argument > len(content):
            raise pickle.UnpicklingError("it counts more things than it has room for")
    return _RestrictedUnpickler(io.BytesIO(content), encoding="latin1").load()


class _RestrictedUnpickler(pickle.Unpickler):
    """Makes dicts, lists, numbers, text and arrays, and refuses every other name."""

    def find_class(self, module: str, name: str, /) -> Any:  # noqa: ANN401
        """Return our version of a name."""
        known = _ADMITTED.get((module.replace("numpy._core", "numpy.core"), name))
        if known is None:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, so it was not opened")
        return known

    def persistent_load(self, pid: object, /) -> Any:  # noqa: ANN401
        """Refuse what lies in no file."""
        raise pickle.UnpicklingError("it refers to something outside of itself")


class PickledType:
    """A type of numbers, or of objects; a pickle tells the order of bytes afterwards."""

    __slots__ = ("_code", "_order")

    def __init__(self, code: str) -> None:
        self._code = code
        self._order = "="

    def __setstate__(self, state: object) -> None:
        _, order, *parts = _items(state, at_least=5)
        if order not in _ORDERS or any(part is not None for part in parts[:3]):
            raise pickle.UnpicklingError("it asks for an array of another kind")
        self._order = str(order)

    @property
    def is_object(self) -> bool:
        """Whether it is the type of Python objects."""
        return self._code.startswith("O")

    def dtype(self) -> np.dtype[Any]:
        """Make the type of numbers.

        Raises:
            UnpicklingError: if it is that of objects.
        """
        if self.is_object:
            raise pickle.UnpicklingError("it asks for a number of type object")
        order = "=" if self._order == "|" else self._order
        return np.dtype(order + self._code)


class PickledArray:
    """An array, empty at first; a pickle tells shape, type and content afterwards."""

    __slots__ = ("_objects", "_values")

    def __init__(self, values: NDArray[Any] | None = None) -> None:
        self._values = values
        self._objects: list[object] = []

    def __setstate__(self, state: object) -> None:
        _, shape, kind, is_by_column, content, *_ = _items(state, at_least=5)
        if isinstance(kind, PickledType) and kind.is_object:
            if not isinstance(content, list):
                raise pickle.UnpicklingError("it asks for an array of another kind")
            self._objects = cast("list[object]", content)
            return
        self._values = _numbers(content, kind, _items(shape), by_column=bool(is_by_column))

    def only_object(self) -> object:
        """Return what an array of one object holds; None where it is of another kind."""
        return self._objects[0] if len(self._objects) == 1 else None

    def numbers(self) -> NDArray[Any] | None:
        """Return the numbers; None where it is of objects."""
        return self._values


def _items(state: object, *, at_least: int = 0) -> tuple[object, ...]:
    """Check that something is a tuple."""
    if not isinstance(state, tuple) or len(cast("tuple[object, ...]", state)) < at_least:
        raise pickle.UnpicklingError("it asks for an array of another kind")
    return cast("tuple[object, ...]", state)


def _numbers(
    content: object, kind: object, shape: tuple[object, ...], *, by_column: bool
) -> NDArray[Any]:
    """Put an array together from its bytes, which are text in pickles of Python 2.

    Raises:
        UnpicklingError: if they are not those of such an array.
    """
    plain = content.encode("latin1") if isinstance(content, str) else content
    sides = tuple(side for side in shape if type(side) is int and side >= 0)
    if not (isinstance(kind, PickledType) and isinstance(plain, (bytes, bytearray))):
        raise pickle.UnpicklingError("it asks for an array of another kind")
    dtype = kind.dtype()
    if len(sides) < len(shape) or math.prod(sides) * dtype.itemsize != len(plain):
        raise pickle.UnpicklingError(
            f"it has {len(plain)} bytes for an array of {dtype} of another size"
        )
    flat = np.frombuffer(plain, dtype=dtype) if plain else np.empty(0, dtype)
    return flat.reshape(sides, order="F" if by_column else "C")


class _Marker:
    """Stands for numpy's class of arrays, which nothing may call."""

    __slots__ = ()


class _MakeArray:
    """Makes the empty array that the pickle then fills."""

    __slots__ = ()

    def __call__(self, kind: object, shape: object, code: object) -> PickledArray:
        if kind is not _ARRAY or shape != (0,):
            raise pickle.UnpicklingError("it asks for an array of another kind")
        return PickledArray()


class _ViewArray:
    """Makes an array of bytes, as pickles of protocol 5 do."""

    __slots__ = ()

    def __call__(self, *state: object) -> PickledArray:
        content, kind, shape, order, *_ = _items(state, at_least=4)
        return PickledArray(_numbers(content, kind, _items(shape), by_column=order == "F"))


class _MakeType:
    """Makes the type of numbers, or of the dict itself."""

    __slots__ = ()

    def __call__(self, code: object, *_: object) -> PickledType:
        if not isinstance(code, str) or not _CODE.fullmatch(code):
            shown = f"{code!r:.40}" if isinstance(code, str) else type(code).__name__
            raise pickle.UnpicklingError(f"it asks for an array of type {shown}")
        return PickledType(code)


class _MakeNumber:
    """Makes a numpy number."""

    __slots__ = ()

    def __call__(self, kind: object, content: object) -> object:
        return _numbers(content, kind, (1,), by_column=False)[0]


class _Encode:
    """Turns text into bytes, as pickles of protocol 2 do."""

    __slots__ = ()

    def __call__(self, text: str, encoding: str) -> bytes:
        if encoding != "latin1":
            raise pickle.UnpicklingError(f"it asks for text in {encoding:.40}")
        return text.encode("latin1")


_ARRAY = _Marker()
_ADMITTED: dict[tuple[str, str], _Marker | Callable[..., object]] = {
    ("numpy", "ndarray"): _ARRAY,
    ("numpy", "dtype"): _MakeType(),
    ("numpy.core.multiarray", "_reconstruct"): _MakeArray(),
    ("numpy.core.multiarray", "scalar"): _MakeNumber(),
    ("numpy.core.numeric", "_frombuffer"): _ViewArray(),
    ("_codecs", "encode"): _Encode(),
}
