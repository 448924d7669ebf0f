"""Says what the binary that ships is made of: the crates that cargo links into it.

    shipped.py sbom       a CycloneDX bill of materials (JSON), of these crates and no others
    shipped.py notices    their licences, as they ask to be passed on

What only builds the program (build scripts, macros) and what only tests it is not part of it. The environment gives the
TARGET and, as seconds since 1970, SOURCE_DATE_EPOCH.
"""

import json
import os
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
TARGET = os.environ["TARGET"]
LICENCE_FILES = ("LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE")
"""How the names of files with a licence begin."""


def cargo(*arguments):
    """What cargo prints, with the versions of the lock file."""
    return subprocess.run(["cargo", *arguments, "--locked"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def tree():
    """The crates as (name, version), the program first, each with those that it uses itself."""
    found, above = {}, []
    lines = cargo("tree", "--edges=normal,no-proc-macro", "--prefix=depth", "--format= {p}", "--target", TARGET)
    for line in lines.splitlines():
        depth, name, version, *_ = line.split()
        crate = (name, version.removeprefix("v"))
        above[int(depth):] = [crate]
        found.setdefault(crate, set())
        if len(above) > 1:
            found[above[-2]].add(crate)
    return found


def packages():
    """What cargo knows of each crate, by name and version."""
    metadata = json.loads(cargo("metadata", "--format-version=1", "--filter-platform", TARGET))
    return {(package["name"], package["version"]): package for package in metadata["packages"]}


def purl(crate):
    """The package URL of a crate."""
    return "pkg:cargo/{}@{}".format(*crate)


def expression(package):
    """The licence as an SPDX expression; a slash is how it was once written."""
    return package["license"].replace("/", " OR ")


def component(crate, package, kind):
    """What a bill of materials says of a crate."""
    return {"type": kind, "bom-ref": purl(crate), "name": crate[0], "version": crate[1],
            "description": " ".join(package["description"].split()),
            "licenses": [{"expression": expression(package)}], "purl": purl(crate)}


def sbom():
    """The bill of materials, with the checksums of the lock file."""
    crates, known = tree(), packages()
    program, *linked = crates
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    checksums = {(entry["name"], entry["version"]): entry.get("checksum") for entry in lock}
    compiler = subprocess.run(["rustc", "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    return {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), UTC).isoformat(),
            "component": {
                **component(program, known[program], "application"),
                "properties": [{"name": "target", "value": TARGET},
                               {"name": "compiler, whose standard library is linked in", "value": compiler}]}},
        "components": [
            {**component(crate, known[crate], "library"), "hashes": [{"alg": "SHA-256", "content": checksums[crate]}]}
            for crate in sorted(linked)],
        "dependencies": [
            {"ref": purl(crate), "dependsOn": [purl(used) for used in sorted(crates[crate])]} for crate in sorted(crates)],
    }


def notices():
    """The licences of the crates: each text once, below the names of those that bring it."""
    known = packages()
    _, *linked = tree()
    bringing = {}
    for crate in sorted(linked):
        package = known[crate]
        for text in licences(package):
            bringing.setdefault(text, []).append(f"{package['name']} {package['version']} ({expression(package)})")
    parts = ["cancel-machine-action is made of the crates below, and of Rust's standard library (MIT OR Apache-2.0).\n"]
    for text, crates in bringing.items():
        parts.append("\n".join(["=" * 80, *crates, "-" * 80, text]))
    return "\n".join(parts)


def licences(package):
    """The texts of the licences that a crate brings."""
    folder = Path(package["manifest_path"]).parent
    files = sorted(file for file in folder.iterdir() if file.is_file() and file.name.upper().startswith(LICENCE_FILES))
    if files:
        return [file.read_text().strip() + "\n" for file in files]
    if package["license"] == "MIT":
        # Ours is the same licence; only who grants it differs.
        _, terms = (ROOT / "LICENSE").read_text().split("authors\n", 1)
        return [f"MIT License (the crate brings no text)\n\nCopyright (c) the authors of {package['name']}\n{terms}"]
    sys.exit(f"{package['name']} brings no text of its licence, {package['license']}: add it to {__file__}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["sbom"]:
            print(json.dumps(sbom(), indent=2))
        case ["notices"]:
            print(notices(), end="")
        case _:
            sys.exit(__doc__)
