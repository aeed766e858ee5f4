"""What the bank says: statements read and matched with what is owed, and cash that venues hand in."""
