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
        (Call(np.dtype, "S5"), r"an array of \|S5"),
        ({3: np.array(["text"])}, "an array of <U4"),
        (
            Call(np.float64(1).__reduce__()[0], np.dtype("O"), b"12345678"),
            "a number of type object",
        ),
        ([1, 2], "it holds a list"),
        ({3: np.zeros(4)}, "class 3 must have an array of numbers.*shape .4,"),
        ({3: 1.5}, "class 3 must have .* it has float"),
    ],
)
def test_anything_but_a_dict_of_arrays_is_refused(tmp_path, content, message):
    with pytest.raises(CheckpointError, match=message):
        read_clusters(dump(tmp_path / "a.npy", content))


def test_other_encodings_and_outside_references_are_refused(tmp_path):
    path = dump(tmp_path / "a.npy", {})
    head = path.read_bytes()[:128]
    path.write_bytes(head + b"c_codecs\nencode\n(X\x01\x00\x00\x00aX\x03\x00\x00\x00zlitR.")
    with pytest.raises(CheckpointError, match="asks for text in zli"):
        read_clusters(path)
    path.write_bytes(head + b"Poutside\n.")
    with pytest.raises(CheckpointError, match="refers to something outside"):
        read_clusters(path)
    path.write_bytes(head + b"cnumpy.core.multiarray\n_reconstruct\n(I1\n(tI2\ntR.")
    with pytest.raises(CheckpointError, match="array of another kind"):
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
