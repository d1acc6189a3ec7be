from __future__ import annotations

from common import errors


class MessageUnknown(errors.NotFound):
    code = "message_unknown"
    message = "We could not find this message."
