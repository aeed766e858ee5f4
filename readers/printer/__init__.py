"""The receipt printer: ESC/POS over USB, network, serial line or a device file, in a thread of its own."""

from readers.printer.device import PrinterPathWrong, check_path
from readers.printer.worker import Printer

__all__ = ["Printer", "PrinterPathWrong", "check_path"]
