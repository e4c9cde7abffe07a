/** Starts the replay of a crew or an incident. */
import "../base/base.css";
import { mount } from "svelte";
import ReplayPage from "./ReplayPage.svelte";

const target = document.getElementById("app");
if (!target) throw new Error("The page has no #app element.");
mount(ReplayPage, { target });
