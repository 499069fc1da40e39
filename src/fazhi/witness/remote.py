"""What a witness elsewhere remembers of a log, asked over HTTP."""

import httpx

from kernel.errors import Unavailable
from kernel.ledger.note import Note, read_note
from kernel.tls import TRUSTED


def fetch(url: str, origin: str) -> list[Note]:
    """The last checkpoint a witness signed of a log, none where it signed none. Raises Unavailable, NoteMalformed."""
    try:
        answer = httpx.get(
            f"{url.rstrip('/')}/checkpoint",
            params={"origin": origin},
            timeout=10,
            verify=TRUSTED,
            trust_env=False,
        )
    except httpx.HTTPError as error:
        raise Unavailable(f"见证方 {url} 没有应答。", code="fazhi.witness_away") from error
    if answer.status_code == httpx.codes.NOT_FOUND:
        return []
    if answer.status_code != httpx.codes.OK:
        raise Unavailable(f"见证方 {url} 答复 {answer.status_code}。", code="fazhi.witness_away")
    return [read_note(answer.text)]
