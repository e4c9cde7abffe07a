/** Starts the agency officer's page. */
import "../base/base.css";
import { mount } from "svelte";
import AgencyPage from "./AgencyPage.svelte";

const target = document.getElementById("app");
if (!target) throw new Error("The page has no #app element.");
mount(AgencyPage, { target });
