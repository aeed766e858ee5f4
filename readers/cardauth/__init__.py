"""Proving and encoding cards: each chip's protocol over one `exchange(frame) -> answer`, as a driver offers it.

errors      what can go wrong between a card and us
isodep      ISO/IEC 14443-4: commands of any length to chips that speak in blocks
native      NXP's commands in ISO form, 90 .. 00, as NTAG 424 DNA and DESFire take them
ev2         AuthenticateEV2First and what is said in its session
ntag424     NTAG 424 DNA: version, signature, keys, files, the message in its address
desfire     DESFire EV1 to EV3: AuthenticateAES, or EV2First within an application
allowance   what an NTAG 424 DNA carries of its offline sales
ntag21x     NTAG213, 215 and 216: signature, password, counter
ultralight  MIFARE Ultralight AES: mutual authentication and MACed commands

Nothing here opens a device, waits, or logs; `readers.taps.CardSilent` and `ReaderFault` of the exchange go through.
"""

from readers.cardauth.errors import CardTrouble, Malformed, NotProven, Refused

__all__ = ["CardTrouble", "Malformed", "NotProven", "Refused"]
