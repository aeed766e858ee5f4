"""What a terminal costs and how fast it answers, measured on the agent's own objects: `comptoir bench terminal`, and
beside it `readers`, `site` and `line`.

command  the figures, one after the other, as JSON or as a table
server   a real server with a network of many cards, as processes of `comptoir`
hand     a card reader without a reader, and a hand that sells through it
cases    the measurements
site     how soon one till knows what another sold
line     a first sync and deltas over a slow line
reading  how soon a card is read and proven at a modelled reader
pi       the same tap on a modelled Raspberry Pi: a slower processor, a slower disk
"""
