/** Compiles the screen texts once, for the type check and the tests. */
import { compile } from "@inlang/paraglide-js";
import { messageOptions } from "../messages.config.mjs";

await compile(messageOptions);
