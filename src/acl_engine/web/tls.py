"""The certificate: given and checked before the start, or made for development.

INVARIANTS
- There is no way to serve without TLS; 1.2 is the least version.
- A development certificate serves an invented world on a loopback address, and nothing else.
- A given certificate must be in time, fit its key, and name the host of `serve.public_url`.
"""

import ipaddress
import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from acl_engine.bootstrap.settings import Serve, contradiction
from acl_engine.domain.errors import ConfigError
from acl_engine.domain.text import Text

BAD_CERTIFICATE = Text(
    "tls.bad-certificate",
    "证书不可用：{why}",
    "the certificate cannot be used: {why}",
    "检查 serve.certificate 与 serve.private_key",
    "check serve.certificate and serve.private_key",
)
GIVE_CERTIFICATE = Text(
    "tls.certificate-needed",
    "缺少 TLS 证书：开发证书仅限合成世界与本机地址",
    "no TLS certificate: one made for development serves a synthetic world on loopback only",
    "给出 --cert 与 --key",
    "give --cert and --key",
)
_DEVELOPMENT_DAYS = 30


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine can connect to the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def certificate(serve: Serve, *, synthetic: bool) -> tuple[Path, Path]:
    """The certificate and key to serve with. Raises ConfigError."""
    if serve.certificate and serve.private_key:
        files = Path(serve.certificate), Path(serve.private_key)
        _check(*files, serve)
        return files
    if not synthetic or not is_loopback(serve.host):
        raise ConfigError(GIVE_CERTIFICATE.of())
    return development_certificate(_state_folder())


def context(certificate_file: Path, key_file: Path) -> ssl.SSLContext:
    """TLS 1.2 or newer, HTTP/1.1. Raises ConfigError."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.options |= ssl.OP_NO_RENEGOTIATION
    made.set_alpn_protocols(["http/1.1"])
    load(made, certificate_file, key_file)
    return made


def load(into: ssl.SSLContext, certificate_file: Path, key_file: Path) -> None:
    """Put a certificate into a context, also one in use: new connections get it."""
    try:
        into.load_cert_chain(certificate_file, key_file, password="")
    except (OSError, ssl.SSLError, ValueError) as failure:
        raise ConfigError(BAD_CERTIFICATE.of(why=_plain(failure))) from None


def development_certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for this machine's loopback names; kept until it runs out."""
    files = folder / "development.pem", folder / "development.key"
    if all(file.is_file() for file in files) and _lasts(files[0]):
        return files
    key = ec.generate_private_key(ec.SECP256R1())
    made = _self_signed(key)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(files[1], _key_bytes(key))
        _write(files[0], made.public_bytes(serialization.Encoding.PEM))
    except OSError as failure:
        raise ConfigError(BAD_CERTIFICATE.of(why=_plain(failure))) from None
    return files


def _self_signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    now = datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "acl-engine development")])
    loopback = [x509.IPAddress(ipaddress.ip_address(ip)) for ip in ("127.0.0.1", "::1")]
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=_DEVELOPMENT_DAYS))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), *loopback]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _key_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all, and for this user alone."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    temporary.replace(path)


def _check(certificate_file: Path, key_file: Path, serve: Serve) -> None:
    leaf = _leaf(certificate_file)
    now = datetime.now(UTC)
    if not leaf.not_valid_before_utc <= now < leaf.not_valid_after_utc:
        raise ConfigError(BAD_CERTIFICATE.of(why="it is out of date, or not yet in force"))
    try:
        if key_file.stat().st_mode & 0o007:
            raise ConfigError(BAD_CERTIFICATE.of(why="anybody may read the private key"))
    except OSError as failure:
        raise ConfigError(BAD_CERTIFICATE.of(why=_plain(failure))) from None
    context(certificate_file, key_file)
    host = urlsplit(serve.public_url).hostname if serve.public_url else None
    if host and not _names(leaf, host):
        raise contradiction("serve.public_url: the certificate does not name its host")


def _leaf(file: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(file.read_bytes())
    except OSError as failure:
        raise ConfigError(BAD_CERTIFICATE.of(why=_plain(failure))) from None
    except ValueError:
        why = "serve.certificate holds no certificate in PEM"
        raise ConfigError(BAD_CERTIFICATE.of(why=why)) from None


def _names(leaf: x509.Certificate, host: str) -> bool:
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    try:
        return ipaddress.ip_address(host) in found.get_values_for_type(x509.IPAddress)
    except ValueError:
        pass
    names = [name.lower() for name in found.get_values_for_type(x509.DNSName)]
    return host.lower() in names or f"*.{host.lower().partition('.')[2]}" in names


def _lasts(file: Path) -> bool:
    try:
        return _leaf(file).not_valid_after_utc > datetime.now(UTC) + timedelta(days=1)
    except ConfigError:
        return False


def _state_folder() -> Path:
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "acl-engine"


def _plain(failure: Exception) -> str:
    """What went wrong, in one line without a path or a secret."""
    text = getattr(failure, "strerror", None) or getattr(failure, "reason", None)
    return str(text or type(failure).__name__).replace("\n", " ")
