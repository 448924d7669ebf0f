"""Checks the Tracecat action template.

    tracecat.py cancel_machine_action.yml

There is no packaged check: Tracecat's own is part of its server, which is not published as a package. This is a model
of ours of the same shape, stricter in that it takes no key that it does not know, and follows each expression to what
it names.
"""

import re
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
NAME = r"[a-zA-Z_]\w*"
REFERENCE = re.compile(rf"\b(inputs|steps|SECRETS|FN)\.({NAME})(?:\.({NAME}))?(?:\.({NAME}))?")
LITERAL = re.compile(r"'[^']*'|\"[^\"]*\"")

FUNCTIONS = {"url_encode"}
"""The functions that the template may use."""

ACTIONS = {
    "core.http_request": (
        {"url", "method"},
        {"headers", "params", "payload", "form_data", "files", "auth", "timeout", "follow_redirects", "max_redirects",
         "ignore_status_codes", "verify_ssl"},
        {"status_code", "headers", "data"},
    ),
}
"""The actions that the template may use: arguments that they need, arguments that they take, fields of the result."""

PRIMITIVES = {"int": int, "str": str, "bool": bool, "float": float, "datetime": str, "duration": str,
              "any": object, "Any": object}


def values(kind):
    """The values of an enumeration, or nothing if the type is none."""
    return re.findall(r'"([^"]*)"', kind) if re.fullmatch(r'enum\[("[^"]+", ?)*"[^"]+"\]', kind) else None


def is_type(kind):
    """Whether Tracecat has such a type."""
    if enumeration := values(kind):
        # It compares them regardless of case.
        return len({value.lower() for value in enumeration}) == len(enumeration) <= 20
    if "|" in kind:
        return all(is_type(part.strip()) for part in kind.split("|"))
    if nested := re.fullmatch(r"list\[(.+)\]", kind):
        return is_type(nested[1])
    if nested := re.fullmatch(r"dict\[([a-z]+), ?(.+)\]", kind):
        return is_type(nested[1]) and is_type(nested[2])
    return kind in {*PRIMITIVES, "dict", "None"}


def a_type(kind):
    if not is_type(kind):
        raise ValueError(f"there is no type {kind!r}")
    return kind


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Expected(Strict):
    type: Annotated[str, AfterValidator(a_type)]
    description: str
    default: Any = None

    @model_validator(mode="after")
    def the_default_fits(self):
        if "default" not in self.model_fields_set:
            return self
        enumeration = values(self.type)
        primitive = PRIMITIVES.get(self.type, object)
        if not (self.default in enumeration if enumeration else isinstance(self.default, primitive)):
            raise ValueError(f"the default {self.default!r} is no {self.type}")
        return self


class OAuth(Strict):
    type: Literal["oauth"]
    provider_id: str
    grant_type: Literal["authorization_code", "client_credentials"]
    optional: bool = False

    def names(self):
        """What an expression may name."""
        who = "USER" if self.grant_type == "authorization_code" else "SERVICE"
        return {(f"{self.provider_id}_oauth", f"{self.provider_id.upper()}_{who}_TOKEN")}


class Custom(Strict):
    type: Literal["custom"]
    name: Annotated[str, Field(pattern="^[a-z0-9_]+$")]
    keys: list[str] = []
    optional_keys: list[str] = []
    optional: bool = False

    def names(self):
        """What an expression may name."""
        return {(self.name, key) for key in self.keys + self.optional_keys}


class Step(Strict):
    ref: Annotated[str, Field(pattern=rf"^{NAME}$")]
    action: str
    args: dict[str, Any]

    @model_validator(mode="after")
    def the_action_takes_the_arguments(self):
        if self.action not in ACTIONS:
            raise ValueError(f"{self.action!r} is none of {sorted(ACTIONS)}")
        needed, taken, _ = ACTIONS[self.action]
        if missing := needed - self.args.keys():
            raise ValueError(f"{self.action} needs {sorted(missing)}")
        if unknown := self.args.keys() - needed - taken:
            raise ValueError(f"{self.action} does not take {sorted(unknown)}")
        return self


class Definition(Strict):
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    namespace: Annotated[str, Field(pattern=r"^tools(\.[a-z][a-z0-9_]*)+$")]
    title: Annotated[str, Field(min_length=1, max_length=100)]
    description: Annotated[str, Field(max_length=1000)] = ""
    display_group: Annotated[str, Field(min_length=1, max_length=100)]
    doc_url: Annotated[str, Field(pattern="^https://", max_length=1000)] | None = None
    author: str | None = None
    deprecated: str | None = None
    secrets: list[Annotated[OAuth | Custom, Field(discriminator="type")]] = []
    expects: dict[str, Expected]
    steps: Annotated[list[Step], Field(min_length=1)]
    returns: str | list[str] | dict[str, Any]

    @model_validator(mode="after")
    def each_expression_names_what_is_there(self):
        earlier, used = {}, set()
        for step in self.steps:
            if step.ref in earlier:
                raise ValueError(f"there are two steps {step.ref!r}")
            used |= self._used(step.args, earlier)
            earlier[step.ref] = step.action
        used |= self._used(self.returns, earlier)
        if unused := self.expects.keys() - used:
            raise ValueError(f"no expression uses {sorted(unused)}")
        return self

    def _used(self, value, earlier):
        """The inputs that a value uses; what it names must be there."""
        used = set()
        for text in texts(value):
            if text.count("${{") != len(EXPRESSION.findall(text)):
                raise ValueError(f"an expression is not closed: {text!r}")
            for expression in EXPRESSION.findall(text):
                bare = LITERAL.sub("", expression)
                named = REFERENCE.findall(bare)
                if not named or re.search(NAME, REFERENCE.sub("", bare)):
                    raise ValueError(f"an expression names what is not known: {expression.strip()!r}")
                for reference in named:
                    self._follow(reference, earlier)
                used |= {name for context, name, *_ in named if context == "inputs"}
        return used

    def _follow(self, reference, earlier):
        context, name, second, third = reference
        known = {
            "inputs": name in self.expects,
            "FN": name in FUNCTIONS,
            "SECRETS": any((name, second) in secret.names() for secret in self.secrets),
            "steps": name in earlier and second == "result" and (not third or third in ACTIONS[earlier[name]][2]),
        }
        if not known[context]:
            raise ValueError(f"there is no {'.'.join(filter(None, reference))} here")


class Template(Strict):
    type: Literal["action"]
    definition: Definition


def texts(value):
    """All text in a value, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def main():
    file = Path(sys.argv[1])
    try:
        template = Template.model_validate(yaml.safe_load(file.read_bytes()))
    except ValidationError as error:
        sys.exit(f"{file.name}:\n  " + "\n  ".join(
            f"{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors()))
    if file.stem != template.definition.name:
        sys.exit(f"{file.name}: the template is called {template.definition.name}")
    print(f"  {file.name}: model, expressions")


main()
