import math
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Literal, Self

import pytest
from pydantic import (
    AfterValidator,
    AnyUrl,
    BaseModel,
    ConfigDict,
    Field,
    model_validator,
)

from pipelines.config.file import (
    config_names,
    config_path,
    dump_config,
    read_config,
    validate_config,
)
from vid2vid.errors import ConfigError


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Data(Settings):
    root: str
    clip_length: int = Field(default=8, ge=2)
    sizes: tuple[int, int] = (64, 128)
    layout: Literal["auto", "folders"] | dict[str, str] = "auto"
    classes: dict[int, int] = {}

    @model_validator(mode="after")
    def _check_sizes(self) -> Self:
        if self.sizes[0] > self.sizes[1]:
            raise ValueError(f"sizes must rise; got {self.sizes}")
        return self


class Adam(Settings):
    kind: Literal["adam"] = "adam"
    rate: float = Field(default=2e-4, gt=0)
    betas: tuple[float, float] = (0.5, 0.999)


class Momentum(Settings):
    kind: Literal["momentum"] = "momentum"
    rate: float = Field(default=1e-2, gt=0)
    momentum: float = 0.9


class Generator(Settings):
    width: int = 32
    norm: Literal["instance", "batch", "none"] = "instance"
    crop: int | tuple[int, int] | None = None


class Run(Settings):
    seed: int = 0
    data: Data
    generator: Generator = Generator()
    optimizer: Adam | Momentum = Adam()
    other: Annotated[Adam | Momentum, Field(discriminator="kind")] = Adam()
    stages: tuple[Generator, ...] = ()
    flip: bool = True
    note: str | None = None
    best: float = math.inf
    folder: Path = Path("runs")


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write configs/bad.yaml below a fresh working directory."""
    monkeypatch.chdir(tmp_path)
    Path("configs").mkdir()

    def _write(text: str) -> Path:
        path = Path("configs/bad.yaml")
        path.write_text(text, encoding="utf-8")
        return path

    return _write


def refusal(path: str | Path, *overrides: str, schema: type[BaseModel] = Run) -> str:
    with pytest.raises(ConfigError) as caught:
        read_config(path, schema, overrides=overrides)
    return str(caught.value)


GOOD = "data: {root: clips}\n"


def test_settings_of_file_and_command_line_fill_the_schema(write):
    path = write(
        "data:\n  root: clips\n  sizes: [32, 64]\n  classes: {0: 7}\noptimizer:\n  rate: 1\n"
    )
    run = read_config(path, Run, overrides=["data.clip_length=4", "generator.crop=[3,4]"])
    assert run.data == Data(root="clips", sizes=(32, 64), classes={0: 7}, clip_length=4)
    assert run.generator.crop == (3, 4)
    assert run.optimizer == Adam(rate=1)


@pytest.mark.parametrize("text", ["1e-4", "1E-4", "1.0e-4", "0.0001", ".1e-3"])
def test_small_numbers_are_numbers_in_files_and_overrides(write, text):
    path = write(f"{GOOD}optimizer: {{rate: {text}}}\n")
    assert read_config(path, Run).optimizer.rate == 1e-4
    assert read_config(path, Run, overrides=[f"best={text}"]).best == 1e-4


@pytest.mark.parametrize("text", ["off", "yes", "1:20", "010", "2020-01-01", "1e", "C:\\clips"])
def test_words_that_yaml_1_1_twists_stay_text(write, text):
    assert read_config(write(f"{GOOD}note: {text}\n"), Run).note == text


def test_configs_stands_for_the_folder_of_the_file(write, tmp_path):
    path = write('data:\n  root: "{configs}/clips"\n  layout: {frames: "{configs}/{split}"}\n')
    run = read_config(path, Run)
    assert run.data.root == f"{tmp_path}/configs/clips"
    assert run.data.layout == {"frames": f"{tmp_path}/configs/{{split}}"}


def test_an_override_replaces_a_whole_section(write):
    path = write("data: {root: clips, clip_length: 4}\n")
    run = read_config(
        path, Run, overrides=["data={root: other}", "generator=", "generator.width=3"]
    )
    assert run.data == Data(root="other")
    assert run.generator.width == 3


def test_an_anchor_is_read_wherever_it_is_named(write):
    path = write("data: {root: clips}\nstages:\n- &wide {width: 64}\n- *wide\n")
    assert read_config(path, Run).stages == (Generator(width=64), Generator(width=64))


SNAPSHOTS = {
    "data:\n  root: a\n  clip_lenght: 4\n": (
        "configs/bad.yaml:3: there is no setting 'data.clip_lenght';"
        " did you mean 'data.clip_length'?"
    ),
    "data:\n  rot: a\n": (
        "configs/bad.yaml:2: there is no setting 'data.rot'; did you mean 'data.root'?"
    ),
    GOOD + "clip_length: 3\n": (
        "configs/bad.yaml:2: there is no setting 'clip_length'; did you mean 'data.clip_length'?"
    ),
    GOOD + "generator:\n  zzz: 3\n": (
        "configs/bad.yaml:3: there is no setting 'generator.zzz'; 'generator' has width, norm, crop"
    ),
    GOOD + "zzz: 3\n": (
        "configs/bad.yaml:2: there is no setting 'zzz'; there are seed, data, generator,"
        " optimizer, other, stages, flip, note, best, folder"
    ),
    GOOD + "optimizer:\n  kind: momentum\n  rate: -1\n": (
        "configs/bad.yaml:4: optimizer.rate must be greater than 0; got -1"
    ),
    GOOD + "optimizer: {betaz: [0, 0]}\n": (
        "configs/bad.yaml:2: there is no setting 'optimizer.betaz'; did you mean 'optimizer.betas'?"
    ),
    GOOD + "other: {kind: adem}\n": (
        "configs/bad.yaml:2: other.kind must be one of 'adam', 'momentum'; got 'adem';"
        " did you mean 'adam'?"
    ),
    GOOD + "other: {kind: adam, momentun: 1}\n": (
        "configs/bad.yaml:2: there is no setting 'other.momentun'; did you mean 'other.momentum'?"
    ),
    GOOD + "other: {rate: 1}\n": (
        "configs/bad.yaml:2: the setting 'other.kind' is missing; it has no default"
    ),
    GOOD + "optimizer: fast\n": (
        "configs/bad.yaml:2: optimizer must be a section (name: value); got 'fast'"
    ),
    GOOD + "generator:\n  norm: instanse\n": (
        "configs/bad.yaml:3: generator.norm must be 'instance', 'batch' or 'none';"
        " got 'instanse'; did you mean 'instance'?"
    ),
    GOOD + "generator:\n  crop: big\n": (
        "configs/bad.yaml:3: generator.crop must be an integer or a list; got 'big'"
    ),
    GOOD + "generator:\n  crop: [1, x]\n": (
        "configs/bad.yaml:3: generator.crop[1] must be an integer; got 'x'"
    ),
    GOOD + "seed: four\n": "configs/bad.yaml:2: seed must be an integer; got 'four'",
    GOOD + "seed: true\n": "configs/bad.yaml:2: seed must be an integer; got true",
    GOOD + "seed: 1.5\n": "configs/bad.yaml:2: seed must be an integer; got 1.5",
    GOOD + "seed: null\n": "configs/bad.yaml:2: seed must be an integer; got null",
    GOOD + "best: high\n": "configs/bad.yaml:2: best must be a number; got 'high'",
    GOOD + "flip: yes\n": "configs/bad.yaml:2: flip must be true or false; got 'yes'",
    GOOD + "note: 3\n": "configs/bad.yaml:2: note must be text; got 3",
    GOOD + "note: {a: [1, 2]}\n": 'configs/bad.yaml:2: note must be text; got {"a": [1, 2]}',
    GOOD + "generator: [1]\n": (
        "configs/bad.yaml:2: generator must be a section (name: value); got [1]"
    ),
    GOOD + "stages:\n- width: 3\n- widht: 4\n": (
        "configs/bad.yaml:4: there is no setting 'stages[1].widht'; did you mean 'stages[1].width'?"
    ),
    "data:\n  root: a\n  sizes: [1, 2, 3]\n": (
        "configs/bad.yaml:3: data.sizes must have at most 2 items; got [1, 2, 3]"
    ),
    "data:\n  root: a\n  sizes: []\n": (
        "configs/bad.yaml:3: data.sizes must have at least 2 items; got []"
    ),
    "data:\n  root: a\n  sizes: 3\n": "configs/bad.yaml:3: data.sizes must be a list; got 3",
    "data:\n  root: a\n  sizes: [9, 2]\n": (
        "configs/bad.yaml:1: data: sizes must rise; got (9, 2)"
    ),
    "data:\n  root: a\n  classes:\n    car: 3\n": (
        "configs/bad.yaml:4: data.classes.car must have a key that is an integer; got 'car'"
    ),
    "data:\n  root: a\n  layout: foldres\n": (
        "configs/bad.yaml:3: data.layout must be 'auto' or 'folders' or a section (name: value);"
        " got 'foldres'; did you mean 'folders'?"
    ),
    "seed: 1\ndata:\n  clip_length: 3\n": (
        "configs/bad.yaml:2: the setting 'data.root' is missing; it has no default"
    ),
    "seed: 1\n": "configs/bad.yaml: the setting 'data' is missing; it has no default",
    GOOD + "note: x\nnote: y\n": ("configs/bad.yaml:3: 'note' is set twice, first on line 2"),
    GOOD + "seed: " + "x" * 100 + "\n": (
        f"configs/bad.yaml:2: seed must be an integer; got '{'x' * 56}..."
    ),
    "": "configs/bad.yaml: must hold settings (name: value); got nothing",
    "# later\n": "configs/bad.yaml: must hold settings (name: value); got nothing",
    "- a\n- b\n": 'configs/bad.yaml: must hold settings (name: value); got ["a", "b"]',
    "word\n": "configs/bad.yaml: must hold settings (name: value); got 'word'",
    "a: b: c\n": "configs/bad.yaml:1: not valid YAML: mapping values are not allowed here",
    "data:\n  - [1, 2\nseed: 1\n": (
        "configs/bad.yaml:3: not valid YAML: expected ',' or ']', but got ':'"
        " while parsing a flow sequence that begins on line 2"
    ),
    "data:\n\troot: a\n": (
        "configs/bad.yaml:2: not valid YAML: found character '\\t' that cannot start any token"
        " while scanning for the next token"
    ),
    "data:\n  root: {configs}/clips\n": (
        "configs/bad.yaml:2: not valid YAML: expected <block end>, but found '<scalar>'"
        " while parsing a block mapping; put values with {configs} in quotes"
    ),
    "seed: 1\nnote: a\x00b\n": (
        "configs/bad.yaml:2: not valid YAML: special characters are not allowed"
    ),
    "a: 1\n---\nb: 2\n": (
        "configs/bad.yaml:2: not valid YAML: but found another document"
        " expected a single document in the stream that begins on line 1"
    ),
    "seed: !!set {a}\n": (
        "configs/bad.yaml:1: not valid YAML:"
        " a configuration has no values of kind tag:yaml.org,2002:set"
    ),
    "seed: !!int four\n": (
        "configs/bad.yaml:1: not valid YAML: 'four' is not of kind tag:yaml.org,2002:int"
    ),
    "? [1, 2]\n: 3\n": (
        "configs/bad.yaml:1: not valid YAML: a key is a list or a mapping; it must be text"
    ),
    "seed: &a [*a]\n": ("configs/bad.yaml:1: not valid YAML: values lie more than 50 levels deep"),
}


@pytest.mark.parametrize(("text", "message"), SNAPSHOTS.items())
def test_a_file_is_refused_with_its_line_and_what_to_write(write, text, message):
    assert refusal(write(text)) == message


OVERRIDE_SNAPSHOTS = {
    "generator.widht=3": ("there is no setting 'generator.widht'; did you mean 'generator.width'?"),
    "generater.width=3": "there is no setting 'generater'; did you mean 'generator'?",
    "seed.x=3": 'seed must be an integer; got {"x": 3}',
    "optimizer.rate=-1": "optimizer.rate must be greater than 0; got -1",
    "generator.crop=[1,x]": "generator.crop[1] must be an integer; got 'x'",
    "data.root.x=3": "data.root is no section but 'clips'; set data.root as a whole",
    "seed": "must be section.setting=value",
    "=3": "must be section.setting=value",
    "data..root=3": "must be section.setting=value",
    "seed=[1": (
        "not valid YAML: expected ',' or ']', but got '<stream end>' while parsing a flow sequence"
    ),
    "generator={width: 1, width: 2}": "'width' is set twice, first on line 1",
}


@pytest.mark.parametrize(("override", "message"), OVERRIDE_SNAPSHOTS.items())
def test_an_override_is_refused_by_its_own_text(write, override, message):
    assert refusal(write(GOOD), override) == f"--set {override}: {message}"


def test_all_problems_come_at_once_in_the_order_of_the_file(write):
    path = write("optimizer:\n  rate: -1\nseed: x\ndata:\n  clip_length: 1\nseed: 3\n")
    assert refusal(path, "flip=2", "generator.widht=3").splitlines() == [
        "configs/bad.yaml:2: optimizer.rate must be greater than 0; got -1",
        "configs/bad.yaml:3: seed must be an integer; got 'x'",
        "configs/bad.yaml:4: the setting 'data.root' is missing; it has no default",
        "configs/bad.yaml:5: data.clip_length must be greater than or equal to 2; got 1",
        "configs/bad.yaml:6: 'seed' is set twice, first on line 3",
        "--set flip=2: flip must be true or false; got 2",
        "--set generator.widht=3: there is no setting 'generator.widht';"
        " did you mean 'generator.width'?",
    ]


def test_what_the_file_lacks_is_not_blamed_on_an_override(write):
    message = "configs/bad.yaml: the setting 'data.root' is missing; it has no default"
    assert refusal(write("seed: 1\n"), "data.clip_length=3") == message


def test_a_rule_for_the_whole_run_names_only_the_file(write):
    class Strict(Settings):
        seed: int = 0

        @model_validator(mode="after")
        def _refuse(self) -> Self:
            raise ValueError("seed and luck exclude each other")

    path = write("seed: 1\n")
    assert refusal(path, schema=Strict) == "configs/bad.yaml: seed and luck exclude each other"


def test_of_a_union_the_branch_whose_rule_was_broken_speaks(write):
    class Window(Settings):
        size: int | Annotated[str, AfterValidator(_refuse_text)] = 0

    path = write("size: huge\n")
    assert refusal(path, schema=Window) == "configs/bad.yaml:1: size: 'huge' is no size"


def _refuse_text(text: str) -> str:
    raise ValueError(f"{text!r} is no size")


def test_a_pattern_and_other_rules_of_pydantic_are_told_in_its_words(write):
    class Named(Settings):
        name: str = Field(default="x", pattern="^[a-z]+$")
        step: int = Field(default=2, multiple_of=2)
        place: AnyUrl | None = None

    assert refusal(write("name: a b\nstep: 3\nplace: x\n"), schema=Named).splitlines() == [
        "configs/bad.yaml:1: name must match pattern '^[a-z]+$'; got 'a b'",
        "configs/bad.yaml:2: step must be a multiple of 2; got 3",
        "configs/bad.yaml:3: place must be a valid URL, relative URL without a base; got 'x'",
    ]


def test_a_schema_that_holds_itself_can_still_be_searched_for_names(write):
    class Node(Settings):
        width: int = 1
        child: "Node | None" = None

    message = refusal(write("child: {child: {widht: 3}}\n"), schema=Node)
    assert message.endswith("'child.child.widht'; did you mean 'child.child.width'?")


def test_a_file_that_is_not_text_or_not_readable_is_refused(tmp_path):
    path = tmp_path / "bytes.yaml"
    path.write_bytes(b"note: \xff\n")
    assert refusal(path) == f"{path}: must be UTF-8 text; byte 6 is not"


def test_a_file_that_the_system_withholds_is_refused():
    memory = Path("/proc/self/mem")
    if not memory.is_file():
        pytest.skip("this system has no /proc/self/mem, a file that exists and cannot be read")
    assert refusal(memory) == "/proc/self/mem: cannot be read: Input/output error"


def test_what_is_written_reads_back_equal(write):
    data = Data(root="1e-4", sizes=(1, 2), layout={"a": "off"}, classes={3: 255})
    for note in ("yes", "010", "~", "", "a: b", "zwölf\nlines", "- x", "2020-01-01", "#", None):
        run = Run(
            data=data,
            note=note,
            optimizer=Momentum(rate=1e-7),
            other=Momentum(rate=3e20),
            stages=(Generator(crop=3), Generator(crop=(1, 2))),
            folder=Path("runs/a b"),
        )
        assert read_config(write(dump_config(run)), Run) == run


def test_what_is_written_keeps_the_order_of_the_schema_and_short_lists_on_one_line():
    run = Run(data=Data(root="clips", classes={1: 2}), stages=(Generator(), Generator(width=64)))
    assert dump_config(run) == (
        "seed: 0\ndata:\n  root: clips\n  clip_length: 8\n  sizes: [64, 128]\n  layout: auto\n"
        "  classes:\n    '1': 2\n"
        "generator:\n  width: 32\n  norm: instance\n  crop: null\n"
        "optimizer:\n  kind: adam\n  rate: 0.0002\n  betas: [0.5, 0.999]\n"
        "other:\n  kind: adam\n  rate: 0.0002\n  betas: [0.5, 0.999]\n"
        "stages:\n- width: 32\n  norm: instance\n  crop: null\n"
        "- width: 64\n  norm: instance\n  crop: null\n"
        "flip: true\nnote: null\nbest: .inf\nfolder: runs\n"
    )


def test_stored_settings_are_validated_like_a_file():
    run = Run(data=Data(root="clips", sizes=(1, 2), classes={3: 4}))
    assert validate_config(run.model_dump(mode="json"), Run, where="model.safetensors") == run
    assert validate_config(run.model_dump(), Run, where="model.safetensors") == run


def test_stored_settings_are_refused_by_the_name_of_their_file():
    with pytest.raises(ConfigError) as caught:
        validate_config({"seed": "x", "data": {"rot": "a"}}, Run, where="model.safetensors")
    assert str(caught.value).splitlines() == [
        "model.safetensors: seed must be an integer; got 'x'",
        "model.safetensors: there is no setting 'data.rot'; did you mean 'data.root'?",
    ]


def test_a_packaged_configuration_is_found_by_name_with_or_without_suffix(tmp_path, monkeypatch):
    packaged(tmp_path, monkeypatch, "camvid", "cityscapes_seq")
    assert config_names() == ["camvid", "cityscapes_seq"]
    assert config_path("camvid") == config_path("camvid.yaml") == tmp_path / "camvid.yaml"
    assert read_config("camvid", Run).data.root == f"{tmp_path}/clips"


def test_a_file_here_comes_before_a_packaged_name(tmp_path, monkeypatch):
    packaged(tmp_path, monkeypatch, "camvid")
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    Path("camvid.yaml").write_text(GOOD)
    assert config_path("camvid.yaml") == Path("camvid.yaml")


@pytest.mark.parametrize("name", ["camvd", "camvd.yaml", "configs/camvd.yaml"])
def test_an_unknown_name_lists_the_packaged_ones_with_the_nearest(tmp_path, monkeypatch, name):
    packaged(tmp_path, monkeypatch, "camvid", "street")
    assert refusal(name) == (
        f"a configuration file is needed; {name!r} was found neither as a file nor by name;"
        " the packaged configurations are camvid, street; did you mean 'camvid'?"
    )


def test_a_folder_is_no_configuration(tmp_path, monkeypatch):
    packaged(tmp_path, monkeypatch, "street")
    assert refusal(tmp_path) == (
        f"a configuration file is needed; '{tmp_path}' is a folder;"
        " the packaged configurations are street"
    )


def packaged(folder: Path, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    for name in names:
        (folder / f"{name}.yaml").write_text('data: {root: "{configs}/clips"}\n')
    monkeypatch.setattr("pipelines.config.file._configs_folder", lambda: folder)


def test_the_packaged_folder_is_that_of_this_checkout_or_wheel():
    folder = config_path(config_names()[0]).parent if config_names() else None
    assert folder is None or folder.name == "configs"


def test_reading_configurations_does_not_import_torch():
    code = "import sys, pipelines.config.file; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
