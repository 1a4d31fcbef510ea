"""Scenes: what stands and moves in them."""

import numpy as np
import pytest

from vid2vid.world.config import WorldConfig
from vid2vid.world.materials import FIRST_THING, Label
from vid2vid.world.movers import Traffic
from vid2vid.world.plan import make_plan
from vid2vid.world.route import make_route
from vid2vid.world.scene import Layout
from vid2vid.world.solids import PARTS_PER_THING

SIZE = (64, 128)
BUSY = WorldConfig(traffic=1.0, thin=1.0, path="loop")


@pytest.fixture(scope="module")
def layout():
    return Layout(3, BUSY)


@pytest.mark.parametrize("frame", [0, 211])
def test_no_two_solids_are_the_same_part(layout, frame):
    scene = layout.scene(frame, SIZE, (-1,))
    assert len(scene.part.unique()) == len(scene.part)


@pytest.mark.parametrize("frame", [0, 211])
def test_things_have_instance_ids_of_their_own(layout, frame):
    scene = layout.scene(frame, SIZE, (-1,))
    is_thing = scene.label >= FIRST_THING
    assert (scene.instance[is_thing] // 1000 == scene.label[is_thing]).all()
    assert (scene.instance[~is_thing] == scene.label[~is_thing]).all()
    number, label = scene.part[is_thing] // PARTS_PER_THING, scene.label[is_thing]
    names = {}
    for instance, key in zip(
        scene.instance[is_thing].tolist(),
        zip(number.tolist(), label.tolist(), strict=True),
        strict=True,
    ):
        assert names.setdefault(instance, key) == key


def test_things_keep_their_ids_from_frame_to_frame(layout):
    now, later = (layout.scene(frame, SIZE, ()) for frame in (10, 11))
    ids = dict(zip(now.part.tolist(), now.instance.tolist(), strict=True))
    both = [p for p in later.part.tolist() if p in ids]
    assert len(both) > 0.9 * len(ids)
    assert all(
        ids[part] == instance
        for part, instance in zip(later.part.tolist(), later.instance.tolist(), strict=True)
        if part in ids
    )


def test_a_motion_leads_to_where_the_solid_is_in_the_other_frame(layout):
    now, later = layout.scene(10, SIZE, (1,)), layout.scene(11, SIZE, (-1,))
    rows = {part: row for row, part in enumerate(later.part.tolist())}
    pairs = [(row, rows[part]) for row, part in enumerate(now.part.tolist()) if part in rows]
    here, there = (np.array(side) for side in zip(*pairs, strict=True))
    motion = now.motions[here, 0].double()
    centre = now.centre[here].double()
    moved = (motion[:, :, :3] @ centre[:, :, None])[..., 0] + motion[:, :, 3]
    assert np.allclose(moved[:-2], later.centre[there][:-2], atol=1e-3)


def test_nothing_that_moves_comes_near_the_camera():
    plan = make_plan(1)
    for path in ("straight", "turn", "loop"):
        config = WorldConfig(path=path, traffic=1.0)
        traffic = Traffic(config, make_route(path, plan), 1)
        camera = Layout(1, config).camera
        for frame in range(0, 500, 25):
            eye = camera(frame, SIZE).centre
            for group in traffic.at([frame]):
                place = group.things[0].place
                assert (np.hypot(place.x - eye[0], place.z - eye[2]) > 1.2).all()


def test_traffic_and_thin_things_can_be_turned_off():
    empty = Layout(2, WorldConfig(traffic=0.0, thin=0.0)).scene(0, SIZE, ())
    full = Layout(2, WorldConfig(traffic=1.0, thin=1.0)).scene(0, SIZE, ())
    labels = [set(scene.label.tolist()) for scene in (empty, full)]
    assert not labels[0] & {Label.PERSON, Label.RIDER, Label.BICYCLE}
    for label in (Label.PERSON, Label.CAR, Label.POLE, Label.TRAFFIC_SIGN):
        counts = [(scene.label == label).sum() for scene in (empty, full)]
        assert counts[0] < counts[1]


def test_the_layout_follows_from_the_world_seed_alone():
    one, same, other = (Layout(seed, WorldConfig()).scene(0, SIZE, ()) for seed in (4, 4, 5))
    assert one.centre.equal(same.centre)
    assert one.tint.equal(same.tint)
    assert one.centre.shape != other.centre.shape
