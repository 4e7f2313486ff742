"""Every error that OpenDeep raises on purpose.

    OpenDeepError            message: what a person reads; retryable: can trying again help?
    ├── SetupError           the installation or its settings; the command line exits with 2
    ├── InvalidInput         something typed is wrong; `field` names where
    ├── NotFound             no such thing, or not this person's
    ├── NotAllowed           known person, forbidden action
    ├── Conflict             somebody else was faster, or the state has moved on
    ├── CarrierError         the phone provider refused or failed; `permanent` says which
    │   └── TooLate          this process slept: the provider was not asked any more
    └── ModelError           the language provider refused or failed

Pages and the API show `message`; workers read `retryable`.
"""


class OpenDeepError(Exception):
    """Base of all deliberate errors; `message` is written for a person."""

    retryable = False

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class SetupError(OpenDeepError):
    """The installation cannot start as configured."""


class InvalidInput(OpenDeepError):
    """A value given by a person or a program is not acceptable; `field` names it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class NotFound(OpenDeepError):
    """The thing does not exist, or belongs to somebody else (the two look the same on purpose)."""


class NotAllowed(OpenDeepError):
    """The caller is not signed in, or may not do this."""


class Conflict(OpenDeepError):
    """A compare-and-set lost: the state is no longer what the caller believed."""


class CarrierError(OpenDeepError):
    """The phone provider did not place or change a call.

    `code` is the provider's error code (0 when there is none), `permanent` is true when the
    same request can never succeed, `maybe_placed` when the request may have taken effect
    although no answer came back.
    """

    def __init__(
        self,
        message: str,
        *,
        code: int = 0,
        permanent: bool = False,
        maybe_placed: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.permanent = permanent
        self.maybe_placed = maybe_placed
        self.retryable = not permanent


class TooLate(CarrierError):
    """A call was not asked for because the time in which it could be has passed."""

    def __init__(self) -> None:
        super().__init__("the worker was suspended before it could ask")


class ModelError(OpenDeepError):
    """The language provider failed; trying again later can help."""

    retryable = True
