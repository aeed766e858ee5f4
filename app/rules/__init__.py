"""What server and terminal decide alike. No framework, no I/O; but for the ciphers in `chips` standard library only."""
