"""A machine with too little memory or too few open files for a task: the error says so, and the task is tried again.

Not caught here: the kernel killing the process for its memory, and Arrow or Polars ending it themselves. The scheduler
sees that the process was killed, and tries again; nothing half done is ever read.
"""

import errno
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from daybook.errors import SourceUnavailable

NO_MORE_FILES = (errno.EMFILE, errno.ENFILE)


@contextmanager
def shortage_errors(where: str, peak_memory_mib: Callable[[], int]) -> Iterator[None]:
    """Raise SourceUnavailable if memory or open files do not suffice. where: the start of messages."""
    try:
        yield
    except MemoryError:
        raise SourceUnavailable(
            f"{where}: not enough memory, {peak_memory_mib()} MiB were held; nothing was published;"
            " if it stays so, give the machine more memory, the task's pool fewer slots, or the pipeline another engine"
        ) from None
    except OSError as error:
        if error.errno in NO_MORE_FILES:
            raise SourceUnavailable(f"{where}: {no_more_files(error)}") from None
        raise
    except BaseException as error:
        # Polars panics where it may open no more files, and its PanicException is no Exception.
        if type(error).__name__ == "PanicException" and "TooManyOpenFiles" in str(error):
            told = OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            raise SourceUnavailable(f"{where}: {no_more_files(told)}") from None
        raise


def no_more_files(error: OSError) -> str:
    """Return the message for a process or machine that may open no more files or connections."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return (
        f"no more files and connections may be opened ({error.strerror}; {allowed} are allowed); nothing was published;"
        " if it stays so, raise the limit of the tasks' user (ulimit -n)"
    )
