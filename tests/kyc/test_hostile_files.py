"""Every file here is refused for the right reason, quickly; what is kept is free of what it came with."""

from __future__ import annotations

import io
import time

import pikepdf
import pytest
from PIL import Image

from kyc.errors import DocumentRefused
from kyc.rules import documents, isolation, limits
from tests.kyc import files


@pytest.mark.parametrize("name", files.HOSTILE)
def test_refuses(name: str) -> None:
    make, code = files.HOSTILE[name]
    data = make()
    started = time.process_time()
    with pytest.raises(DocumentRefused) as refusal:
        documents.sanitise(data)
    assert refusal.value.error_code == code
    assert refusal.value.field == "file"
    assert time.process_time() - started < 2


def test_there_are_at_least_forty_hostile_files() -> None:
    assert len(files.HOSTILE) >= 40


@pytest.mark.parametrize("name", ["pdf that unpacks to 300 MB", "png of 50,000 by 50,000", "pdf with a named script"])
def test_the_process_apart_gives_the_same_refusal(name: str) -> None:
    make, code = files.HOSTILE[name]
    with pytest.raises(DocumentRefused) as refusal:
        isolation.sanitise(make())
    assert refusal.value.error_code == code


def test_the_hand_written_pdf_is_good_without_its_poison() -> None:
    assert documents.sanitise(files.plain_pdf(b"")).pages == 1


def test_a_bomb_inside_the_reader_ends_only_the_process_apart() -> None:
    data = files.object_stream_bomb()
    assert len(data) < limits.MAX_FILE_BYTES
    with pytest.raises(DocumentRefused):
        isolation.sanitise(data)


def test_a_process_that_runs_too_long_becomes_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PROCESS_WALL_SECONDS", 0.01)
    with pytest.raises(DocumentRefused, match="too much"):
        isolation.sanitise(files.picture())


@pytest.mark.parametrize(("kind", "kept"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/jpeg")])
def test_keeps_pictures_as_written_anew(kind: str, kept: str) -> None:
    clean = documents.sanitise(files.picture(kind))
    assert (clean.content_type, clean.pages) == (kept, 1)
    with Image.open(io.BytesIO(clean.data)) as image:
        assert image.size == (640, 420)


def test_strips_place_maker_and_comment_and_turns_the_picture_upright() -> None:
    source = files.photo_with_gps()
    assert b"SecretCam" in source
    clean = documents.sanitise(source)
    with Image.open(io.BytesIO(clean.data)) as image:
        assert image.size == (420, 640)
        assert not image.getexif()
        assert "comment" not in image.info
    assert b"SecretCam" not in clean.data
    assert b"made at home" not in clean.data


def test_drops_plain_bytes_behind_a_picture() -> None:
    clean = documents.sanitise(files.picture() + b"SECRET TRAILER")
    assert b"SECRET TRAILER" not in clean.data


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "CMYK"])
def test_reads_every_kind_of_pixel(mode: str) -> None:
    image = Image.new(mode, (200, 150))
    out = io.BytesIO()
    image.save(out, "JPEG" if mode == "CMYK" else "PNG")
    assert documents.sanitise(out.getvalue()).content_type in {"image/png", "image/jpeg"}


def test_shrinks_what_is_larger_than_anybody_needs_to_read() -> None:
    clean = documents.sanitise(files.picture("PNG", size=(4500, 3000)))
    with Image.open(io.BytesIO(clean.data)) as image:
        assert image.size == (2250, 1500)


def test_writes_a_pdf_anew_without_its_metadata() -> None:
    document = pikepdf.new()
    page = files.add_page(document, "Rent")
    document.docinfo["/Author"] = "Secret Author"
    with document.open_metadata() as metadata:
        metadata["dc:creator"] = ["Secret Author"]
    page.Metadata = document.make_stream(b"Secret Author")
    document.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.GoTo, D=pikepdf.Array([page.obj, pikepdf.Name.Fit]))
    source = files.written(document, compress_streams=False)
    assert b"Secret Author" in source
    clean = documents.sanitise(source)
    assert (clean.content_type, clean.pages) == ("application/pdf", 1)
    with pikepdf.open(io.BytesIO(clean.data)) as kept:
        assert set(kept.Root.keys()) == {"/Type", "/Pages"}
        assert "/Info" not in kept.trailer
        assert "/Metadata" not in kept.pages[0]
        assert b"Rent" in kept.pages[0].Contents.read_bytes()


def test_draws_pages_and_pictures() -> None:
    clean = isolation.sanitise(files.pdf(2))
    drawn, kind = isolation.preview(clean.data, content_type=clean.content_type, page=2, side=400)
    with Image.open(io.BytesIO(drawn)) as image:
        assert kind == "image/png"
        assert max(image.size) in (400, 401)
        assert image.convert("L").getextrema()[0] < 60, "there is ink on the page"
    with pytest.raises(DocumentRefused, match="does not exist"):
        isolation.preview(clean.data, content_type=clean.content_type, page=3, side=400)
    drawn, kind = isolation.preview(files.picture(), content_type="image/jpeg", page=1, side=100)
    with Image.open(io.BytesIO(drawn)) as image:
        assert kind == "image/jpeg"
        assert image.size == (100, 66)
