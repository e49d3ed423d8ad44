"""Changes of tables and views that readers may have in use: they wait for readers, and readers hardly for them."""

from collections.abc import Callable, Iterable

import psycopg
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from daybook.errors import SourceUnavailable
from daybook.postgres.session import Connection
from daybook.publish.live import Place, sessions_with

PATIENCE_S = 20
PAUSE_S = 1


def in_short_waits(connection: Connection, what: str, places: Iterable[Place], do: Callable[[], None]) -> None:
    """Change tables and views of some places, all or nothing.

    what: the start of the message, such as "flights: the spec changes its views". Raises SourceUnavailable, and changes
    nothing, if others have them in use for long.
    """
    # Whoever wants to read a table waits behind a change that waits for it, so the change gives up soon and comes back.
    tries = Retrying(
        retry=retry_if_exception_type(psycopg.errors.LockNotAvailable),
        stop=stop_after_delay(PATIENCE_S),
        wait=wait_fixed(PAUSE_S),
        reraise=True,
    )
    try:
        for attempt in tries:
            with attempt:
                _once(connection, do)
    except psycopg.errors.LockNotAvailable:
        raise SourceUnavailable(
            f"{what}, and {sessions_with(connection, places)} in use for {PATIENCE_S} s; nothing was changed; if it "
            "stays so, end that session"
        ) from None


def _once(connection: Connection, do: Callable[[], None]) -> None:
    (before,) = connection.execute("select current_setting('lock_timeout')").fetchone() or ("30s",)
    with connection.transaction():
        connection.execute("select set_config('lock_timeout', '500ms', true)")
        do()
        connection.execute("select set_config('lock_timeout', %s, true)", [before])
