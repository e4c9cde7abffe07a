/** Starts the dispatcher console. */
import "../base/base.css";
import { mount } from "svelte";
import Start from "./Start.svelte";

const target = document.getElementById("app");
if (!target) throw new Error("The page has no #app element.");
mount(Start, { target });
