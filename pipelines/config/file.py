"""Read a configuration file through its schema, with `--set` values, and write it back whole.

The schema is a frozen pydantic model with `extra="forbid"`. Everything wrong is reported at once,
each with its line in the file or the `--set` that it came from.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json, to_json

from pipelines.config.problems import complaints, did_you_mean, shown
from pipelines.config.yaml import (
    Place,
    YamlSyntaxError,
    YamlText,
    dump_yaml,
    parse_yaml,
    place_name,
)
from vid2vid.errors import ConfigError

Model = TypeVar("Model", bound=BaseModel)


class _Origin(NamedTuple):
    rank: int  # 0: the file; from 1: the --set values in their order
    line: int
    label: str


class _Problem(NamedTuple):
    origin: _Origin
    text: str


def read_config(
    path_or_name: str | Path, schema: type[Model], *, overrides: Sequence[str] = ()
) -> Model:
    """Read a configuration file, or a packaged configuration by its name.

    `{configs}` inside a text value becomes the folder that holds the file, absolute.

    Args:
        path_or_name: as `config_path` takes it.
        schema: the model to fill.
        overrides: 'section.setting=value', the value in YAML; they replace what the file says.

    Raises:
        ConfigError: naming every problem, one a line.
    """
    path = config_path(path_or_name)
    text = _read_yaml(path)
    origins: dict[Place, _Origin] = {(): _Origin(0, 0, str(path))}
    for place, line in text.lines.items():
        origins[place] = _Origin(0, line, f"{path}:{line}")
    problems = [
        _Problem(_Origin(0, fault.line, f"{path}:{fault.line}"), fault.message)
        for fault in text.repeated
    ]
    problems += _apply_all(overrides, text.value, origins)
    data = _replace(text.value, "{configs}", str(path.parent.resolve()))
    return _validate(data, schema, origins=origins, problems=problems)


def validate_config(
    data: Mapping[str, object],
    schema: type[Model],
    *,
    where: str,
    overrides: Sequence[str] = (),
) -> Model:
    """Fill the schema from data that is no file, such as the configuration in a checkpoint.

    Args:
        data: as JSON or YAML gives it.
        schema: the model to fill.
        where: what the data came from, for messages.
        overrides: as `read_config` takes them.

    Raises:
        ConfigError: naming every problem, one a line.
    """
    origins: dict[Place, _Origin] = {(): _Origin(0, 0, where)}
    settled = deepcopy(dict(data))
    problems = _apply_all(overrides, settled, origins)
    return _validate(settled, schema, origins=origins, problems=problems)


def dump_config(config: BaseModel) -> str:
    """Write every setting as YAML, in the order of the schema, so that it reads back equal."""
    return dump_yaml(config.model_dump(mode="json", round_trip=True))


def config_path(name: str | Path) -> Path:
    """Find a configuration: a file as it is, else one that came with the package, by bare name.

    Raises:
        ConfigError: if there is neither; it lists the packaged names.
    """
    path = Path(name)
    if path.is_file():
        return path
    packaged = _configs_folder() / f"{path.name.removesuffix('.yaml')}.yaml"
    if path.name == str(path) and packaged.is_file():
        return packaged
    names = config_names()
    kind = "is a folder" if path.is_dir() else "was found neither as a file nor by name"
    near = did_you_mean(path.stem, names)
    came_with = f"; the packaged configurations are {', '.join(names)}" if names else ""
    raise ConfigError(f"a configuration file is needed; {str(name)!r} {kind}{came_with}{near}")


def config_names() -> list[str]:
    """List the configurations that came with the package, sorted, without '.yaml'."""
    return sorted(path.stem for path in _configs_folder().glob("*.yaml"))


def _configs_folder() -> Path:
    """Return `pipelines/configs` of a wheel, or `configs` of a checkout."""
    package = Path(__file__).parents[1]
    in_wheel = package / "configs"
    return in_wheel if in_wheel.is_dir() else package.parent / "configs"


def _read_yaml(path: Path) -> YamlText:
    try:
        text = parse_yaml(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: must be UTF-8 text; byte {error.start} is not") from error
    except YamlSyntaxError as error:
        raise ConfigError(f"{path}:{error.fault.line}: {error.fault.message}") from error
    if not isinstance(text.value, dict):
        got = "nothing" if text.value is None else shown(text.value)
        raise ConfigError(f"{path}: must hold settings (name: value); got {got}")
    return text


def _apply_all(
    overrides: Sequence[str], data: dict[str, Any], origins: dict[Place, _Origin]
) -> list[_Problem]:
    """Put the `--set` values into `data` in their order; return what is wrong with them."""
    problems: list[_Problem] = []
    for rank, override in enumerate(overrides, start=1):
        origin = _Origin(rank, 0, f"--set {override}")
        if wrong := _apply(override, data, origins, origin=origin):
            problems.append(_Problem(origin, wrong))
    return problems


def _apply(
    override: str, data: dict[str, Any], origins: dict[Place, _Origin], *, origin: _Origin
) -> str:
    """Put one `a.b=c` into `data` and note where it came from; return what is wrong with it."""
    name, equals, value = override.partition("=")
    place = tuple(part.strip() for part in name.split("."))
    if not equals or not all(place):
        return "must be section.setting=value"
    try:
        text = parse_yaml(value)
    except YamlSyntaxError as error:
        return error.fault.message
    if text.repeated:
        return text.repeated[0].message
    section = data
    for depth, part in enumerate(place[:-1], start=1):
        if section.get(part) is None:
            section[part] = {}
        if not isinstance(section[part], dict):
            whole = place_name(place[:depth])
            return f"{whole} is no section but {shown(section[part])}; set {whole} as a whole"
        section = section[part]
    section[place[-1]] = text.value
    for below in [known for known in origins if known[: len(place)] == place]:
        del origins[below]
    origins[place] = origin
    return ""


def _replace(value: Any, old: str, new: str) -> Any:  # noqa: ANN401 - any YAML value
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, list):
        return [_replace(item, old, new) for item in value]
    if isinstance(value, dict):
        return {key: _replace(item, old, new) for key, item in value.items()}
    return value


def _validate(
    data: Mapping[str, object],
    schema: type[Model],
    *,
    origins: dict[Place, _Origin],
    problems: list[_Problem],
) -> Model:
    """Validate as JSON, which is strict about types and yet takes lists for tuples."""
    document = to_json(data, inf_nan_mode="constants")
    model: Model | None = None
    try:
        model = schema.model_validate_json(document, strict=True)
    except ValidationError as error:
        for complaint in complaints(error, from_json(document), schema):
            place = complaint.place[:-1] if complaint.is_missing else complaint.place
            origin = _origin(origins, place, is_missing=complaint.is_missing)
            problems.append(_Problem(origin, complaint.sentence))
    if model is None or problems:
        ordered = sorted(problems, key=lambda problem: problem.origin[:2])
        raise ConfigError("\n".join(f"{origin.label}: {text}" for origin, text in ordered))
    return model


def _origin(origins: dict[Place, _Origin], place: Place, *, is_missing: bool) -> _Origin:
    """Find where a setting was written, or else the nearest section around it."""
    if place not in origins and not is_missing:
        # A section that no file has came into being by a --set below it.
        for written, origin in origins.items():
            if written[: len(place)] == place:
                return origin
    while place not in origins:
        place = place[:-1]
    return origins[place]
