"""What is inside the packages: how old a system they need, the manual page, the bill of materials, the licences."""

import gzip
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).parents[2]
OLDEST_GLIBC = (2, 28)
"""Debian 10, RHEL 8, Ubuntu 20.04 and Amazon Linux 2023 have it."""
TREE = ["cargo", "tree", "--edges=normal,no-proc-macro", "--prefix=none", "--no-dedupe", "--locked", "--format={p}",
        "--target=x86_64-unknown-linux-gnu"]


def check(packages, binary):
    """Ends the check if something is inside that should not be, or the other way round."""
    headers = output("objdump", "--dynamic-syms", "--private-headers", binary)
    needed = max(tuple(map(int, version.split("."))) for version in re.findall(r"GLIBC_([0-9.]+)", headers))
    hold(f"the binary needs glibc {'.'.join(map(str, needed))}", needed <= OLDEST_GLIBC and "GLIBC_ABI" not in headers)
    paths = [str(path).encode() for path in (ROOT, Path.home(), os.environ.get("CARGO_HOME", Path.home()))]
    hold("the binary names no path of this machine", not any(path in binary.read_bytes() for path in paths))

    wheel, archive, debian = (contents(next(packages.glob(pattern))) for pattern in ("*.whl", "*.tar.gz", "*.deb"))
    hold("the archive has what the Debian package has", archive == debian)
    for name, files in ("wheel", wheel), ("archive", archive):
        manual(name, files)
    bill = (packages / "cancel-machine-action.cdx.json").read_text()
    hold("the wheel has the same bill of materials", bill == find(wheel, "cyclonedx.json").decode())
    crates = bill_of_materials(bill)
    for files in wheel, archive:
        notices = find(files, "/NOTICES").decode()
        hold("the licences of all crates are there", all(re.search(f"^{re.escape(' '.join(crate))} ", notices, re.MULTILINE)
                                                         for crate in crates))
        hold("and the program's own", b"The cancel-machine-action authors" in find(files, ("/LICENSE", "/copyright")))


def manual(name, files):
    """The manual page renders without a warning."""
    page = find(files, ("/cancel-machine-action.1", "/cancel-machine-action.1.gz"))
    page = gzip.decompress(page) if page.startswith(b"\x1f\x8b") else page
    with tempfile.NamedTemporaryFile(suffix=".1") as file:
        file.write(page)
        file.flush()
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "MANPAGER": "cat", "MANWIDTH": "80"}
        man = subprocess.run(["man", "--warnings", "--local-file", file.name], env=environment, capture_output=True, text=True)
        hold(f"{name}: the manual page, by man {man.stderr}", man.returncode == 0 and not man.stderr and "--sandbox" in man.stdout)
        lint = subprocess.run(["mandoc", "-T", "lint", file.name], capture_output=True, text=True)
        hold(f"{name}: the manual page, by mandoc {lint.stdout}", lint.returncode == 0 and not lint.stdout)


def bill_of_materials(text):
    """It is CycloneDX, and lists exactly the crates of the shipped tree, each with licence and checksum."""
    problem = JsonStrictValidator(SchemaVersion.V1_5).validate_str(text)
    # What it says of a problem begins with the whole document.
    hold(f"the bill of materials is CycloneDX {str(problem or '')[-300:]}", problem is None)
    components = json.loads(text)["components"]
    listed = [(component["name"], component["version"]) for component in components]
    linked = {(name, version.removeprefix("v")) for name, version, *_ in map(str.split, output(*TREE).splitlines())}
    linked = {crate for crate in linked if crate[0] != "cancel-machine-action"}
    hold(f"it lists the {len(linked)} crates of the shipped tree", sorted(listed) == sorted(linked))
    hold("each has a licence and a checksum",
         all(component["licenses"][0]["expression"] and component["hashes"][0]["content"] for component in components))
    return listed


def contents(package):
    """The files of a package, by their paths in it, without the first folder: the archive's own, or /usr."""
    if package.suffix == ".whl":
        with zipfile.ZipFile(package) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    tar = package.read_bytes()
    if package.suffix == ".deb":
        tar = subprocess.run(["dpkg-deb", "--fsys-tarfile", package], check=True, stdout=subprocess.PIPE).stdout
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        return {"/".join(["", *Path(member.name).parts[1:]]): archive.extractfile(member).read()
                for member in archive if member.isfile()}


def find(files, ending):
    """The file whose path ends so: one, and no more."""
    [found] = [content for name, content in files.items() if name.endswith(ending)]
    return found


def output(*command):
    """What a command prints, run in the project's folder."""
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def hold(claim, is_so):
    """Ends the check, unless it is so."""
    if not is_so:
        sys.exit(f"not so: {claim}")
    print(f"  {claim}")
