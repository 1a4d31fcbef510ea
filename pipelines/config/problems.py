"""What is wrong with a configuration, in sentences that name the setting and say what to write."""

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pipelines.config.yaml import Place, place_name

_EXPECTED = {
    "int_type": "an integer",
    "int_parsing": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "tuple_type": "a list",
    "list_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a section (name: value)",
    "model_type": "a section (name: value)",
    "none_required": "null",
}
_LONGEST_SHOWN = 60  # characters of a refused value

# Settings that were replaced, and by what.
_REPLACED = {
    "labels.pictures": "pictures in place of labels are a control: set labels to null and controls "
    "to [{kind: picture, channels: 3}]; where it is 0, leave it out",
}


class Fault(NamedTuple):
    """One thing wrong with one setting."""

    place: Place
    kind: str  # 'unknown', 'missing', 'value' or 'rule' (a validator's own sentence)
    text: str  # 'value': from 'must' on; 'rule': the sentence; else empty
    got: Any
    tags: tuple[
        tuple[int, str], ...
    ]  # branches of unions passed: (length of the place there, name)


class Complaint(NamedTuple):
    """A fault as the user reads it."""

    place: Place
    is_missing: bool
    sentence: str


def complaints(
    error: ValidationError, data: Mapping[str, Any], schema: type[BaseModel]
) -> list[Complaint]:
    """Turn what pydantic found into one sentence for each fault.

    Of a union only the branch that fits best is spoken of. A required setting whose name was
    misspelt is one fault, not two.

    Args:
        error: raised by the validation of `data` as JSON.
        data: what was validated, JSON-like.
        schema: the model it was validated against, with plain field names (no aliases).
    """
    faults = (_fault(details, data) for details in error.errors(include_url=False))
    unique = {(fault.place, fault.kind, fault.tags): fault for fault in faults}
    settled = _settle(unique.values())
    hints = {f.place: _NameHint.of(f, schema) for f in settled if f.kind == "unknown"}
    meant = {hint.name for hint in hints.values() if hint.name}
    return [
        Complaint(fault.place, fault.kind == "missing", _sentence(fault, hints.get(fault.place)))
        for fault in settled
        if not (fault.kind == "missing" and place_name(fault.place) in meant)
    ]


def shown(value: object) -> str:
    """Write a refused value as YAML would, text in quotes, cut where it grows long."""
    text = repr(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 3] + "..."


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """Offer the option nearest to `word` ("; did you mean 'width'?"), or nothing where none is."""
    near = difflib.get_close_matches(word, list(options), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _fault(details: ErrorDetails, data: Mapping[str, Any]) -> Fault:
    kind, context = details["type"], details.get("ctx", {})
    place, tags = _place(details["loc"], data, is_missing=kind == "missing")
    if kind == "extra_forbidden":
        return Fault(place, "unknown", "", None, tags)
    if kind == "missing" and isinstance(place[-1], int):
        # A fixed-length tuple that is too short lacks one item after another; the last one counts.
        items = f"{place[-1] + 1} item{'s' if place[-1] else ''}"
        return Fault(place[:-1], "value", f"must have at least {items}", details["input"], tags)
    if kind == "missing":
        return Fault(place, "missing", "", None, tags)
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        name = str(context["discriminator"]).strip("'()")  # a field, or a function of its name
        if kind == "union_tag_not_found":
            return Fault((*place, name), "missing", "", None, tags)
        text = f"must be one of {context['expected_tags']}"
        return Fault((*place, name), "value", text, context["tag"], tags)
    if kind in ("value_error", "assertion_error"):
        return Fault(place, "rule", str(context["error"]), None, tags)
    return Fault(place, "value", _requirement(details), details["input"], tags)


def _place(
    location: tuple[int | str, ...], data: Mapping[str, Any], *, is_missing: bool
) -> tuple[Place, tuple[tuple[int, str], ...]]:
    """Tell the keys and positions of a pydantic location from its names of union branches."""
    place: list[str | int] = []
    tags: list[tuple[int, str]] = []
    value: Any = data
    for index, item in enumerate(location):
        is_last = index == len(location) - 1
        if _holds(value, item):
            place.append(item)
            value = value[item]
        elif is_missing and is_last:
            place.append(item)
        else:
            tags.append((len(place), str(item)))
    return tuple(place), tuple(tags)


def _holds(value: object, item: int | str) -> bool:
    if isinstance(value, list):
        return isinstance(item, int) and item < len(value)
    return isinstance(value, Mapping) and item in value


def _requirement(details: ErrorDetails) -> str:
    if details["loc"][-1:] == ("[key]",):
        return f"must have a key that is {_EXPECTED.get(details['type'], 'valid')}"
    if details["type"] in _EXPECTED:
        return f"must be {_EXPECTED[details['type']]}"
    message = details["msg"].partition(" after validation")[0]
    text, is_rule = re.subn(r"^\w+ should ", "must ", message)
    return text if is_rule else f"must be valid ({message[:1].lower()}{message[1:]})"


def _settle(faults: Iterable[Fault], level: int = 0) -> list[Fault]:
    """Keep of each union its best branch, or one fault at the union where no branch fits at all."""
    settled: list[Fault] = []
    unions: dict[Place, dict[str, list[Fault]]] = {}
    for fault in faults:
        if len(fault.tags) <= level or fault.tags[level][1] == "[key]":
            settled.append(fault)
            continue
        depth, tag = fault.tags[level]
        unions.setdefault(fault.place[:depth], {}).setdefault(tag, []).append(fault)
    for union, branches in unions.items():
        candidates = [_settle(branch, level + 1) for branch in branches.values()]
        inside = [c for c in candidates if all(len(fault.place) > len(union) for fault in c)]
        if inside:
            settled += min(inside, key=len)
        else:
            settled.append(_merge([fault for candidate in candidates for fault in candidate]))
    return settled


def _merge(faults: list[Fault]) -> Fault:
    at_union = [f for f in faults if len(f.place) == min(len(fault.place) for fault in faults)]
    for fault in at_union:
        if fault.kind == "rule":  # a validator spoke, so the type of its branch did fit
            return fault
    texts = list(dict.fromkeys(fault.text for fault in at_union))
    others = [text.removeprefix("must ").removeprefix("be ") for text in texts[1:]]
    return at_union[0]._replace(text=" or ".join([texts[0], *others]))


def _sentence(fault: Fault, hint: "_NameHint | None") -> str:
    name = place_name(fault.place)
    if hint:
        return f"there is no setting {name!r}{hint.text}"
    if fault.kind == "missing":
        return f"the setting {name!r} is missing; it has no default"
    if fault.kind == "rule":
        return f"{name}: {fault.text}" if name else fault.text
    options = re.findall(r"'([^']*)'", fault.text)
    near = did_you_mean(fault.got, options) if isinstance(fault.got, str) else ""
    return f"{name} {fault.text}; got {shown(fault.got)}{near}"


class _NameHint(NamedTuple):
    """What to write in place of a name that is no setting."""

    name: str  # the setting meant, or nothing
    text: str

    @classmethod
    def of(cls, fault: Fault, schema: type[BaseModel]) -> "_NameHint":
        section, wrong = fault.place[:-1], str(fault.place[-1])
        if replaced := _REPLACED.get(place_name(fault.place)):
            return cls("", f"; {replaced}")
        models = _models_at(schema, section)
        tags = {tag for _, tag in fault.tags}
        own = [model for model in models if tags & {model.__name__, _kind(model)}] or models
        names = list(dict.fromkeys(name for model in own for name in model.model_fields))
        others = [name for model in models for name in model.model_fields]
        near = difflib.get_close_matches(wrong, names, n=1)
        if not near and wrong not in others:
            near = difflib.get_close_matches(wrong, others, n=1)
        here = place_name(fault.place)  # a setting of another branch of the same union
        elsewhere = [
            name for name in _all_names(schema) if name.split(".")[-1] == wrong and name != here
        ]
        if near or elsewhere:
            name = place_name((*section, near[0])) if near else elsewhere[0]
            return cls(name, f"; did you mean {name!r}?")
        where = f"{place_name(section)!r} has" if section else "there are"
        return cls("", f"; {where} {', '.join(names)}")


def _kind(model: type[BaseModel]) -> str:
    """Return the name by which a union tells a model, where it has one."""
    field = model.model_fields.get("kind")
    return "" if field is None else str(field.default)


def _models_at(schema: type[BaseModel], place: Place) -> list[type[BaseModel]]:
    """Find the models that may describe a section; positions and free keys are passed over."""
    models = [schema]
    for item in place:
        holders = [model for model in models if item in model.model_fields]
        if holders:
            fields = [model.model_fields[str(item)].annotation for model in holders]
            models = [model for annotation in fields for model in _models_in(annotation)]
    return models


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if arguments := get_args(annotation):
        for argument in arguments:
            yield from _models_in(argument)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation


def _all_names(
    schema: type[BaseModel], prefix: str = "", above: tuple[type[BaseModel], ...] = ()
) -> Iterator[str]:
    """List every setting of a schema with its dots, once round where a model holds itself."""
    for name, field in schema.model_fields.items():
        yield prefix + name
        for model in _models_in(field.annotation):
            if model not in (*above, schema):
                yield from _all_names(model, f"{prefix}{name}.", (*above, schema))
