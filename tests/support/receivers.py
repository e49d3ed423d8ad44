"""Real receivers of alerts: a mail server and a web server on 127.0.0.1, which keep what they are sent."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from deployment.home import HOST, free_port


@dataclass
class Receivers:
    """The mails and the JSON bodies that came, and the ports. refuses: what the web server answers first."""

    mail_port: int
    web_port: int
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    bodies: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    refuses: list[int] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Take a mail, as aiosmtpd asks."""
        assert isinstance(envelope.content, bytes)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        self.recipients += envelope.rcpt_tos
        return "250 taken"

    def subjects(self) -> list[str]:
        """Return the subjects of the mails that came."""
        return [mail["Subject"] for mail in self.mails]

    def connections(self, path: str = "/hook") -> dict[str, str]:
        """Return the connections `smtp_default` and `hook`, as the environment has them."""
        mail = {"conn_type": "smtp", "host": HOST, "port": self.mail_port}
        mail["extra"] = {"disable_ssl": True, "disable_tls": True, "from_email": "daybook@example.com"}
        hook = {"conn_type": "http", "host": f"http://{HOST}:{self.web_port}{path}", "password": "T000/canary"}
        return {"AIRFLOW_CONN_SMTP_DEFAULT": json.dumps(mail), "AIRFLOW_CONN_HOOK": json.dumps(hook)}

    @contextmanager
    def mail_server(self) -> Iterator[None]:
        """Have the mail server."""
        controller = Controller(self, hostname=HOST, port=self.mail_port)
        controller.start()
        try:
            yield
        finally:
            controller.stop()

    @contextmanager
    def web_server(self) -> Iterator[None]:
        """Have the web server."""
        handler = type("Handler", (_Handler,), {"receivers": self})
        server = ThreadingHTTPServer((HOST, self.web_port), handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def receivers() -> Receivers:
    """Return receivers that do not listen yet."""
    return Receivers(free_port(), free_port())


class _Handler(BaseHTTPRequestHandler):
    receivers: Receivers

    def log_message(self, format: str, *words: Any) -> None:
        """Write no log."""

    def do_POST(self) -> None:
        """Take JSON."""
        status = self.receivers.refuses.pop(0) if self.receivers.refuses else 200
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if status == 200:
            self.receivers.bodies.append((self.path, body))
        self.send_response(status)
        self.end_headers()

    def do_GET(self) -> None:
        """Take a sign of life."""
        self.receivers.bodies.append((self.path, {}))
        self.send_response(200)
        self.end_headers()
