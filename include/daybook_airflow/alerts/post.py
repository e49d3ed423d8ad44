"""One message to one place: by mail through an SMTP server, or as JSON to a webhook.

Where that is, says a connection of Airflow: of the type `smtp` with the words of Airflow's own provider, or `http`. No
error repeats the address of a webhook: it is a secret.
"""

import os
import smtplib
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

import httpx

from daybook.alerts import message
from daybook.alerts.alert import Alert
from daybook.alerts.outbox import Words
from daybook.alerts.variables import mail_connection
from daybook.text import one_line
from daybook_airflow.kept_connections import kept_words

FROM = "DAYBOOK_ALERTS_FROM"
ANSWER_SECONDS = 15.0


class NotSent(Exception):
    """A server did not take a message; it may when it is tried again. The text holds no secret."""


def send(words: Words) -> None:
    """Send a message of the outbox. Raises NotSent."""
    place: Words = words.get("place") or {}
    try:
        alerts, is_more = [Alert.of(one) for one in words["alerts"]], bool(words["is_more"])
        if place["kind"] == "mail":
            _mail(place["to"], alerts, is_more, words["name"])
        elif place["kind"] == "slack":
            _post(place["connection"], message.slack(alerts, is_more=is_more))
        else:
            _post(place["connection"], message.payload(alerts, is_more=is_more))
    except NotSent:
        raise
    except httpx.HTTPError as error:
        raise NotSent(f"the webhook does not answer: {type(error).__name__}") from None
    except (smtplib.SMTPException, OSError) as error:
        raise NotSent(one_line(f"the mail server: {type(error).__name__}: {error}")) from None
    except Exception as error:
        # Such as a connection that is not there; its text may hold an address.
        raise NotSent(
            f"{type(error).__name__}, of the connection {place.get('connection') or mail_connection()!r}"
        ) from None


def mail(to: Sequence[str], sender: str, alerts: Sequence[Alert], *, is_more: bool, name: str) -> EmailMessage:
    """Return a mail with a plain and an HTML part. name: of the message, the same at each try."""
    written = EmailMessage()
    # Else a text that looks like an encoded word (RFC 2047) would be decoded into the signs of a header's end.
    written["Subject"] = message.subject(alerts, is_more=is_more).replace("=?", "= ?")
    written["From"], written["To"] = sender, ", ".join(to)
    written["Date"] = format_datetime(datetime.fromisoformat(alerts[0].at).astimezone(UTC))
    # A mail that was sent twice is then recognized as one.
    written["Message-ID"] = f"<{name}@daybook.invalid>"
    # No absence note answers it (RFC 3834, 5).
    written["Auto-Submitted"] = "auto-generated"
    written.set_content(message.plain(alerts, is_more=is_more))
    written.add_alternative(message.html(alerts, is_more=is_more), subtype="html")
    return written


def _mail(to: Sequence[str], alerts: Sequence[Alert], is_more: bool, name: str) -> None:
    words = kept_words(mail_connection())
    extra = words["extra"]
    sender = os.environ.get(FROM) or extra.get("from_email") or words.get("login") or to[0]
    with _smtp(words, extra) as server:
        if words.get("login") and words.get("password"):
            server.login(words["login"], words["password"])
        server.send_message(mail(to, sender, alerts, is_more=is_more, name=name))


def _smtp(words: Words, extra: Words) -> smtplib.SMTP:
    host, port = str(words.get("host") or "localhost"), int(words.get("port") or 0)
    if not _is_set(extra.get("disable_ssl")):
        return smtplib.SMTP_SSL(host, port, timeout=ANSWER_SECONDS, context=_context(extra))
    server = smtplib.SMTP(host, port, timeout=ANSWER_SECONDS)
    if not _is_set(extra.get("disable_tls")):
        try:
            server.starttls(context=_context(extra))
        except BaseException:
            server.close()
            raise
    return server


def _context(extra: Words) -> ssl.SSLContext | None:
    return None if extra.get("ssl_context") == "none" else ssl.create_default_context()


def _is_set(value: Any) -> bool:
    return str(value).lower() in ("true", "1", "yes")


def _post(connection: str, body: Words) -> None:
    answer = httpx.post(_url(kept_words(connection)), json=body, timeout=ANSWER_SECONDS)
    if not answer.is_success:
        raise NotSent(f"the webhook of the connection {connection!r} answers {answer.status_code}")


def _url(words: Words) -> str:
    """Return the address of a webhook. As in Airflow's Slack provider, the password may be the end of its path."""
    host, schema = str(words.get("host") or ""), str(words.get("schema") or "")
    if "://" not in host:
        is_scheme = schema in ("http", "https")
        scheme = schema if is_scheme else "http" if words.get("conn_type") == "http" else "https"
        port = f":{words['port']}" if words.get("port") else ""
        host = f"{scheme}://{host}{port}{'' if is_scheme or not schema else f'/{schema}'}"
    return f"{host.rstrip('/')}/{words['password'].lstrip('/')}" if words.get("password") else host
