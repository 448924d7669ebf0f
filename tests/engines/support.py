"""What the checks of the engines share: a clean environment, commands in bounded time, claims that are held."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from defender import CALLED, RETRY_AFTER, SECRET, THROTTLED, TOKEN

# What a check has started ends with it, also where it is told to end.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))

OURS = ("AZURE_", "MDE_", "IDENTITY_", "SSL_CERT_")
"""How the names of the step's settings begin."""


def environment(**settings):
    """This process's environment without settings of the step or proxies of the machine, and with those given."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(OURS) and not name.upper().endswith("_PROXY")}
    return {**kept, **settings}


def run(*command, env, seconds, cwd=None, status=0, input=None, stderr=subprocess.PIPE):
    """Runs a command to its end and gives its stdout; it must end in time, with the status.

    What it started ends with it.
    """
    process = subprocess.Popen(
        command, env=env, cwd=cwd, text=True, stdin=subprocess.PIPE if input else subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=stderr, start_new_session=True)
    try:
        stdout, stderr = process.communicate(input, timeout=seconds)
    except subprocess.TimeoutExpired:
        end(process)
        stdout, stderr = process.communicate()
        sys.exit(f"{command} did not end in {seconds} s\n{stdout}\n{stderr}")
    except BaseException:
        end(process)
        raise
    if process.returncode != status:
        sys.exit(f"{command} ended with {process.returncode}, not {status}\n{stdout}\n{stderr}")
    return stdout


def end(process, how=signal.SIGKILL):
    """Ends a process that was started in a session of its own, and all that it started."""
    try:
        os.killpg(process.pid, how)
    except ProcessLookupError:
        pass
    process.wait(timeout=30)


def free_port():
    """A port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def expect_playbook(defender, comment):
    """Holds what the service has seen of every playbook: who is called again, when, and with what."""
    expect("what is throttled is called again, what is refused is not",
           defender.answered(), {id: CALLED[id] for id in defender.actions if id in CALLED})
    if THROTTLED in defender.actions:
        # Without the playbook's own pause it would be at once; with one of a minute, a minute.
        expect("not before Retry-After, and soon after it",
               RETRY_AFTER <= defender.seconds_between_tries() < 60, True)
    expect("each call has the comment", {call.comment for call in defender.calls}, {comment})


def expect_hidden(*shown):
    """Holds that neither the secret nor a token is shown, in these texts or the files below these folders."""
    texts = []
    for place in shown:
        if isinstance(place, Path):
            texts += [file.read_bytes() for file in place.rglob("*") if file.is_file()]
        else:
            texts.append(place.encode())
    expect("something is logged or stored at all", any(texts), True)
    expect("and it shows no secret", [word for word in (SECRET, TOKEN) for text in texts if word.encode() in text], [])


def expect(claim, actual, expected):
    """Ends the check, unless what is so is what should be."""
    if actual != expected:
        sys.exit(f"not so: {claim}\n  is:        {actual!r}\n  should be: {expected!r}")
    print(f"  {claim}")
