"""Events of venues: their places, prices, orders and tickets."""
