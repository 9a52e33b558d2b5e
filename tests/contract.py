"""The contract of results.json for tests: the form that Gradescope reads, as a JSON schema, and what it cannot say."""

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

SCHEMA = Path(__file__).parent / "schemas" / "gradescope_results.json"
CONTRACT = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def assert_is_gradescopes(results: dict[str, Any]) -> None:
    """The form of https://gradescope-autograders.readthedocs.io/en/latest/specs/, as text: no browser runs it."""
    CONTRACT.validate(results)
    for test in results["tests"]:
        assert test.get("score", 0) <= test.get("max_score", 0)
