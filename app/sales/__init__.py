"""Sales: online authorisation, the intake of terminals' journals, voids, exceptions, snapshots."""
