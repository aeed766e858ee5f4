"""E-mail: messages wait in the database, and a server process hands them to whoever carries them."""
