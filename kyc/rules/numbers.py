"""Identity numbers: normalised, checked where they carry a check digit, masked for the eye.

Which numbers carry one depends on the country and the kind of document. Where the card shows a personal number that
people use as its number (the Polish PESEL, the Spanish DNI), that number is asked for and python-stdnum checks it.
Passports and all other documents are checked for syntax only.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from typing import Literal, Protocol, cast

from stdnum.exceptions import ValidationError as StdnumError

ID_CARD = "ID_CARD"
RESIDENCE_PERMIT = "RESIDENCE_PERMIT"

_SYNTAX = re.compile(r"[A-Z0-9](?:[A-Z0-9 ./+-]{3,28})[A-Z0-9]", re.ASCII)
_SEPARATORS = re.compile(r"[ ./-]")

# (country, document kind) -> (module of python-stdnum, what the number is called)
SCHEMES: dict[tuple[str, str], tuple[str, str]] = {
    ("BE", ID_CARD): ("be.eid", "eID card number"),
    ("BG", ID_CARD): ("bg.egn", "EGN"),
    ("BR", ID_CARD): ("br.cpf", "CPF"),
    ("CL", ID_CARD): ("cl.rut", "RUN"),
    ("CN", ID_CARD): ("cn.ric", "resident identity number"),
    ("CZ", ID_CARD): ("cz.rc", "rodné číslo"),
    ("DO", ID_CARD): ("do.cedula", "cédula"),
    ("EC", ID_CARD): ("ec.ci", "cédula"),
    ("EE", ID_CARD): ("ee.ik", "isikukood"),
    ("ES", ID_CARD): ("es.dni", "DNI"),
    ("ES", RESIDENCE_PERMIT): ("es.nie", "NIE"),
    ("FI", ID_CARD): ("fi.hetu", "henkilötunnus"),
    ("HR", ID_CARD): ("hr.oib", "OIB"),
    ("IL", ID_CARD): ("il.idnr", "identity number"),
    ("IN", ID_CARD): ("in_.aadhaar", "Aadhaar"),
    ("IS", ID_CARD): ("is_.kennitala", "kennitala"),
    ("KR", ID_CARD): ("kr.rrn", "resident registration number"),
    ("LT", ID_CARD): ("lt.asmens", "asmens kodas"),
    ("MX", ID_CARD): ("mx.curp", "CURP"),
    ("NO", ID_CARD): ("no.fodselsnummer", "fødselsnummer"),
    ("PE", ID_CARD): ("pe.cui", "DNI"),
    ("PL", ID_CARD): ("pl.pesel", "PESEL"),
    ("PT", ID_CARD): ("pt.cc", "Cartão de Cidadão number"),
    ("RO", ID_CARD): ("ro.cnp", "CNP"),
    ("SE", ID_CARD): ("se.personnummer", "personnummer"),
    ("SI", ID_CARD): ("si.emso", "EMŠO"),
    ("SK", ID_CARD): ("sk.rc", "rodné číslo"),
    ("TH", ID_CARD): ("th.pin", "identity number"),
    ("TR", ID_CARD): ("tr.tckimlik", "T.C. kimlik number"),
    ("ZA", ID_CARD): ("za.idnr", "identity number"),
}

Outcome = Literal["FITS", "DOES_NOT_FIT", "NO_CHECK_DIGIT", "MALFORMED"]


class _Scheme(Protocol):
    def validate(self, number: str) -> str: ...


@dataclass(frozen=True, slots=True)
class NumberCheck:
    """The outcome for one number; `scheme` is what the number is called, empty where it has no check digit.

    `birth_date` is the one that the number itself tells, where it tells one.
    """

    outcome: Outcome
    scheme: str = ""
    birth_date: date | None = None

    @property
    def acceptable(self) -> bool:
        return self.outcome in {"FITS", "NO_CHECK_DIGIT"}


def normalise(number: str) -> str:
    """Upper case, full-width characters folded, outer blanks and repeated blanks removed."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", number)).strip().upper()


def compact(number: str) -> str:
    """The form in which two numbers are compared: without blanks, dots, slashes and hyphens."""
    return _SEPARATORS.sub("", normalise(number))


def mask(number: str) -> str:
    """All but the last three characters hidden; the number of dots does not tell the length."""
    tail = compact(number)[-3:]
    return f"•••••• {tail}" if tail else ""


def check(*, number: str, country: str, kind: str) -> NumberCheck:
    """Check an identity number of a document `kind` issued by `country` (ISO alpha-2)."""
    text = normalise(number)
    if not _SYNTAX.fullmatch(text) or not any(character.isdigit() for character in text):
        return NumberCheck("MALFORMED")
    scheme = SCHEMES.get((country, kind))
    if scheme is None:
        return NumberCheck("NO_CHECK_DIGIT")
    module, name = scheme
    library = import_module(f"stdnum.{module}")
    try:
        valid = cast(_Scheme, library).validate(text)
    except StdnumError:
        return NumberCheck("DOES_NOT_FIT", name)
    return NumberCheck("FITS", name, _birth_date(library, valid))


def _birth_date(library: object, number: str) -> date | None:
    reader = getattr(library, "get_birth_date", None)
    if reader is None:
        return None
    try:
        told = reader(number)
    except StdnumError:
        return None
    return told if isinstance(told, date) else None
