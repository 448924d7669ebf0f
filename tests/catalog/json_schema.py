"""Checks the JSON Schemas with the validators that others use.

    json_schema.py SCHEMA_FOLDER manifest.json

`check-jsonschema` holds each to its metaschema; Ajv compiles each in strict mode, in which an unknown keyword is an
error. Both then hold the documents to them: the examples of each schema, the sample, the documented answer and the
manifest.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

DOCUMENTS = {"sample": "input", "documented-answer": "output"}
"""The documents beside the schemas, and which schema each must fit."""

AJV = ["--spec=draft2020", "--strict=true", "--all-errors", "-c", "ajv-formats"]


def run(*command):
    """Runs a command; ends the check if it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}:\n{done.stdout}")


def validate(schema, documents):
    run("check-jsonschema", "--schemafile", schema, *documents)
    run("ajv", "validate", *AJV, "-s", schema, *(part for document in documents for part in ("-d", document)))


def main():
    folder, manifest = (Path(argument).resolve() for argument in sys.argv[1:])
    schemas = sorted(folder.glob("*.schema.json"))
    run("check-jsonschema", "--check-metaschema", *schemas)
    print(f"  {len(schemas)} schemas fit their metaschema")
    for schema in schemas:
        kind = schema.name.removesuffix(".schema.json")
        documents = [folder / f"{name}.json" for name, of in DOCUMENTS.items() if of == kind]
        if kind == "manifest":
            documents.append(manifest)
        with tempfile.TemporaryDirectory(prefix="schema-") as examples:
            for number, example in enumerate(json.loads(schema.read_bytes()).get("examples", [])):
                documents.append(Path(examples, f"{number}.json"))
                documents[-1].write_text(json.dumps(example))
            if documents:
                validate(schema, documents)
            else:
                run("ajv", "compile", *AJV, "-s", schema)
        print(f"  {schema.name}: strict, {len(documents)} documents")


main()
