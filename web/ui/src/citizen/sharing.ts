/** Copies and shares the private link, where the browser can. */

/** Shows and connects the buttons; without scripts they stay hidden and the link can be marked. */
export function connectSharing(root: ParentNode = document): void {
  for (const button of root.querySelectorAll<HTMLButtonElement>("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => void copy(button));
  }
  for (const button of root.querySelectorAll<HTMLButtonElement>("button[data-share]")) {
    if (!("share" in navigator)) continue;
    button.hidden = false;
    button.addEventListener("click", () => void share(button));
  }
  for (const link of root.querySelectorAll<HTMLInputElement>(".private-link")) {
    link.addEventListener("focus", () => link.select());
  }
}

async function copy(button: HTMLButtonElement): Promise<void> {
  const source = document.getElementById(button.dataset.copy ?? "") as HTMLInputElement | null;
  if (!source) return;
  let done = true;
  try {
    await navigator.clipboard.writeText(source.value);
  } catch {
    // Not a secure page, or refused: leave it marked for the person's own copy.
    done = false;
    source.select();
  }
  const text = (done ? button.dataset.done : button.dataset.failed) ?? "";
  const label = button.querySelector("span");
  if (label) label.textContent = text;
  const state = document.querySelector("[data-copy-state]");
  if (state) state.textContent = text;
}

async function share(button: HTMLButtonElement): Promise<void> {
  try {
    await navigator.share({ url: button.dataset.share, text: button.dataset.text });
  } catch (error) {
    // Closing the share sheet is no failure; anything else leaves copying.
    if ((error as DOMException).name !== "AbortError") button.hidden = true;
  }
}
