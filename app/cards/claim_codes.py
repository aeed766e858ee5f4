"""The code on a card's back, by which its holder takes it into an account: whoever only saw the address, in a picture
of the card's front or over a shoulder, has not got it.

It follows from the address under the server's own key: nothing is kept, and labels can be printed again. It is made
with the key of terminals' tokens, which every backup holds; with another key, printed codes would be void.
"""

from __future__ import annotations

import hmac
from typing import Final

from app.cards import rules

_CLAIM: Final = b"comptoir-claim-code-1"


def claim_code_of(key: bytes, token: str) -> str:
    """As it is printed: "7K3M-9QXT". `token`: of the card's address."""
    return rules.claim_code(hmac.digest(key, _CLAIM + token.encode(), "sha256"))


def is_claim_code(key: bytes, token: str, typed: str) -> bool:
    """Whether it is this card's code, however it was typed."""
    read = rules.read_claim_code(typed) or ""
    return hmac.compare_digest(read, claim_code_of(key, token))
