import struct

import pytest
import torch

from flow import FlowFileError, read_flo, write_flo


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
