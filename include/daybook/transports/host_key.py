"""Whether an SSH server is the one that it is taken for: its key is compared before a name or a password is said.

The expected keys come from the connection's extra, or from a file in the format of OpenSSH's known_hosts (sshd(8)).
"""

from pathlib import Path
from typing import NamedTuple

import asyncssh

from daybook.errors import BadSpec
from daybook.text import printable

MEND = (
    "ask who runs the server for its fingerprint; if it is that one, set host_key in the connection's extra to the "
    "line of this key from `ssh-keyscan {address}`"
)


class HostKeys(NamedTuple):
    """The keys by which a server is known, and where they are written. authorities: may sign others, revoked: may not.

    authorities, revoked: as asyncssh reads them from known_hosts.
    """

    trusted: tuple[asyncssh.SSHKey, ...]
    authorities: tuple[asyncssh.SSHKey, ...]
    revoked: tuple[asyncssh.SSHKey, ...]
    written_in: str


def of_lines(lines: str, where: str) -> HostKeys:
    """Return the keys of public key lines, as "ssh-ed25519 AAAA…". Raises BadSpec if one is not a key."""
    return HostKeys(tuple(_key(line, where) for line in lines.strip().splitlines()), (), (), "host_key")


def of_file(path: Path, host: str, port: int, where: str) -> HostKeys:
    """Return the keys of a server in a known_hosts file; none if there is no such file.

    Raises BadSpec if the file cannot be read.
    """
    try:
        text = path.read_text() if path.exists() else ""
        known = asyncssh.match_known_hosts(asyncssh.import_known_hosts(text), host, "", None if port == 22 else port)
    except (OSError, ValueError) as error:
        raise BadSpec(
            f"{where}: the file {path} of known host keys cannot be read ({printable(str(error))}); nothing was said "
            "to the server; mend the file, or known_hosts in the connection's extra"
        ) from None
    return HostKeys(tuple(known[0]), tuple(known[1]), tuple(known[2]), str(path))


def refusal(where: str, address: str, found: asyncssh.SSHKey, known: HostKeys) -> BadSpec:
    """Return the error for a key that is not one of the expected."""
    shown = f"{where}: the server's host key is {found.get_algorithm()} {found.get_fingerprint()}"
    mend = MEND.format(address=address)
    if not known.trusted:
        return BadSpec(
            f"{shown}, and none is known for it in {known.written_in}; nothing was said to the server; {mend}"
        )
    expected = ", ".join(f"{key.get_algorithm()} {key.get_fingerprint()}" for key in known.trusted)
    return BadSpec(
        f"{shown}, {expected} expected ({known.written_in}): the server has changed its key, or it is another server; "
        f"nothing was said to it; {mend}"
    )


def _key(line: str, where: str) -> asyncssh.SSHKey:
    # ssh-keyscan writes the host before the kind. Airflow's SSH hook takes a key without a kind for one of RSA.
    words = ["ssh-rsa", *line.split()]
    place = next((number for number, word in enumerate(words) if word.startswith("AAAA")), len(words) - 1)
    try:
        return asyncssh.import_public_key(" ".join(words[max(place - 1, 0) : place + 1]))
    except ValueError as error:
        raise BadSpec(
            f"{where}: host_key {line.strip()[:60]!r} is refused: {printable(str(error))}; it takes lines such as "
            "'ssh-ed25519 AAAA…', as ssh-keyscan writes them"
        ) from None
