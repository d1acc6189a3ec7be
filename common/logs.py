"""Log lines carry the request they belong to; control characters never reach a terminal."""

from __future__ import annotations

import logging

from common import request_context


class ContextFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        context = request_context.current()
        record.request_id = context.request_id
        record.ip = context.ip
        return True
