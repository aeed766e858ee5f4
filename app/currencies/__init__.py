"""The moneys of the network: what each is called, what one unit is worth, who issues it."""
