"""The one shape of an error: `{"code", "message", "details"}`. `details` names fields where fields are wrong."""

from typing import Any

from rest_framework import status
from rest_framework.exceptions import APIException


class ApiError(APIException):
    """An error with a stable `code` for programs and a sentence for people; `details` is any JSON."""

    status_code: int = status.HTTP_400_BAD_REQUEST

    def __init__(self, code: str, message: str, details: Any = None) -> None:
        super().__init__(message, code)
        self.code = code
        self.message = message
        self.details = details


class Conflict(ApiError):
    """409: the request is right, but what exists stands against it (a taken key, a product with devices)."""

    status_code = status.HTTP_409_CONFLICT


class Forbidden(ApiError):
    """403: we know who it is, and they may not."""

    status_code = status.HTTP_403_FORBIDDEN


class Unauthorized(ApiError):
    """401: we do not know who it is."""

    status_code = status.HTTP_401_UNAUTHORIZED


class TooLarge(ApiError):
    """413: more bytes than the address takes."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE


class Unprocessable(ApiError):
    """422: understood and refused for what it says; where a device said it, the dead letter is kept."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY


class TooMany(ApiError):
    """429: try again after `wait` seconds."""

    status_code = status.HTTP_429_TOO_MANY_REQUESTS

    def __init__(self, code: str, message: str, wait: float) -> None:
        super().__init__(code, message)
        self.wait = wait


class Unavailable(ApiError):
    """503: something we need is down for now; try the same thing again after `wait` seconds."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE

    def __init__(self, message: str, wait: float = 5) -> None:
        super().__init__("unavailable", message)
        self.wait = wait
