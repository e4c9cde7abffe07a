/** The colours of the basemap by day and by night. */
import type { Theme } from "../base/theme.svelte.js";

export interface Palette {
  earth: string;
  water: string;
  waterText: string;
  park: string;
  wood: string;
  grass: string;
  sand: string;
  pitch: string;
  hospital: string;
  school: string;
  industrial: string;
  pedestrian: string;
  building: string;
  buildingLine: string;
  highway: string;
  highwayCase: string;
  major: string;
  majorCase: string;
  medium: string;
  minor: string;
  minorCase: string;
  path: string;
  rail: string;
  boundary: string;
  text: string;
  halo: string;
  place: string;
  poi: string;
  house: string;
}

export const palettes: Record<Theme, Palette> = {
  light: {
    earth: "#f4f4f1",
    water: "#a9d3ee",
    waterText: "#2f6f96",
    park: "#cfe8c5",
    wood: "#c0dfb6",
    grass: "#dcedd2",
    sand: "#f3e8c8",
    pitch: "#bfe3c4",
    hospital: "#fbe7e6",
    school: "#f7f0dd",
    industrial: "#eeeeec",
    pedestrian: "#efedea",
    building: "#e2dfda",
    buildingLine: "#cfcac3",
    highway: "#f7b955",
    highwayCase: "#d98d22",
    major: "#ffe08a",
    majorCase: "#e0b64a",
    medium: "#ffffff",
    minor: "#ffffff",
    minorCase: "#d3d2cf",
    path: "#c9bfb2",
    rail: "#b3b3b8",
    boundary: "#a58bb5",
    text: "#3d4349",
    halo: "#ffffff",
    place: "#1f2630",
    poi: "#5b6570",
    house: "#8a8f96",
  },
  dark: {
    earth: "#161d22",
    water: "#0d2a3a",
    waterText: "#66a9cf",
    park: "#172a20",
    wood: "#152821",
    grass: "#18261e",
    sand: "#2a2820",
    pitch: "#183124",
    hospital: "#271c22",
    school: "#20231f",
    industrial: "#1a2126",
    pedestrian: "#1c242a",
    building: "#20292f",
    buildingLine: "#2c373e",
    highway: "#8a6426",
    highwayCase: "#2b2213",
    major: "#5d5439",
    majorCase: "#201d15",
    medium: "#3c464e",
    minor: "#333d45",
    minorCase: "#141a1f",
    path: "#3a444c",
    rail: "#3e4850",
    boundary: "#6d5a7c",
    text: "#b6c0ca",
    halo: "#10161a",
    place: "#e6ecf2",
    poi: "#8795a3",
    house: "#66727e",
  },
};
