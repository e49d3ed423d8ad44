"""A certificate authority of the tests' own, and what it signs: right, expired, of another host."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


class Authority:
    """A certificate authority in a folder; `ca_file` is its own certificate."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._key, self._name = folder, ec.generate_private_key(ec.SECP256R1()), _name("Test CA")
        self._count = 0
        folder.mkdir()
        self.ca_file = folder / "ca.pem"
        ca = x509.BasicConstraints(ca=True, path_length=0)
        certificate = self._signed(_builder(self._name, NOW + DAY).public_key(self._key.public_key()), ca)
        self.ca_file.write_bytes(certificate)

    def certificate(self, address: str = "127.0.0.1", *, until: datetime = NOW + DAY) -> Path:
        """Return a file with a new key and its certificate for the server at an address."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(address), until).public_key(key.public_key())
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
        pem = self._signed(builder.add_extension(names, critical=False), x509.BasicConstraints(False, None))
        self._count += 1
        file = self._folder / f"server_{self._count}.pem"
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file.write_bytes(pem + secret)
        return file

    def _signed(self, builder: x509.CertificateBuilder, kind: x509.BasicConstraints) -> bytes:
        builder = builder.issuer_name(self._name).add_extension(kind, critical=True)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(subject: x509.Name, until: datetime) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).serial_number(x509.random_serial_number())
    return builder.not_valid_before(NOW - 30 * DAY).not_valid_after(until)
