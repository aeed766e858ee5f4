"""What the dashboards' figures are, as pure functions."""
