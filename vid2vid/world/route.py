"""Where a route leads, and how far along it the camera is in each frame."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vid2vid.world.config import FPS, PathName, WorldConfig
from vid2vid.world.plan import CORNER_RADIUS_M, Plan

Floats = NDArray[np.float64]

# One round of stop and go, seconds: pull away, drive, brake, stand.
_RAMP_S, _DRIVE_S, _STAND_S = 2.5, 3.0, 1.2


class Place(NamedTuple):
    """Points on a route."""

    x: Floats  # 'n', metres
    z: Floats  # 'n', metres
    heading: Floats  # 'n', radians: 0 looks along z, a right turn increases it


class _Piece(NamedTuple):
    start_m: float  # along the route
    x: float
    z: float
    heading: float
    curvature: float  # 1/m; positive turns right


class Route:
    """The middle line of the streets that are driven: pieces that repeat for ever."""

    def __init__(self, pieces: list[_Piece], end: _Piece) -> None:
        self._start = np.array([piece.start_m for piece in pieces])
        self._x = np.array([piece.x for piece in pieces])
        self._z = np.array([piece.z for piece in pieces])
        self._heading = np.array([piece.heading for piece in pieces])
        self._curvature = np.array([piece.curvature for piece in pieces])
        self.period_m = end.start_m
        self._step = (end.x - pieces[0].x, end.z - pieces[0].z)

    @property
    def is_closed(self) -> bool:
        """Whether it comes back to its start after `period_m`."""
        return max(abs(self._step[0]), abs(self._step[1])) < 1e-6

    def at(self, distance_m: Floats, offset_m: Floats) -> Place:
        """Find the points `distance_m` along the route and `offset_m` to its right: each 'n'."""
        rounds = np.floor(distance_m / self.period_m)
        along = distance_m - rounds * self.period_m
        index = np.searchsorted(self._start, along, side="right") - 1
        length = along - self._start[index]
        first, curvature = self._heading[index], self._curvature[index]
        heading = first + curvature * length
        is_bent = curvature != 0
        bend = np.where(is_bent, curvature, 1.0)
        dx = np.where(is_bent, (np.cos(first) - np.cos(heading)) / bend, np.sin(first) * length)
        dz = np.where(is_bent, (np.sin(heading) - np.sin(first)) / bend, np.cos(first) * length)
        x = self._x[index] + dx + rounds * self._step[0] + np.cos(heading) * offset_m
        z = self._z[index] + dz + rounds * self._step[1] - np.sin(heading) * offset_m
        return Place(x, z, heading)


def make_route(path: PathName, plan: Plan) -> Route:
    """Lay the route of a path over the streets; it starts on x = 0, heading along z."""
    turns = {"turn": (1, -1), "loop": (1, 1, 1, 1)}.get(path, ())
    if not turns:
        piece = _Piece(0.0, 0.0, 0.5 * plan.length_m, 0.0, 0.0)
        return Route([piece], piece._replace(start_m=plan.length_m, z=1.5 * plan.length_m))
    # A loop starts in the middle of its first side and so has that side twice, half each time.
    pieces, at = [], _Piece(0.0, 0.0, 0.5 * plan.length_m, 0.0, 0.0)
    side_m = (plan.length_m, plan.width_m)
    for number, turn in enumerate(turns):
        straight_m = side_m[number % 2] * (0.5 if number == 0 else 1.0)
        straight_m -= CORNER_RADIUS_M * (1.0 if number == 0 else 2.0)
        at = _go_on(pieces, at, length_m=straight_m, curvature=0.0)
        length_m = CORNER_RADIUS_M * math.pi / 2
        at = _go_on(pieces, at, length_m=length_m, curvature=turn / CORNER_RADIUS_M)
    at = _go_on(pieces, at, length_m=0.5 * plan.length_m - CORNER_RADIUS_M, curvature=0.0)
    return Route(pieces, at)


def travelled(frame: float, config: WorldConfig, route: Route) -> float:
    """Tell how far along its route the camera is in a frame, metres."""
    if config.path == "stop_and_go":
        return _stop_and_go(frame / FPS, config.speed)
    if config.path == "loop":
        frames = max(1, round(route.period_m / config.speed * FPS))
        rounds, rest = divmod(frame, frames)  # every round has the same bits
        return rounds * route.period_m + rest / frames * route.period_m
    return config.speed * frame / FPS


def _go_on(pieces: list[_Piece], at: _Piece, *, length_m: float, curvature: float) -> _Piece:
    """Add a piece of this length from `at`, and return where it ends."""
    piece = at._replace(curvature=curvature)
    pieces.append(piece)
    heading = at.heading + curvature * length_m
    if curvature:
        dx = (math.cos(at.heading) - math.cos(heading)) / curvature
        dz = (math.sin(heading) - math.sin(at.heading)) / curvature
    else:
        dx, dz = math.sin(at.heading) * length_m, math.cos(at.heading) * length_m
    return _Piece(at.start_m + length_m, at.x + dx, at.z + dz, heading, 0.0)


def _stop_and_go(seconds: float, speed: float) -> float:
    """Integrate a speed that rises, stays, falls and rests, with soft beginnings and ends."""
    round_s = 2 * _RAMP_S + _DRIVE_S + _STAND_S
    rounds, rest = divmod(seconds + _RAMP_S + 0.5 * _DRIVE_S, round_s)
    driven = rounds * (_RAMP_S + _DRIVE_S) + _ramp(min(rest, _RAMP_S))
    driven += min(max(rest - _RAMP_S, 0.0), _DRIVE_S)
    braking = min(max(rest - _RAMP_S - _DRIVE_S, 0.0), _RAMP_S)
    driven += 0.5 * _RAMP_S - _ramp(_RAMP_S - braking)
    return speed * (driven - 0.5 * (_RAMP_S + _DRIVE_S))


def _ramp(seconds: float) -> float:
    """Integrate (1 - cos(pi t / ramp)) / 2 from 0 to `seconds`."""
    phase = math.pi * seconds / _RAMP_S
    return 0.5 * (seconds - _RAMP_S / math.pi * math.sin(phase))
