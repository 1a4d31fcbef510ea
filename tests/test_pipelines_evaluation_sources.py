import pytest
from evaluations import options, write

from pipelines.evaluation.sources import find_footage, find_places, find_worlds
from vid2vid.errors import DataError


@pytest.fixture
def pair(tmp_path):
    return write(tmp_path / "real"), write(tmp_path / "ours", change=10)


def test_places_are_videos_folders_folders_of_those_or_lists(tmp_path):
    write(tmp_path / "all" / "b")
    write(tmp_path / "all" / "a")
    (tmp_path / "list.txt").write_text("all/b\n\nall/a\n")
    assert [place.name for place in find_places(tmp_path / "all")] == ["a", "b"]
    assert [place.name for place in find_places(tmp_path / "list.txt")] == ["b", "a"]
    assert [place.name for place in find_places(tmp_path / "all" / "a")] == ["a"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"empty has none: check the path"):
        find_places(tmp_path / "empty")


def test_sequences_pair_by_name_where_they_can(tmp_path):
    for place in ("real/a", "real/b", "ours/b", "ours/a"):
        write(tmp_path / place)
    (tmp_path / "ours.txt").write_text("ours/b\nours/a\n")
    found = find_footage(options((tmp_path / "real", tmp_path / "ours.txt"), tmp_path))
    assert [each.systems[0].place.name for each in found] == ["a", "b"]


def test_streams_that_do_not_fit_are_refused_before_anything_is_measured(pair, tmp_path):
    real, ours = pair
    short = write(tmp_path / "short", 5)
    with pytest.raises(DataError, match="must be as many as the real frames, 6"):
        find_footage(options((real, short), tmp_path))
    with pytest.raises(DataError, match="must have the aspect"):
        find_footage(options((real, write(tmp_path / "wide", height=24, width=48)), tmp_path))
    other = write(tmp_path / "large", height=48, width=64)
    with pytest.raises(DataError, match="must be of one size"):
        find_footage(options((real, ours, other), tmp_path))
    (tmp_path / "two.txt").write_text(f"{real}\n{real}\n")
    with pytest.raises(DataError, match=r"as many sequences as the real one, 1; .* has 2"):
        find_footage(options((real, tmp_path / "two.txt"), tmp_path))


def test_the_frames_of_worlds_are_found_and_nothing_else_in_them(tmp_path):
    for name in ("one", "two"):
        for stream in ("frames", "labels", "flow"):
            write(tmp_path / "worlds" / name / stream, 2)
    (alone,) = find_places(tmp_path / "worlds" / "one")
    assert (alone.name, alone.path.name) == ("one", "frames")
    (tmp_path / "worlds.txt").write_text("worlds/two\nworlds/one\n")
    listed = find_places(tmp_path / "worlds.txt", stream="labels")
    assert [(each.name, each.path.name) for each in listed] == [
        ("two", "labels"),
        ("one", "labels"),
    ]
    assert [each.name for each in find_worlds(tmp_path / "worlds.txt")] == ["two", "one"]
    both = find_places(tmp_path / "worlds")
    assert [(each.name, each.path.name) for each in both] == [("one", "frames"), ("two", "frames")]


def test_a_missing_picture_among_numbered_ones_is_named(tmp_path):
    pair = write(tmp_path / "real", 5), write(tmp_path / "ours", 6)
    (pair[1] / "000003.png").unlink()
    with pytest.raises(DataError, match=r"beside 000003 .* there is 000004 .* 000003 was expected"):
        find_footage(options(pair, tmp_path))


def test_numbers_that_begin_elsewhere_are_said(tmp_path, caplog):
    pair = write(tmp_path / "real", 5), write(tmp_path / "ours", 5, first=4)
    find_footage(options(pair, tmp_path))
    assert "frame 000004 of" in caplog.text
    assert "is taken for frame 000000 of" in caplog.text


def test_frames_smaller_than_the_window_of_ssim_are_refused(tmp_path):
    pair = write(tmp_path / "real", 2), write(tmp_path / "ours", 2, height=9, width=12)
    with pytest.raises(DataError, match="at least 11 pixels a side"):
        find_footage(options(pair, tmp_path))


def test_pictures_that_share_names_must_have_the_same(tmp_path):
    places = write(tmp_path / "real", 4), write(tmp_path / "ours", 4)
    for place, missing in zip(places, (1, 2), strict=True):
        for path in sorted(place.iterdir()):
            path.rename(place / f"street_{path.stem}_cam{path.stem[-1]}.png")
        next(place.glob(f"*cam{missing}.png")).unlink()
    with pytest.raises(DataError, match=r"there is street_000001_cam1 .* street_000002_cam2 was"):
        find_footage(options(places, tmp_path))


def test_pictures_of_other_names_pair_in_order(tmp_path):
    places = write(tmp_path / "real", 3), write(tmp_path / "ours", 3)
    for path in sorted(places[0].iterdir()):
        path.rename(places[0] / f"0016E5_{7959 + 2 * int(path.stem)}.png")
    (found,) = find_footage(options(places, tmp_path))
    assert found.num_frames == 3
