"""Following the ledger: every booked operation reaches whoever asked, in the order of its number and without gaps.

There is no queue to fill: the ledger itself is the outbox. An operation's number is given under the lock that orders
all commits, so numbers have no gaps and nothing appears later below a number that was seen. Whoever follows keeps the
last number it has dealt with, and asks for what comes after it: live screens over server-sent events, other services
over webhooks, other rooms through `Follower.follow`.
"""
