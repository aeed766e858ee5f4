"""People and what they may do: roles, sign-in, sessions, API rights, audit log."""
