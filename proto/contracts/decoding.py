"""Decoding 解码 of a message of the bus: every reader refuses in the same words what it does not know or cannot read."""

from typing import TypeVar

from google.protobuf.message import DecodeError
from google.protobuf.message import Message as Proto

from kernel.errors import Unacceptable
from kernel.messages import Message

P = TypeVar("P", bound=Proto)


def decoded(message: Message, as_what: type[P], title: str, *names: str) -> P:
    """The body as `as_what`, called `title` in words; Unacceptable when it has none of these names or is no such thing."""
    if message.name not in names:
        raise Unacceptable(
            f"不认识的消息版本 {message.name}，请升级后放行。", code="contracts.unknown_version"
        )
    try:
        return as_what.FromString(message.body)
    except DecodeError as error:
        raise Unacceptable(f"消息无法按{title}解码。", code="contracts.undecodable") from error
