"""Attachments 附件: bytes handed in by people go out to be saved, never to be shown by the browser (R45)."""

from urllib.parse import quote

from fastapi import Response


def attachment(content: bytes, *, name: str, media_type: str) -> Response:
    """These bytes as a download; with the edge's `nosniff`, no page of ours ever runs what is in them."""
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(name)}",
        "content-security-policy": "sandbox; default-src 'none'",
    }
    return Response(content, media_type=media_type, headers=headers)
