/** The screens mean the same vehicle as the server. */
import { expect, it, vi } from "vitest";

vi.stubGlobal("navigator", { languages: ["id-ID"] });
vi.stubGlobal("document", { documentElement: {}, cookie: "" });
const { avoided, vehicleOf } = await import("./vehicles.js");

const truck = {
  kind: "truck",
  name: "Truk",
  name_en: "Truck",
  keywords: ["truck", "truk"],
  avoids: ["living_street", "alley"],
};
const bike = { kind: "motorbike", name: "Motor", name_en: "Motorcycle", keywords: [], avoids: [] };

it("finds a vehicle by its kind or by a word in what is written", () => {
  expect(vehicleOf([truck, bike], "bucket_truck")).toBe(truck);
  expect(vehicleOf([truck, bike], "Truk tangki")).toBe(truck);
  expect(vehicleOf([truck, bike], "motorbike")).toBe(bike);
  expect(vehicleOf([truck, bike], "van")).toBeNull();
  expect(vehicleOf([truck, bike], null)).toBeNull();
});

it("says which roads it cannot use", () => {
  expect(avoided(truck)).toBe("jalan permukiman, gang");
  expect(avoided(bike)).toBe("");
  expect(avoided({ ...bike, avoids: ["motorway", "no_motorbikes", "path"] })).toBe(
    "jalan tol, jalan terlarang bagi sepeda motor, jalan setapak",
  );
  expect(avoided(null)).toBe("");
});
