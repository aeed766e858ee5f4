"""A ticket that its holder hands on to a friend: another stands in its place, so that the old code opens no door."""
