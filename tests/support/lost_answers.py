"""A proxy that lets a COMMIT through to PostgreSQL and cuts the line before its answer comes back."""

import select
import time
from dataclasses import dataclass

from .proxy import BLOCK_BYTES, SECONDS_BETWEEN_LOOKS, Fault, Pair, Proxy

# Enough for the server to commit; its answer is then on the line, or in our hands, and goes nowhere.
SECONDS_TO_COMMIT = 0.3


@dataclass
class LostAnswers(Proxy):
    """Cuts the line at the commits whose transaction said one of these words; a commit each. `lost` counts them."""

    words: bytes = b"pg_notify"
    times: int = 1
    lost: int = 0

    def _forward(self, pair: Pair, fault: Fault, most: int) -> int:
        for end in select.select([pair.client, pair.server], [], [], SECONDS_BETWEEN_LOOKS)[0]:
            block = end.recv(BLOCK_BYTES)
            if not block:
                raise ConnectionAbortedError("one side has ended")
            if end is pair.server:
                pair.client.sendall(block)
                continue
            self.sent += block
            pair.server.sendall(block)
            if b"COMMIT" in block and self.words in self.sent and self.lost < self.times:
                self.lost += 1
                self.sent.clear()
                time.sleep(SECONDS_TO_COMMIT)
                raise ConnectionAbortedError("the answer is lost")
        return 0
