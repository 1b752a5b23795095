"""Where the head is read a second time."""

import time

from archive.rules.page import PageText, Word
from ingest import head


def test_a_very_long_page_costs_no_more_than_its_length():
    count = 60_000
    words = tuple(Word("chữ", 4 * at, (1000, 5000, 1400, 5100)) for at in range(count))
    began = time.process_time()
    assert head.stretches(PageText(1, "chữ\n" * count, words, "ocr", 90)) == []
    assert time.process_time() - began < 2  # counting lines from the start for each word took minutes


def test_a_doubtful_number_and_date_are_read_again_and_clear_ones_are_not():
    def page(confidence):
        left = "Số: 12/BC-PTM"
        right = "Hà Nội, ngày 05 tháng 11 năm 2026"
        words, at = [], 0
        for line, x in ((left, 1000), (right, 5500)):
            for place, token in enumerate(line.split()):
                words.append(Word(token, at, (x + 350 * place, 1000, x + 350 * place + 300, 1100), confidence))
                at += len(token) + 1
        return PageText(1, f"{left}\n{right}", tuple(words), "ocr", confidence)

    assert [stretch.name for stretch in head.stretches(page(80))] == ["left", "right"]
    assert head.stretches(page(97)) == []
