"""What the terminal decides and shows. Pure: no framework, no I/O."""
