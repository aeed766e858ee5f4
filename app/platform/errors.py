"""What can go wrong, in the trade's terms. No HTTP here: app/platform/http_problems.py gives each code its status.

DomainError                 something a caller asked for cannot be done; `code` is stable and travels
├── Invalid                 the request makes no sense; never remembered under an operation's id
├── NotSignedIn             nobody is known to be asking
├── Forbidden               somebody is, and may not
├── NotFound                what is asked for does not exist, or not for this caller
├── Conflict                it cannot be done as things stand now
├── TooManyRequests         asked too often; `retry_after_s` says when to come back
└── Unavailable             the server cannot do it now; `retry_after_s` says when to come back

OperatorError               something on this machine must be put right; its text is for whoever runs the server
├── SecretsExposed          a secret's file can be read by others, or is not what was written
└── BackupError             a backup cannot be made, or must not be restored
"""

from __future__ import annotations

from typing import Any


class DomainError(Exception):
    """`detail` is one English sentence for people; `extra` are further members of the problem document."""

    def __init__(self, code: str, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.extra = extra


class Invalid(DomainError):
    def __init__(self, detail: str, code: str = "invalid", **extra: Any) -> None:
        super().__init__(code, detail, **extra)


class NotSignedIn(DomainError):
    def __init__(self, detail: str = "Sign in first.", code: str = "not-signed-in", **extra: Any) -> None:
        super().__init__(code, detail, **extra)


class Forbidden(DomainError):
    def __init__(self, detail: str = "This is not among your rights.", code: str = "forbidden", **extra: Any) -> None:
        super().__init__(code, detail, **extra)


class NotFound(DomainError):
    def __init__(
        self, detail: str = "There is nothing at this address.", code: str = "not-found", **extra: Any
    ) -> None:
        super().__init__(code, detail, **extra)


class Conflict(DomainError):
    def __init__(self, detail: str, code: str = "conflict", **extra: Any) -> None:
        super().__init__(code, detail, **extra)


class TooManyRequests(DomainError):
    def __init__(self, retry_after_s: int, code: str = "too-many-requests") -> None:
        super().__init__(code, f"Too many tries: wait {retry_after_s} s.")
        self.retry_after_s = retry_after_s


class Unavailable(DomainError):
    def __init__(self, detail: str, retry_after_s: int, code: str = "busy", **extra: Any) -> None:
        super().__init__(code, detail, **extra)
        self.retry_after_s = retry_after_s


class OperatorError(Exception):
    pass


class SecretsExposed(OperatorError):
    pass


class BackupError(OperatorError):
    pass
