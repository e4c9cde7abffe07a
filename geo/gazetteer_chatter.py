"""The words of a message around the place it tells: they part names, and are part of none."""

import re

from geo.gazetteer_text import ROAD_WORDS

# Function words, courtesies, and what is usually wrong; Indonesian as it is spoken, and English.
_INDONESIAN = """
ada adalah admin agar akan akibat aku anda apa apakah api atau awas bagaimana banget banjir banyak
baru beberapa belum berapa berbahaya berlubang besok bisa bocor boleh bu buat bukan bpk bapak cepat
cek dan dapat dari datang dengan depannya di dia diaspal dicek dikirim diperbaiki ditangani
diangkut dong gan gangguan gelap genangan halo hampir hari harus hati hujan ibu ikut ingin ini itu
jatuh jadi jam jangan juga kabel kak kalau kami kapan karena kata kebakaran kecelakaan kejadian
kemarin kena kenapa kendaraan kepada kerusakan kira kita km kok kondisi korban korsleting lagi
lah lalu lama lapor laporan lewat longsor lubang lurah macet mas mati mau mbak melintang meluap
menghalangi mengganggu menimpa menjuntai menumpuk menutup menutupi min minggu minta miring mogok
mohon mulai nih nutup nya oleh padam pada padahal pagi pak para parah patah petugas pipa pohon putus
rawan robek roboh rubuh rumah rusak saat saja sampah sampai sangat saya sebab sedang segera sehingga
sejak selamat selokan selutut semalam sementara semua seperti sering siang sore suara sudah supaya
tadi tak tanggapan tapi telah tenggelam tergenang terima kasih terjadi terus tersumbat tertimpa
tertutup tiang tidak tinggi tiap tolong tumbang ular untuk warga wib ya yaitu yang yg sdh blm tdk
gak ga nggak utk dgn krn jg aja tlg mhn dr pd lampu baliho reklame kabelnya airnya
"""
_ENGLISH = """
an and are been big blocked blocking blocks broken burning can cannot damaged dangerous dark days
deep down fallen fell fire fix flooded flooding for from garbage has have help here hole in into is
it lamp leak leaking light lights my need not off on our out over please pole pothole potholes
report since sir some somebody someone still street that the there this today trash tree trees very
was water week went were whole will with yesterday you
"""
CHATTER = frozenset((_INDONESIAN + _ENGLISH).split())

_PLACED_AT = (
    r"di|ke|dari|pada|lokasi|lokasinya|tempat|tempatnya|alamat|posisi|daerah|at|on|in|along"
)
_ROAD = re.compile(r"(?<=\S)\s+(?=(?:jalan|jln|jl|gang|gg|lorong)\b)")
_AT = re.compile(rf"(?:^|(?<=\s))(?:{_PLACED_AT})(?=\s)")


def pieces(text: str) -> list[str]:
    """The stretches of the folded text that may be names, those that call themselves roads first.

    A text without chatter is one piece.
    """
    found = []
    for stretch in _AT.sub("\0", _ROAD.sub("\0", text)).split("\0"):
        kept: list[str] = []
        for word in [*stretch.split(), ""]:
            if word.strip(".,;:!?()") in CHATTER or not word:
                if kept:
                    found.append(" ".join(kept))
                kept = []
            else:
                kept.append(word)
    told = list(dict.fromkeys(found))
    return sorted(told, key=lambda piece: not _is_road(piece))


def _is_road(piece: str) -> bool:
    words = re.findall(r"[a-z]+", piece)
    return bool(words) and (words[0] in ("jl", "jln", "gg") or bool(ROAD_WORDS.intersection(words)))


def is_told(text: str) -> bool:
    """Is the place told within a message, not just named?"""
    return sum(word.strip(".,;:!?()") in CHATTER for word in text.split()) > 0
