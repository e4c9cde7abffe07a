/** The answer page: copy, share, and the draft has done its work. */
import { city } from "../base/place.js";
import { dropDraft } from "./draft.js";
import { connectSharing } from "./sharing.js";

dropDraft(city);
connectSharing();
