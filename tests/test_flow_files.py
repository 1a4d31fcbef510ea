import struct

import cv2
import numpy as np
import pytest
import torch

from flow import FlowFileError, read_flo, read_kitti, write_flo, write_kitti


def test_the_bytes_are_those_of_the_format(tmp_path):
    # Two pixels side by side: (1, 2) and (3, 4).
    write_flo(tmp_path / "a.flo", torch.tensor([[[1.0, 3.0]], [[2.0, 4.0]]]))
    content = (tmp_path / "a.flo").read_bytes()
    assert content[:4] == b"PIEH"
    assert struct.unpack("<f", content[:4]) == (202021.25,)
    assert content[4:12] == bytes([2, 0, 0, 0, 1, 0, 0, 0])  # width 2, height 1
    assert struct.unpack("<4f", content[12:]) == (1, 2, 3, 4)


def test_rows_follow_each_other_from_the_top(tmp_path):
    values = range(1, 13)
    path = tmp_path / "a.flo"
    path.write_bytes(struct.pack("<fii12f", 202021.25, 3, 2, *values))
    flow = read_flo(path)
    assert flow.shape == (2, 2, 3)
    assert flow[0].tolist() == [[1, 3, 5], [7, 9, 11]]
    assert flow[1].tolist() == [[2, 4, 6], [8, 10, 12]]


def test_a_flow_comes_back_bit_for_bit(tmp_path):
    flow = torch.randn(2, 5, 7)
    write_flo(str(tmp_path / "a.flo"), flow)
    assert torch.equal(read_flo(str(tmp_path / "a.flo")), flow)


def test_other_dtypes_are_written_as_float32(tmp_path):
    write_flo(tmp_path / "a.flo", torch.full((2, 1, 1), 0.5, dtype=torch.bfloat16))
    assert read_flo(tmp_path / "a.flo").tolist() == [[[0.5]], [[0.5]]]


def test_a_real_file_is_read(shared_data):
    flow = read_flo(shared_data / "flying_chairs" / "flow" / "0000000.flo")
    assert flow.shape == (2, 384, 512)
    assert flow.isfinite().all()


def test_a_wrong_magic_is_refused(tmp_path):
    (tmp_path / "a.flo").write_bytes(struct.pack("<fii2f", 1.5, 1, 1, 0, 0))
    with pytest.raises(FlowFileError, match=r"starts with 202021.25; got 1.5 in .*a\.flo"):
        read_flo(tmp_path / "a.flo")


def test_a_big_endian_file_is_refused(tmp_path):
    (tmp_path / "a.flo").write_bytes(struct.pack(">fii2f", 202021.25, 1, 1, 0, 0))
    with pytest.raises(FlowFileError, match="little endian"):
        read_flo(tmp_path / "a.flo")


@pytest.mark.parametrize("num_vectors", [1, 3])
def test_a_file_of_the_wrong_length_is_refused(tmp_path, num_vectors):
    vectors = [0.0] * (2 * num_vectors)
    (tmp_path / "a.flo").write_bytes(struct.pack(f"<fii{len(vectors)}f", 202021.25, 2, 1, *vectors))
    with pytest.raises(FlowFileError, match=rf"needs 28 bytes .* got {12 + 8 * num_vectors} bytes"):
        read_flo(tmp_path / "a.flo")


@pytest.mark.parametrize("size", [(0, 1), (-1, -1), (-1, 1)])
def test_a_size_below_one_is_refused(tmp_path, size):
    (tmp_path / "a.flo").write_bytes(struct.pack("<fii2f", 202021.25, *size, 0, 0))
    with pytest.raises(FlowFileError, match="sizes of at least 1"):
        read_flo(tmp_path / "a.flo")


def test_a_file_shorter_than_its_header_is_refused(tmp_path):
    (tmp_path / "a.flo").write_bytes(b"PIEH")
    with pytest.raises(FlowFileError, match="header of 12 bytes; got 4 in"):
        read_flo(tmp_path / "a.flo")


@pytest.mark.parametrize("shape", [(1, 2, 4, 4), (4, 4, 2), (2, 0, 4)])
def test_only_one_whole_flow_is_written(tmp_path, shape):
    with pytest.raises(ValueError, match=r"a \.flo file holds one flow '2 h w'"):
        write_flo(tmp_path / "a.flo", torch.zeros(shape))
    assert not (tmp_path / "a.flo").exists()


def kitti_png(path, pixels):
    """Write a KITTI file from rows of (red, green, blue)."""
    picture = np.array(pixels, dtype=np.uint16)
    cv2.imwrite(str(path), picture[..., ::-1])
    return path


def test_kitti_counts_in_sixty_fourths_from_32768(tmp_path):
    # dx 1.5 and dy -2; then the longest vectors of the format; then an unknown one.
    pixels = [[(32864, 32640, 1), (0, 65535, 1), (40000, 1, 0)]]
    flow, valid = read_kitti(kitti_png(tmp_path / "a.png", pixels))
    assert flow[0].tolist() == [[1.5, -512, 0]]
    assert flow[1].tolist() == [[-2, 511.984375, 0]]
    assert valid.tolist() == [[[True, True, False]]]


def test_kitti_is_written_as_it_is_read(tmp_path):
    flow = torch.tensor([[[1.5, 0.01], [600.0, -7]], [[-2, 0.009], [0, 3]]])
    valid = torch.tensor([[[1, 1], [0, 1]]])
    write_kitti(tmp_path / "a.png", flow, valid)
    picture = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED)[..., ::-1]
    assert picture.dtype == np.uint16
    assert picture[0].tolist() == [[32864, 32640, 1], [32769, 32769, 1]]
    assert picture[1].tolist() == [[0, 0, 0], [32320, 32960, 1]]
    read = read_kitti(str(tmp_path / "a.png"))
    assert torch.equal(read.valid, valid.bool())
    assert (read.flow - flow)[:, valid[0].bool()].abs().max() <= 1 / 128


def test_without_a_mask_every_vector_of_kitti_is_known(tmp_path):
    write_kitti(tmp_path / "a.png", torch.zeros(2, 3, 4))
    assert read_kitti(tmp_path / "a.png").valid.all()


@pytest.mark.parametrize("length", [512.0, -512.1, float("nan")])
def test_a_vector_outside_kittis_range_is_refused(tmp_path, length):
    with pytest.raises(ValueError, match=r"holds -512 px to below 512 px; got .* mark longer"):
        write_kitti(tmp_path / "a.png", torch.full((2, 1, 1), length))
    assert not (tmp_path / "a.png").exists()


def test_kitti_refuses_other_shapes(tmp_path):
    with pytest.raises(ValueError, match="a KITTI flow map holds one flow '2 h w'"):
        write_kitti(tmp_path / "a.png", torch.zeros(1, 2, 4, 4))
    with pytest.raises(ValueError, match=r"valid must be '1 h w', here \(1, 4, 4\); got \(4, 4\)"):
        write_kitti(tmp_path / "a.png", torch.zeros(2, 4, 4), torch.ones(4, 4))


def test_other_pictures_are_no_kitti_flow(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((2, 2, 3), dtype=np.uint8))
    with pytest.raises(FlowFileError, match=r"16-bit channels; got uint8 \(2, 2, 3\) in"):
        read_kitti(tmp_path / "a.png")
    cv2.imwrite(str(tmp_path / "b.png"), np.zeros((2, 2), dtype=np.uint16))
    with pytest.raises(FlowFileError, match=r"got uint16 \(2, 2\) in"):
        read_kitti(tmp_path / "b.png")
    (tmp_path / "c.png").write_bytes(b"")
    with pytest.raises(FlowFileError, match="got none in"):
        read_kitti(tmp_path / "c.png")
