"""What Sigap says when a wish is refused, in Indonesian and English.

The file is long because it is a list of sentences, each beside its translation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Language = Literal["id", "en"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence in both languages; `{name}` stands for a value."""

    en: str
    id: str

    def say(self, language: Language, **values: object) -> str:
        """The sentence with its values filled in."""
        return (self.id if language == "id" else self.en).format_map(_Shown(values))


class _Shown(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "…"


# What the web floor itself refuses, by stable code.
OWN: Mapping[str, Sentence] = {
    "not_signed_in": Sentence("Sign in first, then try again.", "Masuk dahulu, lalu coba lagi."),
    "bad_credentials": Sentence(
        "The name or the password is wrong. Check both and try again.",
        "Nama atau kata sandi salah. Periksa keduanya dan coba lagi.",
    ),
    "bad_code": Sentence(
        "This code is wrong, used or too old. Ask the dispatcher for a new one.",
        "Kode ini salah, sudah dipakai, atau kedaluwarsa. Minta kode baru ke petugas piket.",
    ),
    "forbidden": Sentence(
        "Your role may not do this. Sign in as somebody who may.",
        "Peran Anda tidak boleh melakukan ini. Masuk dengan peran yang berhak.",
    ),
    "foreign_origin": Sentence(
        "This request came from another site. Open Sigap itself and try again.",
        "Permintaan ini datang dari situs lain. Buka Sigap langsung dan coba lagi.",
    ),
    "not_found": Sentence(
        "There is nothing at this address. Check the link.",
        "Tidak ada apa pun di alamat ini. Periksa tautannya.",
    ),
    "method_not_allowed": Sentence(
        "This address does not take {method}.", "Alamat ini tidak menerima {method}."
    ),
    "too_large": Sentence(
        "This is too large: at most {limit} fit. Send less, or a smaller photo.",
        "Kiriman terlalu besar: paling banyak {limit}. Kirim lebih sedikit atau foto lebih kecil.",
    ),
    "too_many": Sentence(
        "Too many requests. Wait {seconds} seconds and try again.",
        "Terlalu banyak permintaan. Tunggu {seconds} detik lalu coba lagi.",
    ),
    "internal": Sentence(
        "Something failed here and was noted under {request_id}. Try again in a moment.",
        "Ada kegagalan di sini dan sudah dicatat dengan nomor {request_id}. Coba lagi sebentar.",
    ),
    "unavailable": Sentence(
        "Sigap is starting or busy. Try again in a moment.",
        "Sigap sedang mulai atau sibuk. Coba lagi sebentar.",
    ),
    "roads_away": Sentence(
        "Travel times are not known now: the road server does not answer. Try again in a moment.",
        "Waktu tempuh belum diketahui: server jalan tidak menjawab. Coba lagi sebentar.",
    ),
    "bad_request": Sentence(
        "This request cannot be read. Check what was sent.",
        "Permintaan ini tidak terbaca. Periksa isinya.",
    ),
    "unsatisfiable_range": Sentence(
        "The file is shorter than the part asked for.",
        "Berkas lebih pendek daripada bagian yang diminta.",
    ),
    "screens_not_built": Sentence(
        "The screens are not built yet. Run “make build” and reload.",
        "Layar belum dibangun. Jalankan “make build” lalu muat ulang.",
    ),
    "no_photo": Sentence(
        "This photo is not here. Send it again.", "Foto ini tidak ada di sini. Kirim ulang."
    ),
    "no_position": Sentence(
        "The crew's position is not known. Allow the location on the phone and try again.",
        "Posisi regu belum diketahui. Izinkan lokasi di ponsel lalu coba lagi.",
    ),
    "unreachable": Sentence("No road leads there from here.", "Tidak ada jalan dari sini ke sana."),
    "idempotency_key_missing": Sentence(
        "Send a header Idempotency-Key with a fresh UUID; repeat it when you repeat the request.",
        "Sertakan tajuk Idempotency-Key berisi UUID baru; pakai lagi bila permintaan diulang.",
    ),
    "invalid": Sentence(
        "Something in this request is not right: {fields}.",
        "Ada yang belum benar dalam permintaan ini: {fields}.",
    ),
    "secret_incident": Sentence(
        "One of its reporters asked for secrecy: it cannot be exported.",
        "Salah satu pelapornya meminta kerahasiaan: tidak dapat diekspor.",
    ),
    "no_device_id": Sentence(
        "This message names no device. Set the device's id in the app, as Sigap printed it.",
        "Pesan ini tidak menyebut perangkat. Isi pengenal perangkat di aplikasi sesuai Sigap.",
    ),
    "unreadable_fix": Sentence(
        "This is no position in a form that is known here. Check the app's protocol.",
        "Ini bukan posisi dalam bentuk yang dikenal di sini. Periksa protokol aplikasi.",
    ),
    "unreadable_time": Sentence(
        "The time of this position cannot be read. Send seconds, milliseconds or ISO 8601.",
        "Waktu posisi ini tidak terbaca. Kirim detik, milidetik, atau ISO 8601.",
    ),
    "bad_device": Sentence(
        "This device is not known here, or its secret is wrong. Scan its QR code again.",
        "Perangkat ini tidak dikenal di sini, atau rahasianya salah. Pindai lagi kode QR-nya.",
    ),
    "too_many_fixes": Sentence(
        "At most {limit} positions fit into one request. Send them in several.",
        "Paling banyak {limit} posisi dalam satu kiriman. Kirim dalam beberapa bagian.",
    ),
    "no_such_thing": Sentence(
        "This {thing} is not here. Go back and look again.",
        "{thing} ini tidak ada di sini. Kembali dan lihat lagi.",
    ),
    "wrong_status": Sentence(
        "This {thing} is {status}; that step is not possible now. Look at its latest state.",
        "{thing} ini {status}; langkah itu tidak mungkin sekarang. Lihat keadaan terbarunya.",
    ),
}

THINGS: Mapping[str, Sentence] = {
    "report": Sentence("report", "Laporan"),
    "incident": Sentence("incident", "Kejadian"),
    "assignment": Sentence("assignment", "Penugasan"),
    "crew": Sentence("crew", "Regu"),
    "referral": Sentence("referral", "Disposisi"),
    "round": Sentence("round", "Putaran"),
    "plan": Sentence("plan", "Rencana"),
    "closure": Sentence("closure", "Penutupan jalan"),
    "device": Sentence("device", "Perangkat"),
}

STATUSES: Mapping[str, Sentence] = {
    "received": Sentence("new", "baru diterima"),
    "under_verification": Sentence("being verified", "sedang diverifikasi"),
    "verified": Sentence("verified", "terverifikasi"),
    "postponed": Sentence("postponed", "ditunda"),
    "not_our_authority": Sentence("marked as not our authority", "bukan wewenang kita"),
    "archived": Sentence("archived", "diarsipkan"),
    "duplicate": Sentence("a duplicate", "duplikat"),
    "linked": Sentence("part of an incident", "bagian dari kejadian"),
    "closed": Sentence("closed", "ditutup"),
    "pending": Sentence("waiting for a crew", "menunggu regu"),
    "dispatched": Sentence("with a crew", "sudah ada regu"),
    "on_scene": Sentence("being worked on", "sedang dikerjakan"),
    "cleared": Sentence("finished", "selesai dikerjakan"),
    "cancelled": Sentence("cancelled", "dibatalkan"),
    "offered": Sentence("only offered yet", "baru ditawarkan"),
    "acknowledged": Sentence("accepted", "diterima regu"),
    "en_route": Sentence("on its way", "dalam perjalanan"),
    "declined": Sentence("declined", "ditolak regu"),
    "expired": Sentence("expired", "kedaluwarsa"),
    "withdrawn": Sentence("withdrawn", "ditarik"),
    "made": Sentence("not accepted yet", "belum diterima instansi"),
    "accepted": Sentence("accepted", "diterima instansi"),
    "refused": Sentence("refused", "ditolak instansi"),
    "finished": Sentence("finished", "selesai"),
    "proposed": Sentence("not started yet", "belum dimulai"),
    "active": Sentence("on its way", "sedang berjalan"),
    "paused": Sentence("interrupted", "sedang terhenti"),
    "done": Sentence("finished", "sudah selesai"),
    "lifted": Sentence("lifted", "sudah dibuka"),
}

# Why a plan of rounds came to nothing, by stable code.
PLANS: Mapping[str, Sentence] = {
    "worker_gone": Sentence(
        "The route search ended unexpectedly. Nothing was changed; plan again.",
        "Pencarian rute berhenti tiba-tiba. Tidak ada yang berubah; rencanakan lagi.",
    ),
    "too_long": Sentence(
        "The route search took too long and was ended. Choose fewer crews or categories.",
        "Pencarian rute terlalu lama dan dihentikan. Pilih lebih sedikit regu atau kategori.",
    ),
    "moved_on": Sentence(
        "Meanwhile the work was taken care of otherwise. Look again and plan anew.",
        "Sementara itu pekerjaannya sudah ditangani. Lihat lagi lalu rencanakan ulang.",
    ),
    "broken": Sentence(
        "The plan failed here and was noted. Nothing was changed; try again in a moment.",
        "Rencana gagal dan sudah dicatat. Tidak ada yang berubah; coba lagi sebentar.",
    ),
}

# What the rules below say, in English there; `{}` stands for a value. A test compares both sides.
FROM_BELOW: Mapping[str, str] = {
    "A trouble is one of: {}.": "Gangguannya salah satu dari: {}.",
    "Set the place on the map first: a name needs a place.": (
        "Tentukan tempatnya di peta dahulu: sebuah nama perlu tempat."
    ),
    "This name is remembered already.": "Nama ini sudah diingat.",
    "No name is remembered from this report.": "Tidak ada nama yang diingat dari laporan ini.",
    "There is no device “{}” in this city.": "Tidak ada perangkat “{}” di kota ini.",
    "There is a device “{}” already. Choose another id.": (
        "Perangkat “{}” sudah ada. Pilih id lain."
    ),
    "Give the device a name of at most 80 letters.": (
        "Beri perangkat nama paling banyak 80 huruf."
    ),
    "An id has 3 to 40 letters, digits, dots, dashes or underscores.": (
        "Id terdiri dari 3 sampai 40 huruf, angka, titik, tanda hubung, atau garis bawah."
    ),
    "This device is retired. Register a new one.": (
        "Perangkat ini sudah dipensiunkan. Daftarkan yang baru."
    ),
    "A box needs west ≤ east and south ≤ north.": (
        "Kotak perlu barat ≤ timur dan selatan ≤ utara."
    ),
    "Ask for at most {} km at once; zoom in.": (
        "Minta paling banyak {} km sekaligus; perbesar peta."
    ),
    "“to” must be later than “from”.": "“to” harus sesudah “from”.",
    "Ask for at most 31 days at once.": "Minta paling banyak 31 hari sekaligus.",
    (
        "Nothing was typed here that could be a name: "
        "it must name a place, hold no phone number, and not be secret."
    ): (
        "Tidak ada tulisan di sini yang bisa menjadi nama: harus menyebut tempat, tanpa "
        "nomor telepon, dan tidak rahasia."
    ),
    "There is no city “{}” in this database; there is: {}.": (
        "Tidak ada kota “{}” di basis data ini; yang ada: {}."
    ),
    "Set the place on the map before verifying: a crew cannot be sent without one.": (
        "Tentukan tempatnya di peta sebelum verifikasi: tanpa itu regu tidak bisa dikirim."
    ),
    "The time to undo this decision is over. Decide anew instead.": (
        "Waktu untuk membatalkan keputusan ini sudah lewat. Buat keputusan baru."
    ),
    "Say why: a reason is needed, the reporter will read it.": (
        "Tulis alasannya: alasan wajib ada dan akan dibaca pelapor."
    ),
    "There is no category “{}”. Choose one of: {}.": (
        "Kategori “{}” tidak ada. Pilih salah satu: {}."
    ),
    "Write what is wrong: a few words are enough.": (
        "Tulis apa yang terjadi: beberapa kata sudah cukup."
    ),
    "The text is too long; keep it within {} characters.": (
        "Tulisannya terlalu panjang; paling banyak {} karakter."
    ),
    "The priority is 1, 2 or 3; 1 is the most urgent.": (
        "Prioritas adalah 1, 2, atau 3; 1 paling mendesak."
    ),
    "This incident is over. Reopen it first, or verify the report as a new one.": (
        "Kejadian ini sudah selesai. Buka kembali dahulu, atau verifikasi sebagai kejadian baru."
    ),
    "Other reports joined this incident meanwhile; cancel it instead.": (
        "Laporan lain sudah bergabung ke kejadian ini; batalkan kejadiannya."
    ),
    "There is no road here. Draw along a road of the map.": (
        "Tidak ada jalan di sini. Gambar mengikuti jalan di peta."
    ),
    "This closes more than {} pieces of road at once. Draw less of it.": (
        "Ini menutup lebih dari {} ruas jalan sekaligus. Gambar lebih pendek."
    ),
    "Say why the road is closed or opened: crews will read it.": (
        "Tulis mengapa jalan ditutup atau dibuka: regu akan membacanya."
    ),
    "This incident is over. Reopen it first, or close the road without it.": (
        "Kejadian ini sudah selesai. Buka kembali dahulu, atau tutup jalan tanpa kejadian itu."
    ),
    "Answer “satisfied” or “reopen”.": "Jawab “satisfied” atau “reopen”.",
    "This report was closed too long ago. Please make a new report.": (
        "Laporan ini sudah terlalu lama ditutup. Silakan buat laporan baru."
    ),
    "{} already has an assignment.": "{} sudah punya penugasan.",
    "{} is already at work. Withdraw it there first.": (
        "{} sudah bekerja di tempat lain. Tarik dahulu dari sana."
    ),
    "{} was diverted once and must arrive now.": (
        "{} sudah pernah dialihkan dan sekarang harus sampai."
    ),
    "{} is on its way to work that may not wait.": (
        "{} sedang menuju pekerjaan yang tidak boleh menunggu."
    ),
    "This city has no map of roads to measure its coverage on.": (
        "Kota ini belum punya peta jalan untuk mengukur jangkauannya."
    ),
    "Write a place as “longitude,latitude”.": "Tulis tempat sebagai “bujur,lintang”.",
    "A drive takes between 0 and 60 minutes here.": (
        "Lama perjalanan di sini antara 0 dan 60 menit."
    ),
    "Name a crew or a place to start from.": "Sebutkan regu atau tempat berangkatnya.",
    "A post needs both longitude and latitude.": "Pos perlu bujur dan lintang sekaligus.",
    "{} has an assignment and cannot move up.": "{} punya penugasan dan tidak bisa pindah pos.",
    "No post is suggested for {}; choose one on the map.": (
        "Tidak ada pos yang disarankan untuk {}; pilih satu di peta."
    ),
    "{} is off duty.": "{} sedang tidak bertugas.",
    "A plan is being worked out already. Wait for it, or cancel it.": (
        "Sebuah rencana sedang disusun. Tunggu sampai selesai, atau batalkan."
    ),
    "No routine work waits for a round now.": "Tidak ada pekerjaan rutin yang menunggu putaran.",
    "No crew on duty can drive this round. Choose another.": (
        "Tidak ada regu bertugas yang bisa menjalankan putaran ini. Pilih regu lain."
    ),
    "“{}” is not driven in rounds.": "“{}” tidak dikerjakan dalam putaran.",
    "{} already drives a round.": "{} sudah menjalankan putaran.",
    "{} already has a round. Cancel it first.": "{} sudah punya putaran. Batalkan dahulu.",
    "{} is taken care of otherwise. Plan again.": "{} sudah ditangani. Rencanakan lagi.",
    "A round has 1 to {} stops, not {}.": "Putaran berisi 1 sampai {} perhentian, bukan {}.",
    "Meanwhile the routine work was taken care of otherwise.": (
        "Sementara itu pekerjaan rutinnya sudah ditangani."
    ),
    "This plan is not known any more. Plan again.": (
        "Rencana ini sudah tidak dikenal. Rencanakan lagi."
    ),
    "{} is off duty and cannot be sent.": "{} sedang tidak bertugas dan tidak bisa dikirim.",
    "{} is out of service ({}) and cannot be sent.": (
        "{} sedang tidak beroperasi ({}) dan tidak bisa dikirim."
    ),
    "{} is off duty: it has no shift to end.": (
        "{} sedang tidak bertugas: tidak ada giliran yang bisa diakhiri."
    ),
    "The shift must end within the next 24 hours.": (
        "Giliran harus berakhir dalam 24 jam ke depan."
    ),
    "Between 0 and {} people can be with a crew.": "Anggota regu antara 0 dan {} orang.",
    "Name at most {} things, each in at most {} letters.": (
        "Sebutkan paling banyak {} alat, masing-masing paling panjang {} huruf."
    ),
    "Say why the crew cannot work: dispatchers will read it.": (
        "Tulis mengapa regu tidak bisa bekerja: petugas piket akan membacanya."
    ),
    "Say why more crews are needed: they will read it.": (
        "Tulis mengapa perlu lebih banyak regu: mereka akan membacanya."
    ),
    "This category has alarm levels up to {}. Choose one of them.": (
        "Kategori ini punya tingkat siaga sampai {}. Pilih salah satunya."
    ),
    "The alarm level is {} already and can only rise.": (
        "Tingkat siaga sudah {} dan hanya bisa naik."
    ),
    "Say why with one of: {}.": "Sebutkan alasannya, salah satu dari: {}.",
    "The note is empty.": "Catatannya kosong.",
    "A photo is “before” or “after” the work.": (
        "Foto adalah “before” (sebelum) atau “after” (sesudah) pekerjaan."
    ),
    "There is no agency “{}”.": "Instansi “{}” tidak ada.",
    "A crew is one of: {}.": "Status regu salah satu dari: {}.",
    "Finish or decline the current assignment before signing off.": (
        "Selesaikan atau tolak penugasan sekarang sebelum berhenti bertugas."
    ),
    "Say how it ended with one of: {}.": "Sebutkan hasil akhirnya, salah satu dari: {}.",
    "A ticket looks like MDN-7K3Q-4.": "Nomor tiket berbentuk seperti MDN-7K3Q-4.",
    "This ticket has a typing error: one character is wrong or two are swapped.": (
        "Nomor tiket salah ketik: satu karakter keliru atau dua tertukar."
    ),
    "There is no such photo.": "Foto itu tidak ada.",
    "There is no such city.": "Kota itu tidak ada.",
    "There is no city “{}” here.": "Kota “{}” tidak dilayani di sini.",
    "There is no such crew.": "Regu itu tidak ada.",
    "There is no such assignment.": "Penugasan itu tidak ada.",
    "There is no such referral.": "Disposisi itu tidak ada.",
    "There is nothing at this address.": "Tidak ada apa pun di alamat ini.",
    "Somebody else changed it meanwhile. Look again and repeat.": (
        "Orang lain sudah mengubahnya. Lihat lagi lalu ulangi."
    ),
    "The crew is taken: it already has an assignment.": "Regu sudah terpakai: ada penugasannya.",
    "The text holds a character that cannot be kept (NUL). Remove it.": (
        "Teks ini memuat karakter yang tidak dapat disimpan (NUL). Hapus karakter itu."
    ),
    "This Idempotency-Key was used for another request. Send a fresh key.": (
        "Idempotency-Key ini sudah dipakai untuk permintaan lain. Kirim kunci baru."
    ),
    "No crew can be recommended now. Choose one yourself.": (
        "Belum ada regu yang bisa disarankan. Pilih sendiri."
    ),
    "A password needs at least {} characters.": "Kata sandi paling sedikit {} karakter.",
    "A role is one of: {}.": "Peran salah satu dari: {}.",
    "A position needs both longitude and latitude.": "Posisi perlu bujur dan lintang sekaligus.",
    "{} Put the pin on the map instead.": "{} Tentukan pin di peta.",
    "A coordinate must be a finite number.": "Koordinat harus bilangan terhingga.",
    "Longitude {} is outside -180 to 180 degrees.": "Bujur {} di luar -180 sampai 180 derajat.",
    "Latitude {} is outside -90 to 90 degrees.": "Lintang {} di luar -90 sampai 90 derajat.",
    "The position is 0, 0: the phone had none. Put the pin on the map or type the place.": (
        "Posisinya 0, 0: ponsel belum tahu tempatnya. Tentukan pin di peta atau ketik tempatnya."
    ),
    "The position has whole degrees only, which is kilometres off. "
    "Put the pin on the map or type the place.": (
        "Posisinya hanya derajat bulat, meleset berkilo-kilometer. "
        "Tentukan pin di peta atau ketik tempatnya."
    ),
    "Latitude and longitude seem to be swapped. Put the pin on the map instead.": (
        "Lintang dan bujur tampaknya tertukar. Tentukan pin di peta."
    ),
    "This is no place on earth. Check longitude and latitude.": (
        "Tempat ini tidak ada di bumi. Periksa bujur dan lintangnya."
    ),
    "This line leaves the city's map. Draw it within the city.": (
        "Garis ini keluar dari peta kota. Gambar di dalam kota."
    ),
    "This short link says where only over the internet. Open it and send the long link, "
    "put the pin on the map, or type the place.": (
        "Tautan pendek ini hanya bisa dibaca lewat internet. Buka lalu kirim tautan panjangnya, "
        "pasang pin di peta, atau tulis tempatnya."
    ),
    "This place is outside the city served here. Check the pin.": (
        "Tempat ini di luar kota yang dilayani. Periksa pinnya."
    ),
    "A phone number has digits, spaces, + and - only.": (
        "Nomor telepon hanya berisi angka, spasi, + dan -."
    ),
    "This is not an e-mail address.": "Ini bukan alamat surel.",
    "Say where it is: an address, a landmark, or a pin on the map.": (
        "Sebutkan tempatnya: alamat, patokan, atau pin di peta."
    ),
    "Send at most 5 photos.": "Kirim paling banyak 5 foto.",
    "One of the photos is not there any more. Send it again.": (
        "Salah satu foto sudah tidak ada. Kirim ulang."
    ),
    "Provide lat and long, or address_string: nobody can be sent without a place.": (
        "Isi lat dan long, atau address_string: tanpa tempat tidak ada yang bisa dikirim."
    ),
    "{} is not a number in degrees (WGS 84).": "{} bukan bilangan derajat (WGS 84).",
    "status is open or closed.": "status adalah open atau closed.",
    "{} must look like 2026-11-22T00:00:00Z.": "{} harus seperti 2026-11-22T00:00:00Z.",
    "The photo is empty. Choose it again.": "Fotonya kosong. Pilih lagi.",
    "This file is not a JPEG, PNG or WebP picture. Send a photo.": (
        "Berkas ini bukan gambar JPEG, PNG, atau WebP. Kirim foto."
    ),
    "The picture is too small to show anything. Send a photo.": (
        "Gambarnya terlalu kecil untuk dilihat. Kirim foto."
    ),
    "The photo arrived damaged. Send it again.": "Fotonya rusak saat terkirim. Kirim ulang.",
    "The picture has too many pixels. Send a smaller one.": (
        "Pikselnya terlalu banyak. Kirim gambar yang lebih kecil."
    ),
    "The photo is larger than 10 MB. Send a smaller one.": (
        "Fotonya lebih dari 10 MB. Kirim yang lebih kecil."
    ),
    "No lamp pole, tree or the like has this number. Check it, or leave it empty and "
    "write the number with the place.": (
        "Tidak ada tiang, pohon, atau sejenisnya dengan nomor ini. Periksa lagi, atau kosongkan "
        "dan tulis nomornya bersama tempatnya."
    ),
    "Several things carry this number. Write it as it is painted, with its letters.": (
        "Nomor ini dipakai lebih dari satu. Tulis persis seperti yang tertera, dengan hurufnya."
    ),
    "Number {} stands {} m from the pin. Check the number, or remove the pin.": (
        "Nomor {} berdiri {} m dari titik yang dipasang. Periksa nomornya, atau hapus titiknya."
    ),
}


def translated(detail: str, language: Language) -> str:
    """A sentence from below in this language; as it is when nobody translated it."""
    if language == "en":
        return detail
    exact = FROM_BELOW.get(detail)
    if exact is not None:
        return exact
    for pattern, indonesian in _PATTERNS:
        found = pattern.fullmatch(detail)
        if found is not None:
            return indonesian.format(*(translated(part, language) for part in found.groups()))
    return detail


def _compiled() -> list[tuple[re.Pattern[str], str]]:
    made = []
    for english, indonesian in FROM_BELOW.items():
        if "{}" in english:
            pattern = "(.+?)".join(re.escape(part) for part in english.split("{}"))
            made.append((re.compile(pattern, re.DOTALL), indonesian))
    return made


_PATTERNS = _compiled()
