"""
Public keys 公钥 by which published rankings are checked (C2SP vkeys).

Told here so that a page can check at once; whoever distrusts this installation takes them from somewhere else, which
is why they are also printed by `fazhi publications keys` for the operator to make known on paper or another site.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """
    Keys as name+id+base64: of the ledger (earlier ones too), of who publishes, of the witnesses; and how many must
    have signed. Those of the sources say after commas since when they sign (from=) or are revoked (revoked=).
    """

    origin: str
    ledger: tuple[str, ...]
    publisher: str | None
    witnesses: tuple[str, ...]
    witnesses_needed: int
    sources: tuple[str, ...] = ()
