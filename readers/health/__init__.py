"""How the machine under the terminal is: storage, memory, heat and power, as far as Linux tells."""

from readers.health.machine import Machine, is_volatile, read_machine

__all__ = ["Machine", "is_volatile", "read_machine"]
