"""What an event's venue looks after: sales while they happen, takings, the statement of receipts, its own buyers."""
