"""The meaning of an FTP server's reply or a broken line: try again, wait, or ask a person to mend it.

The codes: RFC 959, 4.2; of TLS: RFC 2228, 5 and RFC 4217. A message quotes the reply in one printable line.
"""

import ftplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from daybook.errors import BadSpec, DaybookError, SourceUnavailable
from daybook.storage.shortage import NO_MORE_FILES, no_more_files

REPLY_CHARACTERS = 200


class Broken(SourceUnavailable):
    """The line broke or the server is in trouble: the same task tries again, from where it was."""


class Busy(Broken):
    """The server has no room (421): the same task tries again after a longer pause."""


class CannotResume(Broken):
    """The server cannot send from the middle of a file, or only claims to: start again."""


class NotThere(SourceUnavailable):
    """The server does not show the file."""


@contextmanager
def translated_errors(where: str, *, is_opening: bool = False, secret: str | None = None) -> Iterator[None]:
    """Translate the errors of ftplib and the network into ours, by what to do next.

    where: the start of messages. is_opening: a TLS error while a connection is opened is for a person to mend; later it
    is a broken line. secret: is removed from the server's words.
    """
    try:
        yield
    except ftplib.Error as error:
        raise _of_reply(where, printable(error, secret), is_opening) from None
    except UnicodeError as error:
        raise BadSpec(
            f"{where}: the FTP server does not write {error.args[0]}; nothing was copied; "
            'set the extra {"encoding": "latin-1"} of the connection'
        ) from None
    except (OSError, EOFError) as error:
        raise _of_line(where, error, is_opening) from None


def printable(error: object, secret: str | None = None) -> str:
    """Return a server's words in one printable line, without the secret."""
    words = str(error).replace(secret, "***") if secret else str(error)
    return re.sub(r"[^\x20-\x7e\xa0-\uffff]+", " ", words)[:REPLY_CHARACTERS]


def _of_reply(where: str, reply: str, is_opening: bool) -> DaybookError:
    for pattern, kind, advice in (OPENING if is_opening else ()) + MEANINGS:
        if re.match(pattern, reply):
            return kind(f"{where}: {advice.format(reply=reply)}")
    return Broken(f"{where}: the FTP server's reply makes no sense ({reply})")


def _of_line(where: str, error: OSError | EOFError, is_opening: bool) -> DaybookError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return BadSpec(
            f"{where}: the server's certificate is refused ({printable(error.verify_message)}); no password was sent; "
            "have the certificate mended, or name the CA's file in the connection's extra, as ca_file"
        )
    if is_opening and isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
        return BadSpec(
            f"{where}: no TLS of version 1.2 or later with this server ({printable(error.reason)}); no password was "
            "sent; have the server mended"
        )
    if isinstance(error, OSError) and error.errno in NO_MORE_FILES:
        return SourceUnavailable(f"{where}: {no_more_files(error)}")
    return Broken(f"{where}: {_what_broke(error)}")


def _what_broke(error: OSError | EOFError) -> str:
    if isinstance(error, TimeoutError):
        return "the FTP server was silent for longer than the time limit"
    if isinstance(error, EOFError):
        return "the FTP server closed the connection"
    return f"the line to the FTP server broke ({type(error).__name__}: {printable(error.strerror or error)})"


Meanings = tuple[tuple[str, type[DaybookError], str], ...]

# Replies to a login. The first match wins.
OPENING: Meanings = (
    (
        r"5\d\d\b.*(?i:encrypt|\btls\b|\bssl\b|ssl/tls)",
        BadSpec,
        "the FTP server wants TLS, or cannot do it ({reply}); not tried again; mend `insecure` in the connection's "
        "extra, or have the server mended",
    ),
    (
        "53[02]",
        BadSpec,
        "the FTP server refuses the login ({reply}); not tried again, so as not to lock the account; "
        "mend the connection's user and password",
    ),
    ("5", BadSpec, "the FTP server refuses us ({reply}); not tried again; mend the connection, or ask who runs it"),
)
# Replies to a command. The first match wins.
MEANINGS: Meanings = (
    ("421", Busy, "the FTP server has no room now ({reply})"),
    (
        "425",
        Broken,
        "the FTP server cannot open the data connection ({reply}): a firewall in between, or over TLS a server that "
        "does not find the session that it wants to be used again",
    ),
    ("4", Broken, "the FTP server broke off ({reply})"),
    (
        "52[12]|53[34567]",
        BadSpec,
        "the FTP server wants the data protected, or cannot protect it ({reply}); not tried again; mend `insecure` in "
        "the connection's extra, or have the server mended",
    ),
    ("550", NotThere, "the FTP server has no such file, or not for us ({reply})"),
    (
        "5",
        BadSpec,
        "the FTP server refuses what it is asked ({reply}); not tried again; mend the path in the spec, or the server",
    ),
)
