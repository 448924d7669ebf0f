"""Holds the packages to what the README promises of them.

    check.py PACKAGES INSTALLED

Each line of the README's "Install" is run in an environment of its own, without network and without Rust but for the
last; then what it has installed is tried.
"""

import atexit
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import contents

ROOT = Path(__file__).parents[2]
PROGRAM = "cancel-machine-action"
VERSION = re.search(r'^version = "(.+)"$', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[1]


def main():
    packages, installed = (Path(argument) for argument in sys.argv[1:])
    checksums(packages)
    binaries = [install(line, packages, installed) for line in lines_of_the_readme()]
    for binary in binaries:
        try_out(binary)
    # The last is built from source, by this machine's linker.
    *packaged, _ = binaries
    same = {hashlib.sha256(binary.read_bytes()).hexdigest() for binary in packaged}
    expect("all packages have the same binary", len(same), 1)
    contents.check(packages, packaged[0])


def lines_of_the_readme():
    """The commands in the table of "Install", in its order."""
    section = (ROOT / "README.md").read_text().split("\n## Install\n")[1].split("\n## ")[0]
    lines = re.findall(r"^\|[^|]+\| `(.+)` \|$", section, re.MULTILINE)
    expect("the README has a line for each way to install", [line.split()[0] for line in lines],
           ["pip", "dpkg", "sha256sum", "cargo"])
    return lines


def checksums(packages):
    """Nothing is without its checksum."""
    listed = {line.split()[1] for line in (packages / "SHA256SUMS").read_text().splitlines()}
    there = {file.name for file in packages.iterdir()} - {"SHA256SUMS"}
    expect("SHA256SUMS lists every file", listed, there)
    run("sha256sum --check --strict --quiet SHA256SUMS", packages)


def install(line, packages, installed):
    """Runs a line of the README, and returns where the program is then."""
    tool = line.split()[0]
    folder = installed / {"pip": "wheel", "dpkg": "debian", "sha256sum": "archive", "cargo": "source"}[tool]
    folder.mkdir(parents=True)
    match tool:
        case "pip":
            run(f"{sys.executable} -m venv {folder}", packages)
            run(line, packages, PATH=f"{folder}/bin:{os.defpath}", PIP_NO_INDEX="1")
        case "dpkg" if os.geteuid() == 0 and not is_on_this_system():
            # It leaves this system again, however the check ends.
            atexit.register(subprocess.run, ["dpkg", "--purge", PROGRAM], check=True, stdout=subprocess.DEVNULL)
            run(line, packages, PATH="/usr/sbin:/usr/bin:/sbin:/bin")
            folder = Path("/usr")
        case "dpkg":
            print("  not root, or there is one already: the Debian package is only unpacked")
            run(f"dpkg-deb --extract {PROGRAM}_*.deb {folder}", packages)
            folder /= "usr"
        case "sha256sum":
            (folder / ".local").mkdir()
            run(line, packages, HOME=str(folder))
            folder /= ".local"
        case "cargo":
            run(line, ROOT, **os.environ, CARGO_INSTALL_ROOT=str(folder))
    print(f"  {line}")
    return folder / "bin" / PROGRAM


def is_on_this_system():
    """Whether a Debian package of ours is installed that this check has not brought."""
    return subprocess.run(["dpkg", "--status", PROGRAM], capture_output=True).returncode == 0


def try_out(binary):
    """The program does its work where there is nothing but itself."""
    print(f"  {binary}")
    expect("  has the version", run(f"{binary} --version", "/"), f"{PROGRAM} {VERSION}\n")
    answer = json.loads(run(f"{binary} sample | {binary} --sandbox", "/"))
    expect("  cancels an action in the sandbox", (answer["status_code"], answer["json_body"]["status"]), (200, "Cancelled"))
    expect("  says that the sandbox's identity may", json.loads(run(f"{binary} check --sandbox", "/"))["may_cancel"], True)


def run(line, folder, **environment):
    """Runs a line of a shell with nothing of this process's environment, and returns its stdout."""
    environment = {"PATH": "/usr/bin:/bin", **environment}
    if "cargo" not in line:
        expect("there is no Rust", shutil.which("cargo", path=environment["PATH"]), None, quiet=True)
    done = subprocess.run(["bash", "-euc", line], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=1200)
    if done.returncode != 0:
        sys.exit(f"{line}\nended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def expect(claim, actual, expected, quiet=False):
    """Ends the check, unless what is so is what should be."""
    if actual != expected:
        sys.exit(f"not so: {claim}\n  is:        {actual!r}\n  should be: {expected!r}")
    if not quiet:
        print(f"  {claim}")


if __name__ == "__main__":
    main()
