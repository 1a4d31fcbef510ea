import cv2
from tool_modules import load_tool

from vid2vid.world.render import Renderer, World


def test_streets_of_one_style_are_written_as_a_data_set(tmp_path):
    tool = load_tool("make_streets")
    tool.main(tmp_path, worlds=2, frames=1, first_seed=5, style_seed=3, height=32, width=48)
    folders = sorted((tmp_path / "train").iterdir())
    assert [folder.name for folder in folders] == ["street_000005", "street_000006"]
    drawn = Renderer([World(6, 3)], (32, 48), offsets=()).render(tool.BEGINNING)
    ids = cv2.imread(str(folders[1] / "labels/000000.png"), cv2.IMREAD_UNCHANGED)
    assert (ids == drawn.labels[0].numpy()).all()
    frame = cv2.imread(str(folders[1] / "frames/000000.png"))[..., ::-1] / 127.5 - 1
    assert abs(frame - drawn.frames[0].permute(1, 2, 0).numpy()).max() < 1 / 127
