"""What the network knows of a card, for prices that are not everybody's."""
