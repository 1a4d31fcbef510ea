import pytest

from pipelines.render import Renderer
from pipelines.rendering.options import LARGEST_DETAIL_PX, RenderOptions
from tests.tiny_runs import label_folder, pictures, tiny_checkpoint
from vid2vid.errors import ConfigError
from vid2vid.networks.coarse import GeneratorConfig


def render(renderer, tmp_path, name, **options):
    labels = tmp_path / "labels"
    if not labels.exists():
        label_folder(labels)
    out = tmp_path / f"{name}.mkv"
    renderer.render(labels, out, RenderOptions(lossless=True, **options))
    return pictures(out)


def test_detail_changes_the_frames_that_are_mixed_and_its_absence_brings_them_back(tmp_path):
    renderer = Renderer.load(tiny_checkpoint(tmp_path / "run"), device="cpu")
    trained = render(renderer, tmp_path, "trained")
    sharper = render(renderer, tmp_path, "sharper", detail=2.0)
    assert (sharper[0] == trained[0]).all()  # from zeros nothing is mixed
    assert (sharper[1:] != trained[1:]).any()
    assert (render(renderer, tmp_path, "again") == trained).all()


def test_detail_0_undoes_what_was_trained(tmp_path):
    soft, sharp = (
        Renderer.load(tiny_checkpoint(tmp_path / name, generator={"detail_px": px}), device="cpu")
        for name, px in (("soft", 0.0), ("sharp", 2.0))
    )
    frames = render(sharp, tmp_path, "undone", detail=0.0)
    assert (frames == render(soft, tmp_path, "soft_trained")).all()


@pytest.mark.parametrize("generator", [{"flow": False}, {"kind": "pix2pix_unet", "width": 4}])
def test_a_generator_that_mixes_nothing_takes_no_detail(tmp_path, generator):
    sections = {"generator": generator}
    if "kind" in generator:
        sections |= {"video_discriminator": None, "data": {"height": 256, "width": 256}}
    renderer = Renderer.load(tiny_checkpoint(tmp_path / "run", **sections), device="cpu")
    with pytest.raises(ConfigError, match="--detail is for a checkpoint that warps"):
        render(renderer, tmp_path, "refused", detail=1.0)


@pytest.mark.parametrize("detail", [-0.5, LARGEST_DETAIL_PX + 1])
def test_its_range_is_that_of_the_configuration(detail):
    with pytest.raises(ConfigError, match="--detail must be 0 to 8"):
        RenderOptions(detail=detail)
    with pytest.raises(ValueError, match="detail_px"):
        GeneratorConfig(detail_px=detail)
