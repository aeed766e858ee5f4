"""The box office on a holder's phone: places chosen, paid from the card or by a top-up made for them, tickets shown."""
