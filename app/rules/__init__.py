"""What server and terminal decide alike. Standard library only: no framework, no I/O."""
