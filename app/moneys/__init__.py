"""The network's moneys as people see them: what each is and how it is spent, how much there is, where it went."""
