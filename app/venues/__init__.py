"""The network and its venues: time zone and cut-off, what each accepts, what each sells and for how much."""
