"""Old encodings come back as Unicode, and nothing else is touched."""

import shutil
import subprocess
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import legacy

SENTENCE = "Ủy ban nhân dân tỉnh đề nghị Bộ Chỉ huy quân sự báo cáo trước ngày mười lăm tháng tám, bảo đảm đúng quy định của pháp luật."
MOTTO = "Cộng hòa xã hội chủ nghĩa Việt Nam"
SMALL = "aàáảãạăằắẳẵặâầấẩẫậeèéẻẽẹêềếểễệiìíỉĩịoòóỏõọôồốổỗộơờớởỡợuùúủũụưừứửữựyỳýỷỹỵđbcdghklmnpqrstvx ,."


TCVN3_BACK = {letter: code for code, letter in legacy.TCVN3_TABLE.items()}


def tcvn3(text: str) -> str:
    return "".join(TCVN3_BACK.get(char, char) for char in text)


VNI_BACK = {letter: code for code, letter in legacy.VNI_TABLE.items() if code in (code.lower(), code.upper())}


def vni(text: str) -> str:
    return "".join(VNI_BACK.get(char, char) for char in text)


def test_the_motto_is_read_in_both_old_encodings():
    assert legacy.to_unicode("Céng hßa x· héi chñ nghÜa ViÖt Nam") == (MOTTO, "tcvn3")
    assert legacy.to_unicode("Coäng hoøa xaõ hoäi chuû nghóa Vieät Nam") == (MOTTO, "vni")
    assert legacy.to_unicode("Co^.ng ho`a xa~ ho^.i chu? nghi~a Vie^.t Nam") == (MOTTO, "viqr")


def test_a_dispatchs_head_in_tcvn3_is_read():
    head = "Sè: 123/BC-BCH\nVÜnh Long, ngµy 05 th¸ng 01 n¨m 2004"
    assert legacy.to_unicode(head) == ("Số: 123/BC-BCH\nVĩnh Long, ngày 05 tháng 01 năm 2004", "tcvn3")


def test_the_soft_hyphen_is_a_letter():
    assert legacy.to_unicode("tr\xad\xedc ngµy, \xad\xb7 th\xad êng", font=".VnTime")[0].startswith("trước ngày")


def test_a_capital_face_gives_capitals_and_a_regular_one_does_not():
    assert legacy.to_unicode("bé chØ huy qu©n sù", font="ABCDEF+.VnTimeH") == ("BỘ CHỈ HUY QUÂN SỰ", "tcvn3")
    assert legacy.to_unicode("bé chØ huy qu©n sù", font="ABCDEF+.VnTime") == ("bộ chỉ huy quân sự", "tcvn3")
    assert legacy.to_unicode("plain", font=".VnArialH,Bold") == ("PLAIN", "tcvn3")


def test_capitals_typed_in_a_regular_face_come_back_as_capitals():
    assert legacy.to_unicode("CéNG HßA X· HéI CHñ NGHÜA VIÖT NAM")[0] == MOTTO.upper()
    assert legacy.to_unicode("COÄNG HOØA XAÕ HOÄI CHUÛ NGHÓA VIEÄT NAM")[0] == MOTTO.upper()


@pytest.mark.parametrize("font", [".VnTime", "VnTime", "ABCDEF+.VnArial,Bold", ".VnTimeH"])
def test_fonts_of_tcvn3_are_known_by_name(font):
    assert legacy.scheme_of_font(font) == "tcvn3"


@pytest.mark.parametrize(
    ("font", "scheme"),
    [
        ("VNI-Times", "vni"),
        ("ABCDEF+VNI-Helve-Condense", "vni"),
        ("TimesNewRomanPSMT", None),
        ("Vntimes new roman", None),
        ("Vnpay Sans", None),
    ],
)
def test_other_fonts_are_told_apart(font, scheme):
    assert legacy.scheme_of_font(font) == scheme


@pytest.mark.parametrize(
    "text",
    [
        SENTENCE,
        MOTTO,
        "",
        "123/BC-BCH",
        "Plain English prose (with brackets) and e-mail: a.b@c.vn. Is it? Yes! C++ too.",
        "Le général a été très étonné par l'élève où ça déjà naïve Noël",
        "Größe über Straße für Mädchen",
        "El niño pequeño comió la piñata después del año",
        "x = a^2 + b^2; if (a) { b = c; }",
    ],
)
def test_unicode_ascii_and_other_languages_are_left_alone(text):
    assert legacy.to_unicode(text) == (text, None)


def test_unicode_in_a_font_with_an_old_name_is_left_alone():
    assert legacy.to_unicode("Cộng hòa", font=".VnTime") == ("Cộng hòa", None)


@pytest.mark.skipif(not shutil.which("iconv"), reason="iconv is not here")
def test_the_tcvn3_table_agrees_with_iconv_for_every_code():
    for code, letter in legacy.TCVN3_TABLE.items():
        done = subprocess.run(
            ["iconv", "-f", "TCVN5712-1", "-t", "UTF-8"], input=code.encode("latin-1"), capture_output=True, check=False
        )
        assert done.stdout.decode() == letter, hex(ord(code))


def test_every_vietnamese_letter_has_its_code():
    marked = set(SMALL) - set("abcdeghiklmnopqrstuvxy ,.")
    assert marked <= set(legacy.TCVN3_TABLE.values())
    assert marked <= set(legacy.VNI_TABLE.values())
    assert {letter.upper() for letter in marked} <= set(legacy.VNI_TABLE.values())


@given(st.text(SMALL, max_size=200))
def test_small_letters_survive_the_round_trip_in_tcvn3(text):
    assert legacy.decode(tcvn3(text), "tcvn3") == text


syllables = st.lists(
    st.sampled_from(SENTENCE.lower().replace(",", "").replace(".", "").split()), min_size=6, max_size=40
).map(" ".join)


@given(syllables)
def test_words_survive_the_round_trip_in_vni_and_are_recognised(text):
    assert legacy.decode(vni(text), "vni") == text
    assert legacy.decode(vni(text.upper()), "vni") == text.upper()
    if sum(not word.isascii() for word in set(text.split())) >= 6:
        assert legacy.recognise(vni(text)) == "vni"
        assert legacy.recognise(tcvn3(text)) == "tcvn3"
        assert legacy.recognise(text) is None


@given(st.text(max_size=300), st.sampled_from([None, ".VnTimeH", "VNI-Times", "Arial", ""]))
def test_no_text_makes_it_raise(text, font):
    legacy.to_unicode(text, font=font)


@pytest.mark.parametrize("unit", ["é", "a^", "\xad", "x· ", "dd", "\\", "aù"])
def test_a_megabyte_is_decoded_in_linear_time(unit):
    started = time.process_time()
    legacy.to_unicode(unit * (1_000_000 // len(unit)))
    assert time.process_time() - started < 4
