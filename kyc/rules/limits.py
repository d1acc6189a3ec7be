"""The numbers that KYC lives by. Sizes are bytes, sides are pixels."""

from __future__ import annotations

from datetime import timedelta

MINIMUM_AGE_YEARS = 18

MAX_FILE_BYTES = 8 * 1024 * 1024
MAX_DOCUMENTS = 10
MAX_TOTAL_BYTES = 40 * 1024 * 1024

# By what decoding costs: JPEG can be decoded at a fraction of its size, WebP keeps several copies. No picture within
# its limit takes more than 256 MB.
MAX_PIXELS = {"image/jpeg": 40_000_000, "image/png": 24_000_000, "image/webp": 9_000_000}
MAX_SIDE = 12_000
MIN_SIDE = 80
# What is kept: enough to read the small print of an A4 page at 300 dpi.
KEPT_SIDE = 3600

MAX_PDF_PAGES = 20
MAX_PDF_OBJECTS = 20_000
MAX_PDF_PICTURE_PIXELS = 80_000_000
MAX_PDF_UNPACKED_BYTES = 256 * 1024 * 1024
MAX_PDF_NESTING = 40

DRAFT_LIFETIME = timedelta(days=30)
# An approval ends with the identity document, and in any case after two years.
APPROVAL_LIFETIME = timedelta(days=730)
# So long before an approval ends, its holder may apply again.
RENEWAL_WINDOW = timedelta(days=60)
# What was never sent goes so long after its draft ended; the papers of somebody who was declined after five years, the
# time for which the directives against money laundering want them.
UNSENT_KEPT = timedelta(days=30)
DECLINED_KEPT = timedelta(days=5 * 365 + 2)
# A stored file that no document names is rubbish after this time.
ORPHAN_LIFETIME = timedelta(hours=1)

# A document's process: memory in bytes, processor time and wall time in seconds.
PROCESS_MEMORY_BYTES = 768 * 1024 * 1024
PROCESS_CPU_SECONDS = 10
PROCESS_WALL_SECONDS = 20
