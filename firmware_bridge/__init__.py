"""The firmware bridge: card readers on a microcontroller, and how a till speaks with them. See PROTOCOL.md.

frames, messages, link  the protocol, without I/O; the same files run on the board (MicroPython) and on the till
firmware                what runs on the board only
port, host              the till's side: a serial port, a session over it
simulator               a board on a pseudo-terminal: the firmware's own loop before emulated cards
cli                     `comptoir bridge`

This file and everything that the board runs keeps to what MicroPython has: no dataclasses, no typing at run time.
"""

# The firmware's version, as WELCOME tells it.
FIRMWARE = "1.0"
