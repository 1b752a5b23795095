"""What is claimed of drawing: every page has an image, its text is believed only where it is seen, bombs stay small."""

import errno
import io
import json
import os

import cv2
import numpy as np
import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.rules.page import PageText
from archive.rules.sizes import MAX_PAGES
from ingest import outcomes, pages, pictures, sandbox, sheets, text_layer
from ingest.sandbox import Limits
from ingest.tests import drawn, handing, papers


@pytest.fixture(scope="module", autouse=True)
def _loaded():
    pages.warm()


def draw(content, media_type="application/pdf", **args):
    """Draw without a cell: the same function, here under the test's own eyes."""
    frames = [
        (head, b"".join(map(bytes, blob)))
        for head, blob in pages.draw(io.BytesIO(content), {"type": media_type, **args})
    ]
    return frames[0][0], frames[1:]


def only(content, media_type="application/pdf"):
    facts, frames = draw(content, media_type)
    assert (facts["refusal"], facts["pages"], len(frames)) == ("", 1, 1)
    return frames[0]


def layer_of(head):
    return PageText.from_bytes(head["layer"].encode()) if head["layer"] else None


def flags_of(content):
    return draw(content)[0]["flags"]


def decoded(jpeg):
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_UNCHANGED)


# --- frames -------------------------------------------------------------------------------------------


def test_a_page_of_text_brings_its_words_and_needs_no_reading():
    head, blob = only(papers.pdf())
    text = layer_of(head)
    assert head["pixels"] == 0
    assert text.source == "layer"
    assert text.text.splitlines() == papers.LINES
    assert all(text.text[word.start : word.start + len(word.text)] == word.text for word in text.words)
    assert len(blob) == head["image"] + head["thumb"]


def test_images_have_the_sizes_they_say():
    head, blob = only(papers.pdf())
    image, thumb = decoded(blob[: head["image"]]), decoded(blob[head["image"] :])
    assert image.shape[:2] == (head["height"], head["width"])
    assert abs(head["width"] - 1240) <= 2
    assert thumb.shape[1] == 180


def test_words_stand_where_the_page_shows_them():
    head, blob = only(papers.pdf(papers.text(["Answer"], at=(300, 421))))
    (word,) = layer_of(head).words
    image = decoded(blob[: head["image"]])
    dark = np.argwhere(image < 128)
    top, left = dark.min(axis=0) * 10_000 / image.shape
    bottom, right = dark.max(axis=0) * 10_000 / image.shape
    assert word.box[0] - 60 <= left
    assert word.box[1] - 60 <= top
    assert word.box[2] + 60 >= right
    assert word.box[3] + 60 >= bottom


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_boxes_follow_rotation_and_crop(rotate):
    head, blob = only(papers.pdf(papers.text(["Answer"], at=(300, 421)), rotate=rotate, crop=[100, 200, 500, 700]))
    (word,) = layer_of(head).words
    image = decoded(blob[: head["image"]])
    rows, columns = np.nonzero(image < 128)
    middle = (columns.mean() * 10_000 / image.shape[1], rows.mean() * 10_000 / image.shape[0])
    assert word.box[0] <= middle[0] <= word.box[2]
    assert word.box[1] <= middle[1] <= word.box[3]


def test_a_scan_brings_its_pixels_at_200_dpi():
    head, blob = only(papers.scan())
    assert head["layer"] is None
    assert abs(head["pixels_width"] - 1654) <= 1
    assert head["pixels_dpi"] == 200
    assert head["pixels"] == head["pixels_width"] * head["pixels_height"] * 3
    assert len(blob) == head["image"] + head["thumb"] + head["pixels"]


def test_a_blank_page_needs_no_reading():
    head, _ = only(papers.pdf(""))
    assert (head["pixels"], head["layer"]) == (0, None)


def test_only_the_pages_asked_for_are_drawn():
    facts, frames = draw(papers.pdf(*[papers.text(papers.LINES)] * 5), first=3, last=4)
    assert facts["pages"] == 5
    assert [head["number"] for head, _ in frames] == [3, 4]


# --- text layers --------------------------------------------------------------------------------------


def test_a_stamp_over_a_scan_does_not_keep_it_from_being_read():
    head, _ = only(papers.scan(over=papers.text(["Signed by the office", "on the fifth of May"], at=(300, 800))))
    assert head["layer"] is None
    assert head["pixels"]


def test_another_readers_text_under_a_scan_is_handed_on_to_be_compared():
    head, _ = only(papers.scan(over=papers.text(papers.LINES * 5, extra="3 Tr")))
    assert head["flags"] == ["invisible_layer"]
    assert head["pixels"]
    assert "every district" in layer_of(head).text


def test_rubbish_under_a_scan_is_dropped():
    head, _ = only(papers.scan(over=papers.text(["x#7q ~w9 Zk$$ bcdfgqq ]]] qQxR wwWrr zZtt"] * 20, extra="3 Tr")))
    assert head["layer"] is None
    assert head["pixels"]


@pytest.mark.parametrize(
    "hidden",
    [
        papers.text(["The true number is another one"], at=(70, 300), extra="3 Tr"),
        papers.text(["The true number is another one"], at=(70, 300), extra="1 1 1 rg"),
        papers.text(["The true number is another one"], at=(70, 300)) + "1 1 1 rg 60 280 400 50 re f",
        papers.text(["The true number is another one"], at=(70, 300)) + "0 0 0 rg 60 280 400 50 re f",
        papers.text(["The true number is another one"], at=(70, -300)),
        papers.text(["The true number is another one"], at=(2000, 300)),
    ],
    ids=["unseen mode", "white on white", "covered in white", "covered in black", "below the page", "beside the page"],
)
def test_words_that_nobody_can_see_are_not_believed(hidden):
    head, _ = only(papers.pdf(papers.text(papers.LINES) + hidden))
    assert "hidden_text" in head["flags"]
    text = layer_of(head)
    assert "every district" in text.text if text else head["pixels"]
    assert "another one" not in (text.text if text else "")


def test_the_two_columns_of_a_head_stay_apart():
    left = papers.text(["PROVINCE MILITARY OFFICE", "No. 12/BC-BCH"], at=(60, 780), size=10)
    right = papers.text(["REPUBLIC OF THE NORTH", "Freedom and happiness"], at=(300, 780), size=10)
    body = papers.text(["This line runs from the left edge of the page over its middle to the right"], at=(60, 600))
    text = layer_of(only(papers.pdf(left + right + body))[0]).text
    assert text.index("PROVINCE") < text.index("No. 12") < text.index("REPUBLIC") < text.index("Freedom")


def test_what_a_signing_program_set_on_the_page_is_read_in_its_place():
    def sign(document):
        face = document.make_stream(b"BT /F1 12 Tf 2 4 Td (5778) Tj ET")
        font = document.pages[0].Resources.Font.F1
        for name, value in {
            "/Type": pikepdf.Name.XObject, "/Subtype": pikepdf.Name.Form, "/BBox": pikepdf.Array([0, 0, 40, 20]),
            "/Resources": pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font)),
        }.items():  # fmt: skip
            face[name] = value
        field = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Widget, FT=pikepdf.Name.Sig, F=4,
            Rect=pikepdf.Array([95, 756, 135, 776]), AP=pikepdf.Dictionary(N=face),
        )  # fmt: skip
        field = document.make_indirect(field)
        document.pages[0].Annots = pikepdf.Array([field])
        document.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array([field]))

    content = papers.text(["No.                    /BGD"]) + papers.text(["The letter goes on here."] * 3, at=(70, 700))
    text = layer_of(only(papers.pdf(content, change=sign))[0]).text
    assert text.splitlines()[0].replace(" ", "") == "No.5778/BGD"


def test_decomposed_letters_come_out_composed():
    page = layer(["Cộng", "hòa", "xã", "hội", "chủ", "nghĩa", "Việt", "Nam"], compose=False)
    words, scheme = text_layer.in_unicode(page)
    assert " ".join(word.text for word in words) == "Cộng hòa xã hội chủ nghĩa Việt Nam"
    assert scheme is None


def test_old_fonts_are_turned_into_unicode_soft_hyphen_and_all():
    words, scheme = text_layer.in_unicode([text_layer.Found("tr\u00ad\u00edng", (0, 0, 1, 1), ".VnTime")])
    assert (words[0].text, scheme) == ("trướng", "tcvn3")


def layer(words, *, compose=True):
    import unicodedata

    form = "NFC" if compose else "NFD"
    return [
        text_layer.Found(unicodedata.normalize(form, word), (i * 100, 0, i * 100 + 90, 50))
        for i, word in enumerate(words)
    ]


@pytest.mark.parametrize("word", ["Nghiêm", "Province", "UBND", "văn", "Số", "don't", "北京"])
def test_words_are_readable(word):
    assert text_layer.is_readable(word) is not False


@pytest.mark.parametrize("word", ["\ufffd\ufffdab", "\ue001\ue002", "aB]c{", "bcdfgh", "xQzR"])
def test_rubbish_is_not_readable(word):
    assert text_layer.is_readable(word) is False


@given(st.lists(st.tuples(st.text(min_size=1, max_size=8), st.floats(-1e4, 2e4), st.floats(-1e4, 2e4))))
def test_any_words_become_pieces_on_the_page(found):
    words = [text_layer.Found(text, (x, y, x + 100, y + 50), order=n) for n, (text, x, y) in enumerate(found)]
    made = text_layer.pieces(words, 1.414)
    assert sorted(piece.text for piece in made) == sorted(word.text for word in words)
    assert all(0 <= edge <= 10_000 for piece in made for edge in piece.box)


# --- what a file carries ------------------------------------------------------------------------------


def action(**entries):
    def add(document):
        document.Root.OpenAction = document.make_indirect(pikepdf.Dictionary(**entries))

    return add


@pytest.mark.parametrize(
    ("change", "flag"),
    [
        (action(S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert(1)")), "javascript"),
        (action(S=pikepdf.Name.Launch, F=pikepdf.String("calc.exe")), "launch"),
        (action(S=pikepdf.Name.SubmitForm, F=pikepdf.String("http://x.test/")), "submit"),
        (action(S=pikepdf.Name.URI, URI=pikepdf.String("file:////host/share")), "link"),
        (lambda document: document.attachments.__setitem__("a.txt", b"inside"), "embedded"),
        (lambda document: document.Root.__setitem__("/AcroForm", pikepdf.Dictionary(XFA=pikepdf.Array([]))), "xfa"),
    ],
)
def test_active_content_is_named_and_left_alone(change, flag):
    content = papers.pdf(change=change)
    assert flag in flags_of(content)
    assert ("active" in flags_of(content)) is (flag != "link")


def test_names_written_with_escapes_are_found_too():
    plain = papers.pdf(change=action(S=pikepdf.Name.JavaScript, JS=pikepdf.String("x")))
    assert "javascript" in flags_of(plain.replace(b"/JavaScript", b"/J#61vaScript"))


def test_a_web_address_alone_is_nothing_to_mark():
    assert flags_of(papers.pdf(change=action(S=pikepdf.Name.URI, URI=pikepdf.String("https://x.test/")))) == []


def test_a_password_keeps_a_file_unread():
    whole = io.BytesIO()
    with pikepdf.open(io.BytesIO(papers.pdf())) as document:
        document.save(whole, encryption=pikepdf.Encryption(owner="owner", user="reader"))
    facts, frames = draw(whole.getvalue())
    assert (facts["flags"], facts["refusal"], frames) == (["encrypted"], "", [])


def test_a_file_that_only_forbids_printing_is_read():
    whole = io.BytesIO()
    with pikepdf.open(io.BytesIO(papers.pdf())) as document:
        document.save(whole, encryption=pikepdf.Encryption(owner="owner", user=""))
    assert "every district" in layer_of(only(whole.getvalue())[0]).text


def test_signed_ranges_are_counted_and_what_came_after_them_is_noticed():
    body = papers.pdf()
    mark = "\n%% /ByteRange [0 10 20 {:010}]\n"
    whole = body + mark.format(len(body) + len(mark.format(0)) - 20).encode()
    assert draw(whole)[0]["signatures"] == 1
    assert draw(whole)[0]["flags"] == ["signed"]
    assert draw(whole + b"more of it\n")[0]["flags"] == ["changed_after_signing", "signed"]


# --- hostile files ------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"%PDF-1.7\n", b"%PDF-1.7\n" + bytes(range(256)) * 40])
def test_a_damaged_file_is_refused(content):
    assert draw(content)[0]["refusal"] == outcomes.BROKEN


@pytest.mark.parametrize("fault", [OSError(errno.EMFILE, "no descriptor"), OSError(errno.EIO, "disk"), MemoryError()])
@pytest.mark.parametrize("at", ["open", "page"])
def test_a_fault_of_the_machine_is_no_damage_of_the_file(monkeypatch, fault, at):
    def fails(*_args, **_named):
        raise fault

    monkeypatch.setattr(*((pictures.Image, "open") if at == "open" else (pages, "page_frame")), fails)
    with pytest.raises(type(fault)):
        draw(handing.picture("PNG"), "image/png")


def test_what_damage_was_met_is_kept_for_who_looks_into_it(monkeypatch):
    monkeypatch.setattr(pages, "page_frame", lambda _sheet: 1 // 0)
    facts, _ = draw(handing.picture("PNG"), "image/png")
    assert (facts["refusal"], facts["parameters"]) == (outcomes.BROKEN, {"why": "ZeroDivisionError"})


def test_a_damaged_list_of_objects_is_mended_for_drawing():
    whole = papers.pdf()
    facts, frames = draw(whole[: whole.rindex(b"xref")].replace(b"%PDF-1", b"%PXF-1"))
    assert facts["refusal"] == "" if frames else facts["refusal"] == outcomes.BROKEN


def test_too_many_pages_are_refused_before_one_is_drawn():
    content = papers.pdf("")
    with pikepdf.open(io.BytesIO(content)) as document:
        page = document.pages[0].obj
        document.Root.Pages.Kids = pikepdf.Array([page] * (MAX_PAGES + 1))
        document.Root.Pages.Count = MAX_PAGES + 1
        whole = io.BytesIO()
        document.save(whole)
    facts, frames = draw(whole.getvalue())
    assert (facts["refusal"], frames) == (outcomes.TOO_MANY_PAGES, [])
    assert facts["parameters"] == {"pages": MAX_PAGES + 1, "limit": MAX_PAGES}
    assert outcomes.sentence(facts["refusal"], facts["parameters"])


@pytest.mark.parametrize("side", [14_400, 1_000_000])
def test_a_huge_page_is_drawn_small(side):
    facts, frames = draw(
        papers.pdf(papers.text(papers.LINES, size=side / 60, at=(side / 10, side / 2)), size=(side, side))
    )
    assert facts["refusal"] == ""
    assert frames[0][0]["width"] * frames[0][0]["height"] <= sheets.MAX_DRAWN_PIXELS


def test_a_picture_of_too_many_pixels_is_refused_unopened():
    assert draw(papers.png_of(45_000, 45_000), "image/png")[0]["refusal"] == outcomes.TOO_MANY_PIXELS


def test_a_chain_of_pages_that_bites_its_tail_has_each_page_once():
    assert pictures.tiff_pages(io.BytesIO(papers.tiff_biting_its_tail())) == 1
    assert draw(papers.tiff_biting_its_tail(), "image/tiff")[0]["pages"] == 1


def test_a_picture_cut_in_the_middle_is_refused():
    cut = papers.stored(papers.picture((800, 1100)), "PNG")[:3000]
    assert draw(cut, "image/png")[0]["refusal"] == outcomes.BROKEN


def test_a_bomb_ends_the_cell_and_nothing_else():
    content = papers.pdf("q " * 10)
    with pikepdf.open(io.BytesIO(content)) as document:
        document.pages[0].Contents = document.make_stream(b" " * (300 << 20))
        whole = io.BytesIO()
        document.save(whole, compress_streams=True)
    assert len(whole.getvalue()) < 1_000_000
    paper = os.memfd_create("paper")
    os.write(paper, whole.getvalue())
    with pytest.raises(sandbox.CellFailed) as failed:
        list(
            sandbox.run(
                "ingest.pages:draw", source=paper, args={"type": "application/pdf"}, limits=Limits(memory_mib=512)
            )
        )
    assert failed.value.reason in {"memory", "cpu"}
    os.close(paper)


@given(st.binary(max_size=400))
def test_the_walk_along_a_tiff_ends(tail):
    assert pictures.tiff_pages(io.BytesIO(b"II*\0" + tail)) <= MAX_PAGES + 1


# --- pictures -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "kind", "bits"),
    [
        ("1", "TIFF", 1),
        ("L", "TIFF", 8),
        ("RGB", "PNG", 8),
        ("CMYK", "JPEG", 8),
        ("I;16", "PNG", 8),
        ("P", "PNG", 8),
        ("RGBA", "PNG", 8),
    ],
)
def test_every_kind_of_pixel_becomes_a_page(mode, kind, bits):
    """Gray stored as colour is gray."""
    page = papers.picture((827, 1169)).convert("P") if mode == "P" else papers.picture((827, 1169), mode)
    media_type = {"TIFF": "image/tiff", "JPEG": "image/jpeg", "PNG": "image/png"}[kind]
    head, blob = only(papers.stored(page, kind), media_type)
    assert head["bits"] == bits
    assert decoded(blob[: head["image"]]).mean() > 150  # paper, not a negative


def test_every_page_of_a_tiff_is_a_page():
    first, second = papers.picture((400, 600), "L"), papers.picture((500, 700), "L")
    _, frames = draw(papers.stored(first, "TIFF", save_all=True, append_images=[second, first]), "image/tiff")
    assert [head["number"] for head, _ in frames] == [1, 2, 3]


def test_a_turned_photograph_is_shown_upright():
    page = papers.picture((1654, 2339))
    exif = page.getexif()
    exif[0x0112] = 6
    head, _ = only(papers.stored(page.rotate(90, expand=True), "JPEG", exif=exif), "image/jpeg")
    assert head["height"] > head["width"]
    assert head["flags"] == ["rotated"]


def test_a_page_of_fax_becomes_square():
    page = papers.picture((1728, 1100), "L")
    head, _ = only(papers.stored(page, "TIFF", dpi=(204, 98)), "image/tiff")
    assert 1.2 < head["pixels_height"] / head["pixels_width"] < 1.4


@pytest.mark.parametrize(
    ("named", "size", "dpi"),
    [
        ((300, 300), (2480, 3508), 300),
        (None, (2480, 3508), 300),
        ((72, 72), (2480, 3508), 300),
        ((1, 1), (1654, 2339), 200),
        ((0, 0), (1654, 2339), 200),
        (("x", None), (1654, 2339), 200),
    ],
)
def test_a_missing_or_absurd_resolution_is_guessed_from_the_size(named, size, dpi):
    assert pictures.resolution(named, *size)[0] == pytest.approx(dpi, abs=1)


def test_a_page_without_colour_is_kept_gray_and_one_with_a_stamp_is_not():
    plain = np.full((300, 200, 3), 250, np.uint8)
    assert pages.without_empty_colour(plain).ndim == 2
    plain[100:130, 50:90] = (200, 30, 40)
    assert pages.without_empty_colour(plain).ndim == 3


def test_a_vietnamese_page_goes_through_the_cell_and_comes_back_whole():
    rgb = drawn.page()
    done, stored = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    paper = os.memfd_create("paper")
    os.write(paper, bytes(stored))
    frames = list(sandbox.run("ingest.pages:draw", source=paper, args={"type": "image/jpeg"}))
    os.close(paper)
    assert done
    assert [frame.head["kind"] for frame in frames] == ["file", "page"]
    assert len(frames[1].blob) == sum(frames[1].head[part] for part in ("image", "thumb", "pixels"))
    json.dumps(frames[1].head)


def test_the_codes_are_those_of_the_outcomes():
    assert (sheets.BROKEN, sheets.TOO_MANY_PIXELS, sheets.ENCRYPTED) == (
        outcomes.BROKEN, outcomes.TOO_MANY_PIXELS, outcomes.ENCRYPTED,
    )  # fmt: skip
