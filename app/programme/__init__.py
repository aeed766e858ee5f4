"""The public programme of the network: events, venues and artists on pages, in calendars, feeds and e-mails."""
