"""What terminals may do without network, what that can cost the organiser, and that they accepted it in writing."""
