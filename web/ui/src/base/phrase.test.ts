import { expect, test } from "vitest";
import { inEnglish } from "./phrase.js";

test.each([
  [
    "Jl. Pahlawan, 40 m sebelah utara Jl. Kartini, Kel. Oro-oro Ombo",
    "Jl. Pahlawan, 40 m north of Jl. Kartini, Kel. Oro-oro Ombo",
  ],
  [
    "Simpang Jl. Kartini – Jl. Pahlawan, dekat Toko Sinar Jaya, Kel. Kejuron",
    "Corner of Jl. Kartini and Jl. Pahlawan, near Toko Sinar Jaya, Kel. Kejuron",
  ],
  ["110 m sebelah timur laut Jl. A, Kel. B", "110 m northeast of Jl. A, Kel. B"],
  ["Simpang Lima, Kel. Utara", "Simpang Lima, Kel. Utara"],
])("%s in English", (indonesian, english) => {
  expect(inEnglish(indonesian)).toBe(english);
});
