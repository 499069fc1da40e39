"""
Signed notes 签名短笺 (C2SP signed-note) and cosignatures (C2SP tlog-cosignature, v1).

A note is text, an empty line, and one line a signature: `— name base64(key id ‖ signature)`. The key id is bound to the
name and the algorithm, so a signature says by itself which key and which kind of statement it is; an unknown one is
ignored, a known one that does not fit is an alarm. A cosignature is a witness's statement *with its own time* that it
has seen this text and nothing that contradicts it.

Names have no space and no plus, as the formats ask.
"""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from kernel.errors import Invalid

ED25519 = 0x01
COSIGNATURE = 0x04
MARK = "— "
MAX_NOTE_BYTES = 1_000_000
_TIME_BYTES = 8


class NoteMalformed(Invalid):
    """Not a signed note, or not a key in the form notes use."""

    code = "platform.note_malformed"
    message = "不是合格的签名短笺（C2SP signed-note），请核对文件。"


class SignatureWrong(Invalid):
    """A note is not signed by the key it must be signed by."""

    code = "platform.note_signature"
    message = "签名不成立，或不是由指定的密钥签署。"


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line of a note."""

    name: str
    key_id: bytes
    content: bytes

    @property
    def line(self) -> str:
        """The line as it stands in a note, with its newline."""
        return f"{MARK}{self.name} {_base64(self.key_id + self.content)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text and the signatures under it; which of them are good is another question."""

    text: str
    signatures: tuple[Signature, ...] = ()

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(signature.line for signature in self.signatures)}"

    def with_signatures(self, more: Sequence[Signature]) -> "Note":
        """The same note with further signatures under it."""
        return Note(self.text, (*self.signatures, *(one for one in more if one not in self.signatures)))


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A public key with the name it signs under and the kind of statement it makes ("vkey")."""

    name: str
    kind: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        """Four bytes that name this key in signature lines."""
        return hashlib.sha256(f"{self.name}\n".encode() + bytes([self.kind]) + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{_base64(bytes([self.kind]) + self.public)}"

    def of(self, note: Note) -> Signature | None:
        """
        The signature of this key on a note, None where there is none.

        Raises SignatureWrong where there is one that does not fit: such a line is no accident.
        """
        for signature in note.signatures:
            if signature.name == self.name and signature.key_id == self.key_id:
                self._check(note.text, signature)
                return signature
        return None

    def require(self, note: Note) -> Signature:
        """The good signature of this key on a note; raises SignatureWrong where there is none."""
        signature = self.of(note)
        if signature is None:
            raise SignatureWrong(f"没有密钥 {self.name}（{self.key_id.hex()}）的签名。")
        return signature

    def _check(self, text: str, signature: Signature) -> None:
        message, content = text.encode(), signature.content
        if self.kind == COSIGNATURE:
            if len(content) <= _TIME_BYTES:
                raise SignatureWrong()
            message = _cosigned(text, cosigned_at(signature))
            content = content[_TIME_BYTES:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(content, message)
        except InvalidSignature as error:
            raise SignatureWrong(f"密钥 {self.name}（{self.key_id.hex()}）的签名不成立。") from error


class NoteSigner:
    """A private key that signs notes under one name; one key has one purpose."""

    def __init__(self, name: str, private: Ed25519PrivateKey) -> None:
        _check_name(name)
        self._private = private
        public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.key = NoteKey(name, ED25519, public)
        self.witness_key = NoteKey(name, COSIGNATURE, public)

    @classmethod
    def read(cls, name: str, path: Path) -> "NoteSigner":
        """The signer of a PEM file; raises NoteMalformed when it holds no Ed25519 key."""
        private = load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(private, Ed25519PrivateKey):
            raise NoteMalformed(f"{path} 不是 Ed25519 私钥。")
        return cls(name, private)

    def sign(self, text: str) -> Signature:
        """Sign a text."""
        _check_text(text)
        return Signature(self.key.name, self.key.key_id, self._private.sign(text.encode()))

    def cosign(self, text: str, at_seconds: int) -> Signature:
        """State that this text was seen at this time (seconds since 1970) and contradicts nothing seen before."""
        _check_text(text)
        content = at_seconds.to_bytes(_TIME_BYTES, "big") + self._private.sign(_cosigned(text, at_seconds))
        return Signature(self.witness_key.name, self.witness_key.key_id, content)


def is_signed_by(note: Note, key: NoteKey) -> bool:
    """Whether a note has a good signature of this key."""
    try:
        return key.of(note) is not None
    except SignatureWrong:
        return False


def cosigned_at(signature: Signature) -> int:
    """When a cosignature was made by the witness's own clock, in seconds since 1970."""
    return int.from_bytes(signature.content[:_TIME_BYTES], "big")


def read_note(content: str) -> Note:
    """A note from its written form; raises NoteMalformed."""
    if len(content.encode(errors="replace")) > MAX_NOTE_BYTES:
        raise NoteMalformed("签名短笺过大。")
    text, separator, lines = content.rpartition("\n\n")
    if not separator or not lines:
        raise NoteMalformed()
    _check_text(text + "\n")
    return Note(text + "\n", read_signatures(lines))


def read_signatures(lines: str) -> tuple[Signature, ...]:
    """Signature lines, each ended by a newline; raises NoteMalformed."""
    if not lines.endswith("\n"):
        raise NoteMalformed()
    return tuple(_read_signature(line) for line in lines[:-1].split("\n"))


def _read_signature(line: str) -> Signature:
    name, _, encoded = line.removeprefix(MARK).partition(" ")
    if not line.startswith(MARK):
        raise NoteMalformed()
    _check_name(name)
    raw = decoded(encoded)
    if len(raw) < 5:
        raise NoteMalformed()
    return Signature(name, raw[:4], raw[4:])


def read_key(written: str) -> NoteKey:
    """A key from its written form `name+id+base64`; raises NoteMalformed."""
    name, _, rest = written.strip().partition("+")
    key_id, _, encoded = rest.partition("+")
    _check_name(name)
    raw = decoded(encoded)
    if len(raw) != 33 or raw[0] not in (ED25519, COSIGNATURE):
        raise NoteMalformed(f"不认识的公钥：{written[:60]}")
    key = NoteKey(name, raw[0], raw[1:])
    if key.key_id.hex() != key_id:
        raise NoteMalformed(f"公钥与它的编号不符：{written[:60]}")
    return key


def decoded(encoded: str) -> bytes:
    """Standard base64, padded and nothing else; raises NoteMalformed."""
    try:
        raw = base64.b64decode(encoded.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise NoteMalformed() from error
    if _base64(raw) != encoded:  # one text for one value, or a note could be rewritten without breaking it
        raise NoteMalformed()
    return raw


def _cosigned(text: str, at_seconds: int) -> bytes:
    return f"cosignature/v1\ntime {at_seconds}\n{text}".encode()


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _check_name(name: str) -> None:
    if not name or "+" in name or any(letter.isspace() for letter in name):
        raise NoteMalformed("密钥名称不得为空，不得含空格或加号。")


def _check_text(text: str) -> None:
    if not text.endswith("\n") or any(letter < " " and letter != "\n" for letter in text):
        raise NoteMalformed("签名短笺的正文须以换行结束，不得含控制字符。")
