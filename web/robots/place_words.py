"""How people write places when nobody corrects them; for measuring what the geocoder understands.

What is written here comes from chat messages, complaint portals and signboards, not from the
rules that read them: this file imports nothing from `geo`, and a test keeps it so.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

# Short forms by what they stand for. People invent them freely, so rare ones are here too.
_SHORT = {
    "timur": ("tmr", "tim", "timr"),
    "barat": ("brt", "bar"),
    "utara": ("utr", "ut"),
    "selatan": ("sel", "slt", "sltn"),
    "tengah": ("tgh", "tngh"),
    "raya": ("ry",),
    "besar": ("bsr",),
    "kecil": ("kcl",),
    "dalam": ("dlm",),
    "taman": ("tmn",),
    "kampung": ("kp", "kpg", "kmp"),
    "pasar": ("psr", "ps"),
    "pondok": ("pdk", "pd"),
    "kebon": ("kb", "kbn"),
    "tanjung": ("tj", "tjg"),
    "gedung": ("gd", "gdg"),
    "sekolah": ("sklh",),
    "masjid": ("msjd", "mesjid"),
    "kantor": ("ktr", "kntr"),
    "rumah sakit": ("RS", "rs"),
    "sd negeri": ("SDN", "sdn"),
    "smp negeri": ("SMPN",),
    "sma negeri": ("SMAN",),
    "puskesmas": ("pkm", "puskes"),
    "stasiun": ("st", "stas"),
    "terminal": ("term",),
    "perumahan": ("perum",),
    "kompleks": ("komp", "komplek"),
    "komplek": ("komp", "kompleks"),
    "apartemen": ("apt", "apart"),
    "universitas": ("univ",),
    "jenderal": ("jend", "jendral"),
    "kapten": ("kapt",),
    "pangeran": ("p", "pgrn"),
    "haji": ("H", "h"),
    "muhammad": ("muh", "moh", "m"),
    "jembatan": ("jmbtn", "jbtn"),
    "hotel": ("htl",),
    "street": ("st",),
    "avenue": ("ave",),
    "road": ("rd",),
    "boulevard": ("blvd",),
    "north": ("n",),
    "south": ("s",),
    "east": ("e",),
    "west": ("w",),
}
# Sounds that are written in two ways, in names above all.
_SOUNDS = (
    *(("oe", "u"), ("dj", "j"), ("tj", "c"), ("sy", "s"), ("kh", "k"), ("f", "p"), ("v", "f")),
    *(("th", "t"), ("dh", "d"), ("ie", "i"), ("z", "s"), ("ee", "i")),
)
ROMAN = (
    *("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII"),
    *("XIV", "XV", "XVI", "XVII", "XVIII", "XIX", "XX"),
)
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_ROADS = ("Jl. ", "Jln ", "jl ", "Jalan ", "JL.", "jln. ", "Jl ", "jalan ", "")
_BY = {
    "id": (
        "depan {}",
        "dpn {}",
        "di depan {}",
        "sebelah {}",
        "sblh {}",
        "samping {}",
        "dekat {}",
        "dkt {}",
        "deket {}",
        "belakang {}",
        "blkg {}",
        "seberang {}",
        "sebrang {}",
        "persis depan {}",
        "sekitar {}",
        "pas di seberang {}",
        "di belakang {}",
    ),
    "en": (
        "in front of {}",
        "opposite {}",
        "behind {}",
        "next to {}",
        "near {}",
        "across from {}",
        "close to {}",
    ),
}
_CORNER = {
    "id": (
        "perempatan {a} - {b}",
        "pertigaan {a} dgn {b}",
        "simpang {a} dan {b}",
        "pojok {a} / {b}",
        "perempatan {a} & {b}",
        "{a} pertigaan {b}",
        "prapatan {a} {b}",
        "bangjo {a} sama {b}",
        "simpang tiga {a} dengan {b}",
        "lampu merah {a} - {b}",
        "pojokan {a}, {b}",
        "persimpangan {a} dan {b}",
        "simpang empat {a} {b}",
    ),
    "en": (
        "corner of {a} and {b}",
        "{a} & {b}",
        "{a} at {b}",
        "intersection of {a} and {b}",
        "junction {a} / {b}",
        "{a} and {b}",
    ),
}
_TROUBLE = {
    "id": (
        "pohon tumbang {}",
        "lampu jalan mati {}",
        "ada pohon roboh nutup jalan {}",
        "pak tolong, banjir {} sudah selutut",
        "jalan berlubang {} tolong diperbaiki",
        "mohon dicek, kabel menjuntai {}",
        "sampah menumpuk {} sejak kemarin",
        "halo admin, tiang listrik miring {}",
        "pipa bocor {} airnya ke jalan",
        "baliho hampir jatuh {}, bahaya",
        "min ada kecelakaan {}",
    ),
    "en": (
        "fallen tree {}",
        "street light out {}",
        "there is a deep pothole {} please fix",
        "water leak {}",
        "flooding {}",
    ),
}
_AT = {"id": ("di ", "", "lokasi ", "di "), "en": ("at ", "on ", "")}
_NO_PLACE = (
    "lampu jalan mati sudah tiga hari belum diperbaiki",
    "tolong segera dikirim petugas ke lokasi",
    "pohon tumbang menutup jalan",
    "sampah tidak diangkut seminggu ini baunya menyengat",
    "jalan rusak parah banyak lubang kapan diaspal",
    "kapan mobil pemadam datang pak api makin besar",
    "ada orang gila mengganggu warga",
    "banjir masuk rumah warga air terus naik",
    "kabel listrik putus dan menjuntai ke jalan raya",
    "parkir liar bikin macet tiap pagi",
    "tukang parkir minta uang terlalu mahal",
    "mohon bantuan ada ular masuk rumah",
    "got mampet airnya meluap ke jalan kalau hujan",
    "pemadaman listrik terus menerus di kampung kami",
    "anjing liar banyak sekali takut menggigit anak sekolah",
    "air PDAM tidak mengalir dari kemarin sore",
    "reklame mau roboh kena angin kencang semalam",
    "warga resah suara musik keras sampai tengah malam",
    "saya sudah lapor berkali kali tidak ada tanggapan",
    "apakah kantor pelayanan buka hari sabtu",
    "bagaimana cara mengurus surat pindah",
    "wifi gratis di taman tidak bisa dipakai",
    "terima kasih petugasnya cepat sekali",
    "rumah tetangga kebakaran cepat tolong",
    "pohon besar di depan rumah saya hampir roboh",
    "dekat rumah pak rt ada tiang miring",
    "di belakang sekolah anak saya banyak sampah",
    "lubang besar di tengah jalan depan warung",
    "street light has been dark for a week",
    "a big tree fell and blocks the whole road",
    "water is coming out of the pavement near my house",
    "there is garbage everywhere please clean up",
)
_WHERE_NONE = ("", "", "pak ", "min ", "tolong ", "mohon ", "halo, ", "lapor, ")
_SYLLABLES = ("zqu", "vro", "xek", "plon", "tri", "gwu", "bem", "fla", "nyx", "cho", "dru", "wiz")

NAMES_ELSEWHERE = [
    "Jalan Basuki Rahmat",
    "Jalan Kertajaya",
    "Jalan Manyar Kertoarjo",
    "Jalan Rungkut Madya",
    "Jalan Nginden",
    "Jalan Raya Darmo",
    "Jalan Embong Malang",
    "Jalan Kedungdoro",
    "Jalan Dharmawangsa Surabaya",
    "Jalan Ijen Boulevard",
    "Jalan Soekarno Hatta Malang",
    "Jalan Veteran Malang",
    "Jalan Borobudur Agung",
    "Jalan Malioboro",
    "Jalan Kaliurang",
    "Jalan Parangtritis",
    "Jalan Gejayan",
    "Jalan Magelang",
    "Jalan Godean",
    "Jalan Braga",
    "Jalan Dago",
    "Jalan Cihampelas",
    "Jalan Setiabudhi",
    "Jalan Buah Batu",
    "Jalan Pasteur",
    "Jalan Riau Bandung",
    "Jalan Padjadjaran",
    "Jalan Pandanaran",
    "Jalan Simpang Lima",
    "Jalan Majapahit",
    "Jalan Gajah Mada Semarang",
    "Jalan Ngesrep Timur",
    "Jalan Tlogosari Raya",
    "Jalan Slamet Riyadi",
    "Jalan Urip Sumoharjo",
    "Jalan Panglima Sudirman",
    "Jalan Cokroaminoto Madiun",
    "Jalan Oro-Oro Ombo",
    "Jalan Mastrip",
    "Jalan Ring Road Barat",
    "Jalan Diponegoro Madiun",
    "Jalan Bali Madiun",
    "Jalan Kartoharjo",
    "Jalan Nambangan Kidul",
    "Jalan Sumber Karya",
    "Jalan Trunojoyo Ponorogo",
    "Jalan Batoro Katong",
    "Jalan Jenderal Sudirman Ponorogo",
    "Jalan Suromenggolo",
    "Jalan Gatot Kaca",
    "Jalan Sisingamangaraja Medan",
    "Jalan Setia Budi Medan",
    "Jalan Gagak Hitam",
    "Jalan Brigjen Katamso",
    "Jalan Ngumban Surbakti",
    "Jalan Karya Wisata",
    "Jalan Letda Sujono",
    "Jalan Mandala By Pass",
    "Jalan Pemuda Blitar",
    "Jalan Tanjung Blitar",
    "Jalan Ir Soekarno Blitar",
    "Jalan Kalibrantas",
    "Jalan Sultan Alauddin",
    "Jalan Andi Pangeran Pettarani",
    "Jalan Perintis Kemerdekaan Makassar",
    "Jalan Teuku Nyak Arief Banda Aceh",
    "Jalan Ahmad Yani Palembang",
    "Jalan Demang Lebar Daun",
    "Jalan Teuku Umar Denpasar",
    "Jalan Sunset Road",
    "Jalan Bypass Ngurah Rai",
    "Jalan Raya Kuta",
    "Masjid Agung Baitul Hakim",
    "Alun-Alun Kota Madiun",
    "RSUD dr. Soedono",
    "Stasiun Madiun",
    "Pasar Besar Madiun",
    "Taman Sumber Umis",
    "RSUD Mardi Waluyo",
    "Makam Bung Karno",
    "Istana Maimun",
    "Lapangan Merdeka Medan",
    "Tugu Pahlawan",
    "Stasiun Gubeng",
    "Pasar Turi",
    "Hotel Majapahit",
    "RSUD dr. Soetomo",
    "Universitas Airlangga",
    "Kebun Binatang Surabaya",
    "Tunjungan Plaza",
    "Gedung Sate",
    "Paris Van Java",
    "Trans Studio Mall",
    "Stasiun Tugu",
    "Benteng Vredeburg",
    "Pasar Beringharjo",
    "Candi Sewu",
    "Lawang Sewu",
    "Kota Lama Semarang",
    "Pasar Johar",
    "Benteng Rotterdam",
    "Pantai Losari",
]
"""Real streets and places of other Indonesian cities; whoever measures leaves out namesakes."""


class Writer:
    """One person's way of writing; the same `chance` writes the same."""

    def __init__(self, chance: random.Random, *, language: str = "id") -> None:
        self.chance = chance
        self.language = language

    def street(self, name: str) -> str:
        """The name with one of the titles people give a street, and their spelling."""
        return self.untidy(self._titled(self._numbered(name)))

    def untidy(self, name: str) -> str:
        """Short forms, sounds, slips of the finger, letter case: mostly one or two of them."""
        text = name
        if self.chance.random() < 0.3:
            text = self._shortened(text)
        if self.chance.random() < 0.12:
            text = self._by_ear(text)
        if self.chance.random() < 0.35:
            text = self._slip(text)
        if self.chance.random() < 0.05:
            text = self._spaces(text)
        return self._case(text)

    def beside(self, name: str) -> str:
        """In front of it, behind it, or on another side of it."""
        return self.chance.choice(_BY[self.language]).format(name)

    def corner(self, a: str, b: str) -> str:
        """Where two streets meet."""
        if self.chance.random() < 0.5:
            a, b = b, a
        return self.chance.choice(_CORNER[self.language]).format(a=self.street(a), b=self.street(b))

    def told(self, place: str) -> str:
        """The place within the complaint itself."""
        sentence = self.chance.choice(_TROUBLE[self.language])
        return sentence.format(self.chance.choice(_AT[self.language]) + place)

    def unit(self) -> str:
        """A neighbourhood unit or a house number behind a street; often nothing."""
        dice = self.chance.randint
        return self.chance.choice(
            (
                "",
                "",
                f" RT {dice(1, 15):02d} RW {dice(1, 12):02d}",
                f" rt{dice(1, 9)}/rw{dice(1, 9)}",
                f" RT.{dice(1, 12):03d}/RW.{dice(1, 12):03d}",
                f" no {dice(1, 150)}",
                f" No.{dice(1, 99)}{self.chance.choice('ABC')}",
            )
        )

    def area(self, ward: str | None, district: str | None, *, must: bool = False) -> str:
        """The ward or district behind a place, in the ways people add one."""
        if not ward:
            return ""
        ways = [f", {ward}", f" kel. {ward}", f" {ward}", f" kelurahan {ward}", f" ({ward})"]
        if district:
            ways += [f", Kec. {district}", f" {ward} {district}", f", kel {ward} kec {district}"]
        said = self.chance.choice(ways if must else [*ways, "", "", ""])
        return self._slip(said) if self.chance.random() < 0.08 else said

    def fewer(self, name: str) -> str:
        """Without one of its words: never the first after the title."""
        words = name.split()
        title = 1 if words[0].casefold().rstrip(".") in ("jalan", "jl", "gang") else 0
        if len(words) - title < 3:
            return name
        gone = self.chance.randrange(title + 1, len(words))
        return " ".join(word for i, word in enumerate(words) if i != gone)

    def turned(self, name: str) -> str:
        """With two of its words exchanged."""
        words = name.split()
        title = 1 if words[0].casefold().rstrip(".") in ("jalan", "jl", "gang") else 0
        if len(words) - title < 2:
            return name
        i = self.chance.randrange(title, len(words) - 1)
        words[i], words[i + 1] = words[i + 1], words[i]
        return " ".join(words)

    def no_place(self) -> str:
        """A complaint that does not say where."""
        text = self.chance.choice(_WHERE_NONE) + self.chance.choice(_NO_PLACE)
        if self.chance.random() < 0.3:
            text = self._slip(text)
        return self._case(text)

    def nonsense(self) -> str:
        """What comes from a pocket, a child, or a test of the form."""
        dice = self.chance.random()
        if dice < 0.3:
            return "".join(self.chance.choice("asdfghjklqwe") for _ in range(self._length()))
        if dice < 0.55:
            return " ".join(
                "".join(self.chance.choices(_SYLLABLES, k=2))
                for _ in range(self.chance.randint(1, 3))
            )
        if dice < 0.7:
            return " ".join(str(self.chance.randint(1, 9999)) for _ in range(3))
        if dice < 0.85:
            return self.chance.choice(
                ("test", "tes tes", "coba", "halo", "p", "ok", "???", "...", "abc")
            )
        return "jl " + "".join(self.chance.choices(_SYLLABLES, k=3))

    def numeral(self, name: str, *, taken: Sequence[str]) -> str | None:
        """The name with another number at its end, none of those `taken`; None without one."""
        found = re.fullmatch(r"(.*\s)([IVX]+|\d{1,2})([A-Z]?)", name)
        if not found:
            return None
        roman = not found[2].isdigit()
        numbers = [ROMAN[n] if roman else str(n) for n in range(1, 21)]
        free = [f"{found[1]}{n}" for n in numbers if f"{found[1]}{n}" not in taken]
        return self.chance.choice(free) if free else None

    def _length(self) -> int:
        return self.chance.randint(4, 14)

    def _titled(self, name: str) -> str:
        bare = re.sub(r"^(jalan|jl\.?)\s+", "", name, flags=re.IGNORECASE)
        if bare == name:
            return name
        return self.chance.choice(_ROADS) + bare

    def _numbered(self, name: str) -> str:
        """Roman and Arabic numerals are written for each other."""
        words = name.split()
        for i, word in enumerate(words[1:], start=1):
            if self.chance.random() < 0.4:
                if word.isdigit() and 0 < int(word) < len(ROMAN):
                    words[i] = ROMAN[int(word)]
                elif word in ROMAN[1:]:
                    words[i] = str(ROMAN.index(word))
        return " ".join(words)

    def _shortened(self, text: str) -> str:
        for long, short in _SHORT.items():
            if self.chance.random() < 0.7:
                text = re.sub(
                    rf"\b{long}\b", self.chance.choice(short), text, count=1, flags=re.IGNORECASE
                )
        if self.chance.random() < 0.1:
            words = text.split()
            i = self.chance.randrange(len(words))
            if len(words) > 1 and len(words[i]) > 6:
                # The vowels go first, as on a narrow keyboard.
                words[i] = words[i][0] + re.sub(r"[aeiou]", "", words[i][1:])
            text = " ".join(words)
        return text

    def _by_ear(self, text: str) -> str:
        a, b = self.chance.choice(_SOUNDS)
        lower = text.casefold()
        if a in lower:
            return re.sub(a, b, text, count=1, flags=re.IGNORECASE)
        return (
            re.sub(b, a, text, count=1, flags=re.IGNORECASE) if len(b) == 1 and b in "ujc" else text
        )

    def _slip(self, text: str) -> str:
        """One slip of the finger within a word: lost, doubled, exchanged, or the key beside it."""
        spots = [m.start() for m in re.finditer(r"(?<=[A-Za-z])[A-Za-z](?=[A-Za-z])", text)]
        if not spots or len(text) < 6:
            return text
        i, kind = self.chance.choice(spots), self.chance.random()
        if kind < 0.3:
            return text[:i] + text[i + 1 :]
        if kind < 0.55:
            return text[:i] + text[i + 1] + text[i] + text[i + 2 :]
        if kind < 0.75:
            return text[:i] + text[i] + text[i:]
        return text[:i] + self._beside(text[i]) + text[i + 1 :]

    def _beside(self, letter: str) -> str:
        row = next(row for row in _KEYS if letter.casefold() in row)
        at = row.index(letter.casefold())
        return self.chance.choice([row[i] for i in (at - 1, at + 1) if 0 <= i < len(row)])

    def _spaces(self, text: str) -> str:
        gaps = [m.start() for m in re.finditer(r"(?<=[a-z]) (?=[A-Za-z])", text)]
        if not gaps:
            return text
        i = self.chance.choice(gaps)
        return text[:i] + text[i + 1 :]

    def _case(self, text: str) -> str:
        if self.chance.random() < 0.5:
            return text.lower()
        return text.upper() if self.chance.random() < 0.15 else text
