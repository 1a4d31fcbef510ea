"""What surfaces are made of, by number."""

from enum import IntEnum


class Material(IntEnum):
    """Selects the shader of a solid and its row of the style's colours."""

    GROUND = 0
    SKY = 1
    FACADE = 2
    ROOF = 3
    PAINT = 4  # body of a car
    GLASS = 5  # cabin of a car
    RUBBER = 6
    LEAF = 7
    BARK = 8
    METAL = 9
    SIGN = 10
    LIGHT = 11  # traffic light
    CLOTH = 12
    SKIN = 13
    STONE = 14
    HAIR = 15


NUM_TINTS = 8
"""Colours of each material; a solid has the number of one."""


class Label(IntEnum):
    """The Cityscapes ids that occur."""

    ROAD = 7
    SIDEWALK = 8
    BUILDING = 11
    FENCE = 13
    POLE = 17
    TRAFFIC_LIGHT = 19
    TRAFFIC_SIGN = 20
    VEGETATION = 21
    TERRAIN = 22
    SKY = 23
    PERSON = 24
    RIDER = 25
    CAR = 26
    BICYCLE = 33


FIRST_THING = Label.PERSON
"""Classes from this id on have instances."""
