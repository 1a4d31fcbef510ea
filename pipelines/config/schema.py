"""The JSON schema of configurations, which editors complete and check them by.

It lies beside the packaged configurations, whose first line names it. What it cannot say, such as
which settings exclude each other, is said when the configuration is read.
"""

import json

from pydantic.json_schema import GenerateJsonSchema

from pipelines.config.run import RunConfig

DEFAULT_KINDS = {"files", "sequential"}  # of `data` and `generator`
SCHEMA_FILE = "schema.json"
MODELINE = f"# yaml-language-server: $schema={SCHEMA_FILE}"
"""First line of a configuration that lies beside the schema."""


def config_schema() -> str:
    """Return the schema as JSON text: every setting with its type, limits, default and meaning."""
    schema = RunConfig.model_json_schema()
    for section in schema["$defs"].values():
        # A section that may be of several kinds is of the default one where it says none.
        kind = section["properties"].get("kind", {}).get("const")
        if kind is not None and kind not in DEFAULT_KINDS:
            section["required"] = ["kind", *section.get("required", [])]
    document = {
        "$schema": GenerateJsonSchema.schema_dialect,
        **schema,
        "title": "configuration of a vid2vid run",
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
