"""What runs on the board only, under MicroPython: `main` starts it. Nothing here holds a key or decides anything.

field    cards that come and go, from single looks
loop     what the board does, step by step; without hardware of its own
"""
