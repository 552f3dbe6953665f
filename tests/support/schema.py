# SPDX-License-Identifier: GPL-2.0-or-later
"""schema.py - whether JSON is as its schema in docs/ says

Comes in:  the name of the program that printed it, and what it printed.
Goes out:  the same. Members that the schema does not have are an error here, though not for its users.
"""

import functools
import json
import pathlib

import jsonschema

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"


def _strict(schema):
    if isinstance(schema, list):
        return [_strict(it) for it in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {"additionalProperties": False} if isinstance(schema.get("required"), list) else {}
    return {**closed, **{name: _strict(it) for name, it in schema.items()}}


@functools.cache
def _validator(program):
    schema = json.loads((DOCS / f"{program}.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(_strict(schema))


def validated(program, value):
    _validator(program).validate(value)
    return value
