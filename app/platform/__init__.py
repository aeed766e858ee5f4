"""What every room of the server stands on: settings, database, clock, secrets, errors, telemetry."""
