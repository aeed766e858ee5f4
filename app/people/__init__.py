"""What people do among themselves: trades on mutual credit, transfers, loans of things, memberships, common funds."""
