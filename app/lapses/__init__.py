"""What time does to money: it expires, it melts, it falls asleep; and a member's credit grows with what they sell."""
