"""The meaning of what an SFTP server answers, or of a broken line: try again, wait, or ask a person to mend it."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncssh

from daybook.errors import BadSpec, SourceUnavailable
from daybook.ftp.replies import Broken, NotThere, printable
from daybook.storage.shortage import NO_MORE_FILES, no_more_files


@contextmanager
def translated_errors(where: str, *, is_opening: bool = False) -> Iterator[None]:
    """Translate the errors of asyncssh and the network into ours, by what to do next. where: the start of messages."""
    try:
        yield
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
        raise NotThere(f"{where}: the SFTP server has no such file") from None
    except asyncssh.SFTPPermissionDenied as error:
        raise BadSpec(
            f"{where}: the SFTP server does not let us ({printable(error.reason)}); not tried again; have the right to "
            "read it given to the connection's user, or mend the path in the spec"
        ) from None
    except asyncssh.PermissionDenied as error:
        raise BadSpec(
            f"{where}: the SFTP server refuses the login ({printable(error.reason)}); not tried again, so as not to "
            "lock the account; mend the connection's user, password or key"
        ) from None
    except (asyncssh.ChannelOpenError, asyncssh.KeyExchangeFailed, asyncssh.HostKeyNotVerifiable) as error:
        if not is_opening:
            raise Broken(f"{where}: the line to the SFTP server broke ({printable(error.reason)})") from None
        raise BadSpec(
            f"{where}: the server refuses us, or we refuse it ({printable(error.reason)}); not tried again; ask who "
            "runs the server whether it gives SFTP to the connection's user"
        ) from None
    except TimeoutError:
        raise Broken(f"{where}: the SFTP server was silent for longer than the time limit") from None
    except asyncssh.Error as error:
        raise Broken(f"{where}: the SFTP server broke off ({printable(error.reason)})") from None
    except OSError as error:
        if error.errno in NO_MORE_FILES:
            raise SourceUnavailable(f"{where}: {no_more_files(error)}") from None
        what = f"{type(error).__name__}: {printable(error.strerror or error)}"
        raise Broken(f"{where}: the line to the SFTP server broke ({what})") from None
