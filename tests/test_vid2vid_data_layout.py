from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from vid2vid.data.augment import Size
from vid2vid.data.config import DataConfig, StreamPatterns
from vid2vid.data.layout import find_sequences
from vid2vid.data.pairing import Source, shared_ending
from vid2vid.data.store import FrameStore
from vid2vid.errors import DataError, VideoError
from vid2vid.labels.files import LabelReader
from vid2vid.labels.palettes import load_palette
from vid2vid.video.reading import read_image
from vid2vid.video.writing import open_writer


def write_pictures(folder, names, *, size=(6, 8)):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.fromarray(np.zeros(size, np.uint8)).save(folder / name)


def write_video(path, num_frames, *, size=(16, 32)):
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(25))
        stream.height, stream.width = size
        for level in range(num_frames):
            picture = np.full((*size, 3), level, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode())


def numbered(count, *, first=0, ending=""):
    return [f"{index:04d}{ending}.png" for index in range(first, first + count)]


def write_folders(root, *, frames, labels, sequence="street"):
    write_pictures(root / "train" / sequence / "frames", frames)
    write_pictures(root / "train" / sequence / "labels", labels)


def write_video_with_labels(root, *, num_frames=3, labels):
    write_video(root / "train/street/frames.mp4", num_frames)
    write_pictures(root / "train/street/labels", labels, size=(16, 32))


def names_of(sources):
    return [source.path.name for source in sources]


def test_folders_pair_frames_with_labels_and_instances(tmp_path):
    write_folders(tmp_path, frames=numbered(3), labels=numbered(3))
    write_pictures(tmp_path / "train/street/instances", numbered(3))
    (sequence,) = find_sequences(tmp_path, "train")
    assert sequence.name == "street"
    assert sequence.size == (6, 8)
    assert sequence.frames[1] == Source(tmp_path / "train/street/frames/0001.png", None)
    assert sequence.labels[2] == Source(tmp_path / "train/street/labels/0002.png", None)
    assert sequence.instances[2].path.parent.name == "instances"


def test_folders_finds_sequences_at_any_depth_by_name(tmp_path):
    for sequence in ("b/two", "b/one", "a"):
        write_folders(tmp_path, frames=numbered(2), labels=numbered(2), sequence=sequence)
    sequences = find_sequences(str(tmp_path), "train", "folders")
    assert [sequence.name for sequence in sequences] == ["a", "b/one", "b/two"]


def test_a_sequence_may_lie_in_the_split_itself(tmp_path):
    write_folders(tmp_path, frames=numbered(2), labels=numbered(2), sequence=".")
    assert [sequence.name for sequence in find_sequences(tmp_path, "train")] == ["train"]


def test_two_videos_pair_frame_by_frame(tmp_path):
    for stream in ("frames", "labels"):
        write_video(tmp_path / f"train/street/{stream}.mp4", 3)
    (sequence,) = find_sequences(tmp_path, "train")
    assert sequence.labels == tuple(
        Source(tmp_path / "train/street/labels.mp4", frame) for frame in range(3)
    )


def test_a_video_pairs_with_pictures_by_their_numbers(tmp_path):
    labels = ["map_2_ids.png", "map_0_ids.png", "map_1_ids.png"]
    write_video_with_labels(tmp_path, labels=labels)
    (sequence,) = find_sequences(tmp_path, "train")
    assert names_of(sequence.labels) == sorted(labels)
    assert [source.frame for source in sequence.frames] == [0, 1, 2]


def test_pictures_pair_with_a_label_video_by_their_numbers(tmp_path):
    write_pictures(tmp_path / "train/street/frames", numbered(12), size=(16, 32))
    write_video(tmp_path / "train/street/labels.mp4", 12)
    (sequence,) = find_sequences(tmp_path, "train")
    assert [source.frame for source in sequence.labels] == list(range(12))


def test_official_layout_takes_every_folder_with_pictures(tmp_path):
    for stream in ("A", "B", "inst"):
        write_pictures(tmp_path / f"train_{stream}/city/seq0", numbered(2))
        write_pictures(tmp_path / f"train_{stream}/seq1", numbered(3))
    sequences = find_sequences(tmp_path, "train")
    assert [(s.name, s.num_frames) for s in sequences] == [("city/seq0", 2), ("seq1", 3)]
    assert sequences[0].frames[0].path.parent == tmp_path / "train_B/city/seq0"
    assert sequences[0].labels[0].path.parent == tmp_path / "train_A/city/seq0"
    assert sequences[0].instances[0].path.parent == tmp_path / "train_inst/city/seq0"


def test_official_layout_may_be_flat(tmp_path):
    for stream in ("A", "B"):
        write_pictures(tmp_path / f"train_{stream}", numbered(2))
    (sequence,) = find_sequences(tmp_path, "train")
    assert (sequence.name, sequence.num_frames, sequence.instances) == ("train", 2, None)


def test_official_layout_takes_a_video_for_each_sequence(tmp_path):
    for name in ("one", "two"):
        write_video(tmp_path / f"train_B/{name}.mp4", 2)
        write_video(tmp_path / f"train_A/{name}.mp4", 2)
    assert [sequence.name for sequence in find_sequences(tmp_path, "train")] == ["one", "two"]


def test_patterns_place_the_streams_anywhere(tmp_path):
    write_pictures(tmp_path / "photo/val/seq0", ["a_left.png", "b_left.png"])
    write_pictures(tmp_path / "fine/val/seq0", ["a_ids.png", "a_col.png", "b_ids.png"])
    (tmp_path / "photo/val/notes.txt").write_text("no sequence")
    patterns = StreamPatterns(
        frames="photo/{split}/{sequence}", labels="fine/{split}/{sequence}/*_ids.png"
    )
    (sequence,) = find_sequences(tmp_path, "val", patterns)
    assert sequence.name == "seq0"
    assert names_of(sequence.labels) == ["a_ids.png", "b_ids.png"]


def test_pattern_of_pictures_tells_sequences_apart_by_name(tmp_path):
    write_pictures(tmp_path / "all", ["x_0_rgb.png", "x_1_rgb.png", "y_0_rgb.png"])
    write_pictures(tmp_path / "ids", ["x_0_ids.png", "x_1_ids.png", "y_0_ids.png"])
    patterns = StreamPatterns(frames="all/{sequence}_*_rgb.png", labels="ids/{sequence}_*_ids.png")
    sequences = find_sequences(tmp_path, "train", patterns)
    assert [(s.name, s.num_frames) for s in sequences] == [("x", 2), ("y", 1)]
    assert names_of(sequences[0].labels) == ["x_0_ids.png", "x_1_ids.png"]


def test_sequence_stands_for_the_same_name_throughout_a_pattern(tmp_path):
    both = StreamPatterns(frames="{sequence}_{sequence}", labels="{sequence}_ids")
    write_pictures(tmp_path / "x_x", ["0.png"])
    write_pictures(tmp_path / "x_y", ["0.png"])
    write_pictures(tmp_path / "x_ids", ["0.png"])
    assert [sequence.name for sequence in find_sequences(tmp_path, "train", both)] == ["x"]


def test_pattern_without_sequence_is_one_sequence(tmp_path):
    write_video(tmp_path / "drive.MP4", 2)
    write_video(tmp_path / "drive_labels.mkv", 2)
    patterns = StreamPatterns(frames="drive", labels="drive_labels")
    (sequence,) = find_sequences(tmp_path, "train", patterns)
    assert (sequence.name, sequence.num_frames) == ("train", 2)


def test_frame_range_is_a_slice_of_each_sequence(tmp_path):
    write_folders(tmp_path, frames=numbered(5), labels=numbered(5))
    (first,) = find_sequences(tmp_path, "train", frame_range=(0, 3))
    (last,) = find_sequences(tmp_path, "train", frame_range=(-2, None))
    assert names_of(first.labels) == numbered(3)
    assert names_of(last.frames) == numbered(2, first=3)


def test_names_pair_without_the_ending_of_their_folder(tmp_path):
    frames = [f"aachen_{n:06d}_000019_leftImg8bit.png" for n in (3, 1, 2)]
    labels = [f"aachen_{n:06d}_000019_gtFine_labelIds.png" for n in (1, 2, 3)]
    write_folders(tmp_path, frames=frames, labels=labels)
    (sequence,) = find_sequences(tmp_path, "train")
    assert names_of(sequence.frames) == sorted(frames)
    assert names_of(sequence.labels) == labels


def test_single_pictures_of_different_numbers_do_not_pair(tmp_path):
    write_folders(tmp_path, frames=["a_7_rgb.png"], labels=["a_8_ids.png"])
    with pytest.raises(DataError, match=r"the first is 'a_7_ids.png'"):
        find_sequences(tmp_path, "train")


@pytest.mark.parametrize(
    ("stems", "ending"),
    [
        (["a_1_x", "a_2_x"], "_x"),
        (["a_000019_leftImg8bit"], "_leftImg8bit"),
        (["a_000019", "b_000019"], ""),
        (["a_0_gtFine_labelIds", "b_0_gtFine_labelIds"], "_gtFine_labelIds"),
        (["0001x", "0002x"], ""),
        (["0001", "0002"], ""),
    ],
)
def test_shared_ending_starts_at_an_underscore_and_holds_no_number(stems, ending):
    assert shared_ending(stems) == ending


def test_labels_of_another_size_and_the_same_aspect_are_taken(tmp_path):
    write_pictures(tmp_path / "train/street/frames", numbered(1), size=(360, 480))
    write_pictures(tmp_path / "train/street/labels", numbered(1), size=(90, 121))
    assert find_sequences(tmp_path, "train")[0].size == (360, 480)


def test_a_turned_photograph_has_the_size_it_is_shown_at(tmp_path):
    write_folders(tmp_path, frames=["b.jpg"], labels=["b.png"])
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (6, 8)).save(tmp_path / "train/street/frames/b.jpg", exif=exif)
    assert find_sequences(tmp_path, "train")[0].size == (6, 8)


def test_folders_of_other_names_are_listed_where_frames_are_wanted(tmp_path):
    write_pictures(tmp_path / "train" / "one" / "images", numbered(3))
    write_pictures(tmp_path / "train" / "one" / "masks", numbered(2))
    says = r"found none below .*train, but there are one/images \(3 pictures\), one/masks \(2 pict"
    with pytest.raises(DataError, match=says):
        find_sequences(tmp_path, "train")


def test_what_macos_keeps_beside_a_video_is_no_sequence(tmp_path):
    write_video(tmp_path / "film.mp4", 3)
    (tmp_path / "._film.mp4").write_bytes(b"Mac OS X")
    found = find_sequences(tmp_path, "train", "videos", with_labels=False)
    assert [sequence.name for sequence in found] == ["film"]


def test_config_takes_patterns_and_names_them_in_its_errors():
    layout = {"frames": "images/{sequence}", "labels": "labels/{sequence}"}
    config = DataConfig.model_validate({"root": "x", "height": 4, "width": 4, "layout": layout})
    assert config.layout == StreamPatterns(**layout)


# Errors


@pytest.mark.parametrize(
    ("frames", "labels", "message"),
    [
        ("/data/{sequence}", "b/{sequence}", "'/data/{sequence}' must be relative to root"),
        ("a/{sequenz}", "b", r"'a/{sequenz}' may hold {split} and {sequence}; got {sequenz}"),
        ("a/{}", "b", "may hold {split} and {sequence}; got {}"),
        ("a/*/{sequence}", "b/{sequence}", r"may have \* in its last part only"),
        ("a/{sequence}", "b", "{sequence} must be in all patterns or in none"),
    ],
)
def test_patterns_are_checked(frames, labels, message):
    with pytest.raises(ValidationError, match=message):
        StreamPatterns(frames=frames, labels=labels)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scale": (0.9, 1.2)}, "scale must be"),
        ({"scale": (1.3, 1.2)}, "scale must be"),
        ({"stride": (0, 1)}, "stride must be"),
        ({"stride": (3, 2)}, "stride must be"),
        ({"layout": "oficial"}, "layout"),
        ({"colour": {"brightness": 1.5}}, "colour.brightness"),
        ({"colours": {}}, "colours"),
    ],
)
def test_config_is_checked(settings, message):
    with pytest.raises(ValidationError, match=message):
        DataConfig.model_validate({"root": "x", "height": 4, "width": 4, **settings})


def test_root_must_exist(tmp_path):
    with pytest.raises(DataError, match=r"root must be the folder .* is no folder: mend root"):
        find_sequences(tmp_path / "nowhere", "train")


def test_nothing_found_says_what_was_looked_for(tmp_path):
    with pytest.raises(DataError, match=r"looked for val/<sequence>/frames .* val_B .* val_A"):
        find_sequences(tmp_path, "val")


def test_two_layouts_at_once_are_refused(tmp_path):
    write_folders(tmp_path, frames=numbered(1), labels=numbered(1))
    write_pictures(tmp_path / "train_B", numbered(1))
    with pytest.raises(DataError, match=r"holds both train .* set layout to one of them"):
        find_sequences(tmp_path, "train")


@pytest.mark.parametrize("layout", ["folders", "official"])
def test_named_layout_without_frames_is_refused(tmp_path, layout):
    with pytest.raises(DataError, match=f"layout '{layout}' needs .* found none below"):
        find_sequences(tmp_path, "train", layout)


def test_patterns_that_match_nothing_are_refused(tmp_path):
    patterns = StreamPatterns(frames="images/{sequence}", labels="labels/{sequence}")
    with pytest.raises(DataError, match=r"needs frames at 'images/{sequence}'"):
        find_sequences(tmp_path, "train", patterns)


def test_a_stream_that_is_missing_altogether_is_named(tmp_path):
    write_pictures(tmp_path / "train/street/frames", numbered(1))
    with pytest.raises(DataError, match=r"no folder or video .*street/labels: add it"):
        find_sequences(tmp_path, "train")


def test_folder_and_video_of_one_stream_are_refused(tmp_path):
    write_folders(tmp_path, frames=numbered(1), labels=numbered(1))
    write_video(tmp_path / "train/street/frames.mp4", 1)
    with pytest.raises(DataError, match=r"both .*street/frames and frames.mp4: move one away"):
        find_sequences(tmp_path, "train")


def test_missing_label_is_named_and_missing_ones_counted(tmp_path):
    write_folders(tmp_path, frames=numbered(5), labels=numbered(3, ending="_ids"))
    message = r"2 of 5 are missing in .*/labels, the first is '0003_ids.png', partner of .*0003.png"
    with pytest.raises(DataError, match=message):
        find_sequences(tmp_path, "train")


def test_label_without_a_frame_is_named(tmp_path):
    write_folders(tmp_path, frames=["a.png"], labels=["a.png", "b.png"])
    message = r"labels needs one of the frames; 1 of 2 .*/frames, the first is 'b.png'"
    with pytest.raises(DataError, match=message):
        find_sequences(tmp_path, "train")


def test_two_pictures_of_one_frame_are_refused(tmp_path):
    write_folders(tmp_path, frames=["a.png"], labels=["a.png", "a.webp"])
    with pytest.raises(DataError, match=r"one picture of labels; got both .*a\.(png|webp) and a\."):
        find_sequences(tmp_path, "train")


def test_videos_of_different_lengths_are_refused(tmp_path):
    write_video(tmp_path / "train/street/frames.mp4", 3)
    write_video(tmp_path / "train/street/labels.mp4", 2)
    with pytest.raises(DataError, match=r"frames.mp4 has 3, .*labels.mp4 has 2"):
        find_sequences(tmp_path, "train")


def test_pictures_beside_a_video_count_from_0(tmp_path):
    write_video_with_labels(tmp_path, labels=numbered(3, first=1))
    with pytest.raises(DataError, match=r"counted from 0; .*/labels start at 1 \(0001.png\)"):
        find_sequences(tmp_path, "train")


def test_missing_number_beside_a_video_is_named(tmp_path):
    write_video_with_labels(tmp_path, labels=numbered(2, ending="_ids"))
    with pytest.raises(DataError, match=r"'0002_ids.png', partner of frame 2 of .*frames.mp4"):
        find_sequences(tmp_path, "train")


def test_missing_frame_of_a_video_is_named(tmp_path):
    write_video_with_labels(tmp_path, labels=numbered(4))
    with pytest.raises(DataError, match=r"the first is 'frame 3', partner of .*0003.png"):
        find_sequences(tmp_path, "train")


def test_pictures_beside_a_video_need_numbers(tmp_path):
    write_video_with_labels(tmp_path, labels=["a.png", "b.png", "c.png"])
    with pytest.raises(DataError, match=r"must end in the number of its frame; got .*a.png"):
        find_sequences(tmp_path, "train")


def test_pictures_beside_a_video_need_different_numbers(tmp_path):
    write_video_with_labels(tmp_path, labels=["a0.png", "b0.png", "a1.png"])
    with pytest.raises(DataError, match=r"a0.png and b0.png both have 0"):
        find_sequences(tmp_path, "train")


def test_frames_of_different_sizes_are_refused(tmp_path):
    write_folders(tmp_path, frames=numbered(2), labels=numbered(2))
    write_pictures(tmp_path / "train/street/frames", ["0001.png"], size=(6, 9))
    with pytest.raises(DataError, match=r"0000.png is 8x6 \(width x height\), .*0001.png is 9x6"):
        find_sequences(tmp_path, "train")


def test_labels_of_another_aspect_are_refused(tmp_path):
    write_pictures(tmp_path / "train/street/frames", numbered(1), size=(360, 480))
    write_pictures(tmp_path / "train/street/labels", numbered(1), size=(360, 470))
    with pytest.raises(DataError, match=r"frames is 480x360 .*labels is 470x360"):
        find_sequences(tmp_path, "train")


def test_a_broken_picture_is_named(tmp_path):
    write_folders(tmp_path, frames=numbered(1), labels=numbered(1))
    (tmp_path / "train/street/labels/0000.png").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"labels/0000.png cannot be read"):
        find_sequences(tmp_path, "train")


def test_instance_maps_in_a_lossy_video_are_refused(tmp_path):
    for stream in ("frames", "labels", "instances"):
        write_video(tmp_path / f"train/street/{stream}.mp4", 1)
    with pytest.raises(VideoError, match=r"keep every value; .*instances.mp4 is h264 in yuv4"):
        find_sequences(tmp_path, "train")


def test_instance_maps_in_a_lossless_video_pair_and_keep_their_ids(tmp_path):
    write_video_with_labels(tmp_path, labels=numbered(3))
    ids = np.arange(16 * 32, dtype=np.int32).reshape(16, 32) * 50
    rgb = np.stack([ids % 256, ids // 256, 0 * ids], 2).astype(np.uint8)
    path = tmp_path / "train/street/instances.mkv"
    writer = open_writer(path, width=32, height=16, rate=Fraction(25), codec="ffv1")
    for index in range(3):
        writer.write(np.roll(rgb, index, axis=1), Fraction(index, 25))
    writer.close()
    (sequence,) = find_sequences(tmp_path, "train")
    assert sequence.instances == tuple(Source(path, index) for index in range(3))
    store = FrameStore(LabelReader(load_palette("camvid")), max_bytes=0)
    found = store.instances(sequence.instances[1:], Size(16, 32))
    assert found[0].dtype == np.int32
    assert np.array_equal(found, [np.roll(ids, 1, axis=1), np.roll(ids, 2, axis=1)])


def test_a_root_may_look_like_a_glob(tmp_path):
    root = tmp_path / "set[1]*"
    write_pictures(root / "all", ["x_0_rgb.png", "y_0_rgb.png"])
    write_pictures(root / "ids", ["x_0_ids.png", "y_0_ids.png"])
    patterns = StreamPatterns(frames="all/{sequence}_*_rgb.png", labels="ids/{sequence}_*_ids.png")
    assert [s.name for s in find_sequences(root, "train", patterns)] == ["x", "y"]
    write_pictures(root / "part[a]/z", ["0.png"])
    patterns = StreamPatterns(frames="part[a]/{sequence}", labels="part[a]/{sequence}")
    assert [s.name for s in find_sequences(root, "train", patterns)] == ["z"]


def test_a_turned_tiff_has_the_size_it_is_shown_at(tmp_path):
    write_folders(tmp_path, frames=[], labels=["a.png"])
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.zeros((8, 6), np.uint8)).save(
        tmp_path / "train/street/frames/a.tif", exif=exif
    )
    (sequence,) = find_sequences(tmp_path, "train")
    assert sequence.size == read_image(sequence.frames[0].path).shape[:2] == (6, 8)


def test_instance_maps_of_some_sequences_only_are_refused(tmp_path):
    for sequence in ("one", "two"):
        write_folders(tmp_path, frames=numbered(1), labels=numbered(1), sequence=sequence)
    write_pictures(tmp_path / "train/one/instances", numbered(1))
    with pytest.raises(DataError, match="1 of 2 have none, the first is 'two'"):
        find_sequences(tmp_path, "train")


# Real clips


def test_camvid_is_found_by_patterns(shared_data: Path):
    patterns = StreamPatterns(frames="images/{sequence}", labels="labels/{sequence}")
    (sequence,) = find_sequences(shared_data / "camvid15", "train", patterns)
    assert (sequence.name, sequence.num_frames, sequence.size) == ("0016E5", 67, (360, 480))
    assert names_of(sequence.labels) == names_of(sequence.frames)


def test_robot_kitchen_video_pairs_with_its_maps(shared_data: Path):
    patterns = StreamPatterns(
        frames="videos/{sequence}_train",
        labels="labels/{sequence}",
        instances="instances/{sequence}",
    )
    (sequence,) = find_sequences(shared_data / "robot_kitchen", "train", patterns)
    assert (sequence.name, sequence.num_frames, sequence.size) == ("ep0", 69, (800, 1280))
    assert sequence.frames[68].frame == 68
    assert sequence.labels[68].path.stem == sequence.instances[68].path.stem == "000068"
