import os
import pickle

import numpy as np
import pytest
import torch

from vid2vid.errors import CheckpointError
from vid2vid.legacy.clusters import read_clusters, write_clusters


class Trap:
    """Pickled code: it leaves a folder behind when it runs."""

    def __init__(self, place):
        self.place = place

    def __reduce__(self):
        return os.mkdir, (str(self.place),)


class Call:
    """Pickled code: it calls what it is given."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def dump(path, content, protocol=2):
    """Write what np.save of old numpy wrote: a header, and a pickle of that protocol."""
    array = np.empty((), dtype=object)
    array[()] = content
    with path.open("wb") as file:
        header = np.lib.format.header_data_from_array_1_0(array)
        np.lib.format.write_array_header_1_0(file, header)
        pickle.dump(array, file, protocol=protocol)
    return path


def write_pickle(folder, opcodes):
    """Write these opcodes behind the header of a dict."""
    path = dump(folder / "a.npy", {})
    path.write_bytes(path.read_bytes()[:128] + opcodes)
    return path


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_cluster_files_of_every_protocol_are_read(tmp_path, protocol):
    centres = {7: np.random.default_rng(0).random((4, 3)), 26: [[1, 2.5, -1]]}
    found = read_clusters(dump(tmp_path / "a.npy", centres, protocol))
    assert found.keys() == centres.keys()
    for label, rows in centres.items():
        np.testing.assert_array_equal(found[label].numpy(), np.float32(rows))


def test_numbers_of_numpy_and_column_order_are_read(tmp_path):
    rows = np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3))
    found = read_clusters(dump(tmp_path / "a.npy", {np.int64(3): rows}))
    np.testing.assert_array_equal(found[3].numpy(), rows)


@pytest.mark.parametrize("code", [">f4", ">f8", "<f2", ">i2"])
def test_numbers_of_every_order_of_bytes_are_read(tmp_path, code):
    rows = np.array([[1.5, -2], [3, 40]]).astype(code)
    found = read_clusters(dump(tmp_path / "a.npy", {3: rows, 4: [rows[0], rows[1]]}))
    np.testing.assert_array_equal(found[3].numpy(), rows.astype(np.float32))
    np.testing.assert_array_equal(found[4].numpy(), rows.astype(np.float32))


def test_keys_that_python_2_wrote_as_numbers_of_numpy_are_read(tmp_path):
    number = (
        b"cnumpy.core.multiarray\nscalar\n"
        b"cnumpy\ndtype\nU\x02i8K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        b"U\x08\x07\x00\x00\x00\x00\x00\x00\x00\x86R"
    )
    path = write_pickle(tmp_path, b"\x80\x02}" + number + b"]](K\x01K\x02eas.")
    assert read_clusters(path)[7].tolist() == [[1, 2]]


def test_written_clusters_come_back_and_numpy_reads_them(tmp_path):
    styles = {3: torch.rand(4, 2), 9: torch.rand(1, 2)}
    write_clusters(tmp_path / "a.npy", styles)
    found = read_clusters(tmp_path / "a.npy")
    assert all(torch.equal(found[label], styles[label]) for label in styles)
    plain = np.load(tmp_path / "a.npy", allow_pickle=True, encoding="latin1").item()
    np.testing.assert_array_equal(plain[3], styles[3].numpy())


def test_a_pickle_with_code_is_refused_and_not_run(tmp_path):
    for protocol in (2, 5):
        path = dump(tmp_path / "a.npy", {3: Trap(tmp_path / "ran")}, protocol)
        with pytest.raises(CheckpointError, match=r"it asks for \w+\.mkdir, so it was not opened"):
            read_clusters(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (Call(np.ndarray, (2, 2)), "not callable"),
        (Call(np.dtype, "S5"), "an array of type 'S5'"),
        ({3: np.array(["text"])}, "an array of type 'U4'"),
        (
            Call(np.float64(1).__reduce__()[0], np.dtype("O"), b"12345678"),
            "a number of type object",
        ),
        ([1, 2], "it holds a list"),
        ({3: np.zeros(4)}, "class 3 must have an array of numbers.*shape .4,"),
        ({3: 1.5}, "class 3 must have .* it has float"),
        ("text", "it holds a str"),
        ((1, 2), "it holds a tuple"),
        ({1, 2}, r"it asks for \w+\.set, so"),
        ({3: "text"}, "class 3 must have .* it has str"),
        ({3: [[1, 2], [3]]}, "class 3 must have .* it has list"),
        ({3: [["text"]]}, "class 3 must have .* it has list"),
        ({3: np.array([[1.0, None]])}, "class 3 must have .* it has an array of object"),
        ({3: np.zeros((2, 2), bool)}, "an array of type 'b1'"),
        ({3: np.zeros(2, [("a", "f4")])}, "an array of type 'V4'"),
        ({3: np.array([[1e300]])}, "class 3 has numbers that are not finite"),
        ({-1: np.zeros((1, 2))}, "its key -1 is no class id"),
        ({3.5: np.zeros((1, 2))}, "its key 3.5 is no class id"),
        ({True: np.zeros((1, 2))}, "its key True is no class id"),
        ({"3": np.zeros((1, 2))}, "its key '3' is no class id"),
        ({(1, 2): np.zeros((1, 2))}, "its key tuple is no class id"),
        ({float("nan"): np.zeros((1, 2))}, "its key nan is no class id"),
        ({float("inf"): np.zeros((1, 2))}, "its key inf is no class id"),
        ({None: np.zeros((1, 2))}, "its key NoneType is no class id"),
    ],
)
def test_anything_but_a_dict_of_arrays_is_refused(tmp_path, content, message):
    with pytest.raises(CheckpointError, match=message):
        read_clusters(dump(tmp_path / "a.npy", content))


ARRAY = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
TYPE = b"cnumpy\ndtype\nU\x02f4\x85R"


@pytest.mark.parametrize(
    ("opcodes", "message"),
    [
        (b"c_codecs\nencode\n(X\x01\x00\x00\x00aX\x03\x00\x00\x00zlitR.", "asks for text in zli"),
        (b"Poutside\n.", "refers to something outside"),
        (b"\x8f.", "it holds a set"),
        (b"}r\xff\xff\xff\x0f.", "it counts more things than it has room for"),
        (b"cnumpy.core.multiarray\n_reconstruct\n(I1\n(tI2\ntR.", "array of another kind"),
        (ARRAY + b"(K\x01K\x02" + TYPE + b"\x89U\x04aaaatb.", "array of another kind"),
        (
            ARRAY + b"(K\x01K\x02\x85" + TYPE + b"\x89U\x04aaaatb.",
            "4 bytes for an array of float32",
        ),
        (ARRAY + b"(K\x01)cnumpy\ndtype\nU\x01O\x85R\x89Ntb.", "array of another kind"),
        (ARRAY + b"K\x01b.", "array of another kind"),
        (TYPE + b"(K\x03U\x01?NNNtb.", "array of another kind"),
        (TYPE + b"(K\x03U\x01<N(U\x01at}tb.", "array of another kind"),
        (b"cnumpy.core.multiarray\nscalar\nK\x01K\x02\x86R.", "array of another kind"),
        (b"cnumpy\ndtype\nK\x01\x85R.", "an array of type int"),
        (b"\x8e" + (2**62).to_bytes(8, "little") + b".", "and nothing else; "),
    ],
)
def test_opcodes_that_make_no_clusters_are_refused(tmp_path, opcodes, message):
    with pytest.raises(CheckpointError, match=message):
        read_clusters(write_pickle(tmp_path, b"\x80\x04" + opcodes))


@pytest.mark.parametrize(
    "name", ["__call__", "__class__", "__defaults__", "__doc__", "_code", "_order", "anything"]
)
@pytest.mark.parametrize("made", [b"cnumpy\ndtype\n", TYPE, ARRAY])
def test_a_pickle_cannot_set_attributes(tmp_path, name, made):
    state = b"(N}\x8c" + bytes([len(name)]) + name.encode() + b"K\x01st"
    with pytest.raises(CheckpointError, match="and nothing else; "):
        read_clusters(write_pickle(tmp_path, b"\x80\x04" + made + state + b"b0}."))


def test_a_header_that_does_not_end_is_refused(tmp_path):
    path, header = tmp_path / "a.npy", b"(" * 117 + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(CheckpointError, match="TokenError"):
        read_clusters(path)


def test_files_of_another_kind_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros(3))
    with pytest.raises(CheckpointError, match="an array of float64 of shape"):
        read_clusters(tmp_path / "a.npy")
    (tmp_path / "b.npy").write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match=r"b\.npy must hold style clusters"):
        read_clusters(tmp_path / "b.npy")
    with pytest.raises(CheckpointError, match="No such file"):
        read_clusters(tmp_path / "c.npy")
