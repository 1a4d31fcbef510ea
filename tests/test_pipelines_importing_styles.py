"""Official networks with style features become ours: their encoder, their clusters."""

import shutil
from pathlib import Path

import official_networks as official
import pytest
import torch

from pipelines.build import load_generation
from pipelines.models.importing import Imported, import_checkpoint
from pipelines.official.known import ImportOptions
from vid2vid.errors import CheckpointError, ConfigError
from vid2vid.legacy.clusters import write_clusters

CPU = torch.device("cpu")


@pytest.fixture
def still(tmp_path: Path) -> Path:
    """A run of pix2pixHD with features: an enhancer, an encoder."""
    torch.manual_seed(0)
    norm = official.instance_norm
    return official.save(
        tmp_path / "still",
        G=official.Local(8, width=4, depth=3, count=1, enhancers=1, local=1, norm=norm),
        E=official.Features(width=4, depth=2, channels=2, norm=norm),
    )


def take(source: Path, options: ImportOptions) -> Imported:
    return import_checkpoint(source, source.parent / "out.safetensors", options)


def test_features_come_from_the_encoder_or_are_asked_for(still):
    assert take(still, ImportOptions(labels=5)).config.generator.features == 2
    with pytest.raises(ConfigError, match=r"E\.pth makes 2, --features says 3"):
        take(still, ImportOptions(labels=5, features=3))
    (still / "latest_net_E.pth").unlink()
    with pytest.raises(ConfigError, match="if the last ones are styles, pass --features N"):
        take(still, ImportOptions(labels=5))
    done = take(still, ImportOptions(labels=5, features=2))
    assert (done.config.generator.features, done.config.generator.encoder) == (2, None)


def test_style_clusters_come_along(still, tmp_path):
    styles = {1: torch.rand(3, 2), 4: torch.rand(1, 2)}
    write_clusters(still / "features_clustered_010.npy", styles)
    generation = load_generation(take(still, ImportOptions(labels=5)).path, CPU)
    assert generation.styles.tables.keys() == {1, 4}
    assert torch.equal(generation.styles.tables[1], styles[1])
    write_clusters(tmp_path / "other.npy", {1: torch.rand(3, 5)})
    with pytest.raises(CheckpointError, match=r"clusters of 2 features.* class 1 have 5"):
        take(still, ImportOptions(labels=5, styles=tmp_path / "other.npy"))


def test_one_of_several_cluster_files_must_be_chosen(still, tmp_path):
    for count in (5, 10):
        path = still / f"features_clustered_{count:03d}.npy"
        write_clusters(path, {1: torch.full((count, 2), 0.5)})
    with pytest.raises(
        ConfigError, match=r"several .*clusters, f\w+_005\.npy, f\w+_010\.npy: .*--sty"
    ):
        take(still, ImportOptions(labels=5))
    done = take(still, ImportOptions(labels=5, styles=still / "features_clustered_005.npy"))
    assert load_generation(done.path, CPU).styles.tables[1].shape == (5, 2)
    with pytest.raises(ConfigError, match=r"--styles must be a file .* there is no .*gone\.npy"):
        take(still, ImportOptions(labels=5, styles=tmp_path / "gone.npy"))


def test_styles_beside_a_generator_without_are_named(tmp_path, still):
    plain = official.Global(6, width=4, depth=3, count=1, norm=official.instance_norm)
    source = official.save(tmp_path / "plain", G=plain)
    write_clusters(source / "features_clustered_010.npy", {1: torch.rand(3, 2)})
    with pytest.raises(
        CheckpointError, match=r"_010\.npy holds style clusters, .* takes no styles"
    ):
        take(source, ImportOptions(labels=5))
    shutil.copy(still / "latest_net_E.pth", source)
    with pytest.raises(
        ConfigError, match=r"last 2 of its 6 channels .* as many as latest_net_E\.pth"
    ):
        take(source, ImportOptions(labels=5))


def test_styles_cannot_be_all_channels(still):
    (still / "latest_net_E.pth").unlink()
    for features in (8, 70, -3):
        with pytest.raises(ConfigError, match=f"has 8 .* of which {features} cannot be styles"):
            take(still, ImportOptions(labels=5, features=features))


def test_an_encoder_alone_is_no_generator(still):
    with pytest.raises(
        CheckpointError, match=r"E\.pth must hold 'model\.1\d\.conv_block\.1\.weight'"
    ):
        take(still / "latest_net_E.pth", ImportOptions(labels=5, arch="pix2pixHD"))
