"""Opening a connection to a web server that hands out files: over TLS, unless the connection says `insecure`."""

import ssl

import httpx
from pydantic import Field

from daybook.errors import BadSpec
from daybook.ftp.connect import TIME_LIMIT_S
from daybook.spec import Value
from daybook.transports.https import HttpsLine


class HttpsServer(Value):
    """A server's address and our login. headers and the words after it come from the connection's extra.

    user, password: for HTTP's basic authentication. headers: are sent with each request, such as an authorization with
    a token. insecure: no TLS at all. ca_file: of a private CA, instead of the system's.
    """

    host: str
    port: int | None = None
    user: str = ""
    password: str = Field("", repr=False)
    headers: dict[str, str] = Field({}, repr=False)
    insecure: bool = False
    ca_file: str | None = None

    def open(self, time_limit_s: float = TIME_LIMIT_S) -> HttpsLine:
        """Return a client for the server, which has answered once. time_limit_s: for every wait.

        Raises BadSpec if the CA file cannot be read or the certificate is refused; SourceUnavailable if the server
        cannot be reached.
        """
        scheme = "http" if self.insecure else "https"
        address = httpx.URL(scheme=scheme, host=self.host, port=self.port, path="/")
        client = httpx.Client(
            auth=(self.user, self.password) if self.user else None,
            # A length and a place in a file count bytes as they lie there.
            headers={**self.headers, "Accept-Encoding": "identity"},
            verify=self._trust(),
            timeout=time_limit_s,
            follow_redirects=True,
            # The environment may name a proxy, but no login of ours: ~/.netrc is not read.
            trust_env=False,
            event_hooks={"request": [self._check]},
        )
        line = HttpsLine(client, address, is_encrypted=not self.insecure)
        try:
            line.greet()
        except BaseException:
            line.close()
            raise
        return line

    def _trust(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:
            raise BadSpec(
                f"{self.host}: the CA file {self.ca_file} cannot be read ({error.strerror}); no connection was opened; "
                "mend ca_file in the connection's extra"
            ) from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context

    def _check(self, request: httpx.Request) -> None:
        """Check an address that the server sends us on to, and take our headers with us to no other server."""
        if request.url.scheme != "https" and not self.insecure:
            raise BadSpec(
                f"{request.url.host}: the server sends us on to an address without TLS; it was not asked; ask who runs "
                "the server for the address with TLS"
            )
        for name in self.headers if request.url.host != self.host else ():
            request.headers.pop(name, None)
