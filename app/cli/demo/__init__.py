"""`comptoir demo`: a small network on one machine, with server, terminal and emulated cards as processes of their own;
and evenings played through them, whose every balance is computed a second time on paper."""
