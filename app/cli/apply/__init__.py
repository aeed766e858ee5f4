"""A network as one file: `comptoir apply` makes the database like the file, `comptoir export` writes the file."""
