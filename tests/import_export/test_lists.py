"""Lists as people have them: every delimiter, header and encoding, and what spreadsheets do to cells."""

from pathlib import Path

import pytest

from crm_graph.errors import ValidationFailed
from crm_graph.import_export.csv_columns import Columns, Item
from crm_graph.import_export.csv_reader import open_csv


def read(tmp_path: Path, content: str | bytes, encoding: str | None = None, **mapping: str) -> list[Item]:
    """The items of a file."""
    path = tmp_path / "list.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with open_csv(path, encoding) as file:
        columns = Columns(file.header, mapping)
        return [columns.item(line) for line in file.lines]


@pytest.mark.parametrize(
    ("content", "item"),
    [
        ("sep=;\r\nE-Mail;Name\r\nlena@kunde.example;Lena\r\n", {"full_name": "Lena"}),
        ("sep=|\nemail|name\nlena@kunde.example|A, B; C\n", {"full_name": "A, B; C"}),
        ("E-posta;Ad, Soyad;Adres (cadde, no, ilçe, il)\nlena@kunde.example;Lena;Lindenweg 1\n",
         {"full_name": "Lena", "custom": {"Adres (cadde, no, ilçe, il)": "Lindenweg 1"}}),
        ("Notes;Email\n\"a, b, c, d\";lena@kunde.example\n\"e, f\";x@y.example\n", {"custom": {"Notes": "a, b, c, d"}}),
        ("Email\tName\nlena@kunde.example\tLena\n", {"full_name": "Lena"}),
        ('"E-mail\naddress";Name\nlena@kunde.example;Lena\n', {"full_name": "Lena"}),
        ("Adı;Soyadı;E-posta Adresi;İş Telefonu;Şirket Adı;Unvanı\n"
         "Lena;Kunde;lena@kunde.example;+49301234;Kunde GmbH;CTO\n",
         {"full_name": "Lena Kunde", "phone": "+49301234", "company_name": "Kunde GmbH", "title": "CTO"}),
        ("Vorname,Nachname,E-Mail-Adresse,Firma,Position,Mobiltelefon\n"
         "Lena,Kunde,lena@kunde.example,Kunde,CTO,0171 1\n",
         {"full_name": "Lena Kunde", "phone": "0171 1", "company_name": "Kunde", "title": "CTO"}),
        ("Given Name,Family Name,E-mail 1 - Value,Organization 1 - Name,Phone 1 - Value\n"
         "Lena,K,lena@kunde.example,K,1\n",
         {"full_name": "Lena K", "phone": "1", "company_name": "K"}),
        ("First Name,Last Name,Email,Associated Company,Job Title,Phone Number\nLena,K,lena@kunde.example,K,CTO,1\n",
         {"full_name": "Lena K", "phone": "1", "company_name": "K", "title": "CTO"}),
        ("Email,Business Phone,Mobile Phone\nlena@kunde.example,1,2\n",
         {"phone": "1", "custom": {"Mobile Phone": "2"}}),
        ("Email\nmailto:lena@kunde.example\n", {}),
    ],
)  # fmt: skip
def test_a_list_is_read_as_it_is_written(tmp_path: Path, content: str, item: Item) -> None:
    assert read(tmp_path, content)[0] == {"email": "lena@kunde.example", **item}


@pytest.mark.parametrize(
    ("text", "encoding", "guessed"),
    [
        ("Müller", "cp1252", "windows-1252"),
        ("Gülşah Işık", "cp1254", "windows-1254"),
        ("Lena Müller Şen", "utf-16", None),
        ("Lena Müller", "utf-8-sig", None),
    ],
)
def test_another_encoding_is_recognised_and_said(tmp_path: Path, text: str, encoding: str, guessed: str | None) -> None:
    content = f"email,name\nlena@kunde.example,{text}\n".encode(encoding)
    assert read(tmp_path, content)[0]["full_name"] == text
    with open_csv(tmp_path / "list.csv") as file:
        assert (guessed in file.remark) if guessed and file.remark else (guessed, file.remark) == (None, None)


def test_an_encoding_that_is_named_is_used(tmp_path: Path) -> None:
    content = "email,name\nlena@kunde.example,Łukasz\n".encode("cp1250")
    assert read(tmp_path, content, "windows-1250")[0]["full_name"] == "Łukasz"


@pytest.mark.parametrize(
    ("cell", "phone"),
    [("'+905321234567", "+905321234567"), ('"=""05321234567"""', "05321234567"), ("+49 30 123", "+49 30 123")],
)
def test_what_a_spreadsheet_put_around_a_number_is_removed(tmp_path: Path, cell: str, phone: str) -> None:
    assert read(tmp_path, f"Email,Phone\nlena@kunde.example,{cell}\n")[0]["phone"] == phone


@pytest.mark.parametrize("cell", ["9.05321E+11", "4,91512E+12", "1E+10"])
def test_a_number_that_lost_digits_is_reported(tmp_path: Path, cell: str) -> None:
    with pytest.raises(ValidationFailed, match="its last digits are lost"):
        read(tmp_path, f"Email;Phone\nlena@kunde.example;{cell}\n")


@pytest.mark.parametrize("cell", ["N/A", "n/a", "-", "--", "none", "NULL", "k.A.", "?"])
def test_nothing_is_no_company(tmp_path: Path, cell: str) -> None:
    assert "company_name" not in read(tmp_path, f"Email,Company\nlena@gmail.com,{cell}\n")[0]


@pytest.mark.parametrize("header", ["Do Not Contact", "unsubscribed", "Email Opt Out", "Abgemeldet", "DNC"])
@pytest.mark.parametrize("cell", ["TRUE", "yes", "1", "x", "2026-01-05", "ja"])
def test_who_opted_out_is_refused_aloud(tmp_path: Path, header: str, cell: str) -> None:
    content = f"Email,{header}\nlena@kunde.example,{cell}\n"
    with pytest.raises(ValidationFailed, match="asked not to be written to, and is not imported"):
        read(tmp_path, content)
    assert read(tmp_path, content, **{header: ""}) == [{"email": "lena@kunde.example"}]


@pytest.mark.parametrize("cell", ["", "FALSE", "no", "0", "Nein"])
def test_who_did_not_is_imported(tmp_path: Path, cell: str) -> None:
    assert read(tmp_path, f"Email,Opted Out,X\nlena@kunde.example,{cell},\n") == [{"email": "lena@kunde.example"}]


def test_of_two_columns_with_one_header_one_is_left_out_by_its_number(tmp_path: Path) -> None:
    content = "Email,Phone,Phone\nlena@kunde.example,+49301234,+49305678\n"
    assert read(tmp_path, content, **{"3": ""})[0]["phone"] == "+49301234"
    assert read(tmp_path, content, **{"2": ""})[0]["phone"] == "+49305678"
