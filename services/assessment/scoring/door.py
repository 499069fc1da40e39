"""
The door 收件口 of scored events: what no source has signed does not come in, if its source signs (R21).

A refused event goes to quarantine alone and with its reason; its neighbours in the message go on. While no public keys
of a source are known its events are taken as they are, and the signature they carry is kept in the leaf as given: a
stranger with the key can check it later, and verification does when the key is there.
"""

from collections.abc import Sequence

from contracts.findings.signatures import Fault, Signatures
from contracts.findings.wire import Told, read_scored
from kernel.clock import Clock
from kernel.messages import Item, Message, Refused


class ScoredDoor:
    """Reads messages of scored events and checks who said them."""

    def __init__(self, signatures: Signatures, clock: Clock) -> None:
        self._signatures = signatures
        self._clock = clock

    def read(self, message: Message) -> Sequence[Item | Refused]:
        """The events of a message as inbox items; raises Unacceptable when the message is none of ours."""
        now = self._clock.now()

        def check(told: Sequence[Told]) -> Sequence[Fault | None]:
            said = [(each.said, each.event.source_sig) for each in told]
            return [fault for _, fault in self._signatures.judge_message(said, now)]

        return read_scored(message, check)
