"""acl device answer: what a bound device signs of a login page's challenge."""

import base64
from pathlib import Path

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from acl_engine.domain.errors import InputError
from acl_engine.domain.text import Text
from acl_engine.identity.devices import sign

_KEY_BYTES = 32

BAD_KEY_FILE = Text(
    "device.bad-key-file",
    "设备密钥文件不可用",
    "the device's key file cannot be used",
    "应为 32 字节的 Ed25519 私钥，仅本人可读",
    "it holds the 32 bytes of an Ed25519 private key, readable by its user alone",
)


@click.command("answer")
@click.argument("challenge")
@click.option("--device", required=True, help="Id of the device, as enrolled.")
@click.option(
    "--key",
    "key_file",
    required=True,
    type=click.Path(path_type=Path),
    help="Its private key: 32 bytes that never leave the device.",
)
def command(challenge: str, device: str, key_file: Path) -> None:
    """Sign the CHALLENGE of a login page with the device's key.

    Run it on the bound computer and paste what it prints into the page's device field. It is good
    for that page, once. A synthetic world's devices answer through `acl world badge`.
    """
    click.echo(answer(device_key(key_file), device, challenge.strip()))


def answer(key: Ed25519PrivateKey, device: str, challenge: str) -> str:
    """`device.signature`, the signature in base64url without padding."""
    signed = base64.urlsafe_b64encode(sign(key, device, challenge).signature)
    return f"{device}.{signed.decode().rstrip('=')}"


def device_key(file: Path) -> Ed25519PrivateKey:
    """The private key of a file that its user alone may read. Raises InputError."""
    try:
        raw, mode = file.read_bytes(), file.stat().st_mode
    except OSError:
        raise InputError(BAD_KEY_FILE.of()) from None
    if len(raw) != _KEY_BYTES or mode & 0o077:
        raise InputError(BAD_KEY_FILE.of())
    return Ed25519PrivateKey.from_private_bytes(raw)
