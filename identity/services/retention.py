"""What is forgotten of sign-ins, and when."""

from __future__ import annotations

from datetime import datetime, timedelta

from allauth.usersessions.models import UserSession
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from identity.models import ApiSession

# A year and a month: long enough to look into last year's complaint, and longer than a place counts as known.
SIGN_INS_KEPT = timedelta(days=400)
FAILURES_KEPT = timedelta(days=90)


def purge_sign_ins(*, now: datetime) -> int:
    """Delete sessions and tokens that are over, failed log-ins after 90 days, and the list of log-ins after 400 days.

    Everybody's latest stays: without it the next one would pass for the first ever, of which nobody is warned.
    The audit trail keeps its own record of each. Returns how many rows went.
    """
    later_log_in = AccessLog.objects.filter(username=OuterRef("username"), attempt_time__gt=OuterRef("attempt_time"))
    later_session = ApiSession.objects.filter(user=OuterRef("user"), created_at__gt=OuterRef("created_at"))
    longest = timedelta(seconds=settings.SESSION_ABSOLUTE_SECONDS)
    gone = [
        Session.objects.filter(expire_date__lt=now),
        UserSession.objects.filter(last_seen_at__lt=now - longest),
        OutstandingToken.objects.filter(expires_at__lt=now),
        AccessAttempt.objects.filter(attempt_time__lt=now - FAILURES_KEPT),
        AccessFailureLog.objects.filter(attempt_time__lt=now - FAILURES_KEPT),
        AccessLog.objects.filter(Exists(later_log_in), attempt_time__lt=now - SIGN_INS_KEPT),
        ApiSession.objects.filter(Exists(later_session), expires_at__lt=now - SIGN_INS_KEPT),
    ]
    return sum(rows.delete()[0] for rows in gone)
