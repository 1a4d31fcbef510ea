"""How cars, cyclists, people and street furniture are built of solids."""

from vid2vid.world.materials import Label, Material
from vid2vid.world.solids import Part

Parts = tuple[Part, ...]

# Speeds at which legs and pedals go round, radians per metre of way.
STRIDE = 4.2
PEDAL = 2.2


def car(*, van: bool) -> Parts:
    """Build a car of 4.2 m, or a van of 4.9 m."""
    length, top, bonnet = (2.45, 0.62, 0.25) if van else (2.1, 0.3, 0.2)
    label = Label.CAR
    wheels = tuple(
        Part((x, -0.32, z), (0.12, 0.32, 0.32), Material.RUBBER, label, tint=7, round=True)
        for x in (-0.8, 0.8)
        for z in (-0.62 * length, 0.64 * length)
    )
    body = Part(
        (0.0, -0.58, 0.0),
        (0.88, 0.36, length),
        Material.PAINT,
        label,
        taper=(0.07, 0.04),
        look=(length, 0.0, 0.0),
        shadow=True,
    )
    cabin = Part(
        (0.0, -0.92 - top, -bonnet),
        (0.83, top, 0.66 * length if van else 0.58 * length),
        Material.GLASS,
        label,
        taper=(0.16, 0.16) if van else (0.26, 0.42),
        look=(0.35 if van else 0.1, 0.0, 0.0),
    )
    return (body, cabin, *wheels)


def person(height_m: float) -> Parts:
    """Build somebody who walks."""
    h, label = height_m / 1.75, Label.PERSON
    return (
        _limb((0.1, -0.86, 0.0), (0.075, 0.43 * h), swing=0.55, tint=1, label=label),
        _limb((-0.1, -0.86, 0.0), (0.075, 0.43 * h), swing=-0.55, tint=1, label=label),
        Part(
            (0.0, -1.13 * h, 0.0),
            (0.23, 0.33 * h, 0.14),
            Material.CLOTH,
            label,
            tint=2,
            taper=(0.1, 0.15),
            shadow=True,
        ),
        _limb((0.27, -1.42 * h, 0.0), (0.055, 0.3 * h), swing=-0.5, tint=2, label=label),
        _limb((-0.27, -1.42 * h, 0.0), (0.055, 0.3 * h), swing=0.5, tint=2, label=label),
        Part((0.0, -1.6 * h, 0.02), (0.1, 0.14, 0.12), Material.SKIN, label, tint=3, round=True),
        Part((0.0, -1.66 * h, -0.02), (0.11, 0.1, 0.13), Material.HAIR, label, tint=4, round=True),
    )


def cyclist() -> Parts:
    """Build somebody on a bicycle."""
    rider, bicycle = Label.RIDER, Label.BICYCLE
    wheels = tuple(
        Part((0.0, -0.34, z), (0.03, 0.34, 0.34), Material.RUBBER, bicycle, tint=7, round=True)
        for z in (-0.52, 0.52)
    )
    return (
        *wheels,
        Part((0.0, -0.62, 0.0), (0.03, 0.06, 0.5), Material.METAL, bicycle, tint=5, shadow=True),
        Part((0.0, -1.0, 0.45), (0.25, 0.025, 0.03), Material.METAL, bicycle, tint=7),
        _limb((0.1, -0.95, -0.1), (0.075, 0.4), swing=0.5, tint=1, label=rider),
        _limb((-0.1, -0.95, -0.1), (0.075, 0.4), swing=-0.5, tint=1, label=rider),
        Part(
            (0.0, -1.2, -0.02),
            (0.2, 0.32, 0.15),
            Material.CLOTH,
            rider,
            tint=2,
            taper=(0.05, 0.1),
            shadow=True,
        ),
        Part((0.0, -1.28, 0.25), (0.22, 0.05, 0.28), Material.CLOTH, rider, tint=2),
        Part((0.0, -1.66, 0.08), (0.11, 0.15, 0.13), Material.SKIN, rider, tint=3, round=True),
        Part((0.0, -1.74, 0.05), (0.13, 0.1, 0.15), Material.CLOTH, rider, tint=6, round=True),
    )


def lamp_post(height_m: float) -> Parts:
    """Build a lamp that hangs over the road; it stands at the right kerb."""
    pole = Label.POLE
    return (
        _post(height_m, 0.07),
        Part((-0.8, 0.05 - height_m, 0.0), (0.85, 0.04, 0.04), Material.METAL, pole, tint=7),
        Part((-1.6, 0.1 - height_m, 0.0), (0.3, 0.07, 0.12), Material.METAL, pole, tint=7),
    )


def sign(kind: int) -> Parts:
    """Build a road sign: 0 round, 1 square, 2 a name of a street."""
    half = ((0.32, 0.32, 0.03), (0.3, 0.3, 0.03), (0.55, 0.14, 0.03))[kind]
    return (
        _post(2.7, 0.035),
        Part(
            (0.0, -2.5, -0.06),
            half,
            Material.SIGN,
            Label.TRAFFIC_SIGN,
            round=kind == 0,
            look=(float(kind), 0.0, 0.0),
        ),
    )


def traffic_light() -> Parts:
    """Build a traffic light at the kerb, its lamps towards -z."""
    head = Part((0.0, -2.85, -0.1), (0.17, 0.48, 0.13), Material.LIGHT, Label.TRAFFIC_LIGHT, tint=7)
    return (_post(3.2, 0.06), head)


def _post(height_m: float, radius_m: float) -> Part:
    """Build an upright post."""
    return Part(
        (0.0, -0.5 * height_m, 0.0),
        (radius_m, 0.5 * height_m, radius_m),
        Material.METAL,
        Label.POLE,
        tint=7,
        taper=(0.3, 0.3),
        shadow=True,
    )


def _limb(
    joint: tuple[float, float, float],
    size: tuple[float, float],
    *,
    swing: float,
    tint: int,
    label: Label,
) -> Part:
    """Build an arm or a leg, (radius, half the length) in metres, that hangs from a joint."""
    radius_m, half_m = size
    return Part(
        joint,
        (radius_m, half_m, radius_m * 1.2),
        Material.CLOTH,
        label,
        tint=tint,
        taper=(-0.2, -0.2),
        arm=(0.0, half_m, 0.0),
        swing=swing,
    )
