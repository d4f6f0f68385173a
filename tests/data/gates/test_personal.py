"""Personal data: what is found, and what only looks like it."""

from __future__ import annotations

import random

import pytest

from backend.data.gates import checksums
from backend.data.gates.personal import personal_data
from tests.data.gates.planted import personal_sentence


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("Mail me at ana.garcia@example.com, please", "email", "ana.garcia@example.com"),
        ("josé.muñoz+x@sub.ejemplo.es", "email", "josé.muñoz+x@sub.ejemplo.es"),
        ("Llámame al 612 345 678", "phone", "612 345 678"),
        ("mi móvil es 612345678", "phone", "612345678"),
        ("teléfono 91 123 45 67", "phone", "91 123 45 67"),
        ("0034 612 345 678", "phone", "0034 612 345 678"),
        ("Call (212) 555-0123", "phone", "(212) 555-0123"),
        ("1-800-555-0199", "phone", "1-800-555-0199"),
        ("07700 900123", "phone", "07700 900123"),
        ("+52 55 1234 5678", "phone", "+52 55 1234 5678"),
        ("IBAN ES91 2100 0418 4502 0005 1332 gracias", "iban", "ES91 2100 0418 4502 0005 1332"),
        ("GB29NWBK60161331926819", "iban", "GB29NWBK60161331926819"),
        ("card 4111-1111-1111-1111", "card", "4111-1111-1111-1111"),
        ("378282246310005", "card", "378282246310005"),
        ("mi DNI es 12.345.678-Z", "dni", "12.345.678-Z"),
        ("X-1234567-L", "dni", "X-1234567-L"),
        ("CIF B58818501", "cif", "B58818501"),
        ("seguridad social 28/12345678/40", "nuss", "28/12345678/40"),
        ("SSN 219-09-9999", "ssn", "219-09-9999"),
        ("NI AB 12 34 56 C", "nino", "AB 12 34 56 C"),
        ("NHS number 943 476 5919", "nhs", "943 476 5919"),
        ("my SIN is 046 454 286", "sin", "046 454 286"),
        ("PPSN 1234567FA", "pps", "1234567FA"),
        ("TFN: 123 456 782", "tfn", "123 456 782"),
        ("Medicare 2123 45670 1", "medicare", "2123 45670 1"),
        ("from 83.45.12.201", "ip", "83.45.12.201"),
        ("2a00:1450:4003:80f::200e", "ip", "2a00:1450:4003:80f::200e"),
    ],
)
def test_each_kind_is_found_where_it_stands(text: str, kind: str, value: str) -> None:
    (found,) = personal_data(text)
    assert (found.kind, text[found.start : found.end]) == (kind, value)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "order 612345678 is late",
            "pedido nº 698765432",
            "número de seguimiento 612345678",
            "Customer 741643132 again",
        ),
        *("2024-01-15 10:30", "on 12/05/2023", "the years 1914-1918", "20230512103045", "15-16-17"),
        *("version 10.0.19041.1", "firmware 91.4.147.72", "v1.2.3.4", "192.168.1.1", "RFC 2616 section 10.4.5.2"),
        *("1 234 567 EUR", "1.234.567,89 €", "$1,234,567.89", "331 002 651 people", "10, 20, 30, 40, 50, 60"),
        *("ISBN 978-3-16-148410-0", "tracking 1234567890123456", "serial 1234-5678-9012-3456", "icon@2x.png"),
        *("std::vector at 10:45:30", "40.416775, -3.703790", "SKU 45678901A", "https://example.com/612345678"),
        *("4111 1111 1111 1112", "ES91 2100 0418 4502 0005 1333", "12345678A", "123-45-6789", "000-12-3456"),
        *("call 112 from 8 to 10", "set the timer to 10 20 30", "943 476 5919 units", "123 456 782 rows"),
    ],
)
def test_what_only_looks_like_it_is_left(text: str) -> None:
    assert personal_data(text) == []


def test_the_same_value_has_the_same_key_however_it_is_written() -> None:
    one, two, three = (personal_data(text)[0].key for text in ("tel 612345678", "+34 612 345 678", "(+34) 612-345-678"))
    assert one == two == three == "+34612345678"
    assert personal_data("ANA@Example.com")[0].key == personal_data("ana@example.com")[0].key


@pytest.mark.parametrize("language", ["en", "es"])
def test_nearly_all_of_many_are_found(language: str) -> None:
    chance = random.Random(5)
    told = [personal_sentence(chance, language, number) for number in range(260)]
    assert sum(bool(personal_data(f"Turn it on. {text}")) for text in told) >= 0.9 * len(told)


def test_check_digits_tell_a_number_from_a_slip() -> None:
    assert checksums.is_iban("DE89370400440532013000") and not checksums.is_iban("DE89370400440532013001")
    assert checksums.is_dni("00000000T") and not checksums.is_dni("00000000R")
    assert checksums.is_cif("A58818501") and not checksums.is_cif("A58818502")
    assert checksums.is_nhs("9434765919") and not checksums.is_nhs("9434765918")
    assert not checksums.is_card("4111111111111112") and not checksums.is_ssn("666123456")


@pytest.mark.parametrize(
    "text", ["un pedido sin 046 454 286 ni factura", "PEDIDO SIN 046 454 286", "Sin respuesta del 046 454 286"]
)
def test_spanish_without_is_no_canadian_number(text: str) -> None:
    assert not [found for found in personal_data(text) if found.kind == "sin"]
