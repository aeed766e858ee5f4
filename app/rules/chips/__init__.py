"""What a card's chip and its keys compute, alike at the server and at a terminal: bytes in, bytes out.

aes          the block cipher in the few ways that NXP's chips use it
diversify    a card's own key, derived from a master key and its UID (AN10922)
sun          the message that an NTAG 424 DNA adds to its address at each tap (AN12196)
originality  the maker's signature over the UID: the chip is not a copy made of other silicon

Nothing here keeps a key, talks to a card or knows a database; `cryptography` and `ecdsa` do the arithmetic.
"""
