"""What runs on the board only, under MicroPython. Nothing here holds a key or decides anything.

main                   the board's main.py: which of two versions is started
run                    the loop between the serial port and the parts
boards                 pins, and parts made of MicroPython's `machine`
loop, field            what the board does, and cards that come and go; without hardware
parts                  what the loop wants of a chip, of outputs and of a clock
rc522, pn532           the reader chips; `iso14443` is what both need
panel, ssd1306         light, buzzer, display
"""
